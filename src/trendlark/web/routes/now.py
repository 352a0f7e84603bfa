"""The page Now: places and their trends in an hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from trendlark.errors import NotFoundError
from trendlark.hours import Hour
from trendlark.records import EMOTIONS, TrendHour
from trendlark.reports.board import Board
from trendlark.web import tables, views
from trendlark.web.answers import INVENTED_SOURCE
from trendlark.web.arrange import ONLY, SORTS, Arrangement, Only, Sort
from trendlark.web.formats import hour_label
from trendlark.web.messages import Words, words_of
from trendlark.web.page import Page, page_at, respond
from trendlark.web.room import Room, room_of
from trendlark.web.routes.choosing import Choice, missing_hour, read_hour
from trendlark.web.shown import NowAnswer, PlaceTableAnswer, RowAnswer

HOURS_IN_CHOOSER = 168
HOURS_IN_SPARK = 24
PREVIEW_ROWS = 10

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Chosen:
    """An hour and one of its sources; ``hours`` are those of the source, ``sources`` those of the day before, too."""

    hours: Sequence[Hour]
    hour: Hour
    sources: Sequence[str]
    of_hour: Sequence[str]
    source: str
    rows: Sequence[TrendHour]


@page_at(router, "/")
def now(
    request: Request,
    source: Choice = "",
    place: Choice = "",
    hour: Choice = "",
    sort: Sort = "rank",
    q: Choice = "",
    only: Only = "",
    emotion: Choice = "",
) -> Response:
    """Places and their trends, in the newest hour or in the one chosen."""
    room, words = room_of(request), words_of(request)
    wanted = Arrangement(sort, q.strip(), only, emotion if emotion in EMOTIONS else "")
    hours = room.board.hours()
    if not hours:
        nothing = NowAnswer(hour=None, source=None, asked={}, places=[])
        invented = room.source() == INVENTED_SOURCE
        return respond(
            request, words, Page("now", "empty.html", nothing, {"trends": tables.trends([])}, invented)
        )
    chosen = _choose(room, words, hours, source, hour)
    places = _places(room, chosen.rows, place)
    shown = [
        _place(room.board, table, chosen, wanted) for table in _tables(room.board, chosen, place, places)
    ]
    answer = NowAnswer(hour=str(chosen.hour), source=chosen.source, asked=wanted.asked(), places=shown)
    asked = {"source": source, "place": place, "hour": hour}
    view = {
        "chosen": chosen,
        "asked": asked,
        "wanted": wanted,
        "kept": asked | wanted.asked(),
        "shown_hours": _near(chosen.hours, chosen.hour),
        "earlier": max((one for one in chosen.hours if one < chosen.hour), default=None),
        "later": min((one for one in chosen.hours if one > chosen.hour), default=None),
        "place": place,
        "places": places,
        "most": None if place else PREVIEW_ROWS,
        "sorts": SORTS,
        "onlys": ONLY,
        "emotions": EMOTIONS,
    }
    data = {"trends": tables.trends([row for one in shown for row in one.trends])}
    return respond(
        request, words, Page("now", "now.html", answer, data, chosen.source == INVENTED_SOURCE, view)
    )


def _tables(board: Board, chosen: _Chosen, place: str, places: Sequence[str]) -> list[views.PlaceTable]:
    before = [row for row in board.rows(chosen.hour - 1) if row.trend.source == chosen.source]
    return views.place_tables(chosen.rows, before, [place] if place else places)


def _place(board: Board, table: views.PlaceTable, chosen: _Chosen, wanted: Arrangement) -> PlaceTableAnswer:
    names = [row.data.trend.name for row in table.rows]
    days = board.moods(chosen.source, table.place, names, chosen.hour, HOURS_IN_SPARK)
    rows = [RowAnswer.of_row(row, days[row.data.trend.name]) for row in table.rows]
    return PlaceTableAnswer(
        place=table.place, total=len(rows), sampled=table.sampled, trends=wanted.arrange(rows)
    )


def _near(hours: Sequence[Hour], chosen: Hour) -> list[Hour]:
    # A month has 720 hours; the list holds a week around the one chosen, and the arrows go on.
    at = hours.index(chosen)
    first = max(0, min(at - HOURS_IN_CHOOSER // 2, len(hours) - HOURS_IN_CHOOSER))
    return list(hours[first : first + HOURS_IN_CHOOSER])


def _choose(room: Room, words: Words, hours: Sequence[Hour], source: str, hour: str) -> _Chosen:
    chosen = read_hour(words, hour) or _newest(room, hours, source)
    rows = room.board.rows(chosen)
    if not rows:
        raise missing_hour(words, chosen, hours)
    sources = sorted({row.trend.source for row in rows})
    if source and source not in sources:
        known = ", ".join(words.label("sources", one) for one in sources)
        raise NotFoundError(
            words("source_missing", source=source, hour=hour_label(chosen, words.lang), known=known)
        )
    wanted = room.source()
    taken = source or (wanted if wanted in sources else sources[0])
    of_day = sorted({*sources, *room.board.sources(chosen - (HOURS_IN_SPARK - 1), chosen)})
    if len(of_day) > 1:
        # The next hour may be of another source only.
        its = set(room.lake.hours(taken))
        hours = [one for one in hours if one in its]
    of_source = [row for row in rows if row.trend.source == taken]
    return _Chosen(hours, chosen, of_day, sources, taken, of_source)


def _newest(room: Room, hours: Sequence[Hour], source: str) -> Hour:
    """The newest hour, of the source if one is asked for."""
    if not source or any(row.trend.source == source for row in room.board.rows(hours[0])):
        return hours[0]
    return max(room.lake.hours(source), default=hours[0])


def _places(room: Room, rows: Sequence[TrendHour], asked: str) -> list[str]:
    followed = [place.slug for place in room.settings.place_list()]
    seen = {row.trend.place for row in rows}
    ordered = [slug for slug in followed if slug in seen] + sorted(seen - set(followed))
    return ordered if not asked or asked in ordered else [*ordered, asked]
