"""Money and X: a run cut off after any request goes on there, and no budget is ever overspent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.support.fake_x import NO_CREDITS, TOKEN, FakeX, Reply
from tests.support.hours import contents, settings_for
from tests.support.lake_records import page
from trendlark.errors import (
    BadAnswerError,
    BudgetError,
    CreditsError,
    InputError,
    SourceError,
    UnavailableError,
)
from trendlark.hours import Hour
from trendlark.jobs.collect import collect_hour
from trendlark.lake import Lake, open_lake
from trendlark.records import PLACES, Page, Place, Run
from trendlark.settings import Settings
from trendlark.sources.x import XSource
from trendlark.sources.x_http import RETRIES
from trendlark.sources.x_parse import query_of

HOUR = Hour.parse("2026-11-20T09")
NOW = HOUR.end + timedelta(minutes=2)
ES = PLACES["es"]
NAMES = ("#Gol", "Lía Montero", "quiet")
SEARCH, TRENDS = "/2/tweets/search/recent", "/2/trends"
OUTAGE = {"title": "Service Unavailable", "type": "https://api.x.com/2/problems/disconnected"}
# One list of trends; two windows of two and one pages for the first two names, one empty page each for the third.
REQUESTS = 1 + 2 * 3 + 2


@pytest.fixture
def server() -> Iterator[FakeX]:
    with FakeX(now=lambda: NOW) as fake:
        for place in ("es", "us"):
            fake.trend(PLACES[place].woeid or 0, *((name, 900) for name in NAMES))
        for name in NAMES[:2]:
            # 150 posts in the first half hour, and few later.
            fake.posts(query_of(name) or "", HOUR, 300)
            posts = fake._posts[query_of(name) or ""]
            del posts[190:]
        yield fake


def _source(server: FakeX, settings: Settings) -> XSource:
    return XSource(
        SecretStr(TOKEN),
        base_url=server.url,
        max_trends=settings.trends_per_place,
        max_wait_seconds=0,
        sleep=lambda _: None,
        now=server.now,
    )


def _settings(lake: Path, **flags: Any) -> Settings:
    wanted = {"places": "es", "tweets_per_trend": 300, "windows_per_hour": 2, "budget_usd_per_day": 10_000}
    return settings_for(lake, x_bearer_token=TOKEN, **wanted | flags)


def _collect(server: FakeX, lake: Lake, place: Place = ES, **flags: Any) -> Run:
    settings = _settings(Path(lake.uri), **flags)
    source = _source(server, settings)
    try:
        return collect_hour(lake, source, place, HOUR, settings)
    finally:
        source.close()


def _questions(server: FakeX, first: int = 0) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    return [(asked.path, tuple(sorted(asked.params.items()))) for asked in server.asked[first:]]


@pytest.mark.parametrize("answered", range(REQUESTS))
def test_cut_off_after_any_answer_it_asks_only_for_the_rest(
    tmp_path: Path, server: FakeX, answered: int
) -> None:
    undisturbed = open_lake(str(tmp_path / "undisturbed"))
    whole = _collect(server, undisturbed)
    wanted = _questions(server)
    assert len(wanted) == len(set(wanted)) == REQUESTS
    server.asked.clear()
    lake = open_lake(str(tmp_path / "lake"))
    server.fail_from = answered
    with pytest.raises(CreditsError):
        _collect(server, lake)
    # The one that was refused was not answered, so it may be asked again.
    assert _questions(server) == wanted[: answered + 1]
    server.fail_from = None
    before = len(server.asked)
    again = _collect(server, lake)
    assert _questions(server, before) == wanted[answered:]
    assert contents(lake) == contents(undisturbed)
    failed = lake.runs()[-1]
    assert failed.cost + again.cost == pytest.approx(whole.cost)
    assert failed.requests + again.requests == whole.requests == REQUESTS
    assert [kept.body for kept in _tweet_pages(lake)] == [kept.body for kept in _tweet_pages(undisturbed)]
    assert server.refused == []


def _tweet_pages(lake: Lake) -> list[Page]:
    return [kept for kept in lake.pages(HOUR, "x", "es") if not kept.request.startswith("plan")]


def test_what_was_paid_is_in_the_rows_and_in_the_ledger(tmp_path: Path, server: FakeX) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    run = _collect(server, lake)
    rows = lake.trend_hours(hour=HOUR)
    assert [row.sampled for row in rows] == [190, 190, 0]
    assert [row.cost for row in rows] == pytest.approx([0.95, 0.95, 0.0])
    assert run.cost == pytest.approx(0.01 + sum(row.cost for row in rows))
    assert lake.spent(HOUR.end.strftime("%Y-%m-%d"), "x") == pytest.approx(run.cost)


class Clock:
    """The clock of the whole process, for the hour that the budget is shared by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = NOW
        monkeypatch.setattr(Hour, "now", classmethod(lambda cls: cls.of(self.moment)))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_day_of_restarts_stays_within_its_budget(tmp_path: Path, server: FakeX, clock: Clock) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    # At ten there are 14 hours left of the day; one may spend its part and no more, lists of trends included, however
    # often it starts.
    budget = 14.0
    for _ in range(3):
        for place in ("es", "us"):
            _collect(server, lake, PLACES[place], places="es,us", budget_usd_per_day=budget)
    assert 0.7 < lake.spent("2026-11-20", "x") <= budget / 14 + 1e-9
    assert {row.trend.place for row in lake.trend_hours()} == {"es", "us"}


def test_at_midnight_the_ledger_begins_anew(tmp_path: Path, server: FakeX, clock: Clock) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    yesterday = datetime(2026, 11, 19, 23, 59, 59, 999999, tzinfo=UTC)
    lake.add_page(HOUR - 12, "x", "es", page("late", fetched_at=yesterday, cost=5.0))
    assert (lake.spent("2026-11-19", "x"), lake.spent("2026-11-20", "x")) == (5.0, 0.0)
    _collect(server, lake, budget_usd_per_day=5)
    assert lake.collected(HOUR, "x", "es")
    spent = lake.spent("2026-11-20", "x")
    midnight = datetime(2026, 11, 20, tzinfo=UTC)
    lake.add_page(HOUR, "x", "mx", page("first", fetched_at=midnight, cost=5.0 - spent))
    with pytest.raises(BudgetError, match=r"\$0\.000 of the budget of \$5\.00"):
        _collect(server, lake, PLACES["us"], budget_usd_per_day=5)
    clock.moment = datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
    _collect(server, lake, PLACES["us"], budget_usd_per_day=5)
    assert lake.collected(HOUR, "x", "us")


def test_money_of_another_source_is_not_counted(tmp_path: Path, server: FakeX, clock: Clock) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    lake.add_page(HOUR, "other", "es", page("dear", fetched_at=NOW, cost=99.0))
    assert _collect(server, lake, budget_usd_per_day=14).cost > 0


def test_a_budget_lowered_after_a_crash_is_kept_and_raised_again_goes_on(
    tmp_path: Path, server: FakeX, clock: Clock
) -> None:
    lake, undisturbed = (open_lake(str(tmp_path / name)) for name in ("lake", "undisturbed"))
    _collect(server, undisturbed)
    server.asked.clear()
    server.fail_from = 3
    with pytest.raises(CreditsError):
        _collect(server, lake)
    server.fail_from = None
    asked = len(server.asked)
    for budget in (0.0, 0.5, 1.0):
        with pytest.raises(BudgetError, match="the tweets of '#Gol' in es"):
            _collect(server, lake, budget_usd_per_day=budget)
    assert len(server.asked) == asked
    assert not lake.collected(HOUR, "x", "es")
    _collect(server, lake)
    assert contents(lake) == contents(undisturbed)


def test_a_budget_of_nothing_asks_nothing_of_x_and_costs_nothing_of_replay(
    tmp_path: Path, server: FakeX, clock: Clock
) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    with pytest.raises(BudgetError):
        _collect(server, lake, budget_usd_per_day=0)
    assert server.asked == []
    assert lake.spent("2026-11-20", "x") == 0


def test_trends_that_the_allowance_does_not_reach_are_listed_without_tweets(
    tmp_path: Path, server: FakeX, clock: Clock
) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    # 14 hours left: this hour may cost the list and $0.055, which buys ten tweets of one trend.
    _collect(server, lake, budget_usd_per_day=14 * 0.065)
    rows = lake.trend_hours(hour=HOUR)
    assert [(row.sampled, row.note) for row in rows] == [(10, None), (0, "over budget"), (0, "over budget")]
    assert server.count(SEARCH) == 1


def test_an_x_without_trends_is_asked_once(tmp_path: Path, server: FakeX) -> None:
    server._trends.clear()
    lake = open_lake(str(tmp_path / "lake"))
    assert _collect(server, lake).counts == {"trends": 0, "tweets": 0}
    assert _collect(server, lake).status == "nothing to do"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("nothing", "error"),
    [
        ({"errors": [OUTAGE]}, UnavailableError),
        ({"data": [], "errors": [OUTAGE]}, UnavailableError),
        ({}, BadAnswerError),
    ],
)
@pytest.mark.parametrize(("path", "stored"), [(TRENDS, 0), (SEARCH, 1)])
def test_an_answer_that_tells_nothing_is_not_kept_and_the_place_is_tried_again(
    tmp_path: Path,
    server: FakeX,
    path: str,
    stored: int,
    nothing: dict[str, Any],
    error: type[SourceError],
) -> None:
    server.script(*[Reply(200, nothing)] * (RETRIES + 1), path=path)
    lake, undisturbed = (open_lake(str(tmp_path / name)) for name in ("lake", "undisturbed"))
    with pytest.raises(error):
        _collect(server, lake)
    assert len(_tweet_pages(lake)) == stored
    assert not lake.collected(HOUR, "x", "es")
    assert lake.runs()[0].status == "failed"
    _collect(server, lake)
    _collect(server, undisturbed)
    assert contents(lake) == contents(undisturbed)
    assert [row.sampled for row in lake.trend_hours(hour=HOUR)] == [190, 190, 0]


def test_hostile_trend_names_are_asked_for_as_phrases_and_kept_as_they_are(
    tmp_path: Path, server: FakeX
) -> None:
    names = ['"a" OR from:x', "x' OR '1'='1", "\u202eesrever", "#", "  ", "a\tb\nc", "\x1b[31mred", "é" * 600]
    server._trends[PLACES["es"].woeid or 0] = [(name, None) for name in names]
    lake = open_lake(str(tmp_path / "lake"))
    run = _collect(server, lake, tweets_per_trend=10, windows_per_hour=1)
    assert server.refused == []
    assert [row.trend.name for row in lake.trend_hours()] == [
        name.strip() for name in names if name not in {"#", "  "}
    ]
    assert run.refused == len(lake.refused(HOUR)) == 2


def test_a_page_of_broken_posts_costs_what_x_bills_and_refuses_each(tmp_path: Path, server: FakeX) -> None:
    broken = [
        {"id": "1"},
        None,
        7,
        {"text": "no id"},
        {"id": "2", "text": "good"},
        {"id": "2", "text": "twin"},
    ]
    server.script(Reply(200, {"data": broken, "meta": {"result_count": 6}}), path=SEARCH)
    lake = open_lake(str(tmp_path / "lake"))
    _collect(server, lake, trends_per_place=1, windows_per_hour=1, tweets_per_trend=10)
    (row,) = lake.trend_hours()
    assert row.sampled == 1
    assert row.cost == pytest.approx(6 * 0.005)
    assert len(lake.refused(HOUR)) == 5
    assert [tweet.text for tweet in lake.tweets(HOUR)] == ["good"]


def test_a_place_that_x_does_not_know_by_number_is_refused_before_it_is_asked(
    tmp_path: Path, server: FakeX
) -> None:
    with pytest.raises(InputError, match="mars:WOEID"):
        _collect(server, open_lake(str(tmp_path / "lake")), Place("mars", "Mars"))
    assert server.asked == []


def test_no_credits_is_not_asked_again(tmp_path: Path, server: FakeX) -> None:
    server.script(NO_CREDITS, path=TRENDS)
    with pytest.raises(CreditsError):
        _collect(server, open_lake(str(tmp_path / "lake")))
    assert len(server.asked) == 1
