"""A wide part beside the network (Cheng et al. 2016, arXiv:1606.07792): what pieces, pairs and triples of them say.

The pieces are those that the network reads, alike in any case and with or without accents. Their n-grams are hashed
to the rows of a table (multiply-shift, Dietzfelbinger et al. 1997, doi:10.1006/jagm.1997.0873), so that no vocabulary
of them is kept. Some of its columns tell the language, each other one an answer in one language, which counts as far
as the text is in it. Fitted in ``wide.py``; the exported graph holds it, so that serving need not know of it.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from tokenizers import Tokenizer

from trendlark.nlu.tasks import TASKS
from trendlark.training.model import POOLED_TASKS
from trendlark.training.predict import Floats, Predictor

# Odd, below 2 ** 30: with pieces below 2 ** 31 no sum overflows 64 bits.
FACTORS = (0x2545F491, 0x1B873593)
# The lowest bits of a product are the least mixed.
DROPPED = 2**13
_PIECES = 2**31
WIDTHS = tuple(TASKS[name].width for name in POOLED_TASKS)


@dataclass(frozen=True, slots=True)
class NGrams:
    """The table: ``pieces`` [vocabulary], what a piece counts as; ``weights`` [rows, languages + answers] and ``bias``.

    ``speaks`` [languages, answers] is 1 at the language of each answer, ``tells`` [answers, labels] at its label,
    of all pooled tasks in their order. There are a power of two of rows.
    """

    pieces: NDArray[np.int64]
    weights: Floats
    bias: Floats
    speaks: Floats
    tells: Floats

    def logits(self, ids: Sequence[Sequence[int]]) -> Floats:
        """Return what is added to the raw logits of texts given as token ids, [texts, labels]."""
        languages = len(self.speaks)
        sums = features(self.pieces, ids, len(self.weights)) @ self.weights + self.bias
        raised = np.exp(sums[:, :languages] - sums[:, :languages].max(-1, keepdims=True))
        chances = raised / raised.sum(-1, keepdims=True)
        return np.asarray((sums[:, languages:] * (chances @ self.speaks)) @ self.tells, np.float32)

    def beside(self, predict: Predictor) -> Predictor:
        """Return a predictor of the network and this table together."""

        def both(ids: Sequence[list[int]]) -> list[dict[str, Floats]]:
            found = predict(ids)
            for one, more in zip(found, self.logits(ids) if ids else (), strict=True):
                for name, part in zip(POOLED_TASKS, np.split(more, np.cumsum(WIDTHS)[:-1]), strict=True):
                    one[name] = one[name] + part
            return found

        return both


def piece_hashes(tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Return by token id what the piece counts as: the same for all that differ in case or accents alone."""
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    found = np.zeros(max(vocabulary.values()) + 1, np.int64)
    for piece, at in vocabulary.items():
        found[at] = zlib.crc32(_plain(piece).encode()) % _PIECES
    return found


def _plain(piece: str) -> str:
    parts = unicodedata.normalize("NFD", piece.lower())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def features(pieces: NDArray[np.int64], ids: Sequence[Sequence[int]], rows: int) -> Any:
    """Return how often each row of the table is met, divided by the root of how many are, sparse [texts, rows]."""
    found = [hashed(pieces[np.asarray(one, np.int64)], rows) for one in ids]
    sizes = np.array([len(one) for one in found], np.int64)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
    places = np.concatenate([np.zeros(0, np.int64), *found])
    matrix = csr_matrix((values, places, np.concatenate([[0], np.cumsum(sizes)])), (len(found), rows))
    matrix.sum_duplicates()
    return matrix


def hashed(own: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return the row of each piece of a text, of each pair and of each triple of neighbours."""
    near, far = FACTORS
    pairs = own[:-1] * near + own[1:]
    triples = own[:-2] * far + own[1:-1] * near + own[2:]
    return np.concatenate([own, pairs, triples]) // DROPPED % rows
