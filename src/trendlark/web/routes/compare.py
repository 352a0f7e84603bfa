"""The page that compares two to five trends, or one trend in several places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import TrendHour
from trendlark.reports import queries
from trendlark.reports.compare import Comparison
from trendlark.web import comparing
from trendlark.web.answers import INVENTED_SOURCE
from trendlark.web.comparing import LETTERS, CompareAnswer, Line, Pick
from trendlark.web.links import compare_link, trend_link
from trendlark.web.messages import LANGS, Words, words_of
from trendlark.web.page import Page, page_at, respond
from trendlark.web.room import Room, room_of
from trendlark.web.routes.choosing import Choice, missing_hour, read_hour

_MOST_ASKED = 200
_CHARACTERS = 2500

router = APIRouter()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for, and the rows that answer it."""

    picks: tuple[Pick, ...]
    hour: Hour | None
    by_hour: Mapping[Hour, Mapping[Pick, TrendHour]]
    found: Comparison

    def newest(self, pick: Pick) -> Hour | None:
        """The newest hour in which a trend is listed."""
        return max((hour for hour, rows in self.by_hour.items() if pick in rows), default=None)


@dataclass(frozen=True, slots=True)
class _Card:
    """A trend at the top of the page with what can be done with it."""

    letter: str
    pick: Pick
    row: TrendHour | None
    href: str
    is_first: bool
    first_href: str
    remove_href: str
    seen: Hour | None
    seen_href: str
    offered: bool


@dataclass(frozen=True, slots=True)
class _Option:
    """A trend that may be chosen."""

    pick: Pick
    chosen: bool


@page_at(router, "/compare")
def compare(request: Request, hour: Choice = "") -> Response:
    """Trends side by side, or a form to choose them."""
    room, words = room_of(request), words_of(request)
    asked = _ask(request, room.lake, words, hour)
    kept = request.query_params.get("lang")
    lang = kept if kept in LANGS else None
    offers = _offers(room, asked)
    found = asked.found
    shared = comparing.shared_tweets(room.lake, asked.hour, asked.picks) if asked.hour else 0
    offered = {option.pick for _, options in offers for option in options}
    view = {
        "notice": _notice(asked, words),
        "found": found,
        "hour": asked.hour,
        "asked_hour": hour,
        "hours": sorted({*asked.by_hour, *([asked.hour] if asked.hour else [])}, reverse=True),
        "cards": _cards(asked, hour, lang, offered),
        "places": len({pick.place for pick in asked.picks}),
        "first_letter": LETTERS[found.compared[0]] if found.compared else "",
        "groups": _groups(found, words),
        "clear": comparing.clear_count(found),
        "shared": shared,
        "offers": offers,
        "elsewhere": _elsewhere(room.lake, asked, lang),
    }
    answer = CompareAnswer.of(found, asked.hour, asked.picks, shared)
    invented = any(pick.source == INVENTED_SOURCE for pick in offered.union(asked.picks))
    status = 400 if comparing.too_many(asked.picks) else 200
    tables = {"shares": comparing.table(found)}
    return respond(request, words, Page("compare", "compare.html", answer, tables, invented, view, status))


def _ask(request: Request, lake: Lake, words: Words, hour: str) -> _Asked:
    texts = request.query_params.getlist("of")
    if len(texts) > _MOST_ASKED:
        raise InputError(words("compare_too_many", n=len(texts)))
    if long := next((text for text in texts if len(text) > _CHARACTERS), ""):
        raise InputError(words("compare_wrong", text=long[:80]))
    picks = tuple(comparing.read_picks(texts, words))
    wanted = read_hour(words, hour)
    if wanted and not picks and (hours := queries.hours(lake)) and wanted not in hours:
        raise missing_hour(words, wanted, hours)
    if comparing.too_many(picks):
        return _Asked(picks, wanted, {}, Comparison(()))
    by_hour = comparing.hours_of(lake, picks)
    chosen = wanted or comparing.best_hour(by_hour)
    rows = by_hour.get(chosen, {}) if chosen else {}
    return _Asked(picks, chosen, by_hour, Comparison(tuple(rows.get(pick) for pick in picks)))


def _notice(asked: _Asked, words: Words) -> str:
    if comparing.too_many(asked.picks):
        return words("compare_too_many", n=len(asked.picks))
    return words("compare_nowhere") if asked.picks and not asked.by_hour else ""


def _cards(asked: _Asked, hour: str, lang: str | None, offered: set[Pick]) -> list[_Card]:
    first = asked.found.compared[0] if asked.found.compared else 0
    cards = []
    for at, pick in enumerate(asked.picks):
        others = [one for one in asked.picks if one != pick]
        seen = asked.newest(pick)
        row = asked.found.rows[at] if asked.found.rows else None
        cards.append(
            _Card(
                letter=LETTERS[at] if at < len(LETTERS) else "",
                pick=pick,
                row=row,
                href=trend_link(
                    pick.source, pick.place, pick.name, hour=str(asked.hour) if row else None, lang=lang
                ),
                is_first=at == first,
                first_href=compare_link([pick, *others], hour=hour, lang=lang)
                if at in asked.found.compared
                else "",
                remove_href=compare_link(others, hour=hour, lang=lang),
                seen=seen,
                seen_href=compare_link(asked.picks, hour=str(seen), lang=lang),
                offered=pick in offered,
            )
        )
    return cards


def _groups(found: Comparison, words: Words) -> list[tuple[str, str, list[Line]]]:
    titles = {"sentiment": words("mood"), "emotions": words("emotions"), "flags": words("flags")}
    lines = comparing.lines(found)
    return [(title, kind, [line for line in lines if line.kind == kind]) for kind, title in titles.items()]


def _offers(room: Room, asked: _Asked) -> list[tuple[str, list[_Option]]]:
    """The trends of the hour that is shown, by place, of the source that is compared."""
    hour = asked.hour or queries.latest_hour(room.lake)
    rows = room.lake.trend_hours(hour) if hour else []
    sources = sorted({row.trend.source for row in rows})
    wanted = asked.picks[0].source if asked.picks else room.source()
    source = wanted if wanted in sources or not sources else sources[0]
    by_place: dict[str, list[_Option]] = {}
    for row in sorted(rows, key=lambda one: (one.trend.place, one.trend.rank, one.trend.name)):
        if row.trend.source == source:
            pick = Pick.of(row)
            by_place.setdefault(row.trend.place, []).append(_Option(pick, pick in asked.picks))
    return list(by_place.items())


def _elsewhere(lake: Lake, asked: _Asked, lang: str | None) -> str:
    """The address that compares the first trend in the places where it is listed in the same hour."""
    if not asked.picks or asked.hour is None:
        return ""
    first = asked.picks[0]
    rows = lake.trend_hours(asked.hour, source=first.source, trend=first.name)
    picks = [first, *(pick for row in rows if (pick := Pick.of(row)) != first)][: len(LETTERS)]
    if len(picks) < 2 or set(picks) <= set(asked.picks):
        return ""
    return compare_link(picks, hour=str(asked.hour), lang=lang)
