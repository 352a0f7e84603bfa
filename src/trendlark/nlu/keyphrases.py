"""Keyphrases: the runs of content words between stop words, punctuation and marks, the weightiest first.

After RAKE (Rose, Engel, Cramer and Cowley 2010, "Automatic keyword extraction from individual documents"): a word
weighs the mean length of the runs that it occurs in, a phrase the sum of its words. Besides, capitals part names
from what is around ("retire | Allen Iverson"), because tweets leave stop words out. Linear and deterministic.
"""

from __future__ import annotations

import html
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from trendlark.nlu.marks import Marks, find_marks
from trendlark.nlu.text import MAX_CODE_POINTS

MOST = 5
_LONGEST_PHRASE = 4
_LONGEST_WORD = 30
_SHORTEST_PHRASE = 3
# Written without spaces between words, so that runs cannot be told apart by rule.
_UNSPACED = frozenset({"ja", "zh", "th"})
# What stands inside words and is no letter to Python: accents, and the vowel signs of Hebrew, Arabic and India.
VOWEL_SIGNS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc"
    "\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963\u0966-\u096f\u0971-\u0df3"
)
# A word holds letters, digits and such signs; hyphens and apostrophes only inside. The dot is that of Catalan. A
# number may hold the separators of thousands, decimals and hours.
_WORD = re.compile(rf"\d+(?:[.,:]\d+)+|\w(?:[\w{VOWEL_SIGNS}\u00b7-]*[\w{VOWEL_SIGNS}])?")
# Two spaces are often what is left of a line break.
_GAPS = frozenset({" ", "\u00a0"})
_APOSTROPHES = frozenset("'’")
_LONGEST_ELISION = 2
# Laughter is as long as it is loud, so that no list holds it all.
_LAUGHTER = re.compile(r"[aj]{4,}|[ah]{4,}|[ej]{4,}|[eh]{4,}|[ij]{5,}|[hi]{5,}|k{4,}|(?:x+d+)+")
_ESCAPED = re.compile(r"&(?:amp;)*(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# German writes every noun with a capital, so capitals do not tell names there.
_CAPITAL_NOUNS = frozenset({"de"})

_Word = tuple[int, int, str]


def find_keyphrases(text: str, lang: str, marks: Marks | None = None) -> tuple[str, ...]:
    """Return up to five keyphrases in the raw spelling; languages without a list are cut at all lists' words."""
    if lang in _UNSPACED:
        return ()
    plain = _ESCAPED.sub(_blank, (marks or find_marks(text)).blank(text)[:MAX_CODE_POINTS])
    stop_words = _stop_words().get(lang) or _every_stop_word()
    runs = _runs(plain, stop_words, nouns_are_capital=lang in _CAPITAL_NOUNS)
    phrases = [part for run in runs for part in _cut(run)]
    weights = _weigh(phrases)
    found: dict[str, tuple[float, str]] = {}
    for phrase in phrases:
        spelling = plain[phrase[0][0] : phrase[-1][1]]
        if len(spelling) >= _SHORTEST_PHRASE and any(sign.isalpha() for sign in spelling):
            weight = sum(weights[key] for _, _, key in phrase)
            found.setdefault(" ".join(key for _, _, key in phrase), (weight, spelling))
    best = sorted(found.values(), key=lambda entry: -entry[0])[:MOST]
    return tuple(spelling for _, spelling in best)


def _blank(match: re.Match[str]) -> str:
    # Offsets stay, and what stands around a sign that HTML escapes keeps apart as it would around the sign.
    sign = html.unescape(html.unescape(match[0]))
    if sign.endswith(";"):
        return match[0]
    return ("'" if sign in _APOSTROPHES else "\n") * len(match[0])


def _runs(text: str, stop_words: frozenset[str], *, nouns_are_capital: bool) -> Iterator[list[_Word]]:
    run: list[_Word] = []
    end = 0
    for match in _WORD.finditer(text):
        word = _content_word(text, match, stop_words)
        apart = text[end : match.start()] not in _GAPS
        if run and (word is None or apart or not (nouns_are_capital or _same_kind(text, run, word))):
            yield run
            run = []
        if word:
            run.append(word)
        end = match.end()
    if run:
        yield run


def _content_word(text: str, match: re.Match[str], stop_words: frozenset[str]) -> _Word | None:
    start, end = match.span()
    if end - start > _LONGEST_WORD:
        return None
    key = _key(match[0])
    at_apostrophe = text[end : end + 1] in _APOSTROPHES or (start > 0 and text[start - 1] in _APOSTROPHES)
    if key in stop_words or _LAUGHTER.fullmatch(key) or (at_apostrophe and len(key) <= _LONGEST_ELISION):
        return None
    return start, end, key


def _same_kind(text: str, run: Sequence[_Word], word: _Word) -> bool:
    """Tell whether a word may go on a run: names of two words and more part from lower case, on either side."""
    before, here = text[run[-1][0]], text[word[0]]
    if here.isupper():
        return not before.islower()
    return not (here.islower() and before.isupper() and len(run) > 1 and text[run[-2][0]].isupper())


def _cut(run: Sequence[_Word]) -> Iterator[Sequence[_Word]]:
    # A run much longer than a name or term is a sentence whose stop words are misspelt or of another language.
    for at in range(0, len(run), _LONGEST_PHRASE):
        yield run[at : at + _LONGEST_PHRASE]


def _weigh(phrases: Sequence[Sequence[_Word]]) -> Mapping[str, float]:
    counts: dict[str, int] = {}
    degrees: dict[str, int] = {}
    for phrase in phrases:
        for _, _, key in phrase:
            counts[key] = counts.get(key, 0) + 1
            degrees[key] = degrees.get(key, 0) + len(phrase)
    return {key: degrees[key] / count for key, count in counts.items()}


@lru_cache(maxsize=65_536)
def _key(word: str) -> str:
    # Compatibility forms, too: letters of other styles, as 𝗶𝗻 𝗯𝗼𝗹𝗱, spell the same words.
    folded = unicodedata.normalize("NFKD", word).casefold()
    return "".join(sign for sign in folded if not unicodedata.combining(sign))


@lru_cache(maxsize=1)
def _stop_words() -> Mapping[str, frozenset[str]]:
    lists = tomllib.loads((files("trendlark.nlu") / "stop_words.toml").read_text(encoding="utf-8"))
    return {lang: frozenset(words.split()) for lang, words in lists.items()}


@lru_cache(maxsize=1)
def _every_stop_word() -> frozenset[str]:
    return frozenset[str]().union(*_stop_words().values())
