"""The page on which anybody tries a text: entities marked in place, bars for every task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from trendlark.errors import ModelError, OverloadError
from trendlark.records import EMOTIONS, FLAGS, SENTIMENTS, Analysis, clean_text
from trendlark.web.highlight import pieces
from trendlark.web.links import link
from trendlark.web.messages import LANGS, Words, words_of
from trendlark.web.messages_try import EXAMPLES
from trendlark.web.room import Room, room_of
from trendlark.web.routes.pages import _page

# An address that holds more than this, every character written in twelve, no longer fits the server's first line.
MOST_CHARACTERS = 2000
_TOPICS = 6

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@dataclass(frozen=True, slots=True)
class Chance:
    """A label with its probability; ``present`` where the model says so."""

    name: str
    probability: float
    present: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a text: an analysis, or why there is none, with the status of the answer."""

    analysis: Analysis | None = None
    notice: str = ""
    status: int = 200
    retry_after: int | None = None


@router.get("/try")
async def try_it(
    request: Request,
    text: Annotated[str, Query(max_length=100_000)] = "",
    text_lang: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """A form for a text, and what the model says of it."""
    words = words_of(request)
    text = clean_text(text)
    tried = await _try(room_of(request), words, text, text_lang) if text.strip() else Tried()
    found = tried.analysis
    response = _page(
        "try.html",
        words,
        request,
        status=tried.status,
        invented=False,
        alternate={code: _link(text, text_lang, code) for code in LANGS},
        text=text,
        text_lang=text_lang,
        most=MOST_CHARACTERS,
        tried=tried,
        said=found,
        pieces=pieces(text, found.entities) if found else [],
        chances=chances(found) if found else {},
        here=_link(text, text_lang, words.lang),
        examples={code: [(one, _link(one, "", words.lang)) for one in texts] for code, texts in EXAMPLES.items()},
    )  # fmt: skip
    # A text that somebody tried stays out of every cache.
    response.headers["Cache-Control"] = "no-store"
    if tried.retry_after is not None:
        response.headers["Retry-After"] = str(tried.retry_after)
    return response


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


def chances(found: Analysis) -> dict[str, list[Chance]]:
    """Every task's labels with their probabilities; of the topics only the likeliest."""
    topics = sorted(found.topic_probabilities.items(), key=lambda item: (-item[1], item[0]))
    shown = {one.label for one in found.topics}
    kept = [item for at, item in enumerate(topics) if at < _TOPICS or item[0] in shown]
    said = found.sentiment
    return {
        "sentiment": [Chance(one, said.probabilities[one], one == said.label) for one in SENTIMENTS],
        "emotions": [Chance(one, found.emotions[one], one in found.emotions_present) for one in EMOTIONS],
        "flags": [Chance(one, getattr(found, one).probability, getattr(found, one).value) for one in FLAGS],
        "topics": [Chance(name, probability, name in shown) for name, probability in kept],
    }


def _link(text: str, text_lang: str, lang: str) -> str:
    return link("/try", text=text, text_lang=text_lang, lang=lang)
