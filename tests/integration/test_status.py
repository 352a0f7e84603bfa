"""The state of the hours as the lake's own records tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.support.hours import jobs_for
from tests.support.web_app import empty_lake
from tests.support.web_lake import FIRST, LAST, STORIES, fill
from trendlark.hours import Hour
from trendlark.records import Page, Run
from trendlark.reports.status import by_day, status, unmended


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


def test_a_failure_is_told_until_a_later_run_mends_it() -> None:
    failed = run(1, error="x")
    assert unmended([failed]) == [failed]
    assert unmended([failed, run(2)]) == []
    assert unmended([failed, run(0)]) == [failed]
    assert unmended([failed, run(2, place="mx"), run(2, hour=FIRST), run(2, "analyze")]) == [failed]
    # A run over all places mends that of one.
    assert unmended([failed, run(2, place=None)]) == []
    again = run(3, error="y")
    assert unmended([failed, run(2), again]) == [again]


def test_a_day_begins_at_midnight_utc() -> None:
    late = replace(run(0), started_at=datetime.fromisoformat("2026-11-22T23:59:59+00:00"))
    early = replace(run(0), started_at=datetime.fromisoformat("2026-11-23T00:00:00+00:00"))
    assert [day.runs for day in by_day([late, early, early], ["2026-11-23", "2026-11-22"])] == [2, 1]


def test_the_jobs_runs_are_seen(tmp_path_factory: pytest.TempPathFactory) -> None:
    jobs = jobs_for(tmp_path_factory.mktemp("jobs") / "lake")
    hour = Hour.parse("2026-11-20T09")
    jobs.run_hour(hour)
    found = status(jobs.lake, "sample", Hour.now())
    assert {one.job for one in found.runs} == {"collect", "analyze", "summarise"}
    assert found.failures == ()
    assert found.newest == hour
    assert found.lag_hours
