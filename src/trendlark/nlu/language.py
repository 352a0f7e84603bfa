"""The language of a tweet: what the source states wins, else py3langid decides among the languages below.

py3langid (Lui and Baldwin 2012, langid.py) was chosen by measurement on short tweets: see
docs/decisions/0005-nlu-serving.md.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Any

from trendlark.nlu.marks import Marks, find_marks

UNKNOWN = "und"
# The languages of the sources' larger places; fewer candidates make fewer errors on short text.
LANGUAGES = (
    *("en", "es", "pt", "fr", "de", "it", "ca", "eu", "nl", "sv", "pl", "tr", "id"),
    *("ru", "uk", "el", "ar", "fa", "he", "hi", "ja", "ko", "zh", "th"),
)
# More words cost more and change nothing: see the decision record. They are looked for behind what says nothing, as
# before a reply stand the names of all who are replied to; not endlessly.
_MAX_CODE_POINTS = 200
_MAX_LOOKED_AT = 4000
# Below it are names, laughter and words of languages not listed: better unsaid than wrong.
_MIN_CONFIDENCE = 0.45
# What a short text leaves open, the places that are followed decide: without it "hola que tal" is Catalan. The
# values are weights, in half strength of the shares that they stand for, so that a clear text keeps its language.
_WEIGHTS = {"en": 0.35, "es": 0.25, "pt": 0.1, "fr": 0.06, "de": 0.05, "it": 0.05}
_OTHER_WEIGHT = 0.01
_OLD_CODES = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro", "sh": "sr"}
_CODE = re.compile(r"([A-Za-z]{2})(?:[-_][A-Za-z0-9_-]+)?")
_NO_WORD = re.compile(r"[^\w'’]+|[\d_]+")
_LOADING = Lock()


def detect(text: str, hint: str | None = None, marks: Marks | None = None) -> str:
    """Return the ISO 639-1 code of a text's language, or ``und``; ``hint`` is what the source states."""
    stated = stated_language(hint)
    if stated:
        return stated
    blanked = (marks or find_marks(text[:_MAX_LOOKED_AT])).blank(text)[:_MAX_LOOKED_AT]
    # Letters of other styles, as 𝗶𝗻 𝗯𝗼𝗹𝗱, and accents apart from their letters spell the same words.
    words = _NO_WORD.sub(" ", unicodedata.normalize("NFKC", blanked)).strip()[:_MAX_CODE_POINTS]
    if not any(sign.isalpha() for sign in words):
        return UNKNOWN
    return _likeliest(_identifier().rank(words))


def _likeliest(ranked: Sequence[tuple[str, float]]) -> str:
    weighed = {code: float(share) * math.sqrt(_WEIGHTS.get(code, _OTHER_WEIGHT)) for code, share in ranked}
    code = max(weighed, key=weighed.__getitem__)
    return code if weighed[code] >= _MIN_CONFIDENCE * sum(weighed.values()) else UNKNOWN


def stated_language(hint: str | None) -> str | None:
    """Return the ISO 639-1 code that a source's language tag stands for; None for und, qme, zxx and the like."""
    match = _CODE.fullmatch(hint.strip()) if hint else None
    if not match:
        return None
    code = match[1].lower()
    return _OLD_CODES.get(code, code)


def _identifier() -> Any:
    with _LOADING:
        return _load_identifier()


@lru_cache(maxsize=1)
def _load_identifier() -> Any:
    # Unpacking its model takes most of a second, so it waits for the first text without a stated language.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier
