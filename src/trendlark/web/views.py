"""From rows of the lake to what the pages show: tables by place, movement since the hour before, refusals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from trendlark.records import Refusal, Share, Summary, TrendHour
from trendlark.reports import queries
from trendlark.reports.intervals import Change
from trendlark.reports.queries import Move

_REASONS = 5
_REASON_CHARACTERS = 200
_LEADING = 2
_LEADING_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of trends; ``move`` is None where there is no hour before to compare with."""

    data: TrendHour
    move: Move | None
    mood_change: Change | None
    leading: tuple[tuple[str, Share], ...]


@dataclass(frozen=True, slots=True)
class PlaceTable:
    """The trends of a place in an hour."""

    place: str
    rows: tuple[Row, ...]
    sampled: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Records that could not be taken, of a trend and of its whole place in an hour.

    ``reasons`` are a few with their counts; ``unnamed`` counts the records whose reason is not among them.
    """

    of_trend: int
    of_place: int
    reasons: tuple[tuple[str, int], ...]
    unnamed: int


def place_tables(
    rows: Sequence[TrendHour], before: Sequence[TrendHour], places: Sequence[str]
) -> list[PlaceTable]:
    """A table for each place, in the order given, each from the top."""
    return [_place_table(place, _of_place(rows, place), _of_place(before, place)) for place in places]


def _of_place(rows: Sequence[TrendHour], place: str) -> list[TrendHour]:
    return [row for row in rows if row.trend.place == place]


def _place_table(place: str, rows: Sequence[TrendHour], before: Sequence[TrendHour]) -> PlaceTable:
    ranked = sorted(rows, key=lambda row: (row.trend.rank, row.trend.name))
    moves = queries.moved(ranked, before)
    return PlaceTable(
        place, tuple(_row(move, comparable=bool(before)) for move in moves), sum(row.sampled for row in rows)
    )


def _row(move: Move, comparable: bool) -> Row:
    return Row(
        data=move.row,
        move=move if comparable else None,
        mood_change=move.mood,
        leading=leading_emotions(move.row.summary),
    )


def leading_emotions(summary: Summary | None) -> tuple[tuple[str, Share], ...]:
    """The strongest emotions that a noticeable share of the tweets hold, strongest first."""
    if summary is None or not summary.analysed:
        return ()
    ranked = sorted(summary.emotions.items(), key=lambda item: (-item[1].value, item[0]))
    return tuple((name, share) for name, share in ranked[:_LEADING] if share.value >= _LEADING_SHARE)


def refused(refusals: Sequence[Refusal], trend: str) -> Refused:
    """What was refused of a place in an hour; the reasons that met the trend itself come first."""
    reasons: Counter[tuple[bool, str]] = Counter()
    for one in refusals:
        reasons[one.trend != trend, one.reason] += 1
    ranked = sorted(reasons.items(), key=lambda item: (item[0][0], -item[1], item[0][1]))
    return Refused(
        of_trend=sum(count for (other, _), count in ranked if not other),
        of_place=len(refusals),
        reasons=tuple((_shortened(reason), count) for (_, reason), count in ranked[:_REASONS]),
        unnamed=sum(count for _, count in ranked[_REASONS:]),
    )


def _shortened(reason: str) -> str:
    return reason if len(reason) <= _REASON_CHARACTERS else reason[:_REASON_CHARACTERS] + "…"
