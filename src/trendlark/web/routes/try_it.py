"""The page on which anybody tries a text: entities marked in place, bars for every task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from trendlark.errors import ModelError, OverloadError
from trendlark.records import Analysis, clean_text
from trendlark.web import trying
from trendlark.web.highlight import pieces
from trendlark.web.links import page_link
from trendlark.web.messages import Words, words_of
from trendlark.web.page import Page, page_at, respond
from trendlark.web.room import Room, room_of
from trendlark.web.trying import TryAnswer
from trendlark.web.wording.try_it import EXAMPLES

# Every character may take twelve in an address, and the server reads a first line of 64 kB.
MOST_CHARACTERS = 2000
_MOST_RECEIVED = 60_000
_LANGS = ("en", "es", "pt", "fr", "de", "it")

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a text: an analysis, or why there is none, with the status of the answer."""

    analysis: Analysis | None = None
    notice: str = ""
    status: int = 200
    retry_after: int | None = None


@page_at(router, "/try")
async def try_it(
    request: Request,
    text: Annotated[str, Query(max_length=_MOST_RECEIVED)] = "",
    text_lang: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """A form for a text, and what the model says of it."""
    words = words_of(request)
    # Browsers send line ends of a form as CR LF; a text counts and is shown with one character for each.
    text = clean_text(text).replace("\r\n", "\n")
    tried = await _try(room_of(request), words, text, text_lang) if text.strip() else Tried()
    found = tried.analysis
    view = {
        "text": text,
        "text_lang": text_lang,
        # An address may state any; the form goes on with what its answer was made with.
        "langs_stated": _LANGS if text_lang in {"", *_LANGS} else (*_LANGS, text_lang),
        "most": MOST_CHARACTERS,
        "tried": tried,
        "said": found,
        "pieces": pieces(text, found.entities) if found else [],
        "chances": trying.chances(found) if found else {},
        "here_link": _link(text, text_lang, words),
        "examples": {
            lang: [(one, _link(one, "", words)) for one in texts] for lang, texts in EXAMPLES.items()
        },
    }
    answer = TryAnswer.of(text, found, tried.notice)
    # A text that somebody tried stays out of every cache.
    headers = {"Cache-Control": "no-store"}
    if tried.retry_after is not None:
        headers["Retry-After"] = str(tried.retry_after)
    page = Page("try", "try.html", answer, trying.tables(found), False, view, tried.status, headers)
    return respond(request, words, page)


async def _try(room: Room, words: Words, text: str, lang: str) -> Tried:
    if len(text) > MOST_CHARACTERS:
        return Tried(notice=words("try_too_long", n=len(text), most=MOST_CHARACTERS), status=400)
    try:
        (found,) = await room.desk.analyze([text], [lang or None])
    except OverloadError as error:
        return Tried(notice=words("try_busy"), status=429, retry_after=error.retry_after_seconds)
    except ModelError as error:
        return Tried(notice=words("try_no_model", why=error), status=503)
    if not isinstance(found, Analysis):
        return Tried(notice=words("try_refused", why=found), status=found.http_status)
    return Tried(found)


def _link(text: str, text_lang: str, words: Words) -> str:
    return page_link("try", text=text, text_lang=text_lang, lang=words.lang)
