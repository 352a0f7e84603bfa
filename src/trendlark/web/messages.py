"""The languages of the pages, and what is said in them: a message cannot lack a language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from fastapi import Request

from trendlark.web.vocabulary import LABELS, Message
from trendlark.web.wording import compare, login, model, now, search, shared, status, trend, try_it

Lang = Literal["en", "es"]
LANGS: Mapping[Lang, str] = MappingProxyType({"en": "English", "es": "Español"})

_FILES = (shared, now, trend, compare, search, try_it, model, status, login)
MESSAGES: Mapping[str, Message] = MappingProxyType({
    key: message for file in _FILES for key, message in file.MESSAGES.items()
})  # fmt: skip


_TURNING = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")


def unturned(text: str) -> str:
    """A text without the marks that would turn around what stands beside it, for use within a sentence."""
    return _TURNING.sub("\ufffd", text)


class Accepted(NamedTuple):
    """A language of the Accept-Language header and how much it is wanted, 0 to 1."""

    lang: str
    weight: float


@dataclass(frozen=True, slots=True)
class Words:
    """The messages and labels of one language; templates call it as ``t``."""

    lang: Lang

    def __call__(self, key: str, **values: object) -> str:
        """The message, its places filled in; KeyError when there is no such message."""
        text: str = getattr(MESSAGES[key], self.lang)
        return text.format(**values) if values else text

    def label(self, kind: str, name: str) -> str:
        """A label of the model as people say it; one that nobody translated is shown as it is, but for marks that
        would turn the text around it."""
        message = LABELS.get(kind, {}).get(name)
        return str(getattr(message, self.lang)) if message else unturned(name.replace("_", " "))


def words_of(request: Request) -> Words:
    """The language of a request: ``?lang=``, else the browser's wish, else English."""
    asked = request.query_params.get("lang", "")
    if asked == "es":
        return Words("es")
    if asked == "en":
        return Words("en")
    return Words(wanted_language(request.headers.get("accept-language", "")))


def wanted_language(header: str) -> Lang:
    """The better of our languages for an Accept-Language header (RFC 9110, 12.5.4); English when none fits."""
    best: dict[str, float] = {}
    for part in header[:500].split(","):
        tag, _, quality = part.partition(";")
        lang = tag.strip().lower().partition("-")[0]
        best[lang] = max(best.get(lang, 0.0), _quality(quality))
    english, spanish = (best.get(lang, best.get("*", 0.0)) for lang in ("en", "es"))
    return "es" if spanish > english else "en"


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if not name:
        return 1.0
    try:
        return min(1.0, max(0.0, float(value))) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
