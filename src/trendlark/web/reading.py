"""The lists of the API: rows in one order, and the cursor that goes on where an answer ended."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import TrendHour
from trendlark.reports import queries


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows in order and the cursor to go on with; None at the end."""

    rows: tuple[TrendHour, ...]
    next: str | None


_FIRST, _LAST = Hour.parse("1971-01-01T00"), Hour.parse("2999-12-31T23")

Key = tuple[int, str, str, int, str]


def key_of(row: TrendHour) -> Key:
    """The place of a row in the order of the API: newest hour first, then source, place, rank, name."""
    return (-row.trend.hour.index, row.trend.source, row.trend.place, row.trend.rank, row.trend.name)


def list_trends(
    lake: Lake,
    *,
    hour: Hour | None,
    source: str | None,
    place: str | None,
    limit: int,
    cursor: str | None,
) -> Slice:
    """Rows of one hour or, hour by hour, of all; reads no hour that the answer does not need."""
    after = read_cursor(cursor) if cursor else None
    hours: Iterable[Hour] = [hour] if hour else queries.hours(lake, source, place)
    found: list[TrendHour] = []
    for each in hours:
        if after and -each.index < after[0]:
            continue
        rows = sorted(lake.trend_hours(each, source=source, place=place), key=key_of)
        found += [row for row in rows if after is None or key_of(row) > after]
        if len(found) > limit:
            break
    return _slice(found, limit)


def list_hours_of(
    lake: Lake, *, source: str, place: str, trend: str, limit: int, cursor: str | None
) -> Slice:
    """One trend over its hours, newest first."""
    after = read_cursor(cursor) if cursor else None
    last = Hour(-after[0]) if after else None
    rows = sorted(lake.trend_hours(last=last, source=source, place=place, trend=trend), key=key_of)
    return _slice([row for row in rows if after is None or key_of(row) > after], limit)


def write_cursor(key: Key) -> str:
    """A key as opaque text for addresses."""
    return encode(key)


def encode(values: Sequence[object]) -> str:
    """Values as opaque text for addresses."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode(text: str) -> list[Any]:
    """The values in such a text; InputError when it is not one."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise _bad_cursor(text) from None
    if not isinstance(values, list):
        raise _bad_cursor(text)
    return values


def read_cursor(text: str) -> Key:
    """The key in a cursor; InputError when it is not one of ours."""
    values = decode(text)
    if len(values) != 5:
        raise _bad_cursor(text)
    hour, source, place, rank, name = values
    if not (isinstance(hour, int) and isinstance(rank, int) and _FIRST.index <= -hour <= _LAST.index):
        raise _bad_cursor(text)
    if not all(isinstance(part, str) for part in (source, place, name)):
        raise _bad_cursor(text)
    return hour, source, place, rank, name


def _bad_cursor(text: str) -> InputError:
    return InputError(
        f"Found the cursor {text[:40]!r}, which is not one of this server; "
        "pass on the `next` of the answer before, or leave cursor out."
    )


def _slice(rows: Sequence[TrendHour], limit: int) -> Slice:
    more = len(rows) > limit
    kept = tuple(rows[:limit])
    return Slice(kept, write_cursor(key_of(kept[-1])) if more and kept else None)
