"""What the Kubeflow dashboard shows of an evaluation: confusion and ROC curves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix, roc_curve
from tokenizers import Tokenizer

from trendlark.nlu.tasks import TASKS
from trendlark.training.data import read_rows, usable
from trendlark.training.predict import Predictor
from trendlark.training.scoring import Calibration, Scored, probabilities, said_labels
from trendlark.training.sets import SETS

_MOST_POINTS = 200


@dataclass(frozen=True, slots=True)
class Pictures:
    """``confusion`` of sentiment, rows true and columns said; ``roc`` by yes/no task: false, true, threshold."""

    labels: tuple[str, ...] = TASKS["sentiment"].labels
    confusion: list[list[int]] = field(default_factory=list)
    roc: dict[str, tuple[list[float], list[float], list[float]]] = field(default_factory=dict)


def draw(
    predict: Predictor, tokenizer: Tokenizer, data: Path, calibration: Calibration, limit: int | None = None
) -> Pictures:
    """Run the model over the validation rows of sentiment and the yes/no tasks."""
    scored: dict[str, list[Scored]] = {}
    for entry in SETS.values():
        if entry.metric and TASKS[entry.task].kind in ("one_of", "yes_no"):
            rows = usable(entry, read_rows(data, entry, "val"))[:limit]
            if rows:
                found = probabilities(predict, tokenizer, entry, rows, calibration.of(entry.lang))
                scored.setdefault(entry.task, []).append(found)
    curves = {task: _curve(sets) for task, sets in scored.items() if TASKS[task].kind == "yes_no"}
    return Pictures(
        confusion=_confusion(scored.get("sentiment", []), calibration),
        roc={task: curve for task, curve in curves.items() if curve is not None},
    )


def _confusion(sets: list[Scored], calibration: Calibration) -> list[list[int]]:
    labels = TASKS["sentiment"].labels
    gold = [one.entry.labels[row.labels[0]] for one in sets for row in one.rows]
    said = [
        label
        for one in sets
        for label in said_labels(one, calibration.of(one.entry.lang).threshold("sentiment"))
    ]
    if not gold:
        return []
    table: list[list[int]] = confusion_matrix(gold, said, labels=list(labels)).tolist()
    return table


def _curve(sets: list[Scored]) -> tuple[list[float], list[float], list[float]] | None:
    gold = np.array([one.entry.labels[row.labels[0]] == "yes" for one in sets for row in one.rows])
    if not 0 < gold.sum() < len(gold):
        return None
    said = np.concatenate([one.probabilities[:, 0] for one in sets])
    false, true, threshold = roc_curve(gold, said)
    # The first threshold is infinite, which JSON cannot say.
    threshold = np.minimum(threshold, 1.0)
    kept = np.unique(np.linspace(0, len(false) - 1, _MOST_POINTS).astype(int))
    return false[kept].tolist(), true[kept].tolist(), threshold[kept].tolist()
