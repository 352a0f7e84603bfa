"""The API: tweets of an hour. Their ids by default; X's policy gives third parties ids, not texts."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Request

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.reports import queries
from trendlark.reports.listing import Key, list_tweets
from trendlark.web.answers import TweetAnswer, TweetList
from trendlark.web.fresh import fresh_of
from trendlark.web.reading import decode, encode
from trendlark.web.room import room_of
from trendlark.web.routes.promises import NOT_MODIFIED, Cursor, Filter, HourText, Limit, v1_router

router = v1_router()


@router.get(
    "/tweets",
    tags=["tweets"],
    responses=NOT_MODIFIED,
    dependencies=[fresh_of("trends", "tweets", "analyses")],
)
def tweets(
    request: Request,
    hour: HourText = None,
    source: Filter = None,
    place: Filter = None,
    trend: Annotated[str | None, Query(max_length=2000)] = None,
    lang: Annotated[
        str | None, Query(max_length=20, description="The language that the source states.")
    ] = None,
    sentiment: Literal["negative", "neutral", "positive"] | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> TweetList:
    """Tweets of an hour (the newest with trends if left out) with what the model says; ids, not texts.

    With the setting `api_texts` the answer holds texts, handles and entities, too.
    """
    room = room_of(request)
    after = _read(cursor) if cursor else None
    when = after[0] if after else Hour.parse(hour) if hour else queries.latest_hour(room.lake, source, place)
    if when is None:
        return TweetList(items=[], next=None)
    found = list_tweets(
        room.lake,
        when,
        source=source,
        place=place,
        trend=trend,
        lang=lang,
        sentiment=sentiment,
        after=after[1] if after else None,
        limit=limit + 1,
    )
    kept = found[:limit]
    following = encode([str(when), *kept[-1].key]) if len(found) > limit else None
    return TweetList(items=[TweetAnswer.of(one, room.settings.api_texts) for one in kept], next=following)


def _read(cursor: str) -> tuple[Hour, Key]:
    values = decode(cursor)
    if len(values) != 5 or not all(isinstance(value, str) for value in values):
        raise InputError(
            f"Found the cursor {cursor[:40]!r}, which is not one of a list of tweets; "
            "pass on the `next` of the answer before, or leave cursor out."
        )
    hour, source, place, trend, tweet_id = values
    return Hour.parse(hour), (source, place, trend, tweet_id)
