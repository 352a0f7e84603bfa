"""The places of an hour, and the hours of a day, have equal parts of the budget."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.support.fake_x import TOKEN, UNAVAILABLE, FakeX, Reply
from tests.support.hours import settings_for
from tests.support.lake_records import page
from trendlark.errors import BudgetError, UnavailableError
from trendlark.hours import Hour
from trendlark.jobs.collect import collect_hour
from trendlark.lake import Lake, open_lake
from trendlark.records import PLACES, Run
from trendlark.sources.x import XSource
from trendlark.sources.x_http import RETRIES
from trendlark.sources.x_parse import query_of

LAST = Hour.parse("2026-11-20T22")  # collected at 23, as the last one of the day
DAY = LAST.day
NAMES = tuple(f"#tema{letter}" for letter in "abcdefghij")
SEARCH, TRENDS = "/2/tweets/search/recent", "/2/trends"
POSTS = {"data": [{"id": str(number), "text": "uno"} for number in range(10)], "meta": {"result_count": 10}}
# A list of trends and ten tweets of three trends, and too little for a fourth.
PART = 0.2
ROOM = 1e-9


class Collector:
    """A collector of some places with a clock of its own; ``budget`` is the day's."""

    def __init__(self, lake: Lake, server: FakeX, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lake = lake
        self.server = server
        self.places: list[str] = []
        self.budget = 0.0
        self.moment = LAST.end
        server.now = lambda: self.moment
        monkeypatch.setattr(Hour, "now", classmethod(lambda cls: cls.of(self.moment)))

    def set(self, places: int, budget: float) -> None:
        """Collect so many places within a budget."""
        self.places = list(PLACES)[:places]
        self.budget = budget
        for slug in self.places:
            self.server.trend(PLACES[slug].woeid or 0, *((name, 900) for name in NAMES))

    def at(self, hour: Hour) -> datetime:
        """Set the clock to when an hour is due."""
        self.moment = hour.end + timedelta(minutes=2)
        return self.moment

    def collect(self, slug: str, hour: Hour) -> Run:
        """Collect one place."""
        settings = settings_for(
            self.lake.uri,
            x_bearer_token=TOKEN,
            places=",".join(self.places),
            trends_per_place=len(NAMES),
            tweets_per_trend=20,
            windows_per_hour=1,
            budget_usd_per_day=self.budget,
        )
        source = XSource(
            SecretStr(TOKEN),
            base_url=self.server.url,
            max_trends=len(NAMES),
            max_wait_seconds=0,
            sleep=lambda _: None,
            now=self.server.now,
        )
        try:
            return collect_hour(self.lake, source, PLACES[slug], hour, settings)
        finally:
            source.close()

    def drawn(self, hour: Hour) -> dict[str, int]:
        """The tweets of each place."""
        tweets = dict.fromkeys(self.places, 0)
        for row in self.lake.trend_hours(hour=hour):
            tweets[row.trend.place] += row.sampled
        return tweets


@pytest.fixture
def collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with FakeX() as server:
        for hour in (LAST - 2).until(LAST + 1):
            for name in NAMES:
                server.posts(query_of(name) or "", hour, 30)
        yield Collector(open_lake(str(tmp_path / "lake")), server, monkeypatch)


def _equal(drawn: dict[str, int]) -> bool:
    # What a place leaves over is less than ten tweets cost, so that a later one has ten more at most.
    return min(drawn.values()) >= 30 and max(drawn.values()) - min(drawn.values()) <= 10


@pytest.mark.parametrize(("places", "hours", "left"), [(2, 3, 0), (4, 2, 0), (13, 1, 1)])
def test_each_place_and_hour_of_the_last_ones_of_a_day_has_its_equal_part(
    collector: Collector, places: int, hours: int, left: int
) -> None:
    budget = PART * places * hours
    collector.set(places, PART * places * (hours + left))
    for hour in (LAST - (hours + left - 1)).until(LAST - left):
        collector.at(hour)
        for slug in collector.places:
            collector.collect(slug, hour)
        assert _equal(collector.drawn(hour)), hour
    assert budget - 0.06 < collector.lake.spent(DAY, "x") <= budget + ROOM


def test_a_place_that_failed_finds_its_part_when_it_is_tried_again(collector: Collector) -> None:
    collector.set(4, PART * 4)
    collector.at(LAST)
    unlisted, cut_off, *others = collector.places
    collector.server.script(*[UNAVAILABLE] * (RETRIES + 1), path=TRENDS)
    with pytest.raises(UnavailableError):
        collector.collect(unlisted, LAST)
    # The second one has its list, its plan and the tweets of one trend.
    collector.server.script(Reply(200, POSTS), *[UNAVAILABLE] * (RETRIES + 1), path=SEARCH)
    with pytest.raises(UnavailableError):
        collector.collect(cut_off, LAST)
    for slug in (*others, unlisted, cut_off):
        collector.collect(slug, LAST)
    assert _equal(collector.drawn(LAST))
    assert collector.lake.spent(DAY, "x") <= PART * 4 + ROOM


def test_an_owed_hour_and_the_due_one_have_equal_parts_at_the_end_of_the_day(collector: Collector) -> None:
    collector.set(2, PART * 2 * 2)
    owed = LAST - 1
    collector.at(owed)
    for slug in collector.places:
        collector.server.script(*[UNAVAILABLE] * (RETRIES + 1), path=SEARCH)
        with pytest.raises(UnavailableError):
            collector.collect(slug, owed)
    collector.at(LAST)
    for hour in (owed, LAST):
        for slug in collector.places:
            collector.collect(slug, hour)
        assert _equal(collector.drawn(hour)), hour
    assert collector.lake.spent(DAY, "x") <= PART * 4 + ROOM


def test_a_part_is_never_more_than_the_day_has_left(collector: Collector) -> None:
    collector.set(2, PART * 2)
    at = collector.at(LAST)
    first, other = collector.places
    # Paid by a plan of a larger budget, and not collected yet.
    collector.lake.add_page(LAST, "x", other, page("dear", fetched_at=at, cost=0.335))
    collector.collect(first, LAST)
    # What is left after the list buys the tweets of one trend.
    assert collector.drawn(LAST)[first] == 10
    with pytest.raises(BudgetError):
        collector.collect(other, LAST)
    assert collector.lake.spent(DAY, "x") <= PART * 2 + ROOM
