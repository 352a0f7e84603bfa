"""From the logits of the entity head to named entities in the raw text.

A word is answered by its first piece. An inside tag that continues nothing of its type begins an entity.
The probability of an entity is the mean over its words of the probability of its type.

A bare sign is no entity, with one exception: the "@" of a mention that was cut into "@" and "name" (as published data
sets cut their tweets) is given where the model marks both, each by itself; decision 70 tells why.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from trendlark.nlu.text import Normalised
from trendlark.records import Entity

# What the normaliser writes for mentions and links: these are marks, never entities.
_PLACEHOLDER = re.compile(r"(?<!\S)(?:@user|http)(?!\S)")
_ABBREVIATION = re.compile(r"(?:\w\.)+\w")
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
    names = [tags[at] for at in np.argmax(logits, axis=1)]
    if all(name == "O" for name in names):
        return ()
    probabilities = _softmax(logits.astype(np.float64) / temperature)
    found: list[Entity] = []
    runs = list(_runs(names, probabilities, tags, pieces, normalised))
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


def _runs(
    names: Sequence[str],
    probabilities: NDArray[np.float64],
    tags: Sequence[str],
    pieces: Pieces,
    normalised: Normalised,
) -> Iterator[_Run]:
    columns: dict[str, list[int]] = {}
    for column, tag in enumerate(tags):
        columns.setdefault(tag[2:], []).append(column)
    run: _Run | None = None
    for word in _words(pieces, normalised):
        part, _, label = "O" if word.barred else names[word.first][0], "", names[word.first][2:]
        probability = float(probabilities[word.first, columns[label]].sum())
        if run and part == "I" and run.type == label:
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
