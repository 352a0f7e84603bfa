"""The JSON of the API: one model for each answer, from which OpenAPI is made."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from trendlark.records import Analysis, Choice, Count, Entity, Flag, Label, Share, TrendHour, clean_text
from trendlark.reports.listing import ListedTweet
from trendlark.web.links import outside_link

MAX_TEXTS = 100
MAX_CHARACTERS = 10_000
INVENTED_SOURCE = "sample"


class Problem(BaseModel):
    """An error (RFC 9457): ``type`` is for programs, ``detail`` for people."""

    type: str = Field(examples=["urn:trendlark:not-found"])
    title: str
    status: int
    detail: str


class SummaryAnswer(BaseModel):
    """A trend in an hour, summed up over its analysed tweets; every share has its 95 % interval."""

    analysed: int
    sentiment: dict[str, Share]
    emotions: dict[str, Share]
    flags: dict[str, Share]
    entities: list[Count]
    hashtags: list[Count]
    keyphrases: list[Count]
    topics: list[Count]
    languages: list[Count]
    examples: list[str] = Field(description="Ids of tweets that stand for the trend.")
    model: str
    summarised_at: datetime


class TrendAnswer(BaseModel):
    """A trend of a place in an hour."""

    hour: str = Field(examples=["2026-11-23T07"])
    source: str
    place: str
    trend: str
    rank: int
    volume: int | None = Field(description="Tweets, as the source states it; null when it does not.")
    sampled: int = Field(description="Tweets drawn.")
    requests: int
    cost_usd: float
    note: str | None
    invented: bool = Field(description="True when the tweets are of the bundled, invented sample.")
    summary: SummaryAnswer | None = Field(description="Null until the hour is analysed and summed up.")

    @classmethod
    def of(cls, row: TrendHour) -> Self:
        """The answer for a row of the lake."""
        trend, summary = row.trend, row.summary
        return cls(
            hour=str(trend.hour),
            source=trend.source,
            place=trend.place,
            trend=trend.name,
            rank=trend.rank,
            volume=trend.volume,
            sampled=row.sampled,
            requests=row.requests,
            cost_usd=row.cost,
            note=row.note,
            invented=trend.source == INVENTED_SOURCE,
            summary=None
            if summary is None
            else SummaryAnswer(
                **{name: getattr(summary, name) for name in SummaryAnswer.model_fields if name != "examples"},
                examples=list(summary.examples),
            ),
        )


class TrendList(BaseModel):
    """Trends; ``next`` is the cursor of the following ones."""

    items: list[TrendAnswer]
    next: str | None


class HourList(BaseModel):
    """Hours that have trends, newest first."""

    items: list[str]
    next: str | None


class PlaceAnswer(BaseModel):
    """A place with trends."""

    slug: str
    name: str
    woeid: int | None
    followed: bool = Field(description="True when this server's settings name the place.")


class PlaceList(BaseModel):
    """Places that are followed or that the newest hour has."""

    items: list[PlaceAnswer]
    next: str | None


def _cleaned(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


# Cleaned first: a length is not asked of a text that holds a lone surrogate.
Text = Annotated[str, BeforeValidator(_cleaned)]


class AnalyzeRequest(BaseModel):
    """One text, or many; ``langs`` gives their languages (ISO 639-1) where they are known."""

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_extra={"examples": [{"texts": ["Me encanta este partido", "What a day"]}]},
    )

    text: Annotated[Text, Field(max_length=MAX_CHARACTERS)] | None = None
    texts: Annotated[list[Text], Field(max_length=MAX_TEXTS)] | None = None
    langs: Annotated[list[str | None], Field(max_length=MAX_TEXTS)] | None = None

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        if (self.text is None) == (self.texts is None):
            raise ValueError("give either text or texts, not both and not neither")
        if self.langs is not None and len(self.langs) != len(self.all_texts()):
            raise ValueError(f"{len(self.langs)} langs for {len(self.all_texts())} texts; give one for each")
        return self

    def all_texts(self) -> list[str]:
        """The texts, one or many."""
        return [self.text] if self.text is not None else self.texts or []


class TextError(BaseModel):
    """Why a single text of many has no analysis."""

    error: Problem


class AnalyzeAnswer(BaseModel):
    """An analysis or an error for each text, in the order given."""

    items: list[Analysis | TextError]


class TweetAnswer(BaseModel):
    """A tweet of a trend and what the model says of it; the last fields hold null unless texts are set open."""

    hour: str
    source: str
    place: str
    trend: str
    tweet_id: str
    created_at: datetime | None
    lang: str | None = Field(description="As the source states it.")
    sentiment: Choice | None = Field(
        description="This and what follows are null until the tweet is analysed."
    )
    emotions: dict[str, float] | None
    irony: Flag | None
    hate: Flag | None
    offensive: Flag | None
    topics: list[Label] | None
    model: str | None
    text: str | None
    author_handle: str | None
    url: str | None
    entities: list[Entity] | None

    @classmethod
    def of(cls, one: ListedTweet, texts: bool) -> Self:
        """The answer for a tweet; with what it says and who wrote it only where ``texts``."""
        tweet, found = one.tweet, one.analyzed.analysis if one.analyzed else None
        return cls(
            hour=str(tweet.hour),
            source=tweet.source,
            place=tweet.place,
            trend=tweet.trend,
            tweet_id=tweet.tweet_id,
            created_at=tweet.created_at,
            lang=tweet.lang,
            sentiment=found.sentiment if found else None,
            emotions=dict(found.emotions) if found else None,
            irony=found.irony if found else None,
            hate=found.hate if found else None,
            offensive=found.offensive if found else None,
            topics=list(found.topics) if found else None,
            model=found.model if found else None,
            text=tweet.text if texts else None,
            author_handle=tweet.author_handle if texts else None,
            url=outside_link(tweet.url) if texts else None,
            entities=list(found.entities) if found and texts else None,
        )


class TweetList(BaseModel):
    """Tweets of an hour by source, place, trend and id."""

    items: list[TweetAnswer]
    next: str | None


class TaskAnswer(BaseModel):
    """What the model determines, with the labels in their order."""

    name: str
    kind: str
    labels: list[str]


class ModelAnswer(BaseModel):
    """A model, what it says, what it takes and how busy it is."""

    name: str
    works: bool
    trouble: str | None
    tasks: list[TaskAnswer]
    max_texts: int = Field(description="Texts in a request.")
    max_characters: int = Field(description="Characters of a text.")
    texts_inside: int = Field(description="Texts that wait or are at work.")
    texts_inside_limit: int


class ModelList(BaseModel):
    """The models of this server."""

    items: list[ModelAnswer]
    next: str | None


class QueryRequest(BaseModel):
    """One SELECT over the tables of the lake (see the reference of tables)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"sql": "SELECT source, count(*) AS tweets FROM tweets GROUP BY source"}]
        },
    )

    sql: str = Field(min_length=1, max_length=20_000)
    limit: int | None = Field(None, ge=1, description="Most rows; never more than the setting query_rows.")


class QueryAnswer(BaseModel):
    """Names of columns, and rows in the order of the query."""

    columns: list[str]
    rows: list[list[Any]]
    truncated: bool


class Live(BaseModel):
    """The process answers."""

    status: str = "live"
    version: str


class Ready(BaseModel):
    """Whether the lake can be read and the model analyses, each with its reason where it does not."""

    status: str = Field(examples=["ready", "not ready"])
    lake: str
    model: str
