"""From rows of the lake to what the pages show: tables by place, movement since the hour before, chart data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trendlark.hours import Hour
from trendlark.records import EMOTIONS, SENTIMENTS, Refusal, Share, Summary, TrendHour
from trendlark.reports import queries
from trendlark.reports.queries import HourOfTrend, Move
from trendlark.web.messages import Words

PREVIEW_ROWS = 10
_REASONS = 5
_REASON_CHARACTERS = 200
_LEADING = 2
_LEADING_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of trends; ``move`` is None where there is no hour before to compare with."""

    data: TrendHour
    move: Move | None
    mood_change: float | None
    mood_change_is_clear: bool
    leading: tuple[tuple[str, Share], ...]


@dataclass(frozen=True, slots=True)
class PlaceTable:
    """The trends of a place in an hour; ``total`` counts also those that the preview leaves out."""

    place: str
    rows: tuple[Row, ...]
    total: int
    sampled: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A share drawn as a bar with its interval; positions in per cent of the axis."""

    name: str
    share: Share
    width: float
    low: float
    high: float


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
    rows: Sequence[TrendHour], before: Sequence[TrendHour], places: Sequence[str], whole: bool
) -> list[PlaceTable]:
    """A table for each place, in the order given; only the top of each unless ``whole``."""
    return [
        _place_table(
            place,
            sorted(_of_place(rows, place), key=lambda row: (row.trend.rank, row.trend.name)),
            _of_place(before, place),
            whole,
        )
        for place in places
    ]


def _of_place(rows: Sequence[TrendHour], place: str) -> list[TrendHour]:
    return [row for row in rows if row.trend.place == place]


def _place_table(
    place: str, ranked: Sequence[TrendHour], before: Sequence[TrendHour], whole: bool
) -> PlaceTable:
    shown = ranked if whole else ranked[:PREVIEW_ROWS]
    moves = queries.moved(shown, before)
    return PlaceTable(
        place,
        tuple(_row(move, comparable=bool(before)) for move in moves),
        len(ranked),
        sum(row.sampled for row in ranked),
    )


def _row(move: Move, comparable: bool) -> Row:
    negative, positive = move.sentiment.get("negative"), move.sentiment.get("positive")
    known = negative is not None and positive is not None
    return Row(
        data=move.row,
        move=move if comparable else None,
        mood_change=positive.value - negative.value if positive and negative else None,
        mood_change_is_clear=known and any(one.clear for one in (negative, positive) if one),
        leading=leading_emotions(move.row.summary),
    )


def net(summary: Summary) -> float:
    """Positive minus negative share, -1 to 1."""
    return summary.sentiment["positive"].value - summary.sentiment["negative"].value


def leading_emotions(summary: Summary | None) -> tuple[tuple[str, Share], ...]:
    """The strongest emotions that a noticeable share of the tweets hold, strongest first."""
    if summary is None or not summary.analysed:
        return ()
    ranked = sorted(summary.emotions.items(), key=lambda item: (-item[1].value, item[0]))
    return tuple((name, share) for name, share in ranked[:_LEADING] if share.value >= _LEADING_SHARE)


def bars(shares: Mapping[str, Share], names: Sequence[str], by_size: bool) -> list[Bar]:
    """Shares as bars on one axis that ends at the next tenth above the highest interval."""
    known = [(name, shares[name]) for name in names if name in shares]
    if by_size:
        known.sort(key=lambda item: -item[1].value)
    top = max((share.high for _, share in known), default=1.0)
    axis = min(1.0, max(0.2, (int(top * 10) + 1) / 10))
    return [
        Bar(name, share, 100 * share.value / axis, 100 * share.low / axis, 100 * share.high / axis)
        for name, share in known
    ]


def emotion_bars(summary: Summary) -> list[Bar]:
    """The emotion profile, strongest first."""
    return bars(summary.emotions, EMOTIONS, by_size=True)


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


def between_rows(points: Sequence[HourOfTrend]) -> list[HourOfTrend]:
    """The hours from the first that has a row to the last; the gaps between them stay."""
    known = [index for index, point in enumerate(points) if point.row]
    return list(points[known[0] : known[-1] + 1]) if known else []


def chart_data(points: Sequence[HourOfTrend], words: Words) -> dict[str, Any]:
    """What ``static/charts.js`` draws: a point for each hour, null where nothing is known."""
    return {
        "hours": [_chart_point(point.hour, point.row) for point in points],
        "words": {
            "negative": words.label("sentiment", "negative"),
            "neutral": words.label("sentiment", "neutral"),
            "positive": words.label("sentiment", "positive"),
            "volume": words("volume"),
            "sample": words("sample"),
            "interval": words("interval_key"),
        },
        "lang": words.lang,
    }


def _chart_point(hour: Hour, row: TrendHour | None) -> dict[str, Any]:
    point: dict[str, Any] = {"hour": hour.start.isoformat(), "volume": None, "sampled": None}
    summary = row.summary if row else None
    if row:
        point |= {"volume": row.trend.volume, "sampled": row.sampled}
    for label in SENTIMENTS:
        share = summary.sentiment.get(label) if summary and summary.analysed else None
        point[label] = round(share.value, 4) if share else None
        point[f"{label}_low"] = round(share.low, 4) if share else None
        point[f"{label}_high"] = round(share.high, 4) if share else None
    return point
