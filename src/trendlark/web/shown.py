"""The typed answers of the pages Now and Trend: what their templates read and their JSON holds."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field

from trendlark.web.answers import TrendAnswer
from trendlark.web.views import Row


class RowAnswer(TrendAnswer):
    """A trend of the hour, and how it moved since the hour before."""

    rank_before: int | None = Field(description="Null where it is new or there is no hour before.")
    new: bool | None = Field(description="Null where there is no hour before.")
    mood_change: float | None = Field(description="Positive minus negative share, against the hour before.")
    mood_change_is_clear: bool

    @classmethod
    def of_row(cls, row: Row) -> Self:
        """The answer for a line of the table."""
        return cls(
            **dict(TrendAnswer.of(row.data)),
            rank_before=row.move.rank_before if row.move else None,
            new=row.move.new if row.move else None,
            mood_change=row.mood_change,
            mood_change_is_clear=row.mood_change_is_clear,
        )


class NowAnswer(BaseModel):
    """The page Now: an hour of a source; ``hour`` is null while nothing is collected."""

    hour: str | None
    source: str | None
    places: list[str]
    trends: list[RowAnswer]


class TrendPageAnswer(BaseModel):
    """The page Trend: the hour chosen, and all hours shown, oldest first."""

    chosen: TrendAnswer
    hours: list[TrendAnswer]
