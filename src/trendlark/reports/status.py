"""How the hours go: last runs, what failed and why, what was spent, how far the lake is behind, how large it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.query import literal, one_of
from trendlark.lake.rows import run_of
from trendlark.lake.upkeep import TableInfo
from trendlark.records import Run

_DAYS = 7
_RUNS = 40


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

    ``runs`` and ``failures``, newest first, are the last forty; ``days`` count every run. ``failures`` are the runs
    that failed and whose hour and job no later run brought to a good end; ``lag_hours`` counts complete hours without
    a summary since the newest that has one.
    """
    today = Hour(now.index - now.index % 24)
    days = [(today - 24 * back).day for back in range(_DAYS)]
    collected = lake.hours()
    newest = _newest_summarised(lake, collected)
    return Status(
        runs=tuple(lake.runs(day_from=days[-1], limit=_RUNS)),
        failures=tuple(unmended(lake, days[-1])),
        days=tuple(by_day(lake, days)),
        spent_today=lake.spent(now.day, source),
        newest=newest,
        newest_collected=collected[-1] if collected else None,
        lag_hours=max(0, now.index - 1 - newest.index) if newest else None,
        tables=tuple(lake.info()),
    )


def unmended(lake: Lake, day_from: str) -> list[Run]:
    """The last failed runs since a UTC day, newest first, that no later run of the same work made good.

    The same work is the same job, hour, source and place; a run over all places makes good that of one.
    """
    # A week may hold any number of runs: the lake seeks among all, by columns that are short, and gives the few shown.
    since = f"day >= {literal(day_from)} AND error IS NOT NULL"
    for_good = (
        f"SELECT 1 FROM runs later WHERE later.day >= {literal(day_from)} AND later.error IS NULL "  # noqa: S608
        "AND later.started_at > runs.started_at AND later.job = runs.job AND later.hour = runs.hour "
        "AND later.source = runs.source AND (later.place IS NULL OR later.place = runs.place)"
    )
    newest = "started_at DESC, run_id"
    found = lake.rows("runs", f"{since} AND NOT EXISTS ({for_good})", ("run_id",), f"{newest} LIMIT {_RUNS}")
    ids = [row["run_id"] for row in found]
    if not ids:
        return []
    return [run_of(row) for row in lake.rows("runs", f"{since} AND {one_of('run_id', ids)}", order=newest)]


def by_day(lake: Lake, days: Sequence[str]) -> list[DayOfRuns]:
    """The runs added up for each of some UTC days, in their order; days without runs have zeros."""
    query = (
        "SELECT day, count(*) AS runs, count(error) AS failed, sum(requests) AS requests, sum(cost) AS cost "  # noqa: S608
        f"FROM runs WHERE {one_of('day', days)} GROUP BY day"
    )
    found: dict[str, DayOfRuns] = {}
    for batch in lake.sql(query):
        for row in batch.to_pylist():
            # The lake adds in no fixed order, which shows in the last digits of a sum.
            found[row["day"]] = DayOfRuns(**{**row, "cost": round(row["cost"], 9)})
    return [found.get(day, DayOfRuns(day, 0, 0, 0, 0.0)) for day in days]


def _newest_summarised(lake: Lake, hours: Sequence[Hour]) -> Hour | None:
    # The jobs work upwards, so one of the newest hours has it; an old lake is not read through.
    for hour in list(reversed(hours))[:48]:
        rows = lake.rows(
            "trends", f"hour = '{hour}' AND summarised_at IS NOT NULL", ("rank",), "rank LIMIT 1"
        )
        if any(True for _ in rows):
            return hour
    return None
