"""From rows of the lake to what the pages show: tables by place, movement since the hour before, chart data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trendlark.hours import Hour
from trendlark.records import EMOTIONS, SENTIMENTS, Share, Summary, TrendHour
from trendlark.web.messages import Words

PREVIEW_ROWS = 10
_LEADING = 2
_LEADING_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of trends; movements are None where there is nothing to compare with."""

    data: TrendHour
    is_new: bool
    rank_change: int | None
    mood_change: float | None
    mood_change_is_real: bool
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


def place_tables(
    rows: Iterable[TrendHour], before: Iterable[TrendHour], places: Sequence[str], whole: bool
) -> list[PlaceTable]:
    """A table for each place, in the order given; only the top of each unless ``whole``."""
    by_place: dict[str, list[TrendHour]] = {place: [] for place in places}
    for row in rows:
        by_place.setdefault(row.trend.place, []).append(row)
    known_before: dict[str, dict[str, TrendHour]] = {}
    for row in before:
        known_before.setdefault(row.trend.place, {})[row.trend.name] = row
    return [_place_table(place, by_place[place], known_before.get(place, {}), whole) for place in places]


def _place_table(
    place: str, rows: list[TrendHour], before: Mapping[str, TrendHour], whole: bool
) -> PlaceTable:
    ranked = sorted(rows, key=lambda row: (row.trend.rank, row.trend.name))
    shown = ranked if whole else ranked[:PREVIEW_ROWS]
    return PlaceTable(
        place,
        tuple(_row(row, before.get(row.trend.name), bool(before)) for row in shown),
        len(ranked),
        sum(row.sampled for row in ranked),
    )


def _row(row: TrendHour, before: TrendHour | None, comparable: bool) -> Row:
    change, is_real = mood_change(row.summary, before.summary if before else None)
    return Row(
        data=row,
        is_new=comparable and before is None,
        rank_change=before.trend.rank - row.trend.rank if before else None,
        mood_change=change,
        mood_change_is_real=is_real,
        leading=leading_emotions(row.summary),
    )


def net(summary: Summary) -> float:
    """Positive minus negative share, -1 to 1."""
    return summary.sentiment["positive"].value - summary.sentiment["negative"].value


def mood_change(now: Summary | None, before: Summary | None) -> tuple[float | None, bool]:
    """How far the mood moved, and whether the intervals of either share lie apart."""
    if now is None or before is None or not (now.analysed and before.analysed):
        return None, False
    apart = any(
        now.sentiment[label].low > before.sentiment[label].high
        or now.sentiment[label].high < before.sentiment[label].low
        for label in ("negative", "positive")
    )
    return net(now) - net(before), apart


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


def with_gaps(rows: Sequence[TrendHour]) -> list[tuple[Hour, TrendHour | None]]:
    """Every hour from the first row to the last, oldest first; None where there is no row."""
    if not rows:
        return []
    by_hour = {row.trend.hour: row for row in rows}
    return [(hour, by_hour.get(hour)) for hour in min(by_hour).until(max(by_hour))]


def chart_data(rows: Sequence[TrendHour], words: Words) -> dict[str, Any]:
    """What ``static/charts.js`` draws: a point for each hour, null where nothing is known."""
    return {
        "hours": [_chart_point(hour, row) for hour, row in with_gaps(rows)],
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
