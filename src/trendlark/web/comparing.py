"""The page that compares: which trends are asked for, in which hour, and what the page, its JSON and CSV hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, Field

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.query import all_of, one_of
from trendlark.records import Share, TrendHour
from trendlark.reports import queries
from trendlark.reports.compare import MEASURES, MOST, Comparison
from trendlark.reports.intervals import Change
from trendlark.web.answers import TrendAnswer
from trendlark.web.messages import Words
from trendlark.web.page import Table

_HOURS_LOOKED_BACK = 168
LETTERS = "ABCDE"


@dataclass(frozen=True, slots=True)
class Pick:
    """A trend asked for; in addresses ``source/place/name``."""

    source: str
    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.source}/{self.place}/{self.name}"

    @classmethod
    def of(cls, row: TrendHour) -> Pick:
        """The trend of a row."""
        return cls(row.trend.source, row.trend.place, row.trend.name)


@dataclass(frozen=True, slots=True)
class Cell:
    """A share of one trend, drawn on the axis of its line, and its difference to the first trend with shares."""

    share: Share
    width: float
    low: float
    high: float
    change: Change | None
    clear: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One share of all trends; a cell is None where a trend has no shares."""

    kind: str
    name: str
    cells: tuple[Cell | None, ...]


def read_picks(texts: Sequence[str], words: Words) -> list[Pick]:
    """The trends asked for, each once, in order; InputError for what is none."""
    found: dict[Pick, None] = {}
    for text in texts:
        source, _, rest = text.partition("/")
        place, _, name = rest.partition("/")
        if not (source and place and name):
            raise InputError(words("compare_wrong", text=text[:80]))
        found[Pick(source, place, name)] = None
    return list(found)


def hours_of(lake: Lake, picks: Sequence[Pick]) -> dict[Hour, dict[Pick, TrendHour]]:
    """The rows of the trends by hour, of the last seven days; where there are none, of all time."""
    newest = queries.latest_hour(lake)
    found: dict[Hour, dict[Pick, TrendHour]] = {}
    for pick in picks:
        for row in _rows(lake, pick, newest - _HOURS_LOOKED_BACK if newest else None):
            found.setdefault(row.trend.hour, {})[pick] = row
    return found


def _rows(lake: Lake, pick: Pick, first: Hour | None) -> list[TrendHour]:
    rows = lake.trend_hours(first=first, source=pick.source, place=pick.place, trend=pick.name)
    return rows or lake.trend_hours(source=pick.source, place=pick.place, trend=pick.name)


def best_hour(rows: Mapping[Hour, Mapping[Pick, TrendHour]]) -> Hour | None:
    """The hour in which the most of the trends are summed up, then are listed; the newest of those."""

    def weight(hour: Hour) -> tuple[int, int, Hour]:
        here = rows[hour].values()
        return sum(bool(row.summary and row.summary.analysed) for row in here), len(here), hour

    return max(rows, key=weight, default=None)


def shared_tweets(lake: Lake, hour: Hour, picks: Sequence[Pick]) -> int:
    """How many tweets were drawn for more than one of the trends."""
    drawn: Counter[tuple[str, str]] = Counter()
    for source in sorted({pick.source for pick in picks}):
        names = {(pick.place, pick.name) for pick in picks if pick.source == source}
        if len(names) < 2:
            continue
        where = f"{all_of(hour=str(hour), source=source)} AND {one_of('trend', sorted(n for _, n in names))}"
        rows = lake.rows("tweets", where, ("place", "trend", "tweet_id"))
        drawn.update((source, row["tweet_id"]) for row in rows if (row["place"], row["trend"]) in names)
    return sum(times > 1 for times in drawn.values())


def lines(found: Comparison) -> list[Line]:
    """The shares, each on one axis for all trends; sentiment's goes to 1, the others' to the next tenth."""
    return [Line(kind, name, _cells(found, kind, name, _axis(found, kind))) for kind, name in MEASURES]


def _axis(found: Comparison, kind: str) -> float:
    if kind == "sentiment":
        return 1.0
    shares = (found.share(at, one, name) for one, name in MEASURES if one == kind for at in found.compared)
    top = max((share.high for share in shares if share), default=1.0)
    return min(1.0, max(0.2, (int(top * 10) + 1) / 10))


def _cells(found: Comparison, kind: str, name: str, axis: float) -> tuple[Cell | None, ...]:
    first = found.compared[0] if found.compared else 0
    cells: list[Cell | None] = []
    for at in range(len(found.rows)):
        share = found.share(at, kind, name)
        if share is None:
            cells.append(None)
            continue
        change = found.difference(at, first, kind, name) if at != first else None
        scale = 100 / axis
        cells.append(
            Cell(
                share, scale * share.value, scale * share.low, scale * share.high, change, found.clear(change)
            )
        )
    return tuple(cells)


def clear_count(found: Comparison) -> int:
    """How many differences between any two of the trends are clear."""
    return sum(
        found.clear(found.difference(*pair, *measure)) for pair in found.pairs() for measure in MEASURES
    )


class DifferenceAnswer(BaseModel):
    """A share of one trend minus that of another, as places in ``trends``; all intervals hold at once."""

    of: int
    minus: int
    measure: str
    label: str
    value: float | None
    low: float | None
    high: float | None
    clear: bool


class CompareAnswer(BaseModel):
    """The page Compare: the trends in the order asked for, null where one is not in the hour."""

    hour: str | None
    asked: list[str] = Field(description="Each as source/place/name.")
    trends: list[TrendAnswer | None]
    shared_tweets: int = Field(description="Tweets drawn for more than one of the trends.")
    level: float = Field(description="Of each single difference, so that all hold at once at 95 %.")
    differences: list[DifferenceAnswer]

    @classmethod
    def of(cls, found: Comparison, hour: Hour | None, picks: Sequence[Pick], shared: int) -> Self:
        """The answer for a comparison, with the differences of all pairs."""
        return cls(
            hour=str(hour) if hour else None,
            asked=[str(pick) for pick in picks],
            trends=[TrendAnswer.of(row) if row else None for row in found.rows],
            shared_tweets=shared,
            level=found.level,
            differences=[_difference(found, pair, one) for pair in found.pairs() for one in MEASURES],
        )


def _difference(found: Comparison, pair: tuple[int, int], measure: tuple[str, str]) -> DifferenceAnswer:
    change = found.difference(*pair, *measure)
    return DifferenceAnswer(
        of=pair[0],
        minus=pair[1],
        measure=measure[0],
        label=measure[1],
        value=change.value if change else None,
        low=change.low if change else None,
        high=change.high if change else None,
        clear=found.clear(change),
    )


_COLUMNS = (
    *("hour", "source", "place", "trend", "rank", "volume", "analysed", "model", "measure", "label"),
    *("share", "low", "high", "difference", "difference_low", "difference_high", "clear"),
)


def table(found: Comparison) -> Table:
    """A row for each share and trend, with its difference to the first trend beside it."""
    rows = []
    for line in lines(found):
        for row, cell in zip(found.rows, line.cells, strict=True):
            if row is None or row.summary is None or cell is None:
                continue
            trend, share, change = row.trend, cell.share, cell.change
            rows.append([
                str(trend.hour), trend.source, trend.place, trend.name, trend.rank, trend.volume,
                row.summary.analysed, row.summary.model, line.kind, line.name, share.value, share.low, share.high,
                *((change.value, change.low, change.high) if change else (None, None, None)), cell.clear,
            ])  # fmt: skip
    return Table(_COLUMNS, rows)


def too_many(picks: Sequence[Pick]) -> bool:
    """Whether more trends are asked for than fit beside each other."""
    return len(picks) > MOST
