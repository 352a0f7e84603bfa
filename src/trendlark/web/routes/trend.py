"""The page Trend: one trend over the hours, one of its hours in detail, and the tweets drawn for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from trendlark.errors import NotFoundError
from trendlark.hours import Hour
from trendlark.records import EMOTIONS, FLAGS, SENTIMENTS, TrendHour
from trendlark.reports.average import average
from trendlark.reports.board import Board
from trendlark.reports.queries import mood
from trendlark.reports.tweets import TrendTweets, Wanted, tweets_of
from trendlark.web import drawing, tables, views
from trendlark.web.answers import INVENTED_SOURCE, TrendAnswer
from trendlark.web.links import form_of
from trendlark.web.messages import Words, words_of
from trendlark.web.page import Page, Table, page_at, respond
from trendlark.web.room import Room, room_of
from trendlark.web.routes.choosing import Choice, missing_hour, read_hour
from trendlark.web.shown import (
    AverageAnswer,
    HourAnswer,
    RefusedAnswer,
    TrendPageAnswer,
    TweetAnswer,
    TweetsAnswer,
    WindowAnswer,
)

SPANS = (24, 72, 168)
TWEETS_ON_PAGE = 20
_TWEETS_IN_FILE = 10_000

router = APIRouter()
Name = Annotated[str, Query(max_length=300)]
Span = Literal["24", "72", "168"]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where, which hours, and whether the data are to hold texts."""

    source: str
    place: str
    name: str
    hour: Hour | None
    span: int
    texts: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """The hours shown, the one chosen among them with those before and after it, and all trends of its place in it."""

    points: Sequence[HourAnswer]
    row: TrendHour
    beside: Sequence[TrendHour]
    earlier: Hour | None
    later: Hour | None


def _wanted(
    sentiment: Name = "",
    emotion: Name = "",
    flag: Name = "",
    topic: Name = "",
    said_lang: Name = "",
    entity: Name = "",
    hashtag: Name = "",
    keyphrase: Name = "",
) -> Wanted:
    return Wanted(sentiment, emotion, flag, topic, said_lang, entity, hashtag, keyphrase)


@page_at(router, "/trends/{source}/{place}/{name:path}")
def trend(
    request: Request,
    wanted: Annotated[Wanted, Depends(_wanted)],
    source: str,
    place: str,
    name: str,
    hour: Choice = "",
    span: Span = "72",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    texts: bool = False,
    asked_name: Annotated[str, Query(alias="trend", max_length=2000)] = "",
) -> Response:
    """One trend over the hours, and one of its hours in detail."""
    room, words = room_of(request), words_of(request)
    form = form_of(request.scope["path"])
    asked = _Asked(source, place, name or asked_name, read_hour(words, hour), int(span), texts or not form)
    found = _find(room.board, asked, words)
    drawn = tweets_of(room.lake, found.row.trend)
    # A file has all that match, a page some of them.
    part = (1, _TWEETS_IN_FILE) if form == "csv" else (page, TWEETS_ON_PAGE)
    answer = _answer(room, asked, found, drawn, _tweets(drawn, wanted, *part, asked.texts))
    data = {
        "hours": tables.hours(answer.hours),
        "tweets": tables.tweets(answer.tweets.items),
        "shares": tables.shares(answer),
        "words": tables.words(answer),
        "windows": Table(("window", "tweets"), [[one.window, one.tweets] for one in answer.windows]),
    }
    view = {} if form else _view(words, asked, found, drawn, answer) | {"wanted": asdict(wanted)}
    return respond(request, words, Page("now", "trend.html", answer, data, source == INVENTED_SOURCE, view))


def _answer(
    room: Room, asked: _Asked, found: _Found, drawn: TrendTweets, tweets: TweetsAnswer
) -> TrendPageAnswer:
    row = found.row
    examples = drawn.named(row.summary.examples if row.summary else ())
    refusals = room.lake.refused(row.trend.hour, asked.source, asked.place)
    refused = views.refused(refusals, asked.name)
    return TrendPageAnswer(
        chosen=TrendAnswer.of(row),
        mood=mood(row.summary),
        hours=list(found.points),
        average=AverageAnswer.of(average(found.beside)),
        examples=[TweetAnswer.of(one, asked.texts) for one in examples],
        tweets=tweets,
        windows=[WindowAnswer(window=window, tweets=count) for window, count in drawn.windows()],
        refused=RefusedAnswer(
            of_trend=refused.of_trend,
            of_place=refused.of_place,
            reasons=list(refused.reasons),
            unnamed=refused.unnamed,
        ),
    )


def _tweets(drawn: TrendTweets, wanted: Wanted, page: int, most: int, texts: bool) -> TweetsAnswer:
    matching = drawn.matching(wanted)
    pages = max(1, -(-len(matching) // most))
    page = min(page, pages)
    return TweetsAnswer(
        asked=wanted.asked(),
        total=len(drawn),
        matching=len(matching),
        page=page,
        pages=pages,
        items=[TweetAnswer.of(one, texts) for one in matching.records((page - 1) * most, most)],
    )


def _view(
    words: Words, asked: _Asked, found: _Found, drawn: TrendTweets, answer: TrendPageAnswer
) -> dict[str, Any]:
    # Alone in its place, a trend would be held against itself.
    row, usual = found.row, answer.average if answer.average and answer.average.trends > 1 else None
    summary = row.summary if row.summary and row.summary.analysed else None
    where = f"{words.label('places', asked.place)} · {words.label('sources', asked.source)}"
    return {
        "row": row,
        "trend": row.trend,
        "usual": usual,
        "summary": summary,
        "chart": drawing.chart_data(answer.hours, words, f"{asked.name} · {where}"),
        "emotions": drawing.bars(summary.emotions, EMOTIONS, True, usual.emotions if usual else None)
        if summary
        else [],
        "flags": drawing.bars(summary.flags, FLAGS, False, usual.flags if usual else None) if summary else [],
        "hours_shown": asked.span,
        "asked_hour": str(asked.hour) if asked.hour else "",
        "earlier": str(found.earlier) if found.earlier else None,
        "later": str(found.later) if found.later else None,
        "hour_of": Hour.parse,
        "languages": drawn.languages(),
        "choices": {"sentiment": SENTIMENTS, "emotion": EMOTIONS, "flag": FLAGS},
    }


def _find(board: Board, asked: _Asked, words: Words) -> _Found:
    points = _around(board, asked)
    known = [point for point in points if point.rank is not None]
    if not known:
        raise NotFoundError(
            words("trend_missing", trend=asked.name, place=words.label("places", asked.place))
        )
    chosen = _choose(known, asked.hour, words)
    beside = [
        row
        for row in board.rows(Hour.parse(chosen.hour))
        if (row.trend.source, row.trend.place) == (asked.source, asked.place)
    ]
    # Between two questions a commit may have taken the row away; then it is not there.
    row = next((row for row in beside if row.trend.name == asked.name), None)
    if row is None:
        raise NotFoundError(
            words("trend_missing", trend=asked.name, place=words.label("places", asked.place))
        )
    return _Found(points, row, beside, *_steps(board, asked, known, row.trend.hour))


def _steps(
    board: Board, asked: _Asked, known: Sequence[HourAnswer], hour: Hour
) -> tuple[Hour | None, Hour | None]:
    """The hours of the trend before and after one; at an end of those shown, within a week."""
    shown = [Hour.parse(point.hour) for point in known]
    at = shown.index(hour)
    before = shown[:at] or _hours_between(board, asked, hour - max(SPANS), hour - 1)
    after = shown[at + 1 :] or _hours_between(board, asked, hour + 1, hour + max(SPANS))
    return max(before, default=None), min(after, default=None)


def _hours_between(board: Board, asked: _Asked, first: Hour, last: Hour) -> list[Hour]:
    rows = board.over_hours(asked.source, asked.place, asked.name, first, last)
    return [Hour.parse(hour) for hour in rows["hour"].to_pylist()]


def _around(board: Board, asked: _Asked) -> list[HourAnswer]:
    newest = next(iter(board.hours()), None)
    if newest is None:
        return []
    # The chart stays where it is while its hours are looked at one by one; older ones move it.
    last = asked.hour if asked.hour and asked.hour.index <= newest.index - asked.span else newest
    points = _until(board, asked, last)
    if points:
        return points
    # A trend of another time: look through all hours, week by week, for the last one that it has.
    hours = board.hours()
    for start in range(0, len(hours), max(SPANS)):
        part = hours[start : start + max(SPANS)]
        rows = board.over_hours(asked.source, asked.place, asked.name, part[-1], part[0])
        if rows.num_rows:
            return _until(board, asked, Hour.parse(max(rows["hour"].to_pylist())))
    return []


def _until(board: Board, asked: _Asked, last: Hour) -> list[HourAnswer]:
    first = last - (asked.span - 1)
    rows = board.over_hours(asked.source, asked.place, asked.name, first, last).to_pylist()
    found = {row["hour"]: HourAnswer.of(row) for row in rows}
    if not found:
        return []
    # From the first hour that has a row to the last; the gaps between them stay.
    shown = Hour.parse(min(found)).until(Hour.parse(max(found)))
    return [found.get(str(hour)) or HourAnswer(hour=str(hour)) for hour in shown]


def _choose(known: Sequence[HourAnswer], hour: Hour | None, words: Words) -> HourAnswer:
    if hour is None:
        # The newest hour may be collected but not summed up yet; the newest that says something is shown first.
        return next((point for point in reversed(known) if point.analysed is not None), known[-1])
    found = [point for point in known if point.hour == str(hour)]
    if not found:
        raise missing_hour(words, hour, [Hour.parse(point.hour) for point in reversed(known)])
    return found[0]
