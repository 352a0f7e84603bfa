"""The page that searches: the question as it stands in the address, and what its JSON and CSV hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, Field

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.records import SENTIMENTS
from trendlark.reports.queries import ExampleTweet
from trendlark.reports.search import FoundTrend, FoundTweet, Key, Question, TrendPage, TweetPage
from trendlark.web import tables
from trendlark.web.answers import TrendAnswer
from trendlark.web.links import PAGES, link
from trendlark.web.page import Table
from trendlark.web.reading import decode, encode, read_cursor
from trendlark.web.shown import TweetAnswer

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
        return encode([*page.next, str(self.question.last)]) if self.question and page and page.next else ""

    @property
    def sources(self) -> set[str]:
        """The sources of what was found."""
        tweets = {one.tweet.source for one in self.tweets.items} if self.tweets else set()
        return tweets | ({one.row.trend.source for one in self.trends.items} if self.trends else set())


def read_place(cursor: str) -> tuple[Key, Hour | None]:
    """Where a page goes on, and the last hour that its first page searched; InputError for no cursor of a search.

    A trend stands at its newest hour, so an hour that came in since would lift it out of the pages still to come.
    Cursors once did not name that hour; they still go on, up to the newest.
    """
    values = decode(cursor)
    if len(values) != 6:
        return read_cursor(cursor), None
    *key, last = values
    try:
        return read_cursor(encode(key)), Hour.parse(str(last))
    except InputError:
        raise InputError(
            f"Found the cursor {cursor[:40]!r}, which is not one of a search; "
            "pass on the `next` of the answer before, or leave cursor out."
        ) from None


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


class FoundTweetAnswer(TweetAnswer):
    """A tweet, the hour and the trends for which it was drawn."""

    hour: str
    source: str
    trends: list[PlaceOfTrend]

    @classmethod
    def of_found(cls, found: FoundTweet, texts: bool) -> Self:
        """The answer for a tweet found."""
        return cls(
            **dict(TweetAnswer.of(ExampleTweet(found.tweet, found.analyzed), texts)),
            hour=str(found.tweet.hour),
            source=found.tweet.source,
            trends=[PlaceOfTrend(place=place, trend=trend) for place, trend in found.trends],
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
    def of(cls, asked: Asked, found: Found, texts: bool) -> Self:
        """The answer for what was found; tweets have their texts only where these are asked for."""
        question, tweets, trends = found.question, found.tweets, found.trends
        searched = tweets.searched if tweets else question.first if question else None
        return cls(
            q=asked.q,
            kind=asked.kind,
            first_hour=str(question.first) if question else None,
            last_hour=str(question.last) if question else None,
            searched_to=str(searched) if searched else None,
            trends=[FoundTrendAnswer.of(one) for one in trends.items] if trends else [],
            tweets=[FoundTweetAnswer.of_found(one, texts) for one in tweets.items] if tweets else [],
            next=found.next or None,
        )


def tables_of(answer: SearchAnswer) -> dict[str, Table]:
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
        *(column for label in SENTIMENTS for column in tables.ends(f"sentiment_{label}")),
    )
    return Table(
        columns,
        [
            [
                one.newest.source, one.newest.place, one.newest.trend, one.newest.hour, one.oldest_hour, one.hours,
                one.best_rank, one.newest.volume, one.newest.sampled,
                *tables.cells(one.newest.summary.sentiment if one.newest.summary else {}, SENTIMENTS),
            ]
            for one in answer.trends
        ],
    )  # fmt: skip


def _tweets(answer: SearchAnswer) -> Table:
    said = tables.tweets(answer.tweets)
    rows = [
        [one.hour, one.source, [f"{each.place}/{each.trend}" for each in one.trends], *row]
        for one, row in zip(answer.tweets, said.rows, strict=True)
    ]
    return Table(["hour", "source", "trends", *said.columns], rows)
