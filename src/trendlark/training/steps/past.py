"""The second pipeline's steps: hours that were analysed by an older model are analysed again by a new one."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from trendlark.errors import InputError, NotFoundError
from trendlark.jobs.analyze import analyze_hour
from trendlark.jobs.engines import Engine
from trendlark.jobs.summarise import summarise_hour
from trendlark.lake import Lake

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DayAgain:
    """What re-analysing a day did: hours that hold tweets, tweets that the model had not analysed, trends."""

    day: str
    model: str
    hours: int
    analyses: int
    trends: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def days_of(lake: Lake, first: str, last: str) -> list[str]:
    """Return the UTC days from ``first`` to ``last`` (both included) that hold hours.

    Raises InputError for days that are none, NotFoundError where no hour was collected on any of them.
    """
    start, end = _day(first), _day(last)
    if start > end:
        raise InputError(
            f"Found the days {first} to {last}; the first may not be after the last. Exchange them."
        )
    days = sorted({hour.day for hour in lake.hours() if start <= _day(hour.day) <= end})
    if not days:
        raise NotFoundError(
            f"Found no hour from {first} to {last} in the lake; allowed are days of which some hour was collected. "
            "Check the days and the lake."
        )
    return days


def analyze_day_again(lake: Lake, engine: Engine, day: str) -> DayAgain:
    """Analyse and sum up each hour of a day by this model; what it has done before is not done again.

    An hour that another model analysed is replaced in one commit: readers see the old hour or the new one.
    """
    hours = [hour for hour in lake.hours() if hour.day == day]
    analyses = trends = 0
    for hour in hours:
        analyses += analyze_hour(lake, engine, hour).counts.get("analyses", 0)
        for source in sorted({source for source, _ in lake.places(hour)}):
            trends += summarise_hour(lake, source, hour).counts.get("trends", 0)
        _log.info("again: %s by %s", hour, engine.name)
    return DayAgain(day, engine.name, len(hours), analyses, trends)


def told(days: Sequence[Mapping[str, Any]]) -> str:
    """Return what was done, day by day, in Markdown."""
    lines = ["# Analysed again", "", "| day | model | hours | tweets | trends |", "|---|---|---|---|---|"]
    done = sorted((DayAgain(**found) for found in days), key=lambda one: one.day)
    lines += [
        f"| {one.day} | {one.model} | {one.hours:.0f} | {one.analyses:.0f} | {one.trends:.0f} |"
        for one in done
    ]
    return "\n".join(lines) + "\n"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"Found the day {text!r}; allowed are days such as 2026-11-23 (UTC). Correct it."
        ) from error
