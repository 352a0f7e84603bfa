"""From the raw logits of one text to calibrated answers: divide by the temperature, then softmax or sigmoid.

Plain Python floats on purpose: vectorised exponentials may round otherwise in a batch of another size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trendlark.nlu.artifact import Manifest
from trendlark.records import Choice, Flag, Label


def choose(labels: Sequence[str], logits: Sequence[float], temperature: float) -> Choice:
    """Return the strongest label of a ``one_of`` task; its probabilities sum to one."""
    top = max(logits)
    powers = [math.exp((logit - top) / temperature) for logit in logits]
    total = sum(powers)
    probabilities = {label: power / total for label, power in zip(labels, powers, strict=True)}
    best = max(probabilities, key=lambda label: probabilities[label])
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


def read_answers(manifest: Manifest, outputs: Mapping[str, NDArray[np.float32]], row: int) -> Answers:
    """Return the answers for one row of a batch's outputs."""

    def logits(task: str) -> list[float]:
        values: list[float] = outputs[task][row].tolist()
        return values

    def flag(task: str) -> Flag:
        stated = manifest.tasks[task]
        probability = sigmoid(logits(task)[0] / stated.temperature)
        return Flag(probability >= stated.thresholds[stated.labels[0]], probability)

    sentiment, emotions, topics = (manifest.tasks[name] for name in ("sentiment", "emotions", "topics"))
    feelings = weigh(emotions.labels, logits("emotions"), emotions.temperature)
    subjects = weigh(topics.labels, logits("topics"), topics.temperature)
    return Answers(
        sentiment=choose(sentiment.labels, logits("sentiment"), sentiment.temperature),
        emotions=feelings,
        emotions_present=tuple(label.label for label in present(feelings, emotions.thresholds)),
        irony=flag("irony"),
        hate=flag("hate"),
        offensive=flag("offensive"),
        topics=present(subjects, topics.thresholds),
        topic_probabilities=subjects,
    )
