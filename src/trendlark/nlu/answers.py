"""From the raw logits of one text to calibrated answers: divide by the temperature, then softmax or sigmoid.

Plain Python floats on purpose: vectorised exponentials may round otherwise in a batch of another size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from trendlark.nlu.artifact import Manifest
from trendlark.records import Choice, Flag, Label

# The logit of what is beyond doubt, at any temperature that is fitted.
_CERTAIN = 50.0


def choose(
    labels: Sequence[str],
    logits: Sequence[float],
    temperature: float,
    thresholds: Mapping[str, float] = MappingProxyType({}),
) -> Choice:
    """Return the label of a ``one_of`` task that is furthest above its threshold, in proportion, or else the strongest.

    Its probabilities sum to one.
    """
    top = max(logits)
    powers = [math.exp((logit - top) / temperature) for logit in logits]
    total = sum(powers)
    probabilities = {label: power / total for label, power in zip(labels, powers, strict=True)}
    best = max(probabilities, key=lambda label: probabilities[label] / thresholds.get(label, 1.0))
    return Choice(best, probabilities[best], probabilities)


def weigh(labels: Sequence[str], logits: Sequence[float], temperature: float) -> dict[str, float]:
    """Return the probability of each label of a ``many_of`` task."""
    return {label: sigmoid(logit / temperature) for label, logit in zip(labels, logits, strict=True)}


def present(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> tuple[Label, ...]:
    """Return the labels that reach their threshold, strongest first."""
    found = [Label(label, value) for label, value in probabilities.items() if value >= thresholds[label]]
    return tuple(sorted(found, key=lambda label: -label.probability))


def sigmoid(logit: float) -> float:
    """Return the logistic function, without overflow at either end."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    power = math.exp(logit)
    return power / (1 + power)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the pooled heads say of one text."""

    sentiment: Choice
    emotions: Mapping[str, float]
    emotions_present: tuple[str, ...]
    irony: Flag
    hate: Flag
    offensive: Flag
    topics: tuple[Label, ...]
    topic_probabilities: Mapping[str, float]


Logits = Mapping[str, Sequence[float]]


def read_logits(manifest: Manifest, outputs: Mapping[str, NDArray[np.float32]], row: int) -> Logits:
    """Return the raw logits of the pooled tasks for one row of a batch's outputs."""
    tasks = manifest.tasks.items()
    return {name: outputs[name][row].tolist() for name, task in tasks if task.kind != "spans"}


def silence(manifest: Manifest) -> Logits:
    """Return the logits of a text that says nothing: neutral, and none of what a text may have besides.

    A model asked of no words tells what its training sets have most, which would count as what people feel.
    """
    tasks = ((name, task) for name, task in manifest.tasks.items() if task.kind != "spans")
    return {
        name: [_CERTAIN if label == "neutral" else -_CERTAIN for label in task.labels] for name, task in tasks
    }


def read_answers(manifest: Manifest, logits: Logits, lang: str) -> Answers:
    """Return the answers for the logits of a text in ``lang``, as they are calibrated for that language."""
    calibrations = {name: manifest.tasks[name].calibration(lang) for name in logits}

    def flag(task: str) -> Flag:
        stated = calibrations[task]
        probability = sigmoid(logits[task][0] / stated.temperature)
        return Flag(probability >= stated.thresholds[manifest.tasks[task].labels[0]], probability)

    def weights(task: str) -> dict[str, float]:
        return weigh(manifest.tasks[task].labels, logits[task], calibrations[task].temperature)

    feelings, subjects = weights("emotions"), weights("topics")
    return Answers(
        sentiment=choose(
            manifest.tasks["sentiment"].labels,
            logits["sentiment"],
            calibrations["sentiment"].temperature,
            calibrations["sentiment"].thresholds,
        ),
        emotions=feelings,
        emotions_present=tuple(
            label.label for label in present(feelings, calibrations["emotions"].thresholds)
        ),
        irony=flag("irony"),
        hate=flag("hate"),
        offensive=flag("offensive"),
        topics=present(subjects, calibrations["topics"].thresholds),
        topic_probabilities=subjects,
    )
