"""The metrics of the benchmarks, computed from counts; no sampling, no averaging over batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int, str]


def f1(hits: float, predicted: float, actual: float) -> float:
    """F1 from counts; 0 where nothing was predicted and nothing was there."""
    return 2 * hits / (predicted + actual) if predicted + actual else 0.0


def macro_f1(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Mean F1 over the labels that occur in ``gold``."""
    return float(np.mean([_label_f1(gold, predicted, label) for label in sorted(set(gold))]))


def f1_of(gold: Sequence[str], predicted: Sequence[str], label: str) -> float:
    """F1 of one label."""
    return _label_f1(gold, predicted, label)


def _label_f1(gold: Sequence[str], predicted: Sequence[str], label: str) -> float:
    hits = sum(g == p == label for g, p in zip(gold, predicted, strict=True))
    return f1(hits, sum(p == label for p in predicted), sum(g == label for g in gold))


def macro_recall(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Mean recall over the labels that occur in ``gold``."""
    recalls = []
    for label in sorted(set(gold)):
        hits = sum(g == p == label for g, p in zip(gold, predicted, strict=True))
        recalls.append(hits / sum(g == label for g in gold))
    return float(np.mean(recalls))


def macro_f1_labels(gold: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Mean over the columns (labels) of F1, for texts with many labels; columns never true in gold are left out."""
    scores = [
        f1(
            float((gold[:, at] & predicted[:, at]).sum()),
            float(predicted[:, at].sum()),
            float(gold[:, at].sum()),
        )
        for at in range(gold.shape[1])
        if gold[:, at].any()
    ]
    return float(np.mean(scores)) if scores else 0.0


def spans_of(tags: Sequence[str]) -> set[Span]:
    """Return the (start, end, type) spans of BIO tags; an inside without a beginning begins a span."""
    spans: set[Span] = set()
    start, kind = 0, ""
    for at, tag in enumerate([*tags, "O"]):
        if kind and (tag[0] != "I" or tag[2:] != kind):
            spans.add((start, at, kind))
            kind = ""
        if tag != "O" and not kind:
            start, kind = at, tag[2:]
    return spans


def entity_f1(gold: Iterable[set[Span]], predicted: Iterable[set[Span]]) -> float:
    """Micro F1 of exact spans with their types, over all texts."""
    hits = found = actual = 0
    for one, other in zip(gold, predicted, strict=True):
        hits += len(one & other)
        found += len(other)
        actual += len(one)
    return f1(hits, found, actual)


def calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = 15) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over equal-width bins, by their size."""
    if not len(confidence):
        return 0.0
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    total = 0.0
    for at in range(bins):
        inside = place == at
        if inside.any():
            total += abs(confidence[inside].mean() - correct[inside].mean()) * inside.sum()
    return float(total / len(confidence))
