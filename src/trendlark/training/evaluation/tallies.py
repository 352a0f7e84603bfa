"""Scores as sums over rows, so that a bootstrap is one product of matrices.

Every metric here is a function of counts that add up over rows: cells of a confusion matrix, hits by label, bins of
confidence. A resampling of the rows is a row of weights, so the scores of a thousand resamplings are
``metric(weights @ counts)``, and two models are compared on the same weights (Efron and Tibshirani 1993; the paired
test after Berg-Kirkpatrick, Burkett and Klein 2012).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Sums of counts in [draws, columns], scores out [draws].
Metric = Callable[[Floats], Floats]

BINS = 15
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of each row [rows, columns] and the metric that reads their sums."""

    counts: Floats
    metric: Metric

    def score(self) -> float:
        """Return the metric over all rows."""
        return float(self.metric(self.counts.sum(0, keepdims=True))[0])

    def sums(self, weights: Floats) -> Floats:
        """Return the counts summed by each row of ``weights`` [draws, rows]."""
        return np.asarray(weights @ self.counts)

    def draws(self, weights: Floats) -> Floats:
        """Return the metric of each resampling; ``weights`` [draws, rows] say how often a row was drawn."""
        return self.metric(self.sums(weights))

    def part(self, rows: Bools | Sequence[int]) -> Tally:
        """Return the tally of some of the rows."""
        return Tally(self.counts[rows], self.metric)


def draw_weights(rows: int, draws: int, seed: int) -> Floats:
    """Return how often each row occurs in each of ``draws`` samples with replacement, [draws, rows]."""
    random = np.random.default_rng(seed)
    weights = np.empty((draws, rows), np.float64)
    for start in range(0, draws, _AT_ONCE):
        size = min(_AT_ONCE, draws - start)
        places = random.integers(0, rows, (size, rows)) + rows * np.arange(size)[:, None]
        weights[start : start + size] = np.bincount(places.ravel(), minlength=size * rows).reshape(size, rows)
    return weights


def interval(draws: Floats) -> tuple[float, float]:
    """Return the middle 95 % of what the draws scored."""
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def _f1(hits: Floats, said: Floats, gold: Floats) -> Floats:
    total = said + gold
    return np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0)


def _mean_where(values: Floats, there: Bools) -> Floats:
    counts = there.sum(-1)
    return np.asarray(np.where(there, values, 0.0).sum(-1) / np.maximum(counts, 1))


def confusion(gold: NDArray[np.int_], said: NDArray[np.int_], labels: int) -> Floats:
    """Return each row's one cell of the confusion matrix, [rows, labels * labels], gold first."""
    cells = np.zeros((len(gold), labels * labels))
    cells[np.arange(len(gold)), gold * labels + said] = 1
    return cells


def _square(sums: Floats) -> Floats:
    size = round(float(np.sqrt(sums.shape[-1])))
    return sums.reshape(len(sums), size, size)


def macro_f1(sums: Floats) -> Floats:
    """Return the mean F1 over the labels that occur in gold, of confusion matrices."""
    table = _square(sums)
    hits, gold, said = np.diagonal(table, axis1=1, axis2=2), table.sum(2), table.sum(1)
    return _mean_where(_f1(hits, said, gold), gold > 0)


def macro_recall(sums: Floats) -> Floats:
    """Return the mean recall over the labels that occur in gold, of confusion matrices."""
    table = _square(sums)
    hits, gold = np.diagonal(table, axis1=1, axis2=2), table.sum(2)
    return _mean_where(hits / np.maximum(gold, 1), gold > 0)


def f1_of(label: int) -> Metric:
    """Return the F1 of one label, of confusion matrices."""

    def metric(sums: Floats) -> Floats:
        table = _square(sums)
        return _f1(table[:, label, label], table[:, :, label].sum(1), table[:, label].sum(1))

    return metric


def hits_by_label(gold: Bools, said: Bools) -> Floats:
    """Return hits, said and gold of each label, [rows, 3 * labels]."""
    return np.concatenate([gold & said, said, gold], axis=1).astype(np.float64)


def macro_f1_labels(sums: Floats) -> Floats:
    """Return the mean F1 over the labels that occur in gold, of ``hits_by_label``."""
    hits, said, gold = np.split(sums, 3, axis=1)
    return _mean_where(_f1(hits, said, gold), gold > 0)


Span = tuple[int, int, str]


def hits_of_spans(gold: Sequence[set[Span]], said: Sequence[set[Span]]) -> Floats:
    """Return hits, said and gold of each row's spans, [rows, 3]."""
    rows = [(len(one & other), len(other), len(one)) for one, other in zip(gold, said, strict=True)]
    return np.array(rows, np.float64).reshape(-1, 3)


def span_f1(sums: Floats) -> Floats:
    """Return F1 over all spans, of ``hits_of_spans``."""
    return _f1(sums[:, 0], sums[:, 1], sums[:, 2])


def bins(row: NDArray[np.int_], confidence: Floats, correct: Bools, rows: int) -> Floats:
    """Return number, confidence and correctness by bin of confidence, [rows, 3 * BINS].

    An answer belongs to a row (``row``), a row may have several answers or none.
    """
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    cells = row * BINS + place
    return np.concatenate(
        [
            np.bincount(cells, value, rows * BINS).reshape(rows, BINS)
            for value in (np.ones(len(row)), confidence, correct.astype(np.float64))
        ],
        axis=1,
    )


def calibration_error(sums: Floats) -> Floats:
    """Return the expected calibration error of ``bins``: the mean gap of confidence and accuracy, by bins' size."""
    number, confidence, correct = np.split(sums, 3, axis=1)
    return np.asarray(np.abs(confidence - correct).sum(1) / np.maximum(number.sum(1), 1))
