"""Past days: which there are, and what re-analysing one leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.hours import HOUR, jobs_for
from trendlark.errors import InputError, NotFoundError
from trendlark.lake import open_lake
from trendlark.training.steps.past import days_of, told


def test_days_are_those_that_hold_hours(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    with pytest.raises(NotFoundError, match=f"Found no hour from {HOUR.day} to {HOUR.day} in the lake"):
        days_of(lake, HOUR.day, HOUR.day)
    jobs_for(tmp_path / "lake", places=("es",)).run_hour(HOUR)
    assert days_of(lake, "2026-11-01", HOUR.day) == [HOUR.day]
    for first, last, why in (
        (HOUR.day, "2020-01-01", "Exchange them"),
        ("today", HOUR.day, "allowed are days"),
    ):
        with pytest.raises(InputError, match=why):
            days_of(lake, first, last)


def test_the_page_tells_whole_numbers_day_by_day() -> None:
    days = [
        {"day": day, "model": "m-1", "hours": 2.0, "analyses": 40.0, "trends": 6.0}
        for day in ("2026-11-21", "2026-11-20")
    ]
    assert told(days).splitlines()[-2:] == [
        "| 2026-11-20 | m-1 | 2 | 40 | 6 |",
        "| 2026-11-21 | m-1 | 2 | 40 | 6 |",
    ]
