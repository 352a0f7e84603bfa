"""The baseline that any model must beat: TF-IDF of words and pairs of words into a linear SVM, set by set.

python -m trendlark.training.baseline --data DATA --out baseline.json
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC

from trendlark.nlu.text import normalise
from trendlark.training.data import Row, read_rows, usable
from trendlark.training.evaluation.readings import Said, count, gold_of
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
    train, val = usable(entry, train), usable(entry, val)
    return count(entry, val, list(answers(entry, train, val)), None).tally.score()


def answers(entry: DataSet, train: Sequence[Row], unseen: Sequence[Row]) -> Iterator[Said]:
    """Yield what an SVM trained on ``train`` says of each unseen row, in our words."""
    texts, others = ([normalise(row.text).text for row in rows] for rows in (train, unseen))
    gold = [gold_of(entry, row) for row in train]
    if entry.metric != "macro_f1_labels":
        model = _pipeline(LinearSVC(class_weight="balanced"))
        yield from map(str, model.fit(texts, gold).predict(others))
        return
    names = entry.annotated
    known = np.array([[name in labels for name in names] for labels in gold])
    model = _pipeline(OneVsRestClassifier(LinearSVC(class_weight="balanced")))
    # A label that every training text has, or none, leaves nothing to learn.
    varied = known.any(0) & ~known.all(0)
    said = np.tile(known.all(0), (len(unseen), 1))
    said[:, varied] = model.fit(texts, known[:, varied]).predict(others).reshape(len(unseen), -1).astype(bool)
    yield from (frozenset(name for name, there in zip(names, row, strict=True) if there) for row in said)


def _pipeline(classifier: LinearSVC | OneVsRestClassifier) -> Pipeline:
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=r"\w+|[^\w\s]")  # noqa: S106
    return make_pipeline(words, classifier)


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
