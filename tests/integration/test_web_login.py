"""Logging in with a browser: the form, the cookie, where it leads, and every way that must not open the door."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, quote, urlsplit

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from tests.support.web_pages import check
from trendlark.lake import Lake
from trendlark.web.door import COOKIE

TOKEN = "s3same-0pen"
PAGE = "/trends/x/es/%23a%2Fb?hour=2026-11-23T07&lang=es"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """An empty lake is enough to be kept out of."""
    return empty_lake(tmp_path_factory.mktemp("login"))


@pytest.fixture
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A browser without a cookie, at a server that wants a token."""
    with client_of(lake, settings=settings_for(lake.uri, host="0.0.0.0", api_token=TOKEN)) as client:
        yield client


def log_in(client: httpx.Client, token: str = TOKEN, back: str = "/", **headers: str) -> httpx.Response:
    """Send the form."""
    return client.post("/login", data={"token": token, "next": back}, headers=headers)


def test_a_browser_is_led_to_the_form_and_back_to_the_page_it_wanted(client: httpx.Client) -> None:
    led = client.get(PAGE)
    assert led.status_code == 303
    assert led.headers["cache-control"] == "no-store"
    asked = parse_qs(urlsplit(led.headers["location"]).query)
    assert asked == {"next": [PAGE], "lang": ["es"]}
    form = client.get(led.headers["location"])
    assert form.status_code == 200
    assert form.headers["cache-control"] == "no-store"
    check(form.text)
    assert "Iniciar sesión" in form.text
    assert 'type="password"' in form.text
    assert "Cerrar sesión" not in form.text
    back = re.search(r'name="next" value="([^"]*)"', form.text)
    assert back
    entered = log_in(client, back=back[1].replace("&amp;", "&"))
    assert entered.status_code == 303
    assert entered.headers["location"] == PAGE
    assert client.get(PAGE).status_code == 404  # let in: the lake has no such trend
    assert "Cerrar sesión" in client.get("/?lang=es").text


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(client: httpx.Client) -> None:
    cookie = log_in(client).headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"httponly", "samesite=strict", "path=/", "max-age=2592000"}
    assert TOKEN not in cookie


@pytest.mark.parametrize(("proto", "secure"), [("https", True), ("HTTPS, http", True), ("http", False)])
def test_by_https_the_cookie_keeps_to_https(client: httpx.Client, proto: str, secure: bool) -> None:
    answer = log_in(client, **{"X-Forwarded-Proto": proto})
    assert ("secure" in answer.headers["set-cookie"].lower()) == secure


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "\x00", "é" * 1000])
def test_another_token_is_told_so_and_opens_nothing(client: httpx.Client, token: str) -> None:
    answer = log_in(client, token, back=PAGE)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    check(answer.text)
    assert "Found another token" in answer.text
    assert PAGE.replace("&", "&amp;") in answer.text
    assert client.get("/").status_code == 303


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 401),
        (b"token", 401),
        (b"token=%ff%00", 401),
        (b'{"token": "s3same-0pen"}', 401),
        (b"&".join(b"a%d=1" % number for number in range(20)), 400),
        (b"token=" + b"a" * 1_100_000, 413),
    ],
)
def test_strange_forms_are_refused(client: httpx.Client, body: bytes, status: int) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/login", content=body, headers=headers)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers


def test_a_cookie_that_was_tampered_with_opens_nothing(client: httpx.Client) -> None:
    log_in(client)
    session = client.cookies[COOKIE]
    name, end, mac = session.split(".")
    client.cookies.clear()
    for value in (
        "",
        "x",
        TOKEN,
        f"{name}.{int(end) + 1}.{mac}",
        f"{name}.{end}.{mac[:-1]}0x",
        f"other.{end}.{mac}",
        f"{end}.{mac}",
        end,
        f".{mac}",
        mac,
    ):
        headers = {"Cookie": f"{COOKIE}={value}"}
        assert client.get("/", headers=headers).status_code == 303
        assert client.get("/v1/hours", headers=headers).status_code == 401
    assert client.get("/", headers={"Cookie": f"{COOKIE}={session}"}).status_code == 200


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"]
)
def test_a_login_never_leads_to_another_host(client: httpx.Client, back: str) -> None:
    assert "evil" not in client.get("/login?next=" + quote(back)).text
    assert "evil" not in log_in(client, "wrong", back).text
    assert log_in(client, back=back).headers["location"] == "/"
    assert client.get("/login?next=" + quote(back)).headers["location"] == "/"


def test_an_address_that_cannot_be_kept_is_forgotten(client: httpx.Client) -> None:
    assert client.get("/?" + "x" * 5000).headers["location"] == "/login?next=%2F"
    unknown = client.get("//evil.example/", headers={"Accept": "text/html"})
    assert unknown.headers["location"] == "/login?next=%2F"


def test_who_is_in_reaches_the_api_and_goes_on_from_the_form(client: httpx.Client) -> None:
    log_in(client)
    assert client.get("/v1/hours").status_code == 200
    assert client.get("/openapi.json").status_code == 200
    assert client.get("/login?next=" + quote(PAGE, safe="")).headers["location"] == PAGE
    assert client.get("/").headers["cache-control"] == "private, no-cache"


def test_logging_out_takes_the_cookie_back(client: httpx.Client) -> None:
    log_in(client)
    html = client.get("/?lang=es").text
    check(html)
    assert '<form class="logout" method="post" action="/logout?lang=es">' in html
    left = client.post("/logout?lang=es")
    assert left.headers["location"] == "/login?lang=es"
    assert COOKIE not in client.cookies
    assert client.get("/").status_code == 303


def test_another_site_cannot_log_anyone_out(client: httpx.Client) -> None:
    # A request from there comes without the cookie; the answer must not touch it.
    answer = client.post("/logout")
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers


def test_without_a_token_there_is_no_login(lake: Lake) -> None:
    with client_of(lake) as client:
        assert client.get("/login").status_code == 404
        assert client.post("/logout").status_code == 404
        assert "Log out" not in client.get("/", headers={"Cookie": f"{COOKIE}=x"}).text
