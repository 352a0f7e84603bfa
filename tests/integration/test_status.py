"""The state of the hours as the lake's own records tell it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.hours import jobs_for
from tests.support.lake_records import add_runs
from tests.support.web_app import empty_lake
from tests.support.web_lake import FIRST, LAST, STORIES, fill
from trendlark.hours import Hour
from trendlark.records import Page, Run
from trendlark.reports.status import by_day, status, unmended

WEEK = "2026-11-17"
MINUTES_OF_WEEK = 6 * 24 * 60 + 8 * 60
"""From the first midnight of the seven days to the end of the last hour."""


def run(
    minute: int,
    job: str = "collect",
    *,
    error: str | None = None,
    hour: Hour = LAST,
    place: str | None = "es",
    cost: float = 0.0,
) -> Run:
    """A run that started some minutes after the last hour."""
    started = LAST.end + timedelta(minutes=minute)
    return Run(
        run_id=f"{job}{minute}", job=job, hour=hour, source="x", place=place,
        status="failed" if error else "done", started_at=started, seconds=1.5, cost=cost, requests=3, error=error,
    )  # fmt: skip


def test_an_empty_lake_has_no_newest_hour_and_seven_days_of_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found = status(empty_lake(tmp_path_factory.mktemp("empty")), "x", LAST + 1)
    assert (found.newest, found.newest_collected, found.lag_hours) == (None, None, None)
    assert (found.runs, found.failures, found.spent_today) == ((), (), 0.0)
    assert [(day.day, day.runs) for day in found.days][:2] == [("2026-11-23", 0), ("2026-11-22", 0)]
    assert len(found.days) == 7
    assert all(table.rows == 0 for table in found.tables)


def test_the_lag_counts_complete_hours_without_a_summary(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("lag"))
    fill(lake, "x", STORIES)
    assert status(lake, "x", LAST + 1).lag_hours == 0
    found = status(lake, "x", LAST + 4)
    assert (found.newest, found.newest_collected, found.lag_hours) == (LAST, LAST, 3)
    assert {table.name: table.rows for table in found.tables}["tweets"] == 90
    only_collected = empty_lake(tmp_path_factory.mktemp("collected"))
    fill(only_collected, "x", STORIES, summarised=False)
    found = status(only_collected, "x", LAST + 1)
    assert (found.newest, found.newest_collected, found.lag_hours) == (None, LAST, None)


def test_runs_failures_and_spending_are_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("runs"))
    runs = [
        run(1, error="Found no credits", cost=0.25), run(2, cost=0.5), run(3, "analyze", error="Found no model"),
        run(-24 * 60, cost=2.0),
    ]  # fmt: skip
    for one in runs:
        lake.add_run(one)
    lake.add_page(LAST, "x", "es", Page("trends", "{}", LAST.end, cost=0.75))
    found = status(lake, "x", LAST + 1)
    assert [one.run_id for one in found.runs] == ["analyze3", "collect2", "collect1", "collect-1440"]
    assert [one.error for one in found.failures] == ["Found no model"]
    today, yesterday = found.days[:2]
    assert (today.runs, today.failed, today.requests, today.cost) == (3, 2, 9, 0.75)
    assert (yesterday.runs, yesterday.failed, yesterday.cost) == (1, 0, 2.0)
    assert found.spent_today == 0.75
    assert status(lake, "sample", LAST + 1).spent_today == 0.0


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ([], True),
        ([run(2)], False),
        ([run(0)], True),
        ([run(2, place="mx"), run(2, hour=FIRST), run(2, "analyze")], True),
        ([replace(run(2), source="sample")], True),
        # A run over all places mends that of one, one place not that of all.
        ([run(2, place=None)], False),
    ],
)
def test_a_failure_is_told_until_a_later_run_mends_it(tmp_path: Path, others: list[Run], told: bool) -> None:
    lake = empty_lake(tmp_path)
    failed = run(1, error="x")
    add_runs(lake, [failed, *others])
    assert unmended(lake, WEEK) == ([failed] if told else [])


def test_a_failure_over_all_places_and_one_after_the_repair_are_told(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    of_all, again = run(1, error="x", place=None), run(3, error="y")
    add_runs(lake, [of_all, run(2), again])
    assert unmended(lake, WEEK) == [again, of_all]


def test_failures_before_the_week_are_not_told_and_of_many_the_last_forty(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    runs = [run(minute, error=f"of minute {minute}", hour=LAST - minute) for minute in range(50)]
    add_runs(lake, [run(-MINUTES_OF_WEEK - 1, error="long ago"), *runs])
    assert [one.run_id for one in unmended(lake, WEEK)] == [f"collect{minute}" for minute in range(49, 9, -1)]
    assert status(lake, "x", LAST + 1).failures == tuple(reversed(runs[10:]))


def unmended_by_hand(runs: Sequence[Run]) -> list[Run]:
    """What the lake is to find, run by run."""

    def mends(later: Run, failed: Run) -> bool:
        same = (later.job, later.hour, later.source) == (failed.job, failed.hour, failed.source)
        here = later.place in {None, failed.place}
        return same and here and later.error is None and later.started_at > failed.started_at

    newest = sorted(runs, key=lambda one: one.started_at, reverse=True)
    return [one for one in newest if one.error is not None and not any(mends(two, one) for two in runs)]


@pytest.mark.parametrize("seed", range(3))
def test_the_lake_finds_the_same_failures_as_a_search_run_by_run(tmp_path: Path, seed: int) -> None:
    lake = empty_lake(tmp_path)
    chance = random.Random(seed)
    runs = [
        run(
            minute,
            chance.choice(["collect", "analyze"]),
            error=chance.choice([None, "it's broken", ""]),
            hour=LAST - chance.randrange(5),
            place=chance.choice(["es", "mx", "it's", None]),
        )
        for minute in range(120)
    ]
    add_runs(lake, chance.sample(runs, len(runs)))
    wanted = unmended_by_hand(runs)
    assert 0 < len(wanted) <= 40
    assert unmended(lake, WEEK) == wanted


def test_a_day_begins_at_midnight_utc(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    late = replace(run(0), started_at=datetime.fromisoformat("2026-11-22T23:59:59+00:00"))
    early = replace(run(0), started_at=datetime.fromisoformat("2026-11-23T00:00:00+00:00"))
    add_runs(lake, [late, early, early])
    days = by_day(lake, ["2026-11-23", "2026-11-21", "2026-11-22"])
    assert [(day.day, day.runs) for day in days] == [("2026-11-23", 2), ("2026-11-21", 0), ("2026-11-22", 1)]


def test_the_dollars_of_a_day_are_the_same_in_whatever_order_they_are_added(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    add_runs(lake, [run(minute, cost=0.1) for minute in range(900)])
    assert sum([0.1] * 900) != 90
    assert [day.cost for day in by_day(lake, ["2026-11-23"])] == [90]


def test_a_week_of_thousands_of_runs_is_counted_whole(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    runs = [
        run(-minute, error=None if minute % 50 else "Found no credits", cost=0.25, hour=LAST - minute // 60)
        for minute in range(5, MINUTES_OF_WEEK + 1, 3)
    ]
    assert len(runs) > 3000
    add_runs(lake, runs)
    found = status(lake, "x", LAST + 1)
    counted, failed = (
        Counter(Hour.of(one.started_at).day for one in some)
        for some in (runs, [one for one in runs if one.error])
    )
    assert min(counted.values()) > 150
    assert len(counted) == len(failed) == 7
    assert {day.day: (day.runs, day.failed, day.requests, day.cost) for day in found.days} == {
        day: (many, failed[day], 3 * many, many / 4) for day, many in counted.items()
    }
    assert [one.run_id for one in found.runs] == [one.run_id for one in runs[:40]]
    assert found.failures == tuple(unmended_by_hand(runs))


def test_the_first_failure_of_a_week_of_thousands_of_runs_is_told_until_it_is_mended(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    oldest = run(-MINUTES_OF_WEEK, error="Found no space", hour=FIRST - 200)
    add_runs(lake, [oldest, *(run(-minute, hour=LAST - minute // 60) for minute in range(1, 2600))])
    found = status(lake, "x", LAST + 1)
    assert found.failures == (oldest,)
    assert (found.days[6].runs, found.days[6].failed) == (1, 1)
    add_runs(lake, [run(1, hour=oldest.hour)])
    assert status(lake, "x", LAST + 1).failures == ()


def test_the_jobs_runs_are_seen(tmp_path_factory: pytest.TempPathFactory) -> None:
    jobs = jobs_for(tmp_path_factory.mktemp("jobs") / "lake")
    hour = Hour.parse("2026-11-20T09")
    jobs.run_hour(hour)
    found = status(jobs.lake, "sample", Hour.now())
    assert {one.job for one in found.runs} == {"collect", "analyze", "summarise"}
    assert found.failures == ()
    assert found.newest == hour
    assert found.lag_hours
