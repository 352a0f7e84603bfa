"""Messages, formats and links: both languages whole, every template's words known, no link that could run."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from string import Formatter
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.house_numbers import ROOT
from trendlark.hours import Hour
from trendlark.nlu.language import LANGUAGES, UNKNOWN
from trendlark.nlu.tasks import TASKS
from trendlark.records import EMOTIONS, FLAGS, PLACES, SENTIMENTS
from trendlark.web import formats
from trendlark.web.links import home_link, outside_link, trend_link
from trendlark.web.messages import LANGS, MESSAGES, Words, wanted_language
from trendlark.web.vocabulary import LABELS

WEB = ROOT / "src" / "trendlark" / "web"


def places_in(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_message_is_said_in_both_languages_with_the_same_places_to_fill(key: str) -> None:
    message = MESSAGES[key]
    assert message.en.strip()
    assert message.es.strip()
    assert places_in(message.en) == places_in(message.es)


def test_messages_are_translated() -> None:
    same = {key for key, message in MESSAGES.items() if message.en == message.es}
    assert same <= {"open_original"}


def test_templates_and_routes_use_exactly_the_messages_that_there_are() -> None:
    files = [*WEB.glob("templates/*.html"), *WEB.rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    used = set(re.findall(r"""\b(?:t|words)\(\s*["']([a-z_0-9]+)["']""", text))
    assert used == set(MESSAGES)


def test_labels_of_the_model_are_all_translated() -> None:
    assert set(LABELS["sentiment"]) == set(SENTIMENTS)
    assert set(LABELS["emotions"]) == set(EMOTIONS)
    assert set(LABELS["flags"]) == set(FLAGS)
    assert set(LABELS["topics"]) == set(TASKS["topics"].labels)
    assert set(LABELS["entities"]) == set(TASKS["entities"].labels)
    assert set(LABELS["places"]) == set(PLACES)
    assert {*LANGUAGES, UNKNOWN} <= set(LABELS["languages"])
    assert set(LABELS["counted_one"]) == set(LABELS["counted"])


def test_a_label_that_nobody_translated_is_shown_as_it_is() -> None:
    assert Words("es").label("topics", "new_topic") == "new topic"
    assert Words("es").label("places", "valparaiso") == "valparaiso"
    assert Words("es").label("places", "va\u202elp\u2069") == "va\ufffdlp\ufffd"


def test_an_unknown_message_is_an_error() -> None:
    with pytest.raises(KeyError):
        Words("en")("no_such_message")


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en-GB,en;q=0.9,es;q=0.8", "en"),
        ("fr,es;q=0.5", "es"),
        ("fr", "en"),
        ("*", "en"),
        ("es;q=0,*;q=0.1", "en"),
        ("es;q=nonsense,en;q=0.1", "en"),
        (";;;,,,=", "en"),
    ],
)
def test_language_follows_the_browser(header: str, lang: str) -> None:
    assert wanted_language(header) == lang


@given(st.text(max_size=200))
def test_any_accept_language_header_gives_a_language(header: str) -> None:
    assert wanted_language(header) in LANGS


def test_numbers_follow_the_language() -> None:
    assert formats.number(12345, "en") == "12,345"
    assert formats.number(12345, "es") == "12.345"
    assert formats.number(1234, "es") == "1234"
    assert formats.percent(0.384, "en") == "38%"
    assert formats.percent(0.384, "es") == "38\u00a0%"
    assert formats.percent(0.001, "en") == "<1%"
    assert formats.percent(0.0, "en") == "0%"
    assert [formats.percent(share, "es") for share in (0.994, 0.995, 0.9999, 1.0)] == [
        f"{text}\u00a0%" for text in ("99", ">99", ">99", "100")
    ]
    assert formats.span(0.9, 0.998, "en") == "90–100%"
    assert formats.span(0.0, 0.003, "en") == "0–<1%"
    assert formats.span(0.31, 0.46, "en") == "31–46%"
    assert formats.points(0.042) == "+4"
    assert formats.points(-0.042) == "−4"
    assert formats.points(0.001) == "0"
    assert formats.money(0.0, "en") == "$0.00"
    assert formats.money(0.105, "en") == "$0.105"
    assert formats.money(12.5, "es") == "12,50\u00a0US$"


def test_times_are_in_utc_and_follow_the_language() -> None:
    hour = Hour.parse("2026-11-23T23")
    assert formats.hour_label(hour, "en") == "Mon 23 Nov 2026, 23:00–00:00\u00a0UTC"
    assert formats.hour_short(hour, "es") == "lun 23 nov, 23:00"
    moment = datetime(2026, 9, 1, 7, 5, tzinfo=UTC)
    assert formats.moment_label(moment, "es") == "mar 1 sept 2026, 07:05\u00a0UTC"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_the_name_of_a_trend_survives_its_address(name: str) -> None:
    parts = urlsplit("http://localhost" + trend_link("x", "es", name))
    assert parts.fragment == ""
    tail = parts.path.removeprefix("/trends/x/es/")
    if parts.query:
        assert tail == ""
    else:
        assert unquote(tail) == name
        assert "/" not in tail
        assert tail not in {".", "..", ""}


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "\x00", "\x85"])
def test_a_name_that_a_path_cannot_carry_travels_as_a_parameter(name: str) -> None:
    assert trend_link("x", "es", name).startswith("/trends/x/es/" + ("?trend=" if name else ""))


def test_links_leave_out_what_is_not_chosen() -> None:
    assert home_link(place="es", hour="", lang=None) == "/?place=es"
    assert home_link() == "/"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "//evil.example/x",
        "http://",
        "https://user@evil.example/",
        "http://[::1",
        "ftp://example.org/",
        "",
        None,
    ],
)
def test_only_plain_web_addresses_become_links(url: str | None) -> None:
    assert outside_link(url) is None


def test_the_address_of_a_tweet_is_kept() -> None:
    assert outside_link("https://x.com/i/status/1?a=b") == "https://x.com/i/status/1?a=b"
