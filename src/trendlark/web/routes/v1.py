"""The API, version 1: trends, hours, places, and analysis of texts."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Query, Request, Response

from trendlark.errors import InputError, NotFoundError, TrendlarkError
from trendlark.hours import Hour
from trendlark.records import PLACES, Analysis, Place
from trendlark.reports import queries
from trendlark.web.answers import (
    MAX_CHARACTERS,
    AnalyzeAnswer,
    AnalyzeRequest,
    HourList,
    PlaceAnswer,
    PlaceList,
    TrendAnswer,
    TrendList,
)
from trendlark.web.fresh import fresh_of
from trendlark.web.problems import problem
from trendlark.web.reading import Slice, list_hours_of, list_trends
from trendlark.web.room import room_of
from trendlark.web.routes.promises import NOT_MODIFIED, Cursor, Filter, HourText, Limit, refusals, v1_router

router = v1_router()

Name = Annotated[
    str,
    Query(
        alias="trend", max_length=2000, description="The name, where the path has none after the last `/`."
    ),
]


@router.post(
    "/analyze",
    tags=["analysis"],
    response_model=AnalyzeAnswer,
    responses=refusals(s413="The body is too large"),
)
async def analyze(request: Request, asked: AnalyzeRequest) -> Response:
    """Sentiment, emotions, topics, entities and more of one text or many; a text that is refused has its error."""
    texts = asked.all_texts()
    fit = [index for index, text in enumerate(texts) if len(text) <= MAX_CHARACTERS]
    langs = [asked.langs[index] for index in fit] if asked.langs else None
    done = await room_of(request).desk.analyze([texts[index] for index in fit], langs) if fit else []
    by_index = dict(zip(fit, done, strict=True))
    items = [_item(by_index.get(i), text) for i, text in enumerate(texts)]
    # Written at once: to check our own answers against their schema takes longer than all else but the model.
    return Response(orjson.dumps({"items": items}, default=dict), media_type="application/json")


def _item(found: Analysis | TrendlarkError | None, text: str) -> Analysis | dict[str, Any]:
    if isinstance(found, Analysis):
        return found
    error = found or InputError(
        f"Found a text of {len(text):,} characters; the most is {MAX_CHARACTERS:,}. Cut it into parts."
    )
    return {"error": problem(error)}


@router.get("/trends", tags=["trends"], responses=NOT_MODIFIED, dependencies=[fresh_of("trends")])
def trends(
    request: Request,
    source: Filter = None,
    place: Filter = None,
    hour: HourText = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> TrendList:
    """Trends by hour (newest first), source, place and rank."""
    chosen = Hour.parse(hour) if hour else None
    found = list_trends(
        room_of(request).lake, hour=chosen, source=source, place=place, limit=limit, cursor=cursor
    )
    return _list(found)


@router.get(
    "/trends/{source}/{place}/{trend:path}",
    tags=["trends"],
    responses=refusals(s404="No such trend") | NOT_MODIFIED,
    dependencies=[fresh_of("trends")],
)
def trend_over_hours(
    request: Request,
    source: str,
    place: str,
    trend: str,
    asked: Name = "",
    limit: Limit = 168,
    cursor: Cursor = None,
) -> TrendList:
    """One trend over its hours, newest first. Encode the name: `#` is `%23`, `/` is `%2F`.

    A name that an address cannot carry (`.`, `..`, one with a line end) travels as a parameter:
    `/v1/trends/x/es/?trend=..`.
    """
    trend = trend or asked
    found = list_hours_of(
        room_of(request).lake, source=source, place=place, trend=trend, limit=limit, cursor=cursor
    )
    if not found.rows and cursor is None:
        raise NotFoundError(
            f"Found no trend {trend[:80]!r} of place {place[:40]!r} and source {source[:40]!r}; "
            "/v1/trends lists those that there are. Check the spelling and the encoding."
        )
    return _list(found)


@router.get("/hours", tags=["trends"], responses=NOT_MODIFIED, dependencies=[fresh_of("trends")])
def hours(request: Request, limit: Limit = 168, cursor: HourText = None) -> HourList:
    """Hours that have trends, newest first; the cursor is the last hour seen."""
    before = Hour.parse(cursor) if cursor else None
    found = [hour for hour in queries.hours(room_of(request).lake) if before is None or hour < before]
    more = len(found) > limit
    return HourList(items=[str(hour) for hour in found[:limit]], next=str(found[limit - 1]) if more else None)


@router.get("/places", tags=["trends"], responses=NOT_MODIFIED, dependencies=[fresh_of("trends")])
def places(request: Request) -> PlaceList:
    """Places that are followed, and those that the newest hour has besides."""
    room = room_of(request)
    followed = {place.slug: place for place in room.settings.place_list()}
    newest = queries.hours(room.lake)[:1]
    seen = {row.trend.place for hour in newest for row in room.lake.trend_hours(hour)}
    others = {slug: PLACES.get(slug) or Place(slug, slug) for slug in sorted(seen - followed.keys())}
    return PlaceList(
        items=[
            PlaceAnswer(slug=one.slug, name=one.name, woeid=one.woeid, followed=one.slug in followed)
            for one in (followed | others).values()
        ],
        next=None,
    )


def _list(found: Slice) -> TrendList:
    return TrendList(items=[TrendAnswer.of(row) for row in found.rows], next=found.next)
