"""Which word pieces of a multilingual base a small model keeps: those that tweets of our languages use.

A piece's worth is its largest share in any one language, so that a language with few texts here keeps its
frequent words too. What is left out is cut into smaller pieces, which are always kept.
"""

from __future__ import annotations

import gzip
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trendlark.nlu.text import normalise
from trendlark.training.data import read_rows
from trendlark.training.e5 import E5, SPECIAL, whole_tokenizer
from trendlark.training.sets import SETS

_log = logging.getLogger(__name__)

# How far a language's shares count: English and Spanish come first.
_WEIGHTS = {"en": 1.0, "es": 1.0, "pt": 0.6, "fr": 0.4, "de": 0.4, "it": 0.4}
_MOST_TEXTS = 60_000
_CHUNK = 1000
# The signs of the Latin scripts and of everyday writing; other single characters stay when they are used.
_ALWAYS = range(0x20, 0x250)


def keep_pieces(base: E5, data: Path, size: int) -> NDArray[np.int64]:
    """Return the rows of the base's ``size`` most useful pieces, in the base's order."""
    tokenizer = whole_tokenizer(base)
    worth: defaultdict[int, float] = defaultdict(float)
    for lang, texts in _texts(data).items():
        counts = count_pieces(tokenizer, texts)
        total = sum(counts.values())
        for row, count in counts.items():
            worth[row] = max(worth[row], _WEIGHTS.get(lang, 0.2) * count / total)
        _log.info("vocabulary: %s uses %d pieces in %d texts", lang, len(counts), len(texts))
    used = {row for row in worth if len(base.pieces[row].lstrip("▁")) <= 1}
    always = {row for row, piece in enumerate(base.pieces) if len(piece) == 1 and ord(piece) in _ALWAYS}
    first = {row for row in used | always | {base.pieces.index("▁")} if row >= len(SPECIAL)}
    ranked = sorted((row for row in worth if row >= len(SPECIAL)), key=lambda row: (-worth[row], row))
    rest = islice((row for row in ranked if row not in first), max(0, size - len(first)))
    kept = sorted(first.union(rest))
    _log.info(
        "vocabulary: kept %d of %d pieces, because %d were asked for: %d single signs and the %d of most use, of %d",
        len(kept),
        len(base.pieces),
        size,
        len(first),
        len(kept) - len(first),
        len(set(ranked) - first),
    )
    return np.array(kept, np.int64)


def count_pieces(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    """Count how often each piece occurs in the normalised texts."""
    counts: Counter[int] = Counter()
    for chunk in _chunks(texts):
        for encoding in tokenizer.encode_batch([normalise(text).text for text in chunk]):
            counts.update(encoding.ids)
    return counts


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    left = iter(texts)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk


def _texts(data: Path) -> dict[str, list[str]]:
    """Training texts by language, labelled and not, at most some ten thousand of each."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for entry in SETS.values():
        rows = read_rows(data, entry, "train")
        # Every set gives some: the large ones would use up a language's texts.
        found[entry.lang] += [row.text for row in rows[: _MOST_TEXTS // 6]]
    for lang, names in {"en": ("en",), "es": ("es", "es2")}.items():
        for name in names:
            path = data / "unlabeled" / f"{name}.txt.gz"
            if path.exists():
                with gzip.open(path, "rt", encoding="utf-8") as lines:
                    found[lang] += [line.rstrip("\n") for line in islice(lines, _MOST_TEXTS // 3)]
    return found
