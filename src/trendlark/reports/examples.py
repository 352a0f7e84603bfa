"""The three to five tweets that best stand for a trend: quoted, not written; diverse; always the same ones.

Each text is a TF-IDF vector (Salton & Buckley 1988), with document frequencies over all trends of the hour.
A tweet is central when it is near the mean of its trend's vectors (the centroid of Radev et al. 2004); tweets are
taken one by one by maximal marginal relevance (Carbonell & Goldstein 1998): central, yet unlike those taken
before. Sentiments get places in proportion to their shares (largest remainder). docs/methods.md tells it in words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from trendlark.reports.words import count_words, is_retweet, tokens

RELEVANCE = 0.7  # weight of being central against being unlike the others
NEAR_DUPLICATE = 0.8  # cosine from which two texts say the same
HALF_WORDS = 6  # a text of so many words has half its weight: the cosine alone would prefer scraps
_DECIMALS = 9  # scores nearer than this are ties, so that rounding never decides

_Numbers = NDArray[np.float64]
_Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tweet that may stand for its trend."""

    tweet_id: str
    text: str
    sentiment: str


@dataclass(frozen=True, slots=True)
class Pool:
    """The candidates of a trend, and how many of all its tweets have each sentiment."""

    candidates: Sequence[Candidate]
    sentiments: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Document:
    candidate: Candidate
    terms: _Indices
    frequencies: _Numbers
    words: int
    repeats: int


def choose_examples(pools: Sequence[Pool]) -> list[tuple[str, ...]]:
    """Tweet ids for each pool, the most central first; the order of candidates does not matter."""
    vocabulary: dict[str, int] = {}
    documents = [_documents(pool.candidates, vocabulary) for pool in pools]
    rarity = _rarity(documents, len(vocabulary))
    return [_choose(own, pool.sentiments, rarity) for own, pool in zip(documents, pools, strict=True)]


def seats_for(texts: int) -> int:
    """How many examples a trend gets: three, four from 10 different texts on, five from 20; all of fewer."""
    return min(texts, 3 + (texts >= 10) + (texts >= 20))


def share_out(counts: Mapping[str, int], seats: int, room: Mapping[str, int]) -> dict[str, int]:
    """Seats in proportion to counts by largest remainder, none beyond its room; ties by count, then name."""
    given = dict.fromkeys(counts, 0)
    while seats > 0:
        going = {name: n for name, n in counts.items() if n > 0 and given[name] < room.get(name, 0)}
        if not going:
            break
        for name, won in _largest_remainder(going, seats).items():
            taken = min(won, room[name] - given[name])
            given[name] += taken
            seats -= taken
    return given


def _largest_remainder(counts: Mapping[str, int], seats: int) -> dict[str, int]:
    total = sum(counts.values())
    won = {name: seats * n // total for name, n in counts.items()}
    order = sorted(counts, key=lambda name: (-(seats * counts[name] % total), -counts[name], name))
    for name in order[: seats - sum(won.values())]:
        won[name] += 1
    return won


def _documents(candidates: Sequence[Candidate], vocabulary: dict[str, int]) -> list[_Document]:
    """Different texts only: of those that read the same, the original with the smallest id stands for all."""
    groups: dict[tuple[str, ...], list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda c: (is_retweet(c.text), c.tweet_id)):
        groups.setdefault(tuple(tokens(candidate.text)), []).append(candidate)
    found = [_document(read, same, vocabulary) for read, same in groups.items()]
    return sorted(found, key=lambda d: d.candidate.tweet_id)


def _document(read: Sequence[str], same: Sequence[Candidate], vocabulary: dict[str, int]) -> _Document:
    counted = sorted(Counter(read).items())
    terms = [vocabulary.setdefault(token, len(vocabulary)) for token, _ in counted]
    frequencies = [1 + log(count) for _, count in counted]
    return _Document(
        same[0],
        np.array(terms, dtype=np.intp),
        np.array(frequencies, dtype=np.float64),
        count_words(read),
        len(same),
    )


def _rarity(documents: Sequence[Sequence[_Document]], size: int) -> _Numbers:
    frequency = np.zeros(size)
    total = 0
    for document in (one for own in documents for one in own):
        frequency[document.terms] += document.repeats
        total += document.repeats
    rarity: _Numbers = np.log((1 + total) / (1 + frequency))
    return rarity


class _Matrix:
    """Rows of unit length, kept sparse: what is asked of it costs time and memory by its filled cells only."""

    def __init__(self, documents: Sequence[_Document], rarity: _Numbers) -> None:
        self._height, self._width = len(documents), len(rarity)
        lengths = [len(document.terms) for document in documents]
        self._rows: _Indices = np.repeat(np.arange(self._height), lengths)
        self._columns: _Indices = np.concatenate([document.terms for document in documents])
        cells = np.concatenate([document.frequencies for document in documents]) * rarity[self._columns]
        norms = np.sqrt(_sums(self._rows, cells * cells, self._height))
        norms[norms == 0] = 1
        self._cells: _Numbers = cells / norms[self._rows]

    def mean(self, weights: _Numbers) -> _Numbers:
        """The direction of the weighted mean row, of unit length."""
        total = _sums(self._columns, self._cells * weights[self._rows], self._width)
        norm = float(np.sqrt(total @ total))
        return total / norm if norm else total

    def row(self, index: int) -> _Numbers:
        """One row, dense."""
        mine = self._rows == index
        dense = np.zeros(self._width)
        dense[self._columns[mine]] = self._cells[mine]
        return dense

    def cosines(self, vector: _Numbers) -> _Numbers:
        """How near each row is to a vector of unit length."""
        return _sums(self._rows, self._cells * vector[self._columns], self._height).round(_DECIMALS)


def _sums(places: _Indices, values: _Numbers, size: int) -> _Numbers:
    return np.bincount(places, values, size).astype(np.float64)


def _choose(
    documents: Sequence[_Document], sentiments: Mapping[str, int], rarity: _Numbers
) -> tuple[str, ...]:
    if not documents:
        return ()
    # The terms of this trend alone, so that a dense row is as long as its own vocabulary.
    own = np.unique(np.concatenate([document.terms for document in documents]))
    place = np.zeros(len(rarity), dtype=np.intp)
    place[own] = np.arange(len(own))
    narrowed = [_Document(d.candidate, place[d.terms], d.frequencies, d.words, d.repeats) for d in documents]
    matrix = _Matrix(narrowed, rarity[own])
    centroid = matrix.mean(np.array([document.repeats for document in documents], dtype=np.float64))
    spoken = np.array([document.words for document in documents], dtype=np.float64)
    chosen = _by_marginal_relevance(
        matrix, matrix.cosines(centroid) * spoken / (spoken + HALF_WORDS), documents, sentiments
    )
    return tuple(documents[index].candidate.tweet_id for index in chosen)


def _by_marginal_relevance(
    matrix: _Matrix, relevance: _Numbers, documents: Sequence[_Document], sentiments: Mapping[str, int]
) -> list[int]:
    labels = np.array([document.candidate.sentiment for document in documents])
    seats = seats_for(len(documents))
    left = share_out(sentiments, seats, Counter(labels.tolist()))
    free = np.ones(len(documents), dtype=bool)
    likeness = np.zeros(len(documents))
    chosen: list[int] = []
    while len(chosen) < seats and free.any():
        seated = free & np.isin(labels, [label for label, n in left.items() if n > 0])
        # A sentiment whose texts all repeat a chosen one leaves its place to the others.
        going = np.flatnonzero(seated if seated.any() else free)
        scores = (RELEVANCE * relevance - (1 - RELEVANCE) * likeness)[going].round(_DECIMALS)
        best = int(going[np.argmax(scores)])  # the first of equals; rows are in order of tweet id
        chosen.append(best)
        label = str(labels[best])
        left[label] = left.get(label, 0) - 1
        likeness = np.maximum(likeness, matrix.cosines(matrix.row(best)))
        free &= likeness < NEAR_DUPLICATE
        free[best] = False
    return chosen
