"""Named tokens: each does what its scopes allow and no more, and each has its own allowance of requests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from trendlark.lake import Lake
from trendlark.web.guard import scope_needed
from trendlark.web.rate import Rate

TOKENS = "looker:read:look-1,app:analyze:app-2,both:read+analyze:both-3,boss:admin:boss-4"
READS = ("/", "/v1/trends", "/v2", "/v2/models/trendlark", "/metrics", "/openapi.json")
ANALYSES = ("/v1/analyze", "/v2/models/trendlark/infer", "/v2/models/trendlark/versions/fake/infer")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """An empty lake."""
    return empty_lake(tmp_path_factory.mktemp("scopes"))


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server with four tokens and no first one."""
    with client_of(lake, settings=settings_for(lake.uri, host="0.0.0.0", api_tokens=TOKENS)) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("token", "reads", "analyses", "asks"),
    [
        ("look-1", True, False, False),
        ("app-2", False, True, False),
        ("both-3", True, True, False),
        ("boss-4", True, True, True),
    ],
)
def test_a_token_opens_what_its_scopes_name(
    client: httpx.Client, token: str, reads: bool, analyses: bool, asks: bool
) -> None:
    for path in READS:
        assert client.get(path, headers=bearer(token)).status_code == (200 if reads else 403)
    for path in ANALYSES:
        status = client.post(path, json={}, headers=bearer(token)).status_code
        assert status in ({400, 422} if analyses else {403})
    assert (client.post("/v1/query", json={}, headers=bearer(token)).status_code == 403) is not asks


def test_who_may_not_is_told_what_is_missing(client: httpx.Client) -> None:
    answer = client.post("/v1/analyze", json={"text": "a"}, headers=bearer("look-1"))
    assert answer.json()["type"] == "urn:trendlark:forbidden"
    assert "may read; this needs the scope analyze" in answer.json()["detail"]
    assert "look-1" not in answer.text
    assert "error" in client.post("/v2/models/trendlark/infer", headers=bearer("look-1")).json()


def test_a_browser_session_opens_as_far_as_its_token(client: httpx.Client) -> None:
    for token, status in (("look-1", 200), ("app-2", 403)):
        client.post("/login", data={"token": token})
        assert client.get("/v1/trends").status_code == status
        assert client.post("/v1/query", json={"sql": "SELECT 1"}).status_code == 403
        client.cookies.clear()


def test_scopes_go_by_the_path_and_trying_is_analysing() -> None:
    assert scope_needed("/try") == scope_needed("/try.json") == "analyze"
    assert scope_needed("/trends/x/es/a") == "read"
    # A trend may be called so.
    assert scope_needed("/trends/x/es/infer") == scope_needed("/v1/trends/x/es/infer") == "read"
    assert scope_needed("/v1/query") == "admin"


def test_each_token_has_its_own_allowance(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    # Requests are counted by the minutes of the clock, and a new minute between two of these would allow one more.
    still = SimpleNamespace(time=lambda: 1_800_000_030.0)
    for module in ("limits.storage.memory", "limits.strategies", "trendlark.web.rate"):
        monkeypatch.setattr(f"{module}.time", still)
    settings = settings_for(lake.uri, api_token="first-0", api_tokens=TOKENS, rate_limit_per_minute=3)
    with client_of(lake, settings=settings) as client:
        statuses = [client.get("/v1/hours", headers=bearer("look-1")).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        refused = client.get("/v1/hours", headers=bearer("look-1"))
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert refused.json()["type"] == "urn:trendlark:overload"
        assert client.get("/v1/hours", headers=bearer("first-0")).status_code == 200
        # Probes and static files are nobody's requests, and wrong tokens use up nobody's allowance.
        assert client.get("/live", headers=bearer("look-1")).status_code == 200
        assert client.get("/static/style.css", headers=bearer("look-1")).status_code == 200
        assert [client.get("/v1/hours", headers=bearer("guess")).status_code for _ in range(5)] == [401] * 5


def test_no_limit_is_no_limit() -> None:
    rate = Rate(0)
    assert not any(rate.wait_seconds("a") for _ in range(5000))


def test_the_log_names_the_token_and_never_shows_it(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    settings = settings_for(lake.uri, api_tokens=TOKENS)
    with caplog.at_level(logging.DEBUG, logger="trendlark"), client_of(lake, settings=settings) as client:
        client.get("/v1/hours", headers=bearer("look-1"))
        client.post("/login", data={"token": "look-1"})
        client.get("/v1/hours")
    ours = [record for record in caplog.records if record.name == "trendlark.web.access"]
    assert [record.__dict__["token"] for record in ours] == ["looker", "", "looker"]
    assert not any(
        "look-1" in str(record.__dict__) for record in caplog.records if record.name.startswith("trend")
    )
