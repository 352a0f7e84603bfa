"""Steps 5 and 6: choose the best of the seeds, and hold it against the model in service. Needs no PyTorch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from trendlark.errors import InputError
from trendlark.training.sets import SETS

Scores = dict[str, dict[str, float]]
NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A model's metrics by set, and the mean over tasks of its benchmark metrics."""

    model: str
    mean: float
    sets: Scores

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Margins:
    """The gate, in points of 100: what the mean must gain, and what a task or a language may lose."""

    mean_gain: float = 0.0
    task_loss: float = 1.0
    language_loss: float = 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a candidate may replace the model in service, and why not."""

    passed: bool
    reasons: tuple[str, ...] = field(default_factory=tuple)


def choose(evaluations: Sequence[Mapping[str, Any]]) -> Evaluation:
    """Return the evaluation with the best mean; of equals the first by name."""
    if not evaluations:
        raise InputError("Found no trained model to choose from; allowed is one or more seeds. Give a seed.")
    found = [Evaluation(**one) for one in evaluations]
    return min(found, key=lambda one: (-one.mean, one.model))


def weigh(candidate: Evaluation, service: Evaluation, margins: Margins) -> Verdict:
    """Hold a candidate against the model in service: the mean, each task, and each language of a task.

    What was scored on nothing, and what is not a number, passes nowhere.
    """
    if service.model == NOTHING and candidate.sets:
        return Verdict(passed=True, reasons=("nothing is in service",))
    unscored = [one.model for one in (candidate, service) if not one.sets and one.model != NOTHING]
    if unscored:
        return Verdict(passed=False, reasons=(f"no validation set scored {' and '.join(unscored)}",))
    gain = 100 * (candidate.mean - service.mean)
    reasons = []
    # Scores are compared as they are printed: what looks equal is equal. No comparison with not-a-number is true.
    if not round(gain, 2) >= margins.mean_gain:
        reasons.append(f"the mean of tasks gains {gain:+.2f} points; asked for are {margins.mean_gain:+.2f}")
    for name, allowed, keys in _parts(margins):
        ours, theirs = _means(candidate.sets, keys), _means(service.sets, keys)
        for key in theirs:
            lost = 100 * (theirs[key] - ours.get(key, 0.0))
            if not round(lost, 2) <= allowed:
                reasons.append(f"{name} {key} loses {lost:.2f} points; allowed are {allowed:.2f}")
    return Verdict(not reasons, tuple(reasons))


def _parts(margins: Margins) -> Iterable[tuple[str, float, tuple[str, ...]]]:
    yield "the task", margins.task_loss, ("task",)
    yield "the task and language", margins.language_loss, ("task", "lang")


def _means(scores: Scores, keys: tuple[str, ...]) -> dict[str, float]:
    """Return the mean benchmark metric of the sets of each task, or of each task and language."""
    grouped: dict[str, list[float]] = {}
    for key, found in scores.items():
        entry = SETS[key]
        grouped.setdefault(" ".join(getattr(entry, one) for one in keys), []).append(found[entry.metric])
    return {name: float(np.mean(values)) for name, values in grouped.items()}


def by_task_and_language(scores: Scores) -> dict[str, float]:
    """Return the mean benchmark metric by ``task language``."""
    return _means(scores, ("task", "lang"))


def comparison(candidate: Evaluation, service: Evaluation, verdict: Verdict) -> str:
    """Return both models side by side and the verdict, in Markdown."""
    lines = [f"# {'Passed' if verdict.passed else 'Held back'}: {candidate.model}", ""]
    lines += [f"- {reason}" for reason in verdict.reasons]
    lines += ["", f"In service: {service.model}", "", "| task | language | candidate | in service | points |"]
    lines.append("|---|---|---|---|---|")
    theirs = by_task_and_language(service.sets)
    for name, score in sorted(by_task_and_language(candidate.sets).items()):
        beside = (
            f"{100 * theirs[name]:.2f} | {100 * (score - theirs[name]):+.2f}" if name in theirs else "- | -"
        )
        lines.append(f"| {name.replace(' ', ' | ')} | {100 * score:.2f} | {beside} |")
    gain = (
        f"{100 * service.mean:.2f} | {100 * (candidate.mean - service.mean):+.2f}"
        if service.sets
        else "- | -"
    )
    lines.append(f"| mean of tasks | | {100 * candidate.mean:.2f} | {gain} |")
    return "\n".join(lines) + "\n"
