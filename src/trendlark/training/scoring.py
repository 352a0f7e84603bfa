"""Validation: every set scored by its benchmark's metric, through the same rules that serving follows.

Sets with labels of their own are scored by a stated mapping: TweetEval emotion is the strongest of its four;
EmoEvent the strongest of its six that is present, or "others" where none is; entity types are mapped to the
set's, and types that the set does not have are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trendlark.nlu.entities import best_tags
from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.training.data import Row, encode, encode_words, read_rows, usable
from trendlark.training.metrics import (
    Span,
    calibration_error,
    entity_f1,
    f1_of,
    macro_f1,
    macro_f1_labels,
    macro_recall,
    spans_of,
)
from trendlark.training.predict import Floats, Predictor
from trendlark.training.sets import SETS, DataSet

NONE = "others"


@dataclass(frozen=True, slots=True)
class Calibration:
    """A temperature for each task, and for each label the probability from which it is said to be there.

    ``languages`` hold, by language, what differs from these.
    """

    temperatures: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    languages: Mapping[str, Calibration] = field(default_factory=dict)

    def of(self, lang: str) -> Calibration:
        """Return the calibration of tweets in a language."""
        own = self.languages.get(lang, Calibration())
        return Calibration({**self.temperatures, **own.temperatures}, {**self.thresholds, **own.thresholds})

    def probabilities(self, task: str, logits: Floats) -> Floats:
        """Return calibrated probabilities of raw logits [..., width]."""
        scaled = logits / self.temperatures.get(task, 1.0)
        if TASKS[task].kind in ("one_of", "spans"):
            raised = np.exp(scaled - scaled.max(-1, keepdims=True))
            return np.asarray(raised / raised.sum(-1, keepdims=True), np.float32)
        return np.asarray(1 / (1 + np.exp(-scaled)), np.float32)

    def threshold(self, task: str) -> Floats:
        """Return the thresholds of a task's labels, one half where none is set."""
        own = self.thresholds.get(task, {})
        return np.array([own.get(label, 0.5) for label in TASKS[task].labels], np.float32)


@dataclass(frozen=True, slots=True)
class Scored:
    """One set's rows with the probabilities that the model gave them."""

    entry: DataSet
    rows: list[Row]
    probabilities: Floats


def score_all(
    predict: Predictor,
    tokenizer: Tokenizer,
    data: Path,
    calibration: Calibration | None = None,
    limit: int | None = None,
) -> dict[str, dict[str, float]]:
    """Return the metrics of every set with a benchmark metric; ``limit`` takes only its first rows."""
    calibration = calibration or Calibration()
    found = {}
    for key, entry in SETS.items():
        if not entry.metric:
            continue
        rows = read_rows(data, entry, "val")[:limit]
        if not rows:
            continue
        own = calibration.of(entry.lang)
        if entry.task == "entities":
            found[key] = {"entity_f1": score_entities(predict, tokenizer, entry, rows)}
        else:
            found[key] = score_labels(probabilities(predict, tokenizer, entry, rows, own), own)
    return found


def main_metric(entry: DataSet, scores: Mapping[str, float]) -> float:
    """Return the set's benchmark metric out of its scores."""
    return scores[entry.metric]


def mean_score(found: Mapping[str, Mapping[str, float]]) -> float:
    """Return the mean over tasks of the mean over the task's sets of their benchmark metrics."""
    by_task: dict[str, list[float]] = {}
    for key, scores in found.items():
        by_task.setdefault(SETS[key].task, []).append(main_metric(SETS[key], scores))
    return float(np.mean([np.mean(values) for values in by_task.values()])) if by_task else 0.0


def probabilities(
    predict: Predictor, tokenizer: Tokenizer, entry: DataSet, rows: Sequence[Row], calibration: Calibration
) -> Scored:
    """Run the model over a set's rows (those that say something of our labels)."""
    own = usable(entry, rows)
    results = predict(encode(tokenizer, [row.text for row in own]))
    logits = np.stack([result[entry.task] for result in results])
    return Scored(entry, own, calibration.probabilities(entry.task, logits))


def score_labels(scored: Scored, calibration: Calibration) -> dict[str, float]:
    """Return the metrics of a set of labelled texts, expected calibration error among them."""
    entry = scored.entry
    if entry.metric == "macro_f1_labels":
        return _score_many(scored, calibration)
    gold = [_gold(row, entry) for row in scored.rows]
    said = said_labels(scored, calibration.threshold(entry.task))
    scores = {"macro_f1": macro_f1(gold, said), "macro_recall": macro_recall(gold, said)}
    scores["accuracy"] = float(np.mean([g == s for g, s in zip(gold, said, strict=True)]))
    if entry.metric == "f1_yes":
        scores["f1_yes"] = f1_of(gold, said, "yes")
    scores["calibration_error"] = _calibration_error(scored, gold, said)
    return scores


def _gold(row: Row, entry: DataSet) -> str:
    return entry.labels[row.labels[0]] or NONE


def said_labels(scored: Scored, thresholds: Floats) -> list[str]:
    """Return what the model says of each text in our words, by the rule of the set's task."""
    entry, chances = scored.entry, scored.probabilities
    task = TASKS[entry.task]
    if task.kind == "yes_no":
        return ["yes" if row[0] >= thresholds[0] else "no" for row in chances]
    if task.kind == "one_of":
        return [task.labels[int(row.argmax())] for row in chances / thresholds]
    own = [task.labels.index(label) for label in entry.annotated]
    said = []
    for row in chances:
        present = [at for at in own if row[at] >= thresholds[at]] if "" in entry.labels.values() else own
        said.append(task.labels[max(present, key=lambda at: float(row[at]))] if present else NONE)
    return said


def _calibration_error(scored: Scored, gold: Sequence[str], said: Sequence[str]) -> float:
    task = TASKS[scored.entry.task]
    chances = scored.probabilities.astype(np.float64)
    if task.kind == "one_of":
        confidence = [row[task.labels.index(label)] for row, label in zip(chances, said, strict=True)]
        return calibration_error(np.array(confidence), np.array(gold) == np.array(said))
    own = [at for at, label in enumerate(task.labels) if label in scored.entry.annotated]
    if task.kind == "yes_no":
        truth = np.array([[g == "yes"] for g in gold])
        own = [0]
    else:
        truth = np.array([[task.labels[at] == g for at in own] for g in gold])
    return _binary_error(chances[:, own], truth)


def _binary_error(chances: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    confidence = np.maximum(chances, 1 - chances)
    return calibration_error(confidence.ravel(), ((chances >= 0.5) == truth).ravel())


def many_gold(scored: Scored) -> NDArray[np.bool_]:
    """Return the true labels of a set with many labels to a text, [rows, labels annotated]."""
    entry = scored.entry
    return np.array(
        [
            [label in {entry.labels.get(x) for x in row.labels} for label in entry.annotated]
            for row in scored.rows
        ]
    )


def _score_many(scored: Scored, calibration: Calibration) -> dict[str, float]:
    labels = TASKS[scored.entry.task].labels
    own = [at for at, label in enumerate(labels) if label in scored.entry.annotated]
    chances, gold = scored.probabilities[:, own], many_gold(scored)
    said = chances >= calibration.threshold(scored.entry.task)[own]
    return {
        "macro_f1_labels": macro_f1_labels(gold, said),
        "micro_f1_labels": macro_f1_labels(gold.reshape(-1, 1), said.reshape(-1, 1)),
        "calibration_error": _binary_error(chances.astype(np.float64), gold),
    }


def type_names(entry: DataSet) -> dict[str, str]:
    """Return how our types of entities are called in the set; a type that it does not have is left out."""
    names: dict[str, str] = {}
    for theirs, ours in entry.entities.items():
        for label in ours:
            names.setdefault(label, theirs)
    return names


@dataclass(frozen=True, slots=True)
class Tagged:
    """One text's true and said entities, as the set calls them, with our tag of each word and its logits [words, tags].

    A word that is cut off has the tag "O" and no logits.
    """

    gold: set[Span]
    said: set[Span]
    tags: list[str]
    logits: Floats


def tag_words(
    predict: Predictor, tokenizer: Tokenizer, entry: DataSet, rows: Sequence[Row]
) -> Iterator[Tagged]:
    """Yield what the model says of rows of tagged words; a word is answered by its first piece, as in serving."""
    names, tags = type_names(entry), entity_tags()
    pieces = [encode_words(tokenizer, row.words) for row in rows]
    results = predict([piece.ids for piece in pieces])
    for row, piece, result in zip(rows, pieces, results, strict=True):
        ours, theirs = ["O"] * len(row.words), ["O"] * len(row.words)
        logits = np.zeros((len(row.words), len(tags)), np.float32)
        first = [at for at, start in enumerate(piece.starts) if start]
        for at, column in zip(first, best_tags(result["entities"][first], tags), strict=True):
            word = piece.words[at]
            part, _, kind = tags[column].partition("-")
            ours[word], logits[word] = tags[column], result["entities"][at]
            theirs[word] = f"{part}-{names[kind]}" if kind in names else "O"
        yield Tagged(spans_of(row.tags), spans_of(theirs), ours, logits)


def score_entities(predict: Predictor, tokenizer: Tokenizer, entry: DataSet, rows: Sequence[Row]) -> float:
    """Return the entity F1 of a set of tagged words."""
    found = list(tag_words(predict, tokenizer, entry, rows))
    return entity_f1([one.gold for one in found], [one.said for one in found])
