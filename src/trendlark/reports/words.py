"""Texts as the reports compare them: tokens for likeness, folded names for counting."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable

from trendlark.nlu.keyphrases import VOWEL_SIGNS

# Long enough for any post that people read; a bound for hostile ones.
MAX_CHARACTERS = 2000

# Accents of Latin, Greek and Cyrillic. The vowel signs of other scripts are letters, not ornament.
_ACCENTS = re.compile("[\u0300-\u036f]")
_RETWEET = re.compile(r"^\s*RT\s+@\w+\s*:?\s*", re.IGNORECASE)
# Scripts written without blanks: each character is a token.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_EMOJI = "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_LETTERS = rf"[^\W_{_UNSPACED}]+(?:[{VOWEL_SIGNS}]+[^\W_{_UNSPACED}]*)*"
_TOKEN = re.compile(
    r"(?P<drop>https?://\S*|www\.\S+|[@＠]\w+)"
    rf"|(?P<hashtag>[#＃][\w{VOWEL_SIGNS}]+)"
    rf"|(?P<word>[{_UNSPACED}]|{_LETTERS}(?:['’]{_LETTERS})*)"
    rf"|(?P<emoji>[{_EMOJI}])"
)
_ONE_EMOJI = re.compile(f"[{_EMOJI}]")


def fold(name: str) -> str:
    """A name without what spelling varies: case, accents, compatibility forms, runs of blanks."""
    if name.isascii():
        return " ".join(name.lower().split())
    return " ".join(_ACCENTS.sub("", unicodedata.normalize("NFKD", name).casefold()).split())


def is_retweet(text: str) -> bool:
    """Whether a text is a retweet of the old form, ``RT @name: ...``."""
    return _RETWEET.match(text) is not None


def tokens(text: str) -> list[str]:
    """Words, hashtags (with #) and emoji, folded, in order; mentions, links and a retweet's mark are left out."""
    plain = _RETWEET.sub("", html.unescape(text[:MAX_CHARACTERS]))
    return [fold(match[0]) for match in _TOKEN.finditer(plain) if match.lastgroup != "drop"]


def count_words(found: Iterable[str]) -> int:
    """How many tokens are words or hashtags, not emoji."""
    return sum(not _ONE_EMOJI.fullmatch(token) for token in found)
