"""The typed answers of the pages Now and Trend: what their templates read and their JSON holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, Field

from trendlark.records import SENTIMENTS, Analysis, Share
from trendlark.reports.average import Average
from trendlark.reports.board import GLANCE
from trendlark.reports.intervals import Change
from trendlark.reports.queries import ExampleTweet
from trendlark.web.answers import TrendAnswer
from trendlark.web.doubts import Doubt, doubts_of
from trendlark.web.views import Row

NegativeAndPositive = tuple[float, float]


class RowAnswer(TrendAnswer):
    """A trend of the hour, and how it moved since the hour before."""

    rank_before: int | None = Field(description="Null where it is new or there is no hour before.")
    climbed: int | None = Field(description="Ranks since the hour before; up is positive.")
    new: bool | None = Field(description="Null where there is no hour before.")
    mood_change: float | None = Field(description="Positive minus negative share, against the hour before.")
    mood_change_low: float | None = Field(description="The end of its 95 % interval.")
    mood_change_high: float | None
    mood_change_is_clear: bool = Field(
        description="Whether the interval leaves zero out; false where two models read the hours."
    )
    leading_emotions: list[str]
    day: list[NegativeAndPositive | None] = Field(
        description="Negative and positive share in each of 24 hours, this one last; null where not known."
    )

    @classmethod
    def of_row(cls, row: Row, day: list[NegativeAndPositive | None]) -> Self:
        """The answer for a line of the table."""
        change = row.mood_change
        # Its parts are checked or of our own making; checking them again would cost more than making them.
        return cls.model_construct(
            **dict(TrendAnswer.of(row.data)),
            rank_before=row.move.rank_before if row.move else None,
            climbed=row.move.climbed if row.move else None,
            new=row.move.new if row.move else None,
            mood_change=change.value if change else None,
            mood_change_low=change.low if change else None,
            mood_change_high=change.high if change else None,
            mood_change_is_clear=row.move.mood_is_clear if row.move else False,
            leading_emotions=[name for name, _ in row.leading],
            day=day,
        )


class PlaceTableAnswer(BaseModel):
    """The trends of a place; ``total`` and ``sampled`` count also those that a filter leaves out."""

    place: str
    total: int
    sampled: int
    trends: list[RowAnswer]


class NowAnswer(BaseModel):
    """The page Now: an hour of a source; ``hour`` is null while nothing is collected."""

    hour: str | None
    source: str | None
    asked: dict[str, str] = Field(description="Order and filters, as asked for.")
    places: list[PlaceTableAnswer]


class HourAnswer(BaseModel):
    """A trend in one hour; all null in an hour in which it was not collected."""

    hour: str
    rank: int | None = None
    volume: int | None = None
    sampled: int | None = None
    analysed: int | None = None
    sentiment: dict[str, Share] | None = None

    @classmethod
    def of(cls, glance: Mapping[str, Any]) -> Self:
        """The answer for a row of a glance."""
        shares = {
            label: tuple(glance[f"sentiment_{label}{end}"] for end in ("", "_low", "_high"))
            for label in SENTIMENTS
        }
        known = all(None not in share for share in shares.values())
        return cls(
            **{name: glance[name] for name in GLANCE if name in cls.model_fields},
            sentiment={label: Share(*share) for label, share in shares.items()} if known else None,
        )


class TweetAnswer(BaseModel):
    """A sampled tweet and what the model said of it; JSON has its text only where ``?texts=1`` asks for it."""

    tweet_id: str
    url: str | None
    created_at: datetime | None
    author_handle: str | None
    author_id: str | None
    lang: str | None = Field(description="As the source states it.")
    text: str | None
    analysis: Analysis | None
    doubts: list[Doubt] = Field(description="Why the analysis may be wrong.")

    @classmethod
    def of(cls, one: ExampleTweet, texts: bool) -> Self:
        """The answer for a tweet."""
        tweet, said = one.tweet, one.analyzed.analysis if one.analyzed else None
        return cls(
            **{
                name: getattr(tweet, name)
                for name in cls.model_fields
                if name not in {"text", "analysis", "doubts"}
            },
            text=tweet.text if texts else None,
            analysis=said,
            doubts=doubts_of(tweet.text, said) if said else [],
        )


class TweetsAnswer(BaseModel):
    """A page of the sampled tweets, newest first."""

    asked: dict[str, str] = Field(description="What the model must have said of them.")
    total: int
    matching: int
    page: int
    pages: int
    items: list[TweetAnswer]


class WindowAnswer(BaseModel):
    """A slice of the hour and the tweets drawn from it."""

    window: str
    tweets: int


class RefusedAnswer(BaseModel):
    """Records that could not be taken; ``reasons`` are the most frequent of the place, those of the trend first."""

    of_trend: int
    of_place: int
    reasons: list[tuple[str, int]]
    unnamed: int


class AverageAnswer(BaseModel):
    """What is usual: shares over the tweets of all trends of the place in the hour."""

    trends: int
    analysed: int
    sentiment: dict[str, Share]
    emotions: dict[str, Share]
    flags: dict[str, Share]

    @classmethod
    def of(cls, found: Average | None) -> Self | None:
        """The answer for an average."""
        return cls(**{name: getattr(found, name) for name in cls.model_fields}) if found else None


class TrendPageAnswer(BaseModel):
    """The page Trend: an hour of a trend in detail, and its mood and volume over the hours, oldest first."""

    chosen: TrendAnswer
    mood: Change | None = Field(description="Positive minus negative share, with its 95 % interval.")
    hours: list[HourAnswer]
    average: AverageAnswer | None
    examples: list[TweetAnswer]
    tweets: TweetsAnswer
    windows: list[WindowAnswer]
    refused: RefusedAnswer
