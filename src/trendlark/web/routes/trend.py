"""The page Trend: one trend over the hours, and one of its hours in detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from trendlark.errors import NotFoundError
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import FLAGS, TrendHour
from trendlark.reports import queries
from trendlark.reports.queries import HourOfTrend
from trendlark.web import tables, views
from trendlark.web.answers import INVENTED_SOURCE, TrendAnswer
from trendlark.web.formats import hour_label
from trendlark.web.messages import Words, words_of
from trendlark.web.page import Page, page_at, respond
from trendlark.web.room import room_of
from trendlark.web.routes.choosing import Choice, read_hour
from trendlark.web.shown import TrendPageAnswer

HOURS_IN_CHART = 72

router = APIRouter()


@page_at(router, "/trends/{source}/{place}/{name:path}")
def trend(
    request: Request,
    source: str,
    place: str,
    name: str,
    hour: Choice = "",
    asked_name: Annotated[str, Query(alias="trend", max_length=2000)] = "",
) -> Response:
    """One trend over the hours, and one of its hours in detail."""
    room, words = room_of(request), words_of(request)
    name = name or asked_name
    points = _around(room.lake, source, place, name, read_hour(words, hour))
    if not points:
        raise NotFoundError(words("trend_missing", trend=name, place=words.label("places", place)))
    row = _row_of([point.row for point in points if point.row], read_hour(words, hour), words)
    answer = TrendPageAnswer(
        chosen=TrendAnswer.of(row), hours=[TrendAnswer.of(point.row) for point in points if point.row]
    )
    view = {
        "row": row,
        "trend": row.trend,
        "summary": row.summary if row.summary and row.summary.analysed else None,
        "hours": points,
        "chart": views.chart_data(points, words),
        "emotions": views.emotion_bars(row.summary) if row.summary else [],
        "flags": views.bars(row.summary.flags, FLAGS, by_size=False) if row.summary else [],
        "examples": queries.example_tweets(room.lake, row),
        "refused": views.refused(room.lake.refused(row.trend.hour, source, place), name),
        "net": views.net,
    }
    data = {"hours": tables.hours(answer.hours)}
    return respond(request, words, Page("now", "trend.html", answer, data, source == INVENTED_SOURCE, view))


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
