"""The hours at a glance: what pages ask again and again, kept for as long as an hour's files in the lake are the same.

Files of a Delta table never change, so the list of an hour's files is the version of its rows. Kept are rows of
``trends`` only, with names and numbers; no tweet's text.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import SENTIMENTS, TrendHour

MOODS = tuple(
    f"sentiment_{label}{end}" for label in SENTIMENTS for end in ("", "_low", "_high")
)  # the shares with their intervals
GLANCE = ("hour", "source", "place", "trend", "rank", "volume", "sampled", "analysed", *MOODS)
_WHOLE_HOURS = 64
_GLANCES = 1500  # two months of hours; a month of 150 trends an hour takes some 15 MB
_Files = tuple[str, ...]


class Board:
    """Answers from memory what the lake was asked before; any number of threads may ask it."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = threading.Lock()
        self._whole: OrderedDict[str, tuple[_Files, list[TrendHour]]] = OrderedDict()
        self._glances: dict[str, tuple[_Files, pa.Table]] = {}

    def hours(self) -> list[Hour]:
        """The hours that hold trends, newest first."""
        return sorted(map(Hour.parse, self._lake.hour_files()), reverse=True)

    def rows(self, hour: Hour) -> list[TrendHour]:
        """All trends of an hour, by source, place and rank."""
        key = str(hour)
        files = self._lake.hour_files().get(key)
        if files is None:
            return []
        with self._lock:
            known = self._whole.get(key)
            if known is None or known[0] != files:
                known = (files, self._lake.trend_hours(hour))
                self._whole[key] = known
                while len(self._whole) > _WHOLE_HOURS:
                    self._whole.popitem(last=False)
            self._whole.move_to_end(key)
            return list(known[1])

    def glance(self, first: Hour, last: Hour) -> pa.Table:
        """Rank, volume, sample and mood (``GLANCE``) of all trends from an hour to another, both included."""
        files = self._lake.hour_files()
        wanted = [str(hour) for hour in first.until(last) if str(hour) in files]
        with self._lock:
            missing = [hour for hour in wanted if self._is_old(hour, files)]
            if missing:
                self._load(missing, files)
            for gone in self._glances.keys() - files.keys():
                del self._glances[gone]
            parts = [self._glances[hour][1] for hour in wanted]
            for old in sorted(self._glances)[: max(0, len(self._glances) - _GLANCES)]:
                del self._glances[old]
        return pa.concat_tables(parts) if parts else self._lake.trend_columns(GLANCE, last + 1, last)

    def sources(self, first: Hour, last: Hour) -> list[str]:
        """The sources that have trends from an hour to another, sorted."""
        return sorted(pc.unique(self.glance(first, last)["source"]).to_pylist())

    def over_hours(self, source: str, place: str, trend: str, first: Hour, last: Hour) -> pa.Table:
        """The glance of one trend, oldest hour first."""
        return _only(self.glance(first, last), source=source, place=place, trend=trend)

    def moods(
        self, source: str, place: str, trends: Iterable[str], last: Hour, hours: int
    ) -> dict[str, list[tuple[float, float] | None]]:
        """Negative and positive share of trends in each of the ``hours`` that end with ``last``, oldest first."""
        first = last - (hours - 1)
        found: dict[str, list[tuple[float, float] | None]] = {trend: [None] * hours for trend in trends}
        table = _only(self.glance(first, last), source=source, place=place)
        names = ("hour", "trend", "sentiment_negative", "sentiment_positive")
        for hour, trend, negative, positive in zip(*(table[name].to_pylist() for name in names), strict=True):
            if trend in found and negative is not None and positive is not None:
                found[trend][Hour.parse(hour).index - first.index] = (negative, positive)
        return found

    def _is_old(self, hour: str, files: Mapping[str, _Files]) -> bool:
        known = self._glances.get(hour)
        return known is None or known[0] != files[hour]

    def _load(self, missing: Sequence[str], files: Mapping[str, _Files]) -> None:
        table = self._lake.trend_columns(GLANCE, Hour.parse(missing[0]), Hour.parse(missing[-1]))
        for hour in missing:
            self._glances[hour] = (files[hour], table.filter(pc.equal(table["hour"], hour)))


def _only(table: pa.Table, **wanted: str) -> pa.Table:
    # Masks, not an expression: those run at once, this one in Arrow's pool of threads, which costs more.
    mask = None
    for name, text in wanted.items():
        is_it = pc.equal(table[name], text)
        mask = is_it if mask is None else pc.and_(mask, is_it)
    return table.filter(mask)
