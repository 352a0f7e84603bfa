"""What is usual in a place in an hour: the shares over the tweets of all its trends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trendlark.records import EMOTIONS, FLAGS, SENTIMENTS, Share, TrendHour
from trendlark.reports.intervals import shares


@dataclass(frozen=True, slots=True)
class Average:
    """Shares over the analysed tweets of some trends, each with its 95 % interval."""

    trends: int
    analysed: int
    sentiment: Mapping[str, Share]
    emotions: Mapping[str, Share]
    flags: Mapping[str, Share]


def average(rows: Sequence[TrendHour]) -> Average | None:
    """The average of the rows that are summed up, each tweet of each trend counted once; None without any.

    A tweet that was drawn for two trends counts in both, as it does in them.
    """
    summaries = [row.summary for row in rows if row.summary and row.summary.analysed]
    analysed = sum(summary.analysed for summary in summaries)
    if not analysed:
        return None

    def pooled(kind: str, names: Sequence[str]) -> dict[str, Share]:
        counts = dict.fromkeys(names, 0)
        for summary in summaries:
            for name, share in getattr(summary, kind).items():
                counts[name] += round(share.value * summary.analysed)
        return shares(counts, analysed)

    return Average(
        trends=len(summaries),
        analysed=analysed,
        sentiment=pooled("sentiment", SENTIMENTS),
        emotions=pooled("emotions", EMOTIONS),
        flags=pooled("flags", FLAGS),
    )
