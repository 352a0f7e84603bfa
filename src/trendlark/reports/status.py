"""How the hours go: last runs, what failed and why, what was spent, how far the lake is behind, how large it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.upkeep import TableInfo
from trendlark.records import Run

_DAYS = 7
_RUNS = 40
_RUNS_LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class DayOfRuns:
    """A UTC day's runs: how many, how many failed, what the source charged in US dollars."""

    day: str
    runs: int
    failed: int
    requests: int
    cost: float


@dataclass(frozen=True, slots=True)
class Status:
    """What the lake's own records say; ``lag_hours`` is None while there is no summarised hour."""

    runs: tuple[Run, ...]
    failures: tuple[Run, ...]
    days: tuple[DayOfRuns, ...]
    spent_today: float
    newest: Hour | None
    newest_collected: Hour | None
    lag_hours: int | None
    tables: tuple[TableInfo, ...]


def status(lake: Lake, source: str, now: Hour) -> Status:
    """The state at an hour: runs of the last seven days, today's spending of a source, the tables' sizes.

    ``failures`` are the runs that failed and whose hour and job no later run brought to a good end, newest first;
    ``lag_hours`` counts complete hours without a summary since the newest that has one.
    """
    today = Hour(now.index - now.index % 24)
    runs = lake.runs(day_from=(today - 24 * (_DAYS - 1)).day, limit=_RUNS_LOOKED_AT)
    collected = lake.hours()
    newest = _newest_summarised(lake, collected)
    return Status(
        runs=tuple(runs[:_RUNS]),
        failures=tuple(unmended(runs))[:_RUNS],
        days=tuple(by_day(runs, [(today - 24 * back).day for back in range(_DAYS)])),
        spent_today=lake.spent(now.day, source),
        newest=newest,
        newest_collected=collected[-1] if collected else None,
        lag_hours=max(0, now.index - 1 - newest.index) if newest else None,
        tables=tuple(lake.info()),
    )


def unmended(runs: Sequence[Run]) -> list[Run]:
    """The failed runs, newest first, that no later run of the same job, hour, source and place made good."""
    good: set[tuple[str, Hour, str, str | None]] = set()
    found: list[Run] = []
    for run in sorted(runs, key=lambda one: one.started_at, reverse=True):
        key = (run.job, run.hour, run.source, run.place)
        if run.error is None:
            good.add(key)
        elif key not in good and (run.job, run.hour, run.source, None) not in good:
            found.append(run)
    return found


def by_day(runs: Iterable[Run], days: Sequence[str]) -> list[DayOfRuns]:
    """The runs added up for each of some UTC days, in their order; days without runs have zeros."""
    kept = list(runs)
    return [_day(day, [run for run in kept if Hour.of(run.started_at).day == day]) for day in days]


def _day(day: str, runs: Sequence[Run]) -> DayOfRuns:
    return DayOfRuns(
        day,
        len(runs),
        sum(run.error is not None for run in runs),
        sum(run.requests for run in runs),
        sum(run.cost for run in runs),
    )


def _newest_summarised(lake: Lake, hours: Sequence[Hour]) -> Hour | None:
    # The jobs work upwards, so one of the newest hours has it; an old lake is not read through.
    for hour in list(reversed(hours))[:48]:
        rows = lake.rows(
            "trends", f"hour = '{hour}' AND summarised_at IS NOT NULL", ("rank",), "rank LIMIT 1"
        )
        if any(True for _ in rows):
            return hour
    return None
