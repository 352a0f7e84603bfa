"""The baseline that any model must beat: TF-IDF of words and pairs of words into a linear SVM, set by set.

python -m trendlark.training.baseline --data DATA --out baseline.json
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from trendlark.nlu.text import normalise
from trendlark.training.data import Row, read_rows
from trendlark.training.metrics import f1_of, macro_f1, macro_f1_labels, macro_recall
from trendlark.training.scoring import NONE
from trendlark.training.sets import SETS, DataSet

_log = logging.getLogger(__name__)


def run(data: Path) -> dict[str, float]:
    """Train one SVM for each scored set of labelled texts and return its metric on the set's validation file."""
    found = {}
    for key, entry in SETS.items():
        train, val = read_rows(data, entry, "train"), read_rows(data, entry, "val")
        if not entry.metric or entry.task == "entities" or not train or not val:
            continue
        found[key] = score(entry, train, val)
        _log.info("baseline %s: %s %.4f", key, entry.metric, found[key])
    return found


def score(entry: DataSet, train: Sequence[Row], val: Sequence[Row]) -> float:
    """Return the set's metric on ``val`` of an SVM trained on ``train``."""
    train, val = _usable(entry, train), _usable(entry, val)
    texts, unseen = ([normalise(row.text).text for row in rows] for rows in (train, val))
    if entry.metric == "macro_f1_labels":
        model = _pipeline(OneVsRestClassifier(LinearSVC(class_weight="balanced")))
        known, gold = _matrix(entry, train), _matrix(entry, val)
        # A label that every training text has, or none, leaves nothing to learn.
        varied = known.any(0) & ~known.all(0)
        said = np.tile(known.all(0), (len(val), 1))
        answers = model.fit(texts, known[:, varied]).predict(unseen)
        said[:, varied] = answers.reshape(len(val), -1).astype(bool)
        return macro_f1_labels(gold, said)
    model = _pipeline(LinearSVC(class_weight="balanced"))
    model.fit(texts, _labels(entry, train))
    chosen = [str(label) for label in model.predict(unseen)]
    truth = _labels(entry, val)
    if entry.metric == "f1_yes":
        return f1_of(truth, chosen, "yes")
    return macro_recall(truth, chosen) if entry.metric == "macro_recall" else macro_f1(truth, chosen)


def _pipeline(classifier: LinearSVC | OneVsRestClassifier) -> Pipeline:
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+|[^\w\s]")  # noqa: S106
    return make_pipeline(words, classifier)


def _usable(entry: DataSet, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if any(label in entry.labels for label in row.labels)]


def _labels(entry: DataSet, rows: Sequence[Row]) -> list[str]:
    return [entry.labels[row.labels[0]] or NONE for row in rows]


def _matrix(entry: DataSet, rows: Sequence[Row]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    names = entry.annotated
    return np.array(
        [[name in {entry.labels.get(label) for label in row.labels} for name in names] for row in rows]
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    given.out.write_text(json.dumps(run(given.data), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
