"""The tables of the pages as CSV: one flat row for each trend of an hour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from trendlark.records import EMOTIONS, FLAGS, SENTIMENTS
from trendlark.web.answers import TrendAnswer
from trendlark.web.page import Table
from trendlark.web.shown import RowAnswer

_PLAIN = (
    "hour",
    "source",
    "place",
    "trend",
    "rank",
    "volume",
    "sampled",
    "requests",
    "cost_usd",
    "note",
    "invented",
)
_MOVES = ("rank_before", "new", "mood_change", "mood_change_is_clear")
_SHARES = (("sentiment", SENTIMENTS), ("emotions", EMOTIONS), ("flags", FLAGS))
_PREFIX = {"sentiment": "sentiment_", "emotions": "emotion_", "flags": ""}


def trends(answers: Sequence[RowAnswer]) -> Table:
    """Trends of an hour with their moves since the hour before."""
    return _table(answers, _MOVES)


def hours(answers: Sequence[TrendAnswer]) -> Table:
    """A trend over its hours."""
    return _table(answers, ())


def _table(answers: Sequence[TrendAnswer], moves: Sequence[str]) -> Table:
    # Every share with both ends of its interval; columns are named as in the lake.
    names = [_PREFIX[kind] + name for kind, known in _SHARES for name in known]
    columns = [*_PLAIN, *moves, "analysed"]
    columns += [column for name in names for column in (name, f"{name}_low", f"{name}_high")]
    return Table(columns, [list(_cells(answer, moves)) for answer in answers])


def _cells(answer: TrendAnswer, moves: Sequence[str]) -> Iterator[object]:
    yield from (getattr(answer, name) for name in (*_PLAIN, *moves))
    summary = answer.summary
    yield summary.analysed if summary else None
    for kind, known in _SHARES:
        shares = getattr(summary, kind) if summary else {}
        for name in known:
            share = shares.get(name)
            yield from (share.value, share.low, share.high) if share else (None, None, None)
