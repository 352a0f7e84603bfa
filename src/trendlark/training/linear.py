"""A linear teacher: logistic regressions over hashed n-grams of characters and words, by task and language.

It errs in other places than any network, so that together they are right more often (Wang and Manning 2012,
aclanthology.org/P12-2018, for n-grams of tweets; Joulin et al. 2016, arXiv:1607.01759, for hashing them).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

from trendlark.nlu.tasks import TASKS
from trendlark.nlu.text import normalise
from trendlark.training.data import Row, fingerprint, our_values, read_rows, usable, validation_fingerprints
from trendlark.training.predict import Floats
from trendlark.training.sets import SETS, DataSet

_log = logging.getLogger(__name__)

_FEATURES = 2**18
_MOST_ROWS = 30_000
# The inverse strength of regularisation, for vectors of length one.
_FREEDOM = 4.0


@dataclass(frozen=True, slots=True)
class _Regression:
    """One task in one language: n-grams are weighed by rarity, then by ``weights`` [features, width], plus ``bias``."""

    rarity: TfidfTransformer
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, counts: Any) -> Floats:
        return np.asarray(self.rarity.transform(counts) @ self.weights + self.bias, np.float32)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Regressions by task and language."""

    parts: Mapping[tuple[str, str], _Regression]
    name: str = "linear"

    def knows(self, task: str, lang: str) -> bool:
        """Say whether any set taught it the task in this language."""
        return (task, lang) in self.parts

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:
        """Return the raw logits [width] of each task that it knows in the text's language, for each text."""
        found: list[dict[str, Floats]] = [{} for _ in texts]
        for lang in sorted(set(langs)):
            places = [at for at, own in enumerate(langs) if own == lang]
            counts = _counts(texts[at] for at in places)
            for (task, spoken), part in self.parts.items():
                if spoken == lang:
                    for at, row in zip(places, part.logits(counts), strict=True):
                        found[at][task] = row
        return found


Sets = Sequence[tuple[DataSet, Sequence[Row]]]


def fit(data: Path, seed: int = 0) -> LinearModel:
    """Fit on the training files in ``data``, leaving out texts that a validation file holds."""
    parts = {}
    for (task, lang), sets in grouped(data, seed).items():
        counts = _counts(row.text for _, rows in sets for row in rows)
        rarity = TfidfTransformer(sublinear_tf=True).fit(counts)
        parts[task, lang] = _Regression(rarity, *regress(rarity.transform(counts), *truth(sets)))
        _log.info("linear %s (%s): %d texts", task, lang, sum(len(rows) for _, rows in sets))
    return LinearModel(parts)


def grouped(data: Path, seed: int) -> dict[tuple[str, str], Sets]:
    """Return by task and language the sets with their training rows, of each at most so many, drawn by ``seed``."""
    unseen = validation_fingerprints(data)
    groups: dict[tuple[str, str], list[tuple[DataSet, list[Row]]]] = {}
    for entry in SETS.values():
        if entry.task != "entities":
            rows = usable(entry, read_rows(data, entry, "train"))
            rows = [row for row in rows if fingerprint(row.text) not in unseen]
            random.Random(seed).shuffle(rows)  # noqa: S311
            if rows:
                groups.setdefault((entry.task, entry.lang), []).append((entry, rows[:_MOST_ROWS]))
    return dict(groups)


def truth(sets: Sets) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the labels of all rows [rows, width], and which of them people looked for."""
    values = np.concatenate([np.stack([our_values(row, entry) for row in rows]) for entry, rows in sets])
    return values, np.concatenate([np.tile(_annotated(entry), (len(rows), 1)) for entry, rows in sets])


def regress(
    features: Any, values: Floats, known: NDArray[np.bool_], freedom: float = _FREEDOM
) -> tuple[Floats, Floats]:
    """Return the weights [features, width] and the bias [width] that tell each label where it is known."""
    weights = np.zeros((features.shape[1], values.shape[1]), np.float32)
    bias = np.zeros(values.shape[1], np.float32)
    for label in range(values.shape[1]):
        rows = known[:, label]
        # A label that every text has, or none, leaves nothing to learn.
        if 0 < values[rows, label].sum() < rows.sum():
            model = LogisticRegression(C=freedom, solver="liblinear").fit(features[rows], values[rows, label])
            weights[:, label], bias[label] = model.coef_[0], model.intercept_[0]
    return weights, bias


def _annotated(entry: DataSet) -> NDArray[np.bool_]:
    task = TASKS[entry.task]
    return np.array([task.kind == "yes_no" or label in entry.annotated for label in task.labels])


def _counts(texts: Iterable[str]) -> Any:
    """Return how often each hashed n-gram stands in each text, sparse [texts, 2 * features]."""
    clean = [normalise(text).text.lower() for text in texts]
    hashed = {"n_features": _FEATURES, "norm": None, "alternate_sign": False}
    pieces = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 5), **hashed)
    words = HashingVectorizer(ngram_range=(1, 2), token_pattern=r"\w+|[^\w\s]", **hashed)  # noqa: S106
    return make_union(pieces, words).fit_transform(clean)
