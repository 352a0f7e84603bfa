"""The page that searches trends and tweets."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from trendlark.hours import Hour
from trendlark.reports import queries
from trendlark.reports.search import MOST_CHARACTERS, MOST_HOURS, Question, find_trends, find_tweets
from trendlark.web import finding
from trendlark.web.answers import INVENTED_SOURCE
from trendlark.web.finding import SPANS, Asked, Found, Kind, SearchAnswer, read_place
from trendlark.web.links import form_of, page_link
from trendlark.web.messages import LANGS, unturned, words_of
from trendlark.web.page import Page, page_at, respond
from trendlark.web.room import Room, room_of
from trendlark.web.routes.choosing import Choice, read_hour

ITEMS = 24
_EXAMPLES = 4
_EXAMPLE_CHARACTERS = 40

router = APIRouter()


@page_at(router, "/search")
def search(
    request: Request,
    q: Annotated[str, Query(max_length=MOST_CHARACTERS)] = "",
    kind: Kind = "tweets",
    source: Choice = "",
    place: Choice = "",
    hours: Annotated[int, Query(ge=1, le=MOST_HOURS)] = SPANS[1],
    to: Choice = "",
    cursor: Annotated[str, Query(max_length=4000)] = "",
    texts: bool = False,
) -> Response:
    """A form, and what it finds."""
    room, words = room_of(request), words_of(request)
    asked = Asked(q, kind, source, place, hours, to, cursor)
    found = _find(room, asked, read_hour(words, to))
    # The page shows what its data have only where they are asked for it: texts of strangers.
    answer = SearchAnswer.of(asked, found, texts or not form_of(request.scope["path"]))
    kept = request.query_params.get("lang")
    lang = kept if kept in LANGS else None
    listed = room.lake.places()
    sources, places = (sorted(set(names)) for names in zip(*listed, strict=True)) if listed else ([], [])
    view = {
        "asked": asked,
        "quoted": unturned(q),
        "found": found,
        "sources": sources if not source or source in sources else [*sources, source],
        "places": places if not place or place in places else [*places, place],
        "spans": SPANS if hours in SPANS else (*SPANS, hours),
        "next_link": asked.link(lang=lang, cursor=found.next) if found.next else "",
        "again_link": asked.link(lang=lang) if cursor else "",
        "kind_links": {
            "tweets": asked.link(lang=lang, kind="tweets"),
            "trends": asked.link(lang=lang, kind="trends"),
        },
        "examples": _examples(room, lang) if found.question is None else [],
    }
    invented = INVENTED_SOURCE in found.sources
    return respond(
        request, words, Page("search", "search.html", answer, finding.tables_of(answer), invented, view)
    )


def _find(room: Room, asked: Asked, to: Hour | None) -> Found:
    after, pinned = read_place(asked.cursor) if asked.cursor else (None, None)
    newest = pinned or queries.latest_hour(room.lake)
    last = to or newest
    if last is None:
        return Found()
    first = Hour(max(0, last.index - asked.hours + 1))
    # Hours up to one that is still to come would change between the pages, too.
    if newest and first <= newest < last:
        last = newest
    question = Question(asked.q, first, last, asked.source or None, asked.place or None)
    if not question.words:
        return Found()
    if asked.kind == "trends":
        return Found(question, trends=find_trends(room.lake, question, ITEMS, after))
    return Found(question, tweets=find_tweets(room.lake, question, ITEMS, after))


def _examples(room: Room, lang: str | None) -> list[tuple[str, str]]:
    """The names of a few trends of the newest hour, with the address that searches for each."""
    newest = queries.latest_hour(room.lake)
    rows = room.lake.trend_hours(newest) if newest else []
    names = dict.fromkeys(row.trend.name for row in sorted(rows, key=lambda row: row.trend.rank))
    short = [name for name in names if len(name) <= _EXAMPLE_CHARACTERS]
    return [(name, page_link("search", q=name, lang=lang)) for name in short[:_EXAMPLES]]
