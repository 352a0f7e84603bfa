"""What waits for analyzers: hours whose trends are not summed up over all their tweets, and the tweets in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.query import literal

# Older hours are finished by hand: `trendlark backfill`.
LOOK_BACK_HOURS = 48


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits: unfinished hours, and the tweets in them that have no analysis."""

    hours: int
    tweets: int


def waiting_hours(lake: Lake, first: Hour) -> dict[Hour, set[str]]:
    """The hours from ``first`` on that are not finished, and their sources; raises LakeError."""
    unfinished = "(summarised_at IS NULL OR analysed IS NULL OR analysed <> sampled)"
    where = f"hour >= {literal(str(first))} AND {unfinished}"
    found: dict[Hour, set[str]] = {}
    for row in lake.rows("trends", where, ("hour", "source")):
        found.setdefault(Hour.parse(row["hour"]), set()).add(row["source"])
    return found


def backlog(lake: Lake) -> Backlog:
    """What waits in the hours that analyzers look at; raises LakeError."""
    hours = waiting_hours(lake, Hour.last_complete() - LOOK_BACK_HOURS)
    return Backlog(len(hours), _waiting_tweets(lake, hours) if hours else 0)


def _waiting_tweets(lake: Lake, hours: Collection[Hour]) -> int:
    named = ", ".join(f"'{hour}'" for hour in sorted(hours))
    where = f"hour IN ({named})"
    asked = lake.sql(
        "SELECT (SELECT count(*) FROM (SELECT DISTINCT hour, source, tweet_id FROM tweets "  # noqa: S608
        f"WHERE {where}) AS drawn) - (SELECT count(*) FROM analyses WHERE {where}) AS waiting"
    )
    (row,) = asked.read_all().to_pylist()
    return max(0, int(row["waiting"]))
