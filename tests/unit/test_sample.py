"""The bundled sample is what it promises to be: invented, lively, in two languages and hard to read."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import trendlark

FOLDER = Path(trendlark.__file__).parent / "sources" / "sample"
HOURS = [f"2026-01-05T{hour:02d}" for hour in range(6)]
PLACES = {"es", "us"}


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").split("\n") if line]


@pytest.fixture(scope="module")
def tweets() -> list[dict[str, Any]]:
    return _lines("tweets.jsonl")


@pytest.fixture(scope="module")
def trends() -> list[dict[str, Any]]:
    return _lines("trends.jsonl")


def _hours_of(trends: list[dict[str, Any]], place: str, name: str) -> list[int]:
    return [HOURS.index(t["hour"]) for t in trends if (t["place"], t["name"]) == (place, name)]


def test_it_says_in_both_languages_that_it_is_invented() -> None:
    about = json.loads((FOLDER / "about.json").read_text(encoding="utf-8"))
    assert about["name"] == "Invented sample"
    assert about["invented"] is True
    assert "invented" in about["note"]["en"]
    assert "inventados" in about["note"]["es"]


def test_it_has_as_many_trends_places_and_hours_as_promised(trends: list[dict[str, Any]]) -> None:
    assert len({t["name"] for t in trends}) == 8
    assert {t["place"] for t in trends} == PLACES
    assert sorted({t["hour"] for t in trends}) == HOURS
    for place in PLACES:
        assert len({t["name"] for t in trends if t["place"] == place}) >= 4


def test_ranks_have_no_holes_and_volumes_are_counts_or_unknown(trends: list[dict[str, Any]]) -> None:
    ranks: dict[tuple[str, str], list[int]] = defaultdict(list)
    for trend in trends:
        assert set(trend) == {"hour", "place", "rank", "name", "volume"}
        ranks[trend["hour"], trend["place"]].append(trend["rank"])
        assert trend["volume"] is None or (type(trend["volume"]) is int and trend["volume"] > 0)
    assert len(ranks) == len(HOURS) * len(PLACES)
    assert all(found == list(range(1, len(found) + 1)) for found in ranks.values())
    assert any(t["volume"] is None for t in trends)


def test_trends_come_late_pause_leave_and_cross_places(trends: list[dict[str, Any]]) -> None:
    assert _hours_of(trends, "es", "#AdiósDonEvaristo") == [2, 3, 4, 5]
    assert _hours_of(trends, "us", "#BackToWorkMonday") == [2, 3, 4, 5]
    assert _hours_of(trends, "es", "#HuelgaMetro") == [0, 1, 2, 4, 5]
    assert _hours_of(trends, "es", "#MiraflorValdoro") == [0, 1, 2, 3, 4]
    assert _hours_of(trends, "es", "#Orbix9") == [1, 2, 3, 4]
    assert _hours_of(trends, "us", "#Orbix9") == [0, 1, 2, 3, 4, 5]


def test_every_text_and_every_id_is_there_once(tweets: list[dict[str, Any]]) -> None:
    assert len(tweets) >= 420
    plain = {unicodedata.normalize("NFKC", t["text"]).casefold().strip() for t in tweets}
    assert len(plain) == len(tweets)
    assert [t["id"] for t in tweets] == [f"s{number:04d}" for number in range(1, len(tweets) + 1)]


def test_no_two_tweets_are_one_template_filled_twice(tweets: list[dict[str, Any]]) -> None:
    texts = [re.sub(r"[#@]\w+|https?://\S+|\W|\d|_", " ", t["text"]).casefold().split() for t in tweets]
    openings = Counter(" ".join(words[:4]) for words in texts if len(words) > 5)
    assert [opening for opening, count in openings.items() if count > 2] == []


def test_tweets_have_the_documented_fields_and_no_address(tweets: list[dict[str, Any]]) -> None:
    fields = "hour place trend id text created_at author_id author_handle lang likes reposts replies quotes"
    for tweet in tweets:
        assert list(tweet) == fields.split()
        assert 0 < len(tweet["text"]) <= 280
        assert "\0" not in tweet["text"]
        assert re.fullmatch(r"\w{1,15}", tweet["author_handle"], re.ASCII)
        for name in ("likes", "reposts", "replies", "quotes"):
            assert tweet[name] is None or (type(tweet[name]) is int and tweet[name] >= 0)
    assert any(t["quotes"] is None for t in tweets)
    assert any(t["quotes"] == 0 for t in tweets)


def test_a_handle_belongs_to_one_author(tweets: list[dict[str, Any]]) -> None:
    pairs = {(t["author_id"], t["author_handle"]) for t in tweets}
    assert len(pairs) >= 100
    assert len({author for author, _ in pairs}) == len({handle for _, handle in pairs}) == len(pairs)


def test_tweets_lie_inside_their_hour_and_are_spread_over_it(tweets: list[dict[str, Any]]) -> None:
    minutes: dict[str, set[int]] = defaultdict(set)
    for tweet in tweets:
        created = datetime.fromisoformat(tweet["created_at"])
        assert f"{created:%Y-%m-%dT%H}" == tweet["hour"]
        assert created.utcoffset() is not None
        minutes[tweet["hour"]].add(created.minute)
    assert all(len(found) >= 30 for found in minutes.values())


def test_every_listed_trend_has_tweets_and_every_tweet_a_listed_trend(
    tweets: list[dict[str, Any]], trends: list[dict[str, Any]]
) -> None:
    counts = Counter((t["hour"], t["place"], t["trend"]) for t in tweets)
    assert set(counts) == {(t["hour"], t["place"], t["name"]) for t in trends}
    assert 5 <= min(counts.values()) <= max(counts.values()) <= 14
    by_hour = Counter(t["hour"] for t in tweets)
    assert all(55 <= by_hour[hour] <= 90 for hour in HOURS)


def test_both_languages_and_some_others_are_spoken(tweets: list[dict[str, Any]]) -> None:
    langs = Counter(t["lang"] for t in tweets)
    assert langs["es"] >= 150
    assert langs["en"] >= 150
    assert {"pt", "fr", "ca", "gl", "und"} <= set(langs)
    assert any(t["place"] == "us" and t["lang"] == "es" for t in tweets)


HARD = {
    "markup": r"<script>|<img ",
    "escaped markup": r"&amp;|&lt;",
    "a formula": r"^=",
    "a formula by sign": r"^\+",
    "a formula by at": r"^@SUM",
    "JSON": r'^\{"',
    "quotes and backslashes": r'".*\\n',
    "a word that is not a number": r"^NaN$",
    "a mark that turns the direction": "[\u202e\u2067]",
    "Arabic": "[\u0600-\u06ff]",
    "a control character": "\u0007",
    "a combining accent": "e\u0301",
    "letters struck through": "\u0336",
    "a line separator": "\u2028",
    "a no-break space": "\u00a0",
    "a space of no width": "\u200b",
    "a line break": r"\n",
    "joined emoji": "\u200d",
    "a skin tone": "[\U0001f3fb-\U0001f3ff]",
    "a flag": "[\U0001f1e6-\U0001f1ff]{2}",
    "a flag of tags": "\U000e007f",
    "letters of mathematics": "[\U0001d5d4-\U0001d607]",
    "full-width letters": "[\uff21-\uff3a]",
    "emoji alone": r"^\W+$",
    "a full stop alone": r"^\.$",
    "a link alone": r"^https://t\.co/[A-Za-z]{10}$",
    "a tweet passed on": r"^RT @\w+: ",
    "a row of mentions": r"^(@\w+ ){4,}",
    "shouting": r"\b[A-ZÁÉÍÓÚÑ]{4,} [A-ZÁÉÍÓÚÑ]{2,} [A-ZÁÉÍÓÚÑ]{4,}",
    "almost 280 characters": r"(?s)^.{265,280}$",
}


@pytest.mark.parametrize("pattern", HARD.values(), ids=HARD)
def test_hard_cases_are_there(pattern: str, tweets: list[dict[str, Any]]) -> None:
    assert any(re.search(pattern, t["text"]) for t in tweets)


def test_links_cannot_be_followed_anywhere(tweets: list[dict[str, Any]]) -> None:
    links = [link for t in tweets for link in re.findall(r"https?://[^\s\"]+", t["text"])]
    assert len(links) >= 10
    assert all(re.fullmatch(r"https://t\.co/[A-Za-z]{10}", link) for link in links)
    assert len(set(links)) == len(links)


@pytest.mark.parametrize("name", ["about.json", "trends.jsonl", "tweets.jsonl"])
def test_invisible_characters_are_written_as_escapes(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text.splitlines() == text.removesuffix("\n").split("\n")
    hidden = {c for c in text if unicodedata.category(c) in {"Cc", "Cf"}} - {"\n", "\u200d"}
    assert all("\U000e0020" <= c <= "\U000e007f" for c in hidden)
