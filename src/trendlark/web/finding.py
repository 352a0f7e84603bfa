"""The page that searches: the question as it stands in the address, and what its JSON and CSV hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from trendlark.records import Analysis
from trendlark.reports.search import FoundTrend, FoundTweet, Question, TrendPage, TweetPage
from trendlark.web.answers import TrendAnswer
from trendlark.web.links import PAGES, link, outside_link
from trendlark.web.page import Table
from trendlark.web.reading import write_cursor

Kind = Literal["tweets", "trends"]
SPANS = (24, 168, 744)
"""Hours that the form offers; the second is taken where none is named."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it stands in the address."""

    q: str
    kind: Kind
    source: str
    place: str
    hours: int
    to: str
    cursor: str

    def link(self, *, lang: str | None, cursor: str = "", kind: Kind | None = None) -> str:
        """The address of the same question, of another page of it, or of its other kind."""
        kind = kind or self.kind
        return link(
            PAGES["search"], q=self.q, kind=kind if kind != "tweets" else None, source=self.source,
            place=self.place, hours=str(self.hours) if self.hours != SPANS[1] else None, to=self.to,
            cursor=cursor, lang=lang,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What answers a question: tweets or trends, or nothing where no word was given."""

    question: Question | None = None
    tweets: TweetPage | None = None
    trends: TrendPage | None = None

    @property
    def next(self) -> str:
        """The cursor of the following page; empty at the end."""
        page = self.tweets or self.trends
        return write_cursor(page.next) if page and page.next else ""

    @property
    def sources(self) -> set[str]:
        """The sources of what was found."""
        tweets = {one.tweet.source for one in self.tweets.items} if self.tweets else set()
        return tweets | ({one.row.trend.source for one in self.trends.items} if self.trends else set())


class FoundTrendAnswer(BaseModel):
    """A trend of a place; ``newest`` is its newest hour within those searched."""

    newest: TrendAnswer
    oldest_hour: str
    hours: int
    best_rank: int

    @classmethod
    def of(cls, found: FoundTrend) -> Self:
        """The answer for a trend found."""
        return cls(
            newest=TrendAnswer.of(found.row),
            oldest_hour=str(found.oldest),
            hours=found.hours,
            best_rank=found.best_rank,
        )


class PlaceOfTrend(BaseModel):
    """A trend for which a tweet was drawn."""

    place: str
    trend: str


class FoundTweetAnswer(BaseModel):
    """A tweet by its id, as its source wants it passed on; the page itself shows its text."""

    hour: str
    source: str
    tweet_id: str
    url: str | None
    created_at: datetime | None
    trends: list[PlaceOfTrend]
    analysis: Analysis | None

    @classmethod
    def of(cls, found: FoundTweet) -> Self:
        """The answer for a tweet found."""
        tweet = found.tweet
        return cls(
            hour=str(tweet.hour),
            source=tweet.source,
            tweet_id=tweet.tweet_id,
            url=outside_link(tweet.url),
            created_at=tweet.created_at,
            trends=[PlaceOfTrend(place=place, trend=trend) for place, trend in found.trends],
            analysis=found.analyzed.analysis if found.analyzed else None,
        )


class SearchAnswer(BaseModel):
    """The page Search: what was looked for, in which hours, and what was found."""

    q: str
    kind: Kind
    first_hour: str | None
    last_hour: str | None
    searched_to: str | None = Field(description="The oldest hour looked at; `next` goes on from there.")
    trends: list[FoundTrendAnswer]
    tweets: list[FoundTweetAnswer]
    next: str | None = Field(description="Pass it on as `cursor`; null at the end.")

    @classmethod
    def of(cls, asked: Asked, found: Found) -> Self:
        """The answer for what was found."""
        question, tweets, trends = found.question, found.tweets, found.trends
        searched = tweets.searched if tweets else question.first if question else None
        return cls(
            q=asked.q,
            kind=asked.kind,
            first_hour=str(question.first) if question else None,
            last_hour=str(question.last) if question else None,
            searched_to=str(searched) if searched else None,
            trends=[FoundTrendAnswer.of(one) for one in trends.items] if trends else [],
            tweets=[FoundTweetAnswer.of(one) for one in tweets.items] if tweets else [],
            next=found.next or None,
        )


def tables(answer: SearchAnswer) -> dict[str, Table]:
    """The table of the kind that was looked for."""
    if answer.kind == "trends":
        return {"trends": _trends(answer)}
    return {"tweets": _tweets(answer)}


def _trends(answer: SearchAnswer) -> Table:
    columns = (
        "source",
        "place",
        "trend",
        "newest_hour",
        "oldest_hour",
        "hours",
        "best_rank",
        "volume",
        "sampled",
    )
    return Table(
        columns,
        [
            [
                one.newest.source, one.newest.place, one.newest.trend, one.newest.hour, one.oldest_hour, one.hours,
                one.best_rank, one.newest.volume, one.newest.sampled,
            ]
            for one in answer.trends
        ],
    )  # fmt: skip


def _tweets(answer: SearchAnswer) -> Table:
    columns = ("hour", "source", "tweet_id", "url", "created_at", "trends", "lang", "sentiment", "emotions", "irony",
               "hate", "offensive", "model")  # fmt: skip
    return Table(
        columns,
        [
            [
                one.hour, one.source, one.tweet_id, one.url, one.created_at.isoformat() if one.created_at else None,
                [f"{each.place}/{each.trend}" for each in one.trends], *_said(one.analysis),
            ]
            for one in answer.tweets
        ],
    )  # fmt: skip


def _said(analysis: Analysis | None) -> list[object]:
    if analysis is None:
        return [None] * 7
    return [
        analysis.lang, analysis.sentiment.label, list(analysis.emotions_present), analysis.irony.value,
        analysis.hate.value, analysis.offensive.value, analysis.model,
    ]  # fmt: skip
