"""Runs the behavioural suite in ``cases/*.toml``, in the manner of CheckList (Ribeiro et al. 2020, arXiv:2005.04118).

A capability holds one of three kinds of tests:

    kind = "expect"    cases = [["a text", "label"], ...]: the answer must be the label; ["text", "a|b"] allows either.
    kind = "same"      cases = [["a text", "another", ...], ...]: all texts must get the same label, and probabilities
                       within 0.2 of each other.
    kind = "rises"     toward = "negative"; cases = [["a text", "another"], ...]: the second must have a higher
                       probability of that label than the first, or nearly all of it (0.9) in both.

In place of cases there may be ``templates`` with ``{x}`` and ``values``: every value in every template for "expect"
(with ``label``), every template once with all its values for "same". The labels are those of the task; of a flag "yes"
and "no"; of entities "name/type" (one that must be found) or "-" (nothing may be found). Emotions are read as the
strongest that is present, or "none".

The cases were written before any model was run on them and are not tuned to one; a case that is wrong is mended for
being wrong, never for being missed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from trendlark.errors import InputError
from trendlark.nlu.analyzer import Analyze
from trendlark.nlu.tasks import TASKS
from trendlark.records import Analysis

WIDEST_SPREAD = 0.2
NEARLY_ALL = 0.9
_SHOWN_FAILURES = 5

Kind = Literal["expect", "same", "rises"]


@dataclass(frozen=True, slots=True)
class Case:
    """The texts of a test and, for "expect", the labels of which one is right."""

    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capability:
    """A group of tests of one kind, task and language (``variety`` is as fine as es-PE)."""

    name: str
    variety: str
    task: str
    kind: Kind
    toward: str
    cases: tuple[Case, ...]

    @property
    def lang(self) -> str:
        """The language without its country."""
        return self.variety.partition("-")[0]


def load_suite() -> list[Capability]:
    """Return all capabilities of the package's cases; raises InputError where a file is not as it should be."""
    folder = files("trendlark.training.behaviour") / "cases"
    found = []
    for path in sorted(folder.iterdir(), key=lambda one: one.name):
        if path.name.endswith(".toml"):
            found += parse_suite(path.read_text(encoding="utf-8"), path.name)
    return found


def parse_suite(text: str, name: str) -> list[Capability]:
    """Return the capabilities of a file."""
    try:
        return [_parse(given) for given in tomllib.loads(text)["capability"]]
    except (tomllib.TOMLDecodeError, LookupError, ValueError, TypeError) as error:
        raise InputError(
            f"Found cases in {name} that cannot be read: {error!r}. Allowed is what behaviour/suite.py "
            "tells. Correct the file."
        ) from error


def _parse(given: dict[str, Any]) -> Capability:
    kind, task = given["kind"], str(given["task"])
    if kind not in ("expect", "same", "rises") or task not in TASKS:
        raise ValueError(f"kind {kind!r} or task {task!r}")
    cases = tuple(_cases(given, kind))
    for case in cases:
        if len(case.texts) < (1 if kind == "expect" else 2):
            raise ValueError(f"too few texts: {case.texts}")
        strange = [label for label in case.labels if not _allowed(task, label)]
        if strange or (kind == "expect" and not case.labels):
            raise ValueError(f"{case.texts[0]!r} has labels {strange or 'none'}")
    toward = str(given.get("toward", ""))
    if kind == "rises" and toward not in (*TASKS[task].labels, "yes"):
        raise ValueError(f"toward {toward!r}")
    return Capability(str(given["name"]), str(given["lang"]), task, kind, toward, cases)


def _cases(given: dict[str, Any], kind: Kind) -> list[Case]:
    written = [
        Case((row[0],), tuple(row[1].split("|"))) if kind == "expect" else Case(tuple(row))
        for row in given.get("cases", [])
    ]
    for template in given.get("templates", []):
        texts = tuple(template.replace("{x}", value) for value in given["values"])
        if kind == "expect":
            written += [Case((text,), tuple(given["label"].split("|"))) for text in texts]
        else:
            written.append(Case(texts))
    return written


def _allowed(task: str, label: str) -> bool:
    kind = TASKS[task].kind
    if kind == "yes_no":
        return label in ("yes", "no")
    if kind == "spans":
        return label == "-" or label.rpartition("/")[2] in TASKS[task].labels
    return label in TASKS[task].labels or (kind == "many_of" and label == "none")


def run_suite(analyzer: Analyze, suite: Sequence[Capability]) -> dict[str, Any]:
    """Return ``passed`` and ``cases`` in all and by capability, language and task, with the first failures of each."""
    texts = list(dict.fromkeys(text for one in suite for case in one.cases for text in case.texts))
    said = dict(zip(texts, analyzer.analyze(texts), strict=True))
    groups: dict[tuple[str, str, str, str], dict[str, Any]] = {}
    for one in suite:
        row = groups.setdefault(
            (one.name, one.variety, one.task, one.kind), {"passed": 0, "cases": 0, "failures": []}
        )
        for case in one.cases:
            answers = [said[text] for text in case.texts]
            row["cases"] += 1
            if passes(one, case, answers):
                row["passed"] += 1
            elif len(row["failures"]) < _SHOWN_FAILURES:
                told = [describe(one.task, answer) for answer in answers]
                row["failures"].append(
                    {"texts": list(case.texts), "expected": "|".join(case.labels), "said": told}
                )
    rows = [
        {"capability": name, "lang": variety, "task": task, "kind": kind, **row}
        for (name, variety, task, kind), row in groups.items()
    ]
    total = {
        "passed": sum(row["passed"] for row in rows),
        "cases": sum(row["cases"] for row in rows),
    }
    return {**total, "capabilities": rows}


def passes(capability: Capability, case: Case, answers: Sequence[Analysis]) -> bool:
    """Return whether the answers to a case's texts are as its kind demands."""
    task = capability.task
    if capability.kind == "expect":
        return any(_says(task, answers[0], label) for label in case.labels)
    if capability.kind == "same":
        probabilities = [_probabilities(task, answer) for answer in answers]
        spread = max(max(column) - min(column) for column in zip(*probabilities, strict=True))
        return len({describe(task, answer) for answer in answers}) == 1 and spread <= WIDEST_SPREAD
    at = 0 if TASKS[task].kind == "yes_no" else TASKS[task].labels.index(capability.toward)
    first, second = (_probabilities(task, answer)[at] for answer in answers)
    return second > first or min(first, second) >= NEARLY_ALL


def describe(task: str, analysis: Analysis) -> str:
    """Return what an analysis says of a task, in the words of the cases."""
    kind = TASKS[task].kind
    if kind == "yes_no":
        return "yes" if getattr(analysis, task).value else "no"
    if kind == "one_of":
        return analysis.sentiment.label
    if kind == "spans":
        return ", ".join(f"{one.text}/{one.type}" for one in analysis.entities) or "-"
    if task == "topics":
        return analysis.topics[0].label if analysis.topics else "none"
    return analysis.emotions_present[0] if analysis.emotions_present else "none"


def _says(task: str, analysis: Analysis, label: str) -> bool:
    if TASKS[task].kind == "spans":
        if label == "-":
            return not analysis.entities
        return label in {f"{one.text}/{one.type}" for one in analysis.entities}
    if task == "topics":
        return label in {one.label for one in analysis.topics} or (label == "none" and not analysis.topics)
    return describe(task, analysis) == label


def _probabilities(task: str, analysis: Analysis) -> list[float]:
    kind = TASKS[task].kind
    if kind == "yes_no":
        return [getattr(analysis, task).probability]
    if kind == "spans":
        return [0.0]
    given = {
        "sentiment": analysis.sentiment.probabilities,
        "emotions": analysis.emotions,
        "topics": analysis.topic_probabilities,
    }[task]
    return [given[label] for label in TASKS[task].labels]
