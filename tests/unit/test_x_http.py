"""The X client against a real server that limits, fails, hangs up and lies."""

from __future__ import annotations

import json
import logging
import time
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2 as httpx
import pytest
from pydantic import SecretStr

from tests.support.fake_x import (
    FORBIDDEN,
    NO_CREDITS,
    TOKEN,
    TOO_MANY,
    UNAUTHORIZED,
    UNAVAILABLE,
    USAGE_CAP,
    FakeX,
    Reply,
    problem,
)
from trendlark.errors import (
    BadAnswerError,
    CredentialsError,
    CreditsError,
    RateLimitError,
    SourceError,
    UnavailableError,
)
from trendlark.sources.x_http import RETRIES, XClient

PATH = "/2/trends/by/woeid/1"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
GOOD = Reply(200, {"data": []})
PATIENCE = 60.0
OUTAGE = {"title": "Service Unavailable", "type": "https://api.x.com/2/problems/disconnected"}


def _of_type(kind: str) -> dict[str, str]:
    return {"title": "Found wrong", "detail": "It is.", "type": f"https://api.x.com/2/problems/{kind}"}


@pytest.fixture
def fake() -> Iterator[FakeX]:
    """A server of X with one trend."""
    with FakeX(now=lambda: NOW) as server:
        server.trend(1, ("#Lluvia", 5))
        yield server


@pytest.fixture
def waits() -> list[float]:
    """The waits that the client would have made."""
    return []


@pytest.fixture
def client(fake: FakeX, waits: list[float]) -> Iterator[XClient]:
    """A client that waits in mind only, always as long as it may."""
    made = XClient(
        SecretStr(TOKEN),
        base_url=fake.url,
        request_timeout_seconds=PATIENCE,
        sleep=waits.append,
        now=lambda: NOW,
        draw=lambda: 1.0,
    )
    yield made
    made.close()


def test_a_good_answer_comes_as_it_was_sent(client: XClient, fake: FakeX) -> None:
    assert json.loads(client.get(PATH, {"max_trends": 3})) == {
        "data": [{"trend_name": "#Lluvia", "tweet_count": 5}]
    }
    (asked,) = fake.asked
    assert asked.params == {"max_trends": "3"}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (TOO_MANY, RateLimitError),
        (Reply(500), UnavailableError),
        (Reply(502, b"<html>"), UnavailableError),
        (UNAVAILABLE, UnavailableError),
        (Reply(504, b""), UnavailableError),
        (Reply(522, b"error code: 522"), UnavailableError),
        (Reply(408, b""), UnavailableError),
        (Reply(200, {"data": ["x" * 100]}, cut=10), BadAnswerError),
        (Reply(200, b'{"data": ['), BadAnswerError),
        (Reply(200, b"<html>we are sorry</html>"), BadAnswerError),
        (Reply(200, b"[]"), BadAnswerError),
        (Reply(200, b""), BadAnswerError),
        (Reply(200, b"not gzip", {"content-encoding": "gzip"}), BadAnswerError),
        (Reply(hang_up=True), UnavailableError),
        (Reply(200, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}), RateLimitError),
        (Reply(200, {"errors": [{"code": 130, "message": "Over capacity"}]}), UnavailableError),
        (Reply(200, {"errors": [OUTAGE]}), UnavailableError),
        (Reply(200, {"data": [], "errors": [OUTAGE]}), UnavailableError),
        (Reply(200, {"data": None, "errors": [OUTAGE]}), UnavailableError),
        (Reply(200, {"errors": [OUTAGE], "meta": {}}), UnavailableError),
        (Reply(200, {"errors": ["strange"]}), UnavailableError),
        (Reply(200, {"errors": [{"status": 500, "title": "Internal Error"}]}), UnavailableError),
        (Reply(200, OUTAGE | {"status": 503}), UnavailableError),
        (Reply(200, {"errors": [_of_type("rate-limit-exceeded")]}), RateLimitError),
        (Reply(200, {}), BadAnswerError),
        (Reply(200, {"errors": []}), BadAnswerError),
        (Reply(200, {"data": {"trend_name": "a"}}), BadAnswerError),
        (Reply(200, {"meta": {"newest_id": "1"}}), BadAnswerError),
    ],
)
def test_passing_failures_are_asked_again_and_lasting_ones_named(
    client: XClient, fake: FakeX, waits: list[float], bad: Reply, error: type[SourceError]
) -> None:
    fake.script(*[bad] * RETRIES)
    assert "#Lluvia" in client.get(PATH, {})
    assert fake.count() == RETRIES + 1
    assert len(waits) == RETRIES

    fake.script(*[bad] * (RETRIES + 1), GOOD)
    with pytest.raises(error):
        client.get(PATH, {})
    assert fake.count() == 2 * (RETRIES + 1)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (UNAUTHORIZED, CredentialsError),
        (FORBIDDEN, CredentialsError),
        (Reply(401, {"errors": [{"code": 89, "message": "Invalid token"}]}), CredentialsError),
        (Reply(200, {"errors": [{"code": 32, "message": "Could not authenticate"}]}), CredentialsError),
        (NO_CREDITS, CreditsError),
        (USAGE_CAP, CreditsError),
        (problem(429, "Capped", "https://api.x.com/2/problems/usage-capped/"), CreditsError),
        (problem(400, "Invalid Request", "https://api.x.com/2/problems/invalid-request"), SourceError),
        (Reply(404, b""), SourceError),
        (Reply(200, {"errors": [_of_type("client-forbidden")]}), CredentialsError),
        (Reply(200, {"errors": [{"title": "Credits", "status": 402}]}), CreditsError),
        (Reply(200, {"errors": [_of_type("usage-capped")]}), CreditsError),
        (Reply(200, {"errors": [_of_type("resource-not-found")]}), SourceError),
        (Reply(200, {"errors": [{"title": "partly"}, _of_type("invalid-request")]}), SourceError),
        (Reply(302, b"", {"location": "http://127.0.0.1:1/elsewhere"}), BadAnswerError),
    ],
)
def test_what_will_not_change_is_not_asked_again(
    client: XClient, fake: FakeX, waits: list[float], bad: Reply, error: type[SourceError]
) -> None:
    fake.script(bad)
    with pytest.raises(error) as caught:
        client.get(PATH, {})
    assert type(caught.value) is error
    assert str(bad.status) in str(caught.value)
    assert fake.count() == 1
    assert not waits


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"trend_name": "a"}], "errors": [{"code": 88, "title": "partly"}]},
        {"data": [{"trend_name": "a"}], "errors": [OUTAGE]},
    ],
)
def test_errors_beside_data_are_left_to_the_parser(
    client: XClient, fake: FakeX, body: dict[str, object]
) -> None:
    fake.script(Reply(200, body))
    assert json.loads(client.get(PATH, {})) == body


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"meta": {"result_count": 0}},
        {"meta": {"result_count": 0}, "errors": [OUTAGE]},
        {"meta": {"total_tweet_count": 0}},
        {"meta": {"total_post_count": 0}},
    ],
)
def test_an_honest_answer_of_nothing_is_one(client: XClient, fake: FakeX, body: dict[str, object]) -> None:
    fake.script(Reply(200, body))
    assert json.loads(client.get(PATH, {})) == body
    assert fake.count() == 1


def test_an_outage_told_in_a_good_answer_is_named(client: XClient, fake: FakeX) -> None:
    fake.script(*[Reply(200, {"errors": [OUTAGE]})] * (RETRIES + 1))
    with pytest.raises(UnavailableError, match=r"not available \(200: Service Unavailable; disconnected\)"):
        client.get(PATH, {})


def test_backoff_grows_and_never_exceeds_the_longest_wait(
    client: XClient, fake: FakeX, waits: list[float]
) -> None:
    fake.script(*[UNAVAILABLE] * RETRIES)
    client.get(PATH, {})
    assert waits == [1.0, 2.0, 4.0, 8.0]

    short = XClient(
        SecretStr(TOKEN), base_url=fake.url, max_wait_seconds=3, sleep=waits.append, draw=lambda: 0.5
    )
    waits.clear()
    fake.script(*[UNAVAILABLE] * RETRIES)
    short.get(PATH, {})
    short.close()
    assert waits == [0.5, 1.0, 1.5, 1.5]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 8.0),
        ({"retry-after": "59.5"}, 1.0),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=20))}, 21.0),
        ({"retry-after": "60"}, 60.0),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 30)}, 31.0),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) - 900)}, 1.0),
        ({"x-rate-limit-reset": "soon"}, 1.0),
        ({}, 1.0),
    ],
)
def test_a_stated_wait_is_kept_with_jitter_and_nonsense_ignored(
    client: XClient, fake: FakeX, waits: list[float], headers: dict[str, str], wait: float
) -> None:
    fake.script(problem(429, "Too Many Requests", "about:blank", **headers))
    client.get(PATH, {})
    assert waits == [pytest.approx(wait)]


@pytest.mark.parametrize(
    "headers", [{"retry-after": "900"}, {"x-rate-limit-reset": str(int(NOW.timestamp()) + 86_400)}]
)
def test_a_wait_beyond_the_longest_is_refused_at_once(
    client: XClient, fake: FakeX, waits: list[float], headers: dict[str, str]
) -> None:
    fake.script(problem(429, "Too Many Requests", "about:blank", **headers))
    with pytest.raises(RateLimitError, match=r"max_wait_seconds.*goes on where it was"):
        client.get(PATH, {})
    assert fake.count() == 1
    assert not waits


@pytest.mark.parametrize(
    "slow", [Reply(delay_seconds=PATIENCE), Reply(200, b"{" + b" " * 1200, drip_seconds=0.05)]
)
def test_slow_answers_end_in_time(fake: FakeX, slow: Reply) -> None:
    def rest(_: float) -> None:
        # The slow answer is for the first request, however late that one arrives; the next may take its time.
        end = time.monotonic() + PATIENCE
        while not fake.count():
            assert time.monotonic() < end
            time.sleep(0.01)
        hasty._timeout_seconds = PATIENCE
        hasty._http.timeout = httpx.Timeout(PATIENCE)

    hasty = XClient(
        SecretStr(TOKEN), base_url=fake.url, request_timeout_seconds=0.2, sleep=rest, draw=lambda: 0
    )
    fake.script(slow)
    assert "#Lluvia" in hasty.get(PATH, {})
    assert fake.count() == 2
    hasty.close()


def test_nobody_listening_is_unavailable(waits: list[float]) -> None:
    with FakeX() as gone:
        url = gone.url
    client = XClient(SecretStr(TOKEN), base_url=url, sleep=waits.append)
    with pytest.raises(UnavailableError, match="no connection"):
        client.get(PATH, {})
    assert len(waits) == RETRIES
    client.close()


@pytest.mark.parametrize(
    "bad",
    [
        UNAUTHORIZED,
        Reply(403, {"title": f"token {TOKEN} is not yours"}),
        Reply(hang_up=True),
        Reply(302, b"", {"location": "http://evil.invalid/"}),
        TOO_MANY,
    ],
)
def test_the_token_is_shown_nowhere(
    client: XClient, fake: FakeX, bad: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.script(*[bad] * (RETRIES + 1))
    with pytest.raises(SourceError) as caught:
        client.get(PATH, {"query": "x"})
    shown = [repr(client), str(caught.value), repr(caught.value), caplog.text]
    shown += traceback.format_exception(caught.value)
    cause = caught.value.__cause__
    shown += [repr(cause), repr(vars(cause)) if cause else ""]
    assert not [text for text in shown if TOKEN in text]


def test_a_token_that_cannot_be_sent_is_not_shown() -> None:
    client = XClient(SecretStr("secret\x00token"), base_url="http://127.0.0.1:9", sleep=lambda _: None)
    with pytest.raises(SourceError) as caught:
        client.get(PATH, {})
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    client.close()


def test_an_address_that_is_none_is_named() -> None:
    client = XClient(SecretStr(TOKEN), base_url="http://127.0.0.1:port", sleep=lambda _: None)
    with pytest.raises(SourceError, match="x_base_url"):
        client.get(PATH, {})
    client.close()
