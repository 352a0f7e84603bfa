"""Records to Arrow rows and back: tweets, pages, refusals and runs.

Every text is cleaned at this border (:func:`trendlark.records.clean_text`); ``None`` stays ``None`` and an
empty text or list stays empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

import pyarrow as pa

from trendlark.hours import Hour
from trendlark.lake.tables import TableSpec
from trendlark.records import Page, Refusal, Run, Tweet, clean_text

Row = dict[str, Any]
_Record = TypeVar("_Record")

BATCH_ROWS = 1024
_BATCH_CHARACTERS = 8_000_000


@lru_cache(maxsize=256)
def hour_of(text: str) -> Hour:
    """The hour that a row states; rows of one hour state the same one thousands of times."""
    return Hour.parse(text)


@lru_cache(maxsize=256)
def hour_text(hour: Hour) -> str:
    """An hour as rows state it."""
    return str(hour)


def clean(text: str | None) -> str | None:
    """Text that Arrow can hold, or ``None`` as it is."""
    return None if text is None else clean_text(text)


def utc(moment: datetime | None) -> datetime | None:
    """The same moment in UTC; one without a zone is taken as UTC."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def whole(number: int | None) -> int | None:
    """A number that 64 bits hold; one that they do not is absent (``raw`` keeps what was received)."""
    return number if number is not None and -(2**63) <= number < 2**63 else None


def batches(
    records: Iterable[_Record], to_row: Callable[[_Record], Row], spec: TableSpec
) -> Iterator[pa.RecordBatch]:
    """Records as Arrow batches of a table, never more than a few megabytes at a time."""
    source = iter(records)
    while rows := _fill(source, to_row):
        yield pa.RecordBatch.from_pylist(rows, schema=spec.schema)


def _fill(source: Iterator[_Record], to_row: Callable[[_Record], Row]) -> list[Row]:
    rows: list[Row] = []
    characters = 0
    for record in islice(source, BATCH_ROWS):
        row = to_row(record)
        rows.append(row)
        characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if characters > _BATCH_CHARACTERS:
            break
    return rows


def tweet_row(tweet: Tweet) -> Row:
    """A tweet as a row of ``tweets``."""
    return {
        "hour": hour_text(tweet.hour),
        "source": clean(tweet.source),
        "place": clean(tweet.place),
        "trend": clean(tweet.trend),
        "tweet_id": clean(tweet.tweet_id),
        "author_id": clean(tweet.author_id),
        "author_handle": clean(tweet.author_handle),
        "created_at": utc(tweet.created_at),
        "lang": clean(tweet.lang),
        "text": clean(tweet.text),
        "likes": whole(tweet.likes),
        "reposts": whole(tweet.reposts),
        "replies": whole(tweet.replies),
        "quotes": whole(tweet.quotes),
        "url": clean(tweet.url),
        "window": clean(tweet.window),
        "raw": clean(tweet.raw),
        "collected_at": utc(tweet.collected_at),
    }


def tweet_of(row: Mapping[str, Any]) -> Tweet:
    """A row of ``tweets`` as a tweet."""
    return Tweet(**_with_hour(row))


def page_row(page: Page, hour: Hour, source: str, place: str) -> Row:
    """A page as a row of ``pages``."""
    return {
        "day": Hour.of(page.fetched_at).day,
        "hour": hour_text(hour),
        "source": clean(source),
        "place": clean(place),
        "request": clean(page.request),
        "body": clean(page.body),
        "fetched_at": utc(page.fetched_at),
        "cost": page.cost,
        "trend": clean(page.trend),
        "window": clean(page.window),
    }


def page_of(row: Mapping[str, Any]) -> Page:
    """A row of ``pages`` as a page."""
    return Page(
        request=row["request"],
        body=row["body"],
        fetched_at=row["fetched_at"],
        cost=row["cost"],
        trend=row["trend"],
        window=row["window"],
    )


def refusal_row(refusal: Refusal, hour: Hour, source: str, place: str, at: datetime) -> Row:
    """A refusal as a row of ``refusals``."""
    return {
        "hour": hour_text(hour),
        "source": clean(source),
        "place": clean(place),
        "trend": clean(refusal.trend),
        "reason": clean(refusal.reason),
        "raw": clean(refusal.raw),
        "at": utc(at),
    }


def refusal_of(row: Mapping[str, Any]) -> Refusal:
    """A row of ``refusals`` as a refusal."""
    return Refusal(reason=row["reason"], raw=row["raw"], trend=row["trend"])


def run_row(run: Run) -> Row:
    """A run as a row of ``runs``."""
    return {
        "day": Hour.of(run.started_at).day,
        "run_id": clean(run.run_id),
        "job": clean(run.job),
        "hour": hour_text(run.hour),
        "source": clean(run.source),
        "place": clean(run.place),
        "status": clean(run.status),
        "started_at": utc(run.started_at),
        "seconds": run.seconds,
        "counts": [{"name": clean(name), "count": count} for name, count in run.counts.items()],
        "refused": run.refused,
        "requests": run.requests,
        "cost": run.cost,
        "model": clean(run.model),
        "error": clean(run.error),
        "version": clean(run.version),
    }


def run_of(row: Mapping[str, Any]) -> Run:
    """A row of ``runs`` as a run."""
    values = _with_hour(row)
    del values["day"]
    values["counts"] = {item["name"]: item["count"] for item in values["counts"] or ()}
    return Run(**values)


def _with_hour(row: Mapping[str, Any]) -> Row:
    return {**row, "hour": hour_of(row["hour"])}
