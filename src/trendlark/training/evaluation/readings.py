"""From what the public API says to what a benchmark asks: the stated mapping of each kind of set.

- Sentiment: the label. Irony, hate, offensive: the value of the flag.
- Emotions, one to a text: the strongest of those that the set annotates; where the set knows "none of them", the
  strongest that is present, or none. Several to a text: those present. Topics: those above their threshold.
- Entities: the words are joined by blanks; a word belongs to the entity that covers any of it; types are read as the
  set's, and types that the set does not have are dropped.

Nothing here looks inside a model: only ``Analysis`` counts, as any user gets it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from trendlark.nlu.tasks import TASKS
from trendlark.records import Analysis, Entity
from trendlark.training.data import Row
from trendlark.training.evaluation import tallies
from trendlark.training.evaluation.tallies import Bools, Floats, Tally
from trendlark.training.metrics import spans_of
from trendlark.training.scoring import NONE, type_names
from trendlark.training.sets import DataSet

Said = str | frozenset[str] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody said of each row of a set, counted for its metric.

    ``said`` is a label, a set of labels, or a tag for each word; ``calibration`` is absent for those who give no
    probabilities; ``labels`` are the columns of the counts.
    """

    entry: DataSet
    labels: tuple[str, ...]
    said: Sequence[Said]
    tally: Tally
    calibration: Tally | None = None


@dataclass(slots=True)
class _Answers:
    """Single answers with a probability, each of a row."""

    rows: list[int] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    correct: list[bool] = field(default_factory=list)

    def add(self, row: int, confidence: float, correct: bool) -> None:
        self.rows.append(row)
        self.confidence.append(confidence)
        self.correct.append(correct)

    def tally(self, rows: int) -> Tally:
        counts = tallies.bins(
            np.array(self.rows, int), np.array(self.confidence, float), np.array(self.correct, bool), rows
        )
        return Tally(counts, tallies.calibration_error)


def read(entry: DataSet, rows: Sequence[Row], analyses: Sequence[Analysis]) -> Reading:
    """Return how the analyses of the rows' texts answer the set."""
    said = [answer(entry, row, analysis) for row, analysis in zip(rows, analyses, strict=True)]
    answers = _Answers()
    for at, (row, analysis) in enumerate(zip(rows, analyses, strict=True)):
        _note(answers, at, entry, row, analysis)
    return count(entry, rows, said, answers.tally(len(rows)))


def answer(entry: DataSet, row: Row, analysis: Analysis) -> Said:
    """Return what one analysis says in the words of the set's kind (see the module)."""
    kind = TASKS[entry.task].kind
    if kind == "spans":
        return tuple(word_tags(entry, row, analysis.entities))
    if kind == "yes_no":
        return "yes" if getattr(analysis, entry.task).value else "no"
    if kind == "one_of":
        return analysis.sentiment.label
    present = _present(entry, analysis)
    if entry.metric == "macro_f1_labels":
        return frozenset(present)
    chances = _chances(entry, analysis)
    choice = present if "" in entry.labels.values() else chances
    return max(choice, key=lambda label: chances[label], default=NONE)


def _chances(entry: DataSet, analysis: Analysis) -> dict[str, float]:
    given = analysis.emotions if entry.task == "emotions" else analysis.topic_probabilities
    return {label: given[label] for label in entry.annotated}


def _present(entry: DataSet, analysis: Analysis) -> list[str]:
    named = analysis.emotions_present if entry.task == "emotions" else [one.label for one in analysis.topics]
    return [label for label in named if label in entry.annotated]


def gold_of(entry: DataSet, row: Row) -> Said:
    """Return what the set's people said of a row, in the same words as ``answer``."""
    if entry.task == "entities":
        # As of classes, what the set marks and does not map to ours is not asked for.
        return tuple(tag if tag[2:] in entry.entities else "O" for tag in row.tags)
    mapped = [entry.labels[label] for label in row.labels if label in entry.labels]
    return frozenset(mapped) - {""} if entry.metric == "macro_f1_labels" else mapped[0] or NONE


def word_tags(entry: DataSet, row: Row, entities: Sequence[Entity]) -> list[str]:
    """Return a BIO tag for each word of the row, which were joined by blanks for the analyzer."""
    names = type_names(entry)
    begins, ends, at = [], [], 0
    for word in row.words:
        begins.append(at)
        ends.append(at + len(word))
        at += len(word) + 1
    tags = ["O"] * len(row.words)
    for entity in entities:
        kind = names.get(entity.type)
        first, last = bisect_right(ends, entity.start), bisect_left(begins, entity.end)
        for place in range(first, last if kind else first):
            tags[place] = f"{'B' if place == first else 'I'}-{kind}"
    return tags


def _note(answers: _Answers, at: int, entry: DataSet, row: Row, analysis: Analysis) -> None:
    kind, gold = TASKS[entry.task].kind, gold_of(entry, row)
    if kind == "one_of":
        answers.add(at, analysis.sentiment.probability, analysis.sentiment.label == gold)
    elif kind == "yes_no":
        chance = getattr(analysis, entry.task).probability
        answers.add(at, max(chance, 1 - chance), (chance >= 0.5) == (gold == "yes"))
    elif kind == "many_of":
        true = gold if isinstance(gold, frozenset) else {gold}
        for label, chance in _chances(entry, analysis).items():
            answers.add(at, max(chance, 1 - chance), (chance >= 0.5) == (label in true))
    else:
        spans = spans_of(list(gold))
        for entity in analysis.entities:
            # One entity by itself: neighbours cannot run into each other.
            answers.add(at, entity.probability, bool(spans & spans_of(word_tags(entry, row, [entity]))))


def count(entry: DataSet, rows: Sequence[Row], said: Sequence[Said], calibration: Tally | None) -> Reading:
    """Return the reading of what anybody said of the rows."""
    gold = [gold_of(entry, row) for row in rows]
    if entry.task == "entities":
        hits = tallies.hits_of_spans(
            [spans_of(list(one)) for one in gold], [spans_of(list(one)) for one in said]
        )
        return Reading(entry, (), said, Tally(hits, tallies.span_f1), calibration)
    if entry.metric == "macro_f1_labels":
        labels = entry.annotated
        hits = tallies.hits_by_label(_matrix(gold, labels), _matrix(said, labels))
        return Reading(entry, labels, said, Tally(hits, tallies.macro_f1_labels), calibration)
    labels = classes(entry)
    places: Mapping[Said, int] = {label: at for at, label in enumerate(labels)}
    cells = tallies.confusion(
        np.array([places[one] for one in gold]), np.array([places[one] for one in said]), len(labels)
    )
    metrics: dict[str, tallies.Metric] = {
        "macro_f1": tallies.macro_f1,
        "macro_recall": tallies.macro_recall,
    }
    if "yes" in labels:
        metrics["f1_yes"] = tallies.f1_of(labels.index("yes"))
    return Reading(entry, labels, said, Tally(cells, metrics[entry.metric]), calibration)


def classes(entry: DataSet) -> tuple[str, ...]:
    """Return the answers that a set with one answer to a text allows."""
    if TASKS[entry.task].kind == "yes_no":
        return ("yes", "no")
    if TASKS[entry.task].kind == "one_of":
        return TASKS[entry.task].labels
    return (*entry.annotated, *((NONE,) if "" in entry.labels.values() else ()))


def _matrix(values: Sequence[Said], labels: Sequence[str]) -> Bools:
    return np.array([[label in value for label in labels] for value in values], bool)


def by_label(reading: Reading) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and number of rows of each label, nothing for entities."""
    sums: Floats = reading.tally.counts.sum(0)
    size = len(reading.labels)
    if not size:
        return {}
    if reading.entry.metric == "macro_f1_labels":
        hits, said, gold = np.split(sums, 3)
    else:
        table = sums.reshape(size, size)
        hits, said, gold = np.diagonal(table), table.sum(0), table.sum(1)
    return {
        label: {
            "precision": float(hits[at] / said[at]) if said[at] else 0.0,
            "recall": float(hits[at] / gold[at]) if gold[at] else 0.0,
            "f1": float(2 * hits[at] / (said[at] + gold[at])) if said[at] + gold[at] else 0.0,
            "rows": int(gold[at]),
        }
        for at, label in enumerate(reading.labels)
    }
