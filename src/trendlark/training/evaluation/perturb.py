"""Ways in which people write otherwise and mean the same, as pure functions of a text and a seed.

Mentions, links and hashtags stay as they are: they are names, and nobody mistypes a link that works.
"""

from __future__ import annotations

import random
import re
import unicodedata
import zlib
from collections.abc import Callable, Mapping

import emoji

_KEPT = re.compile(r"((?:https?://|www\.)\S+|[@#＠＃]\w+|\{\S+\}|&\w+;|\\u[0-9a-fA-F]{4})")
_WORD = re.compile(r"[^\W\d_]{4,}")
_TYPO_SHARE = 0.12

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS: Mapping[str, str] = {
    letter: row[max(0, at - 1) : at] + row[at + 1 : at + 2] for row in _ROWS for at, letter in enumerate(row)
}

# How tweets spell frequent words, by language; only spellings that keep the meaning.
_SLANG: Mapping[str, Mapping[str, str]] = {
    "en": {
        "you": "u",
        "your": "ur",
        "you're": "ur",
        "are": "r",
        "to": "2",
        "for": "4",
        "people": "ppl",
        "because": "bc",
        "please": "plz",
        "thanks": "thx",
        "with": "w/",
        "though": "tho",
        "going to": "gonna",
        "want to": "wanna",
        "got to": "gotta",
        "tomorrow": "tmrw",
        "tonight": "2nite",
        "really": "rly",
        "about": "abt",
        "before": "b4",
        "great": "gr8",
        "love": "luv",
        "oh my god": "omg",
        "i don't know": "idk",
        "what the fuck": "wtf",
    },
    "es": {
        "que": "q",
        "qué": "q",
        "porque": "xq",
        "por qué": "xq",
        "por": "x",
        "para": "pa",
        "también": "tmb",
        "mucho": "muxo",
        "muchos": "muxos",
        "muy": "mui",
        "te quiero": "tq",
        "bien": "bn",
        "nada": "na",
        "todo": "to",
        "de": "d",
        "con": "cn",
        "favor": "fa",
        "gracias": "grax",
        "cuando": "cuand",
        "está": "ta",
        "estoy": "toy",
    },
    "pt": {
        "você": "vc",
        "vocês": "vcs",
        "não": "n",
        "porque": "pq",
        "por que": "pq",
        "que": "q",
        "também": "tb",
        "muito": "mt",
        "quando": "qnd",
        "está": "ta",
        "estou": "to",
        "beleza": "blz",
        "hoje": "hj",
        "mesmo": "msm",
        "cara": "kra",
    },
}

Perturb = Callable[[str, str, random.Random], str]


def perturb(name: str, text: str, lang: str, seed: int = 0) -> str:
    """Return the text changed by the perturbation of ``PERTURBATIONS``; the same text and seed give the same."""
    return PERTURBATIONS[name](
        text,
        lang,
        random.Random(zlib.crc32(text.encode("utf-8", "replace")) ^ seed),  # noqa: S311
    )


def _outside(text: str, change: Callable[[str], str]) -> str:
    """Change what is no mention, link, hashtag or escape."""
    parts = _KEPT.split(text)
    return "".join(part if at % 2 else change(part) for at, part in enumerate(parts))


def typos(text: str, _: str, chance: random.Random) -> str:
    """Swap, drop, double or replace by its neighbour a letter of about every eighth longer word."""

    def mistype(match: re.Match[str]) -> str:
        word = match[0]
        if chance.random() >= _TYPO_SHARE:
            return word
        at = chance.randrange(1, len(word) - 1)
        near = _NEIGHBOURS.get(word[at].lower(), word[at])
        return chance.choice(
            [
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + word[at + 1 :],
                word[:at] + word[at] * 2 + word[at + 1 :],
                word[:at] + chance.choice(near) + word[at + 1 :],
            ]
        )

    return _outside(text, lambda part: _WORD.sub(mistype, part))


def lower(text: str, _: str, __: random.Random) -> str:
    """Write everything small."""
    return _outside(text, str.lower)


def upper(text: str, _: str, __: random.Random) -> str:
    """Shout."""
    return _outside(text, str.upper)


def no_accents(text: str, _: str, __: random.Random) -> str:
    """Leave accents out, as on a hurried keyboard: á to a, and ñ to n."""

    def strip(part: str) -> str:
        return "".join(
            (unicodedata.normalize("NFD", sign)[0] if "LATIN" in unicodedata.name(sign, "") else sign)
            for sign in part
        )

    return _outside(text, strip)


def no_emoji(text: str, _: str, __: random.Random) -> str:
    """Take emoji out."""
    return " ".join(emoji.replace_emoji(text, "").split()) if emoji.emoji_count(text) else text


def slang(text: str, lang: str, _: random.Random) -> str:
    """Spell frequent words as tweets do (English, Spanish, Portuguese)."""
    table = _SLANG.get(lang)
    if not table:
        return text
    words = sorted(table, key=len, reverse=True)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
    return _outside(text, lambda part: pattern.sub(lambda match: table[match[0].lower()], part))


PERTURBATIONS: Mapping[str, Perturb] = {
    "typos": typos,
    "lower case": lower,
    "upper case": upper,
    "no accents": no_accents,
    "no emoji": no_emoji,
    "slang": slang,
}
