"""The hour: the unit of collecting, analysing, storing and repairing. All time arithmetic lives here."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from trendlark.errors import InputError

_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}")
_ONE = timedelta(hours=1)
# The first hour of the year 3000: arithmetic near datetime's own end would overflow.
_BEYOND = 9_028_872


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """A slice of time, ``start`` included and ``end`` excluded, both UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H:%M:%SZ}/{self.end:%Y-%m-%dT%H:%M:%SZ}"

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


@dataclass(frozen=True, order=True, slots=True)
class Hour:
    """A UTC hour, written ``2026-11-23T07``. Counted in whole hours since 1970 (``index``)."""

    index: int

    @classmethod
    def of(cls, moment: datetime) -> Hour:
        """The hour that holds a moment; the moment must carry its time zone."""
        if moment.tzinfo is None:
            raise InputError(
                f"Found the time {moment.isoformat()} without a time zone; give it one, such as UTC."
            )
        return cls(int(moment.timestamp() // 3600))

    @classmethod
    @lru_cache(maxsize=4096)  # every row of the lake carries its hour
    def parse(cls, text: str) -> Hour:
        """Read ``2026-11-23T07`` (longer ISO times of that hour in UTC are accepted, too)."""
        head, rest = text.strip()[:13], text.strip()[13:]
        if _FORM.fullmatch(head) and re.fullmatch(r"(:\d{2}){0,2}(\.\d+)?(Z|\+00:00)?", rest):
            with contextlib.suppress(ValueError):
                hour = cls.of(datetime.strptime(head, "%Y-%m-%dT%H").replace(tzinfo=UTC))
                if 0 <= hour.index < _BEYOND:
                    return hour
        raise InputError(
            f"Found {text[:40]!r} as an hour; an hour is written like 2026-11-23T07, is in UTC and lies in the years "
            "1970 to 2999. Write it so."
        )

    @classmethod
    def now(cls) -> Hour:
        """The hour that is running."""
        return cls.of(datetime.now(UTC))

    @classmethod
    def last_complete(cls) -> Hour:
        """The hour before the one that is running."""
        return cls.now() - 1

    @property
    def start(self) -> datetime:
        """Its first moment."""
        return datetime.fromtimestamp(self.index * 3600, UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return self.start + _ONE

    @property
    def day(self) -> str:
        """Its UTC date, ``2026-11-23``."""
        return f"{self.start:%Y-%m-%d}"

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%dT%H}"

    def __add__(self, hours: int) -> Hour:
        return Hour(self.index + hours)

    def __sub__(self, hours: int) -> Hour:
        return Hour(self.index - hours)

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def until(self, last: Hour) -> Iterator[Hour]:
        """This hour and those after it, ``last`` included."""
        return (Hour(index) for index in range(self.index, last.index + 1))

    def windows(self, count: int) -> tuple[Window, ...]:
        """The hour cut into ``count`` windows of equal length, in order."""
        edges = [self.start + _ONE * step / count for step in range(count + 1)]
        return tuple(Window(a, b) for a, b in pairwise(edges))


def utc_now() -> datetime:
    """This moment in UTC, to the microsecond (the lake's resolution)."""
    return datetime.now(UTC)


def seconds_until(moment: datetime) -> float:
    """Seconds from now until a moment; never negative."""
    return max(0.0, (moment - utc_now()).total_seconds())


def parse_moment(text: str) -> datetime:
    """Read an ISO 8601 time; one without a zone is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(
            f"Found {text[:60]!r} as a time; times are ISO 8601, such as 2026-11-23T07:05:00Z."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
