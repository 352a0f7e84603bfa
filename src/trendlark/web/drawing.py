"""What the pages draw: bars of shares with their intervals, spark lines, and the data of the charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trendlark.hours import Hour
from trendlark.records import SENTIMENTS, Share
from trendlark.web.formats import day, number, percent, span
from trendlark.web.messages import Words
from trendlark.web.shown import HourAnswer

SPARK_STEP = 4
SPARK_HEIGHT = 22


@dataclass(frozen=True, slots=True)
class Bar:
    """A share drawn as a bar with its interval, and what is usual; positions in per cent of the axis.

    ``differs`` is 1 or -1 where the interval of the share lies above or below that of what is usual, else 0.
    """

    name: str
    share: Share
    width: float
    low: float
    high: float
    usual: Share | None
    usual_at: float
    differs: int


def bars(
    shares: Mapping[str, Share], names: Sequence[str], by_size: bool, usual: Mapping[str, Share] | None = None
) -> list[Bar]:
    """Shares as bars on one axis that ends at the next tenth above the highest interval."""
    usual = usual or {}
    known = [(name, shares[name]) for name in names if name in shares]
    if by_size:
        known.sort(key=lambda item: -item[1].value)
    top = max([share.high for _, share in known] + [share.value for share in usual.values()], default=1.0)
    axis = min(1.0, max(0.2, (int(top * 10) + 1) / 10))
    return [_bar(name, share, usual.get(name), axis) for name, share in known]


def _bar(name: str, share: Share, usual: Share | None, axis: float) -> Bar:
    width, low, high = (100 * value / axis for value in (share.value, share.low, share.high))
    differs = (share.low > usual.high) - (share.high < usual.low) if usual else 0
    return Bar(name, share, width, low, high, usual, 100 * usual.value / axis if usual else 0.0, differs)


def spark(day: Sequence[tuple[float, float] | None], which: int) -> str:
    """The path of one line of a spark line: ``SPARK_STEP`` units for an hour, ``SPARK_HEIGHT`` for all tweets.

    A gap ends the line; an hour alone is a dot (a line of no length with round ends).
    """
    path, drawing = [], False
    for index, point in enumerate(day):
        if point is not None:
            at = f"{2 + SPARK_STEP * index} {round(1 + SPARK_HEIGHT * (1 - point[which]))}"
            path.append(f"L{at}" if drawing else f"M{at}h0")
        drawing = point is not None
    return "".join(path)


def chart_data(hours: Sequence[HourAnswer], words: Words, title: str) -> dict[str, Any]:
    """What ``static/charts.js`` draws: a point for each hour, null where nothing is known."""
    return {
        "title": title,
        "when": _when(hours, words),
        "foot": words("footer"),
        "hours": [_chart_point(hour, words) for hour in hours],
        "words": {
            "negative": words.label("sentiment", "negative"),
            "positive": words.label("sentiment", "positive"),
            "volume": words("volume"),
            "sample": words("sample"),
            "interval": words("interval_key"),
        },
    }


def _when(hours: Sequence[HourAnswer], words: Words) -> str:
    days = [day(Hour.parse(hours[end].hour).start, words.lang) for end in (0, -1)] if hours else []
    return " \u2013 ".join(dict.fromkeys(days))


def _tip(one: HourAnswer, words: Words) -> str:
    # Written here: a script would round otherwise than the tables beside the chart.
    lines = [f"{Hour.parse(one.hour).start:%Y-%m-%d %H:%M} UTC"]
    shares = one.sentiment or {}
    for label in SENTIMENTS if shares else ():
        share = shares[label]
        around = span(share.low, share.high, words.lang)
        lines.append(f"{words.label('sentiment', label)}: {percent(share.value, words.lang)} ({around})")
    amounts = {words("sample"): one.sampled, words("volume"): one.volume}
    lines += [
        f"{name}: {number(amount, words.lang)}" for name, amount in amounts.items() if amount is not None
    ]
    return "\n".join(lines)


def _chart_point(one: HourAnswer, words: Words) -> dict[str, Any]:
    point: dict[str, Any] = {
        "hour": Hour.parse(one.hour).start.isoformat(),
        "tip": _tip(one, words),
        "volume": one.volume,
        "sampled": one.sampled,
    }
    for label in SENTIMENTS:
        share = one.sentiment[label] if one.sentiment else None
        point[label] = round(share.value, 4) if share else None
        point[f"{label}_low"] = round(share.low, 4) if share else None
        point[f"{label}_high"] = round(share.high, 4) if share else None
    return point
