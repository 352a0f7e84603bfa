"""The page that searches trends and tweets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from trendlark.hours import Hour
from trendlark.reports import queries
from trendlark.reports.search import (
    MOST_CHARACTERS,
    MOST_HOURS,
    Question,
    TrendPage,
    TweetPage,
    find_trends,
    find_tweets,
)
from trendlark.web.answers import INVENTED_SOURCE
from trendlark.web.links import link
from trendlark.web.messages import LANGS, words_of
from trendlark.web.reading import read_cursor, write_cursor
from trendlark.web.room import Room, room_of
from trendlark.web.routes.pages import _page, _parse

ITEMS = 24
SPANS = (24, 168, 744)

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

Kind = Literal["tweets", "trends"]
Text = Annotated[str, Query(max_length=MOST_CHARACTERS)]
Choice = Annotated[str, Query(max_length=200)]


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
        hours = str(self.hours) if self.hours != SPANS[1] else None
        kind = kind or self.kind
        return link(
            "/search", q=self.q, kind=kind if kind != "tweets" else None, source=self.source, place=self.place,
            hours=hours, to=self.to, cursor=cursor, lang=lang,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What answers a question: tweets or trends, or nothing where no word was given."""

    question: Question | None
    tweets: TweetPage | None
    trends: TrendPage | None

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


@router.get("/search")
def search(
    request: Request,
    q: Text = "",
    kind: Kind = "tweets",
    source: Choice = "",
    place: Choice = "",
    hours: Annotated[int, Query(ge=1, le=MOST_HOURS)] = SPANS[1],
    to: Choice = "",
    cursor: Annotated[str, Query(max_length=4000)] = "",
) -> HTMLResponse:
    """A form, and what it finds."""
    room, words = room_of(request), words_of(request)
    asked = Asked(q, kind, source, place, hours, to, cursor)
    found = _find(room, asked, _parse(words, to))
    kept = request.query_params.get("lang")
    lang = kept if kept in LANGS else None
    places = sorted({slug for _, slug in room.lake.places()})
    return _page(
        "search.html",
        words,
        request,
        invented=INVENTED_SOURCE in found.sources,
        alternate={code: asked.link(lang=code, cursor=cursor) for code in LANGS},
        asked=asked,
        found=found,
        places=places if not place or place in places else [*places, place],
        spans=SPANS if hours in SPANS else (*SPANS, hours),
        next_link=asked.link(lang=lang, cursor=found.next) if found.next else "",
        again_link=asked.link(lang=lang) if cursor else "",
        kind_links={"tweets": asked.link(lang=lang, kind="tweets"), "trends": asked.link(lang=lang, kind="trends")},
        examples=_examples(room, lang) if found.question is None else [],
    )  # fmt: skip


def _find(room: Room, asked: Asked, to: Hour | None) -> Found:
    last = to or queries.latest_hour(room.lake)
    if last is None:
        return Found(None, None, None)
    first = Hour(max(0, last.index - asked.hours + 1))
    question = Question(asked.q, first, last, asked.source or None, asked.place or None)
    if not question.words:
        return Found(None, None, None)
    after = read_cursor(asked.cursor) if asked.cursor else None
    if asked.kind == "trends":
        return Found(question, None, find_trends(room.lake, question, ITEMS, after))
    return Found(question, find_tweets(room.lake, question, ITEMS, after), None)


def _examples(room: Room, lang: str | None) -> list[tuple[str, str]]:
    """The names of a few trends of the newest hour, with the address that searches for each."""
    newest = queries.latest_hour(room.lake)
    rows = room.lake.trend_hours(newest) if newest else []
    names = dict.fromkeys(row.trend.name for row in sorted(rows, key=lambda row: row.trend.rank))
    return [(name, link("/search", q=name, lang=lang)) for name in names if len(name) <= 40][:4]
