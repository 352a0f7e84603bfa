"""Scores with their intervals: by set and slice, by task and language, against every rival on the same draws."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trendlark.nlu.tasks import TASKS
from trendlark.training.evaluation import tallies
from trendlark.training.evaluation.folders import Benchmark
from trendlark.training.evaluation.readings import Reading, by_label
from trendlark.training.evaluation.slices import slice_rows
from trendlark.training.evaluation.tallies import Floats

Value = dict[str, float]


@dataclass(frozen=True, slots=True)
class Judged:
    """A set, what the model said of it, and what the rivals said that have an answer for it."""

    test: Benchmark
    model: Reading
    rivals: Mapping[str, Reading] = field(default_factory=dict)


@dataclass(slots=True)
class _Sample:
    """A score and what it would have been on other draws of the same tweets."""

    value: float
    draws: Floats

    def to_dict(self) -> Value:
        low, high = tallies.interval(self.draws)
        return {"value": self.value, "low": low, "high": high}

    def minus(self, other: _Sample) -> _Sample:
        return _Sample(self.value - other.value, self.draws - other.draws)


def _mean(samples: Sequence[_Sample]) -> _Sample:
    return _Sample(
        float(np.mean([one.value for one in samples])), np.mean([one.draws for one in samples], axis=0)
    )


_MODEL = ""
_Scores = dict[str, _Sample]


@dataclass(slots=True)
class _SetScores:
    """One set's samples by who answered (the model is ""), whole and by slice; its calibration beside them."""

    judged: Judged
    whole: _Scores
    slices: dict[str, tuple[int, _Scores]]
    calibration_sums: Floats | None


def summarise(judged: Sequence[Judged], draws: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Return ``sets``, ``tasks`` and ``mean``: plain values that JSON holds.

    Every score is ``{"value", "low", "high"}``, a bootstrap interval of 95 % over tweets; a rival's ``difference``
    is the model's score less the rival's on the same draws. Languages and tasks are means over their sets.
    """
    scores = [_score(one, draws, seed) for one in judged]
    tasks = {
        task: _group([one for one in scores if one.judged.test.entry.task == task], languages=True)
        for task in TASKS
        if any(one.judged.test.entry.task == task for one in scores)
    }
    by_task = [_means([one.whole for one in scores if one.judged.test.entry.task == task]) for task in tasks]
    return {
        "sets": {one.judged.test.entry.key: _describe(one) for one in scores},
        "tasks": tasks,
        "mean": _compare(_means(by_task)),
    }


def _score(judged: Judged, draws: int, seed: int) -> _SetScores:
    key = judged.test.entry.key
    weights = tallies.draw_weights(len(judged.test.rows), draws, seed + zlib.crc32(key.encode()))
    readers = {_MODEL: judged.model, **judged.rivals}
    whole = {
        name: _Sample(reading.tally.score(), reading.tally.draws(weights))
        for name, reading in readers.items()
    }
    slices = {}
    for name, inside in slice_rows(judged.test.rows).items():
        part = weights[:, inside]
        found = {
            who: _Sample((own := reading.tally.part(inside)).score(), own.draws(part))
            for who, reading in readers.items()
        }
        slices[name] = (int(inside.sum()), found)
    calibration = judged.model.calibration
    return _SetScores(judged, whole, slices, _with_point(calibration, weights) if calibration else None)


def _with_point(tally: tallies.Tally, weights: Floats) -> Floats:
    """The sums over all rows, then those of each draw: [1 + draws, columns]."""
    return np.concatenate([tally.counts.sum(0, keepdims=True), tally.sums(weights)])


def _describe(one: _SetScores) -> dict[str, Any]:
    entry, reading = one.judged.test.entry, one.judged.model
    found: dict[str, Any] = {
        "task": entry.task,
        "lang": entry.lang,
        "metric": entry.metric,
        "rows": len(one.judged.test.rows),
        **_compare(one.whole),
    }
    if one.calibration_sums is not None:
        found["calibration_error"] = _error([one.calibration_sums])
    labels = by_label(reading)
    if labels:
        found["labels"] = labels
    if labels and entry.metric != "macro_f1_labels":
        size = len(reading.labels)
        table = reading.tally.counts.sum(0).reshape(size, size).astype(int).tolist()
        found["confusion"] = {"labels": list(reading.labels), "counts": table}
    found["slices"] = {
        name: {"rows": rows, **_compare(scores)} for name, (rows, scores) in one.slices.items()
    }
    return found


def _compare(scores: _Scores) -> dict[str, Any]:
    own = scores[_MODEL]
    found: dict[str, Any] = {"score": own.to_dict()}
    rivals = {
        name: {**sample.to_dict(), "difference": own.minus(sample).to_dict()}
        for name, sample in scores.items()
        if name != _MODEL
    }
    return found | ({"rivals": rivals} if rivals else {})


def _means(scores: Sequence[_Scores]) -> _Scores:
    """Means over sets; a rival is compared only where it answers all of them."""
    names = [name for name in scores[0] if all(name in one for one in scores)]
    return {name: _mean([one[name] for one in scores]) for name in names}


def _group(scores: Sequence[_SetScores], *, languages: bool) -> dict[str, Any]:
    found = _compare(_means([one.whole for one in scores]))
    found["sets"] = [one.judged.test.entry.key for one in scores]
    found["rows"] = sum(len(one.judged.test.rows) for one in scores)
    sums = [one.calibration_sums for one in scores if one.calibration_sums is not None]
    if sums:
        found["calibration_error"] = _error(sums)
        found["reliability"] = list(_reliability(np.sum([one[0] for one in sums], axis=0)))
    if not languages:
        return found
    names = dict.fromkeys(name for one in scores for name in one.slices)
    found["slices"] = {}
    for name in names:
        parts = [one.slices[name] for one in scores if name in one.slices]
        rows, own = sum(rows for rows, _ in parts), _means([part for _, part in parts])
        found["slices"][name] = {"rows": rows, "sets": len(parts), **_compare(own)}
    langs = dict.fromkeys(one.judged.test.entry.lang for one in scores)
    found["languages"] = {
        lang: _group([one for one in scores if one.judged.test.entry.lang == lang], languages=False)
        for lang in langs
    }
    return found


def _error(sums: Sequence[Floats]) -> Value:
    errors = tallies.calibration_error(np.sum(sums, axis=0))
    return _Sample(float(errors[0]), errors[1:]).to_dict()


def _reliability(sums: Floats) -> Iterator[dict[str, float]]:
    number, confidence, correct = np.split(sums, 3)
    for at in range(tallies.BINS):
        if number[at]:
            yield {
                "from": at / tallies.BINS,
                "answers": int(number[at]),
                "confidence": float(confidence[at] / number[at]),
                "accuracy": float(correct[at] / number[at]),
            }
