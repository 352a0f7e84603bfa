"""Tokens, sessions and where a login may lead: only the token opens, only its sessions last, only to pages here."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.datastructures import Headers

from trendlark.settings import ApiToken
from trendlark.web.door import COOKIE, SESSION_SECONDS, Door, page_of_ours

TOKEN = "s3same-0pen"
NOW = 1_800_000_000.0


def door(token: str = TOKEN, now: float = NOW) -> Door:
    """A door at a moment."""
    return Door([a_token(token), a_token("of another", "other")], lambda: now)


def a_token(secret: str = TOKEN, name: str = "default") -> ApiToken:
    """A token that may read."""
    return ApiToken(name, frozenset({"read"}), SecretStr(secret))


@given(st.text(max_size=40))
def test_only_the_token_fits(text: str) -> None:
    assert (door().fits(text) == a_token()) is (text.strip() == TOKEN)


def test_a_token_of_any_letters_fits_itself() -> None:
    assert door("clave-ñandú").fits("  clave-ñandú\n")
    assert not door("?").fits("\ud801x")


def test_a_session_lasts_thirty_days_and_no_longer() -> None:
    session = door().new_session(a_token())
    assert door().knows(session)
    assert door(now=NOW + SESSION_SECONDS - 1).knows(session)
    assert not door(now=NOW + SESSION_SECONDS).knows(session)


def test_a_session_is_of_its_token_and_does_not_tell_it() -> None:
    session = door().new_session(a_token())
    assert TOKEN not in session
    assert not door("another").knows(session)
    assert session != door("another").new_session(a_token("another"))


@given(st.data())
def test_a_session_with_any_letter_changed_is_unknown(data: st.DataObject) -> None:
    session = door().new_session(a_token())
    place = data.draw(st.integers(0, len(session) - 1))
    letter = data.draw(st.characters().filter(lambda one: one != session[place]))
    assert not door().knows(session[:place] + letter + session[place + 1 :])


@given(st.text(max_size=80))
def test_no_other_text_is_a_session(text: str) -> None:
    assert not door().knows(text)
    said, _, mac = door().new_session(a_token()).rpartition(".")
    assert not door().knows(f"{said}{text}9.{mac}")
    name, _, end = said.partition(".")
    assert not door().knows(f"{name}{text}x.{end}.{mac}")


def test_a_session_is_of_one_token_and_opens_as_far() -> None:
    other = a_token("of another", "other")
    session = door().new_session(other)
    assert door().knows(session) == other
    assert door().knows(session.replace("other", "default")) is None
    assert door().fits("of another") == other
    # Two tokens that were given the same letters: a session is still of the one that it names.
    twins = Door([a_token(TOKEN, "a"), a_token(TOKEN, "b")], lambda: NOW)
    assert twins.knows(twins.new_session(a_token(TOKEN, "b"))) is not None
    assert Door([a_token(TOKEN, "a")], lambda: NOW).knows(twins.new_session(a_token(TOKEN, "b"))) is None


def test_a_request_brings_the_token_or_a_session() -> None:
    session = door().new_session(a_token())
    assert door().lets_in(Headers({"authorization": f"Bearer {TOKEN}"}))
    assert door().lets_in(Headers({"cookie": f"a=b; {COOKIE}={session}"}))
    for headers in (
        {},
        {"authorization": f"Bearer {session}"},
        {"cookie": f"{COOKIE}={TOKEN}"},
        {"cookie": f"other={session}"},
        {"cookie": session},
    ):
        assert not door().lets_in(Headers(headers))


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/?hour=2026-11-23T07&lang=es",
        "/trends/x/es/%23a%2Fb?hour=2026-11-23T07",
        "/trends/x/es/?trend=..",
    ],
)
def test_a_page_of_ours_is_kept(address: str) -> None:
    assert page_of_ours(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example/",
        "\t//evil.example/",
        " //evil.example/",
        "/trends/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "https:/trends/x",
        "https:trends/x",
        "//[::1",
        "trends/x",
        "/login?next=/",
        "/logout",
        "/v1/trends",
        "/é",
        "/trends/" + "x" * 5000,
    ],
)
def test_any_other_address_leads_to_the_dashboard(address: str) -> None:
    assert page_of_ours(address) == "/"


@given(
    st.text(alphabet=st.sampled_from("/\\.:@?#%\t\n ehtpsvil0[]"), max_size=30)
    | st.text(max_size=30).map(lambda tail: f"/trends/{tail}")
)
def test_no_address_leaves_the_host(address: str) -> None:
    found = page_of_ours(address)
    parts = urlsplit(urljoin("http://trends.example/login", found))
    assert (parts.scheme, parts.netloc) == ("http", "trends.example")
    assert found.startswith("/")
    assert not found.startswith("//")
