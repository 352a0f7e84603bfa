"""Trends side by side, and which of their differences are more than the luck of the draw. Pure; no lake.

All pairs of the trends are compared in all 14 shares, and all those intervals hold at once in at least 95 of 100
draws (Bonferroni). So a page of differences without any truth behind them has at most one chance in twenty to show a
clear one, however many trends it holds and whichever of them the others are told against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from trendlark.errors import InputError
from trendlark.records import EMOTIONS, FLAGS, SENTIMENTS, Share, Summary, TrendHour
from trendlark.reports.exact import exact_interval
from trendlark.reports.intervals import LEVEL, Change, change, usable_population

MOST = 5
MEASURES: tuple[tuple[str, str], ...] = (
    *(("sentiment", name) for name in SENTIMENTS),
    *(("emotions", name) for name in EMOTIONS),
    *(("flags", name) for name in FLAGS),
)
"""What is compared: the kind of share and its name, in the order of the records."""


@dataclass(frozen=True)
class Comparison:
    """Rows of ``trends`` in the order asked for, None where a trend is not in the hour.

    Those without an analysed tweet take no part in differences.
    """

    rows: tuple[TrendHour | None, ...]

    @cached_property
    def compared(self) -> tuple[int, ...]:
        """Which rows have shares, by their place in ``rows``."""
        return tuple(at for at, row in enumerate(self.rows) if row and row.summary and row.summary.analysed)

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The models that made the shares, each once; where they are two, no difference is clear."""
        return tuple(dict.fromkeys(self._known(at)[1].model for at in self.compared))

    @property
    def differences(self) -> int:
        """How many differences must hold at once."""
        count = len(self.compared)
        return len(MEASURES) * count * (count - 1) // 2

    @property
    def level(self) -> float:
        """The level of each single difference's interval, so that all together hold at 95 %."""
        return 1 - (1 - LEVEL) / max(1, self.differences)

    def share(self, at: int, kind: str, name: str) -> Share | None:
        """A share of a row with its own 95 % interval; None where it has none."""
        if at not in self.compared:
            return None
        found: Mapping[str, Share] = getattr(self._known(at)[1], kind)
        return found.get(name)

    def difference(self, at: int, other: int, kind: str, name: str) -> Change | None:
        """The share of one row minus that of another, with the interval that holds along with all the others."""
        one, two = (self._wide(place, kind, name) for place in (at, other))
        return change(one, two) if one and two else None

    def clear(self, found: Change | None) -> bool:
        """Whether a difference may be marked: its interval leaves out zero, and one model made both shares."""
        return found is not None and found.clear and len(self.models) == 1

    def pairs(self) -> list[tuple[int, int]]:
        """All pairs that are compared, as places in ``rows``."""
        return list(combinations(self.compared, 2))

    def _known(self, at: int) -> tuple[TrendHour, Summary]:
        row = self.rows[at]
        if row is None or row.summary is None:
            raise InputError(f"Found no summary of trend {at + 1}; ask for those in `compared` only.")
        return row, row.summary

    def _wide(self, at: int, kind: str, name: str) -> Share | None:
        share = self.share(at, kind, name)
        if share is None:
            return None
        row, summary = self._known(at)
        population = usable_population(row.trend.volume, max(row.sampled, summary.analysed))
        count = round(share.value * summary.analysed)
        return Share(share.value, *exact_interval(count, summary.analysed, population, self.level))


def compare(rows: Sequence[TrendHour | None]) -> Comparison:
    """Two to five rows side by side; raises InputError for fewer or more."""
    if not 2 <= len(rows) <= MOST:
        raise InputError(f"Found {len(rows)} trends to compare; choose two to {MOST} of them.")
    return Comparison(tuple(rows))
