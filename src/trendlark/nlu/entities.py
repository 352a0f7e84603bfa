"""From the logits of the entity head to named entities in the raw text.

A word is answered by its first piece. Of all sequences of tags in which an inside tag continues its own type, the
likeliest is taken (Viterbi 1967, https://doi.org/10.1109/TIT.1967.1054010). The probability of an entity is the mean
over its words of the probability of its type.

A bare sign is no entity, with one exception: the "@" of a mention that was cut into "@" and "name" (as published data
sets cut their tweets) is given where the model marks both, each by itself; decision 70 tells why.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trendlark.nlu.text import Normalised
from trendlark.records import Entity

# What the normaliser writes for mentions and links: these are marks, never entities.
_PLACEHOLDER = re.compile(r"(?<!\S)(?:@user|http)(?!\S)")
_ABBREVIATION = re.compile(r"(?:\w\.)+\w")
# A logit that no tag has.
_NEVER = -1e4
_CUT_MENTION = re.compile(r"(?<!\S)@ \w{1,15}(?!\w)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pieces:
    """The tokens of a normalised text: its span for each, and the word that it is of (None for special ones)."""

    offsets: Sequence[tuple[int, int]]
    words: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class _Word:
    first: int
    start: int
    end: int
    barred: bool


@dataclass(slots=True)
class _Run:
    type: str
    start: int
    end: int
    probabilities: list[float]


def decode(
    logits: NDArray[np.float32],
    tags: Sequence[str],
    temperature: float,
    pieces: Pieces,
    normalised: Normalised,
    raw: str,
) -> tuple[Entity, ...]:
    """Return the entities of one text in order, none overlapping; ``logits`` are [tokens, tags].

    For every entity ``raw[entity.start:entity.end] == entity.text``.
    """
    outside = tags.index("O")
    if bool((logits.argmax(1) == outside).all()):
        return ()
    words = list(_words(pieces, normalised))
    found: list[Entity] = []
    runs = list(_runs(words, logits.astype(np.float64), tags, temperature))
    for run, after in zip_longest(runs, runs[1:]):
        start, end = normalised.span(run.start, run.end)
        if not (after and _is_cut_mention(raw, start, run, after, normalised)):
            start, end = _trim(raw, max(start, found[-1].end if found else 0), end)
        if start < end:
            probability = sum(run.probabilities) / len(run.probabilities)
            found.append(Entity(raw[start:end], run.type, start, end, probability))
    return tuple(found)


def _is_cut_mention(raw: str, start: int, run: _Run, after: _Run, normalised: Normalised) -> bool:
    """Whether the run is the lone sign of "@ name", and the name alone is an entity of the same type."""
    mention = _CUT_MENTION.match(raw, start)
    return (
        mention is not None
        and run.type == after.type
        and normalised.span(run.start, run.end) == (start, start + 1)
        and normalised.span(after.start, after.end) == (start + 2, mention.end())
    )


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def best_tags(logits: NDArray[np.floating[Any]], tags: Sequence[str]) -> list[int]:
    """Return the columns of the likeliest valid tags of words in a row; ``logits`` are [words, tags].

    An inside tag is valid after a begin or inside tag of its type. Sums of logits rank sequences as sums of log
    probabilities do, at any temperature.
    """
    best = [int(column) for column in logits.argmax(1)]
    follows = _follows(tuple(tags))
    # Where the likeliest tag of each word makes a valid sequence, no other is likelier: so nearly always.
    if not best or (
        follows[-1, best[0]] == 0 and all(follows[one, other] == 0 for one, other in pairwise(best))
    ):
        return best
    scores = logits[0] + follows[-1]
    steps = []
    for row in logits[1:]:
        through = scores[:, None] + follows[:-1]
        steps.append(through.argmax(0))
        scores = through.max(0) + row
    chosen = [int(scores.argmax())]
    for step in reversed(steps):
        chosen.append(int(step[chosen[-1]]))
    return chosen[::-1]


@lru_cache(maxsize=8)
def _follows(tags: tuple[str, ...]) -> NDArray[np.float64]:
    """Return 0 where the column's tag may follow the row's, else a logit no tag has; the last row is the beginning."""
    allowed = [[not tag.startswith("I-") or before[2:] == tag[2:] for tag in tags] for before in (*tags, "")]
    return np.where(allowed, 0.0, _NEVER)


def _runs(
    words: Sequence[_Word], logits: NDArray[np.float64], tags: Sequence[str], temperature: float
) -> Iterator[_Run]:
    columns: dict[str, list[int]] = {}
    for column, tag in enumerate(tags):
        columns.setdefault(tag[2:], []).append(column)
    rows = logits[[word.first for word in words]]
    rows[[word.barred for word in words]] = np.where(np.array(tags) == "O", 0.0, _NEVER)
    probabilities = _softmax(rows / temperature)
    run: _Run | None = None
    for word, column, chances in zip(words, best_tags(rows, tags), probabilities, strict=True):
        part, label = tags[column][0], tags[column][2:]
        probability = float(chances[columns[label]].sum())
        if run and part == "I":
            run.end = word.end
            run.probabilities.append(probability)
            continue
        if run:
            yield run
        run = None if part == "O" else _Run(label, word.start, word.end, [probability])
    if run:
        yield run


def _words(pieces: Pieces, normalised: Normalised) -> Iterator[_Word]:
    barred = [match.span() for match in _PLACEHOLDER.finditer(normalised.text)]
    for first, start, end in _spans(pieces):
        if _opens_hashtag(normalised, start, end):
            continue
        before = bisect_right(barred, (start, len(normalised.text))) - 1
        yield _Word(first, start, end, barred=before >= 0 and start < barred[before][1])


def _spans(pieces: Pieces) -> Iterator[tuple[int, int, int]]:
    held: tuple[int, int, int] | None = None
    last: int | None = None
    for at, (word, (start, end)) in enumerate(zip(pieces.words, pieces.offsets, strict=True)):
        if held and word is not None and word == last:
            held = (held[0], held[1], end)
            continue
        if held:
            yield held
        held = (at, start, end) if word is not None and start < end else None
        last = word
    if held:
        yield held


def _opens_hashtag(normalised: Normalised, start: int, end: int) -> bool:
    # The sign stands apart for the model ("# juego"), so it neither begins, ends nor breaks an entity.
    return (
        normalised.text[start:end] == "#"
        and end + 1 < len(normalised.text)
        and normalised.starts[end + 1] == normalised.ends[start]
    )


def _trim(raw: str, start: int, end: int) -> tuple[int, int]:
    """Shrink a span to begin and end with a letter or digit, its combining marks and a last full stop kept."""
    while start < end and not raw[start].isalnum():
        start += 1
    last = end
    while last > start:
        base = last - 1
        while base > start and _combines(raw[base]):
            base -= 1
        if raw[base].isalnum():
            break
        last = base
    if last == end:
        while last < len(raw) and _combines(raw[last]):
            last += 1
    elif raw[last : last + 1] == "." and _ABBREVIATION.fullmatch(raw, max(start, last - 12), last):
        last += 1
    return start, last


def _combines(sign: str) -> bool:
    # Variation selectors are marks too, but they belong to the emoji before them.
    return unicodedata.category(sign)[0] == "M" and not "\ufe00" <= sign <= "\ufe0f"
