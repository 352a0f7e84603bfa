"""X refuses some queries, such as one of nothing but a stop word: that costs their trends, not the place's hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.support.fake_x import PROBLEMS, TOKEN, FakeX, Reply
from tests.support.hours import settings_for
from trendlark.errors import SourceError
from trendlark.hours import Hour
from trendlark.jobs.collect import collect_hour
from trendlark.jobs.runs import NOTHING
from trendlark.lake import Lake, open_lake
from trendlark.records import PLACES, Run
from trendlark.sources.x import XSource
from trendlark.sources.x_parse import query_of

HOUR = Hour.parse("2026-11-20T09")
NOW = HOUR.end + timedelta(minutes=2)
ES = PLACES["es"]
NAMES = ("You", "#Gol")
SEARCH = "/2/tweets/search/recent"
SAID = "Rules must contain at least one positive, non-stopword clause"
TOLD = {"title": "Invalid Request", "detail": "One or more parameters", "type": PROBLEMS + "invalid-request"}


@pytest.fixture
def server() -> Iterator[FakeX]:
    with FakeX(now=lambda: NOW) as fake:
        fake.trend(ES.woeid or 0, *NAMES)
        for name in NAMES:
            fake.posts(query_of(name) or "", HOUR, 60)
        yield fake


def _collect(server: FakeX, lake: Lake) -> Run:
    settings = settings_for(Path(lake.uri), places="es", x_bearer_token=TOKEN, budget_usd_per_day=1000)
    source = XSource(SecretStr(TOKEN), base_url=server.url, max_wait_seconds=0, now=server.now)
    try:
        return collect_hour(lake, source, ES, HOUR, settings)
    finally:
        source.close()


@pytest.mark.parametrize(
    "answer",
    [
        Reply(400, {**TOLD, "errors": [{"parameters": {"query": ['"You"']}, "message": SAID}]}),
        Reply(400, {**TOLD, "detail": SAID, "parameter": "query", "value": '"You"'}),
        Reply(200, {"errors": [{**TOLD, "detail": SAID, "parameter": "query"}]}),
    ],
    ids=["as X answers", "as its OpenAPI says", "with a status that says nothing"],
)
def test_a_trend_that_x_will_not_search_leaves_the_others_their_tweets(
    tmp_path: Path, server: FakeX, answer: Reply
) -> None:
    server.script(answer, path=SEARCH)
    lake = open_lake(str(tmp_path / "lake"))
    run = _collect(server, lake)
    rows = {row.trend.name: row for row in lake.trend_hours(hour=HOUR)}
    assert (rows["You"].sampled, rows["You"].cost) == (0, 0)
    assert SAID in (rows["You"].note or "")
    assert (rows["#Gol"].sampled, rows["#Gol"].note) == (20, None)
    (refused,) = lake.refused(HOUR)
    assert refused.trend == "You"
    assert SAID in refused.reason
    assert run.refused == 1
    # Of the list, the refused query once, and two windows.
    assert len(server.asked) == run.requests == 4
    assert _collect(server, lake).status == NOTHING


@pytest.mark.parametrize(
    "error",
    [
        {"parameters": {"start_time": ["soon"]}, "message": "Invalid"},
        {
            "parameters": {"query": ['"You" -is:retweet']},
            "message": "Reference to invalid operator 'is:retweet'",
        },
    ],
    ids=["another parameter", "an operator that every query has"],
)
def test_a_refusal_that_would_meet_every_question_fails_the_place(
    tmp_path: Path, server: FakeX, error: dict[str, object]
) -> None:
    server.script(Reply(400, {**TOLD, "errors": [error]}), path=SEARCH)
    lake = open_lake(str(tmp_path / "lake"))
    with pytest.raises(SourceError, match="refuses the request"):
        _collect(server, lake)
    assert lake.trend_hours(hour=HOUR) == []
    assert _collect(server, lake).refused == 0
