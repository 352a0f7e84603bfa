"""The order of the table of trends, and which of its rows are shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from trendlark.records import FLAGS
from trendlark.reports.words import fold
from trendlark.web.shown import RowAnswer

Sort = Literal[
    "rank",
    "name",
    "volume",
    "sample",
    "negative",
    "positive",
    "change",
    "irony",
    "hate",
    "offensive",
    "climbed",
]
Only = Literal["", "negative", "positive", "moved", "new"]
SORTS: tuple[Sort, ...] = (
    "rank", "name", "volume", "sample", "positive", "negative", "change", "climbed", "irony", "hate", "offensive"
)  # fmt: skip
ONLY: tuple[Only, ...] = ("negative", "positive", "moved", "new")


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How the rows are wanted: ``text`` is part of a name, ``only`` a mood, ``emotion`` one of the leading ones."""

    sort: Sort = "rank"
    text: str = ""
    only: Only = ""
    emotion: str = ""

    def arrange(self, rows: Sequence[RowAnswer]) -> list[RowAnswer]:
        """The rows wanted, in order; what a row does not know puts it last."""
        kept = [row for row in rows if self._wants(row)]
        if self.sort in {"rank", "name"}:
            return sorted(
                kept, key=lambda row: (row.rank if self.sort == "rank" else fold(row.trend), row.trend)
            )
        values = {id(row): _VALUES[self.sort](row) for row in kept}
        return sorted(kept, key=lambda row: (values[id(row)] is None, -(values[id(row)] or 0.0), row.rank))

    def asked(self) -> dict[str, str]:
        """What differs from the table as it is, by parameter."""
        given = {"sort": "" if self.sort == "rank" else self.sort, "q": self.text, "only": self.only}
        return {name: value for name, value in (given | {"emotion": self.emotion}).items() if value}

    def _wants(self, row: RowAnswer) -> bool:
        named = fold(self.text) in fold(row.trend)
        felt = not self.emotion or self.emotion in row.leading_emotions
        return named and felt and _ONLY[self.only](row)


def _share(row: RowAnswer, kind: str, name: str) -> float | None:
    found = getattr(row.summary, kind).get(name) if row.summary else None
    return found.value if found else None


def _leans(row: RowAnswer, more: str, less: str) -> bool:
    # Clearly so: the intervals of the two shares do not touch.
    if row.summary is None or not row.summary.sentiment:
        return False
    return row.summary.sentiment[more].low > row.summary.sentiment[less].high


_VALUES: Mapping[str, Callable[[RowAnswer], float | None]] = {
    "volume": lambda row: row.volume,
    "sample": lambda row: row.sampled,
    "negative": lambda row: _share(row, "sentiment", "negative"),
    "positive": lambda row: _share(row, "sentiment", "positive"),
    "change": lambda row: None if row.mood_change is None else abs(row.mood_change),
    "climbed": lambda row: row.climbed,
    **{flag: lambda row, flag=flag: _share(row, "flags", flag) for flag in FLAGS},  # type: ignore[misc]
}
_ONLY: Mapping[str, Callable[[RowAnswer], bool]] = {
    "": lambda _: True,
    "negative": lambda row: _leans(row, "negative", "positive"),
    "positive": lambda row: _leans(row, "positive", "negative"),
    "moved": lambda row: row.mood_change_is_clear,
    "new": lambda row: bool(row.new),
}
