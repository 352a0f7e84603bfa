"""The page Now: places and their trends in an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from trendlark.errors import NotFoundError
from trendlark.hours import Hour
from trendlark.records import TrendHour
from trendlark.reports import queries
from trendlark.web import tables, views
from trendlark.web.answers import INVENTED_SOURCE
from trendlark.web.formats import hour_label
from trendlark.web.messages import Words, words_of
from trendlark.web.page import Page, page_at, respond
from trendlark.web.room import Room, room_of
from trendlark.web.routes.choosing import Choice, read_hour
from trendlark.web.shown import NowAnswer, RowAnswer

HOURS_IN_CHOOSER = 168

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Chosen:
    hours: Sequence[Hour]
    hour: Hour
    sources: Sequence[str]
    source: str
    rows: Sequence[TrendHour]


@page_at(router, "/")
def now(request: Request, source: Choice = "", place: Choice = "", hour: Choice = "") -> Response:
    """Places and their trends, in the newest hour or in the one chosen."""
    room, words = room_of(request), words_of(request)
    hours = queries.hours(room.lake)
    if not hours:
        nothing = NowAnswer(hour=None, source=None, places=[], trends=[])
        invented = room.settings.source_name() == INVENTED_SOURCE
        return respond(
            request, words, Page("now", "empty.html", nothing, {"trends": tables.trends([])}, invented)
        )
    chosen = _choose(room, words, hours, source, hour)
    places = _places(room, chosen.rows, place)
    before = room.lake.trend_hours(chosen.hour - 1, source=chosen.source)
    # The page shows the top of each place; its data hold all.
    shown = [place] if place else places
    whole = views.place_tables(chosen.rows, before, shown, whole=True)
    answer = NowAnswer(
        hour=str(chosen.hour),
        source=chosen.source,
        places=places,
        trends=[RowAnswer.of_row(row) for table in whole for row in table.rows],
    )
    view = {
        "chosen": chosen,
        "asked": {"source": source, "place": place, "hour": hour},
        "shown_hours": hours[:HOURS_IN_CHOOSER],
        "earlier": max((one for one in hours if one < chosen.hour), default=None),
        "later": min((one for one in hours if one > chosen.hour), default=None),
        "place": place,
        "places": places,
        "tables": whole if place else views.place_tables(chosen.rows, before, shown, whole=False),
    }
    invented = chosen.source == INVENTED_SOURCE
    return respond(
        request,
        words,
        Page("now", "now.html", answer, {"trends": tables.trends(answer.trends)}, invented, view),
    )


def _choose(room: Room, words: Words, hours: Sequence[Hour], source: str, hour: str) -> _Chosen:
    chosen = read_hour(words, hour) or hours[0]
    rows = room.lake.trend_hours(chosen)
    if not rows:
        raise NotFoundError(
            words(
                "hour_missing",
                hour=hour_label(chosen, words.lang),
                first=hour_label(hours[-1], words.lang),
                last=hour_label(hours[0], words.lang),
            )
        )
    sources = sorted({row.trend.source for row in rows})
    if source and source not in sources:
        known = ", ".join(words.label("sources", one) for one in sources)
        raise NotFoundError(
            words("source_missing", source=source, hour=hour_label(chosen, words.lang), known=known)
        )
    wanted = room.settings.source_name()
    taken = source or (wanted if wanted in sources else sources[0])
    return _Chosen(hours, chosen, sources, taken, [row for row in rows if row.trend.source == taken])


def _places(room: Room, rows: Sequence[TrendHour], asked: str) -> list[str]:
    followed = [place.slug for place in room.settings.place_list()]
    seen = {row.trend.place for row in rows}
    ordered = [slug for slug in followed if slug in seen] + sorted(seen - set(followed))
    return ordered if not asked or asked in ordered else [*ordered, asked]
