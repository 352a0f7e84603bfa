"""The pages: places and their trends in an hour; one trend over the hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from trendlark.errors import InputError, NotFoundError
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import FLAGS, TrendHour
from trendlark.reports import queries
from trendlark.reports.queries import HourOfTrend
from trendlark.web import views
from trendlark.web.answers import INVENTED_SOURCE
from trendlark.web.formats import hour_label
from trendlark.web.links import home_link, trend_link
from trendlark.web.messages import Words, words_of
from trendlark.web.rendering import render
from trendlark.web.room import Room, room_of

HOURS_IN_CHOOSER = 168
HOURS_IN_CHART = 72

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Choice = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True, slots=True)
class _Chosen:
    hours: Sequence[Hour]
    hour: Hour
    sources: Sequence[str]
    source: str
    rows: Sequence[TrendHour]


@router.get("/")
def home(request: Request, source: Choice = "", place: Choice = "", hour: Choice = "") -> HTMLResponse:
    """Places and their trends, in the newest hour or in the one chosen."""
    room, words = room_of(request), words_of(request)
    hours = queries.hours(room.lake)
    if not hours:
        invented = room.settings.source_name() == INVENTED_SOURCE
        return _page("empty.html", words, request, invented=invented, alternate=_alternate(home_link, {}))
    chosen = _choose(room, words, hours, source, hour)
    places = _places(room, chosen.rows, place)
    before = room.lake.trend_hours(chosen.hour - 1, source=chosen.source)
    tables = views.place_tables(chosen.rows, before, [place] if place else places, whole=bool(place))
    return _page(
        "home.html",
        words,
        request,
        invented=chosen.source == INVENTED_SOURCE,
        alternate=_alternate(home_link, {"source": source, "place": place, "hour": hour}),
        chosen=chosen,
        asked={"source": source, "place": place, "hour": hour},
        shown_hours=hours[:HOURS_IN_CHOOSER],
        earlier=max((one for one in hours if one < chosen.hour), default=None),
        later=min((one for one in hours if one > chosen.hour), default=None),
        place=place,
        places=places,
        tables=tables,
    )


@router.get("/trends/{source}/{place}/{name:path}")
def trend(
    request: Request,
    source: str,
    place: str,
    name: str,
    hour: Choice = "",
    asked_name: Annotated[str, Query(alias="trend", max_length=2000)] = "",
) -> HTMLResponse:
    """One trend over the hours, and one of its hours in detail."""
    room, words = room_of(request), words_of(request)
    name = name or asked_name
    points = _around(room.lake, source, place, name, _parse(words, hour))
    if not points:
        raise NotFoundError(words("trend_missing", trend=name, place=words.label("places", place)))
    row = _row_of([point.row for point in points if point.row], _parse(words, hour), words)
    return _page(
        "trend.html",
        words,
        request,
        invented=source == INVENTED_SOURCE,
        alternate=_alternate(lambda **query: trend_link(source, place, name, **query), {"hour": hour}),
        row=row,
        trend=row.trend,
        summary=row.summary if row.summary and row.summary.analysed else None,
        hours=points,
        chart=views.chart_data(points, words),
        emotions=views.emotion_bars(row.summary) if row.summary else [],
        flags=views.bars(row.summary.flags, FLAGS, by_size=False) if row.summary else [],
        examples=queries.example_tweets(room.lake, row),
        refused=views.refused(room.lake.refused(row.trend.hour, source, place), name),
        net=views.net,
    )


def _choose(room: Room, words: Words, hours: Sequence[Hour], source: str, hour: str) -> _Chosen:
    chosen = _parse(words, hour) or hours[0]
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


def _parse(words: Words, hour: str) -> Hour | None:
    try:
        return Hour.parse(hour) if hour else None
    except InputError:
        raise InputError(words("hour_wrong", hour=hour[:40])) from None


def _around(lake: Lake, source: str, place: str, trend: str, hour: Hour | None) -> list[HourOfTrend]:
    newest = queries.latest_hour(lake, source, place)
    if newest is None:
        return []
    # The chart stays where it is while its hours are looked at one by one; older ones move it.
    last = hour if hour and hour.index <= newest.index - HOURS_IN_CHART else newest
    points = views.between_rows(_until(lake, source, place, trend, last))
    if points:
        return points
    rows = lake.trend_hours(source=source, place=place, trend=trend)
    if not rows:
        return []
    return views.between_rows(_until(lake, source, place, trend, max(row.trend.hour for row in rows)))


def _until(lake: Lake, source: str, place: str, trend: str, last: Hour) -> list[HourOfTrend]:
    return queries.trend_over_hours(lake, source, place, trend, last, HOURS_IN_CHART)


def _row_of(rows: Sequence[TrendHour], hour: Hour | None, words: Words) -> TrendHour:
    if hour is None:
        # The newest hour may be collected but not summed up yet; the newest that says something is shown first.
        return next((row for row in reversed(rows) if row.summary), rows[-1])
    found = [row for row in rows if row.trend.hour == hour]
    if not found:
        first, last = (hour_label(row.trend.hour, words.lang) for row in (rows[0], rows[-1]))
        raise NotFoundError(words("hour_missing", hour=hour_label(hour, words.lang), first=first, last=last))
    return found[0]


def _alternate(make: Any, query: dict[str, str]) -> dict[str, str]:
    return {lang: make(**query, lang=lang) for lang in ("en", "es")}


def _page(template: str, words: Words, request: Request, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(
        render(template, words, request=request, **values),
        status,
        headers={
            "Content-Language": words.lang,
            "Vary": "Accept-Language",
            "Cache-Control": "private, no-cache",
        },
    )
