"""Which sets a folder holds for testing, and what their labels mean.

Sets of the table in ``training/sets.py`` are read as it says. Another set is read by its own ``set.toml``

    task = "sentiment"                     # a task of nlu/tasks.py
    lang = "es"
    metric = "macro_f1"                    # one that fits the task (``METRICS``)
    [labels]                               # its label = ours, "yes" or "no", or "" for none of them
    POS = "positive"

or, without one, by its labels, where these are spelt as ours: but only where it is asked for by name, or no set of the
folder is in the table. A set that cannot be read is left out and named. Sentiment is always one of its labels, so rows
whose label is "" are not scored.
"""

from __future__ import annotations

import logging
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from trendlark.errors import InputError
from trendlark.nlu.tasks import TASKS, Kind
from trendlark.training.data import Row, read_file, usable
from trendlark.training.sets import SETS, DataSet

_log = logging.getLogger(__name__)

# The metrics that fit each kind of task.
METRICS: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        "one_of": ("macro_f1", "macro_recall"),
        "many_of": ("macro_f1", "macro_recall", "macro_f1_labels"),
        "yes_no": ("macro_f1", "macro_recall", "f1_yes"),
        "spans": ("entity_f1",),
    }
)
_LANG = re.compile(r"_([a-z]{2})(?:_[a-z]{2})?$")
_COARSE = {
    "PER": ("person",),
    "LOC": ("location",),
    "ORG": ("organization", "group"),
    "MISC": ("misc", "product", "work"),
}


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A set with the rows to be judged and, for rivals that must be taught, the folder of its training file."""

    entry: DataSet
    rows: Sequence[Row]
    folder: Path

    def training_rows(self) -> list[Row]:
        """Return the rows of the set's training file, none where there is no such file."""
        return usable(self.entry, read_file(self.folder / f"{self.entry.file}.jsonl.gz"))


def find_sets(
    data: Path, split: str = "val", only: Sequence[str] = (), limit: int | None = None
) -> list[Benchmark]:
    """Return the sets of ``data`` (a folder of sets, or of one set) that have a file for the split.

    ``only`` names sets or tasks; ``limit`` takes the first rows of each, 1 and more. Raises InputError where nothing is
    left of the folder, or of one of the names.
    """
    if limit is not None and limit < 1:
        raise InputError(f"Found a limit of {limit} rows; allowed is 1 and more, or none. Correct it.")
    name = f"{split}.jsonl.gz"
    data = Path(os.path.abspath(data))  # noqa: PTH100 - a set is known by its folder's name, which "." lacks; links stay
    folders = [data] if (data / name).exists() else sorted(path.parent for path in data.glob(f"*/{name}"))
    stated = any(one.name in SETS or (one / "set.toml").exists() for one in folders)
    found = []
    for folder in folders:
        asked = not stated or folder.name in only
        try:
            rows = read_file(folder / name)
        except InputError as error:
            if asked or folder.name in SETS or (folder / "set.toml").exists():
                raise
            _log.info("%s: left out, because it is in another form: %s", folder.name, error)
            continue
        entry = _entry(folder, rows, guess=asked)
        if entry is None or (only and not {folder.name, entry.task} & set(only)):
            continue
        rows = usable(entry, rows)[:limit]
        if rows:
            found.append(Benchmark(entry, rows, folder))
    missing = set(only).difference(*({one.folder.name, one.entry.task} for one in found))
    if missing or not found:
        wanted = f" of {', '.join(sorted(missing))}" if missing else ""
        raise InputError(
            f"Found no set{wanted} with {name} in {data}; allowed is a folder of sets, or of one, in the form of "
            "docs/training.md. Check the path and --split."
        )
    order = {task: at for at, task in enumerate(TASKS)}
    return sorted(found, key=lambda one: (order[one.entry.task], one.entry.lang != "en", one.entry.name))


def _entry(folder: Path, rows: Sequence[Row], *, guess: bool) -> DataSet | None:
    known = SETS.get(folder.name)
    if (folder / "set.toml").exists():
        return _stated(folder / "set.toml")
    if known is not None:
        if not known.metric:
            _log.info("%s: left out, because training/sets.py gives it no metric", folder.name)
        return known if known.metric else None
    guessed = infer(folder.name, rows)
    if guessed is None:
        _log.info("%s: left out, because its labels are none of ours and it has no set.toml", folder.name)
    elif not guess:
        _log.info("%s: left out, because training/sets.py has no such set; ask for it by name", folder.name)
    return guessed if guess else None


def _stated(path: Path) -> DataSet:
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        task, labels = str(given["task"]), dict(given.get("labels", {}))
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"Could not read {path}: {error!r}. It needs task, lang and [labels], as docs/training.md shows. "
            "Correct the file or remove it."
        ) from error
    if task not in TASKS:
        raise InputError(f"Found task {task!r} in {path}; allowed are {', '.join(TASKS)}. Correct the file.")
    metric, fitting = str(given.get("metric") or _usual_metric(task)), METRICS[TASKS[task].kind]
    if metric not in fitting:
        raise InputError(
            f"Found metric {metric!r} for the task {task} in {path}; allowed for it: {', '.join(fitting)}. "
            "Correct the file."
        )
    entry = _make(path.parent.name, str(given.get("lang", "und")), task, metric, labels)
    _check_labels(path, entry)
    if TASKS[task].kind == "one_of" and (none := [key for key, value in labels.items() if value == ""]):
        _log.info(
            "%s: rows labelled %s are left out, because %s is always one of its labels",
            path.parent.name,
            ", ".join(none),
            task,
        )
    return entry


def _check_labels(path: Path, entry: DataSet) -> None:
    task = TASKS[entry.task]
    found = {*entry.labels.values(), *chain.from_iterable(entry.entities.values())}
    ours = ("yes", "no") if task.kind == "yes_no" else task.labels
    none = "" if task.kind in ("yes_no", "spans") else ', and "" for none of them'
    strange = found.difference(ours, ("",) if none else ())
    if strange or not found.intersection(ours):
        # An empty label has to be seen in the sentence.
        names = ", ".join(sorted(label or '""' for label in strange))
        raise InputError(
            f"Found {f'the labels {names}' if strange else 'none of our labels'} in {path}; allowed for {task.name}: "
            f"{', '.join(ours)}{none}. Correct the file."
        )


def _make(name: str, lang: str, task: str, metric: str, labels: Mapping[str, Any]) -> DataSet:
    if task == "entities":
        types = {
            key: tuple(value) if isinstance(value, list) else (str(value),) for key, value in labels.items()
        }
        return DataSet(name, lang, task, metric=metric, entities=types)
    own = {str(key): str(value) for key, value in labels.items()}
    if TASKS[task].kind == "one_of":
        # There is no answer "none of them" to be right or wrong about.
        own = {key: value for key, value in own.items() if value}
    return DataSet(name, lang, task, own, metric, single=metric != "macro_f1_labels")


def _usual_metric(task: str) -> str:
    usual = {"topics": "macro_f1_labels", "entities": "entity_f1"}
    return usual.get(task, "macro_f1")


def infer(name: str, rows: Sequence[Row]) -> DataSet | None:
    """Return what a set is about by its labels, None where they are not spelt as any of ours."""
    match = _LANG.search(name)
    lang = match[1] if match else "und"
    if any(row.words for row in rows):
        return _infer_entities(name, lang, rows)
    labels = {label for row in rows for label in row.labels}
    many = any(len(row.labels) != 1 for row in rows)
    for task in TASKS.values():
        mapped = _as_ours(task.name, labels)
        if mapped is not None:
            entry = _make(name, lang, task.name, _usual_metric(task.name), mapped)
            return replace(entry, single=False, metric="macro_f1_labels") if many else entry
    return None


def _infer_entities(name: str, lang: str, rows: Sequence[Row]) -> DataSet | None:
    types = {tag[2:] for row in rows for tag in row.tags if tag != "O"}
    own = {label.lower(): (label,) for label in TASKS["entities"].labels}
    table = {one: _COARSE.get(one) or own.get(one.lower()) for one in types}
    known = {one: ours for one, ours in table.items() if ours}
    if not types or set(known) != types:
        return None
    return DataSet(name, lang, "entities", metric="entity_f1", entities=known)


def _as_ours(task: str, labels: set[str]) -> dict[str, str] | None:
    """The mapping of the labels to those of the task, where all of them are its own."""
    if TASKS[task].kind == "spans" or not labels:
        return None
    if TASKS[task].kind == "yes_no":
        plain = {label: re.sub(r"[^a-z]", "", label.lower()) for label in labels}
        answers = {task: "yes", f"not{task}": "no", f"non{task}": "no"}
        if task == "offensive":
            answers |= {"toxic": "yes", "nottoxic": "no"}
        mapped = {label: answers[word] for label, word in plain.items() if word in answers}
    else:
        mapped = {label: label for label in labels if label in TASKS[task].labels}
        if TASKS[task].kind == "many_of":
            mapped |= dict.fromkeys(labels & {"others", "none"}, "")
    return mapped if set(mapped) == labels and set(mapped.values()) != {""} else None
