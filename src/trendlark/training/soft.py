"""Soft labels: tweets that no person labelled for a task, with the probabilities that teachers gave them.

One JSON line a tweet, ``{"text", "lang", "set", "chances"}``: ``chances`` hold the probabilities of each task's labels
in the order of ``nlu/tasks.py``. A tweet of a labelled set has none for that set's own task: people said what it is.
``teachers.py`` writes such files, training mixes them in as the sets ``soft_en``, ``soft_es`` and so on.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trendlark.errors import InputError
from trendlark.nlu.tasks import TASKS
from trendlark.training.data import Example, Row, encode
from trendlark.training.model import POOLED_TASKS
from trendlark.training.noise import Noise, noised
from trendlark.training.sets import SOFT_SETS

_DIGITS = 3
# What was written as nothing is less than half of the last digit; only people's labels are certain (``losses.smooth``).
_LEAST = 0.5 * 10**-_DIGITS


@dataclass(frozen=True, slots=True)
class SoftRow:
    """A tweet, its language, the set that it is from, and by task the probabilities [width] of the labels."""

    text: str
    lang: str
    origin: str
    chances: Mapping[str, NDArray[np.float32]]


def write_soft(path: Path, rows: Iterable[SoftRow]) -> None:
    """Write the rows, probabilities to a thousandth."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for row in rows:
            chances = {
                name: [round(float(one), _DIGITS) for one in value] for name, value in row.chances.items()
            }
            record = {"text": row.text, "lang": row.lang, "set": row.origin, "chances": chances}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_soft(path: Path) -> Iterator[SoftRow]:
    """Yield the rows of a file; raises InputError where one is not in the documented form."""
    if not path.exists():
        raise InputError(f"Found no file of soft labels at {path}. Write one with `trendlark teach`.")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield _parse(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputError(
                    f"{path}, line {number}: {error!r}. Allowed are JSON lines with text, lang, set and chances. "
                    "Write the file anew with `trendlark teach`."
                ) from error


def _parse(line: str) -> SoftRow:
    record = json.loads(line)
    chances = {name: np.array(value, np.float32) for name, value in record["chances"].items()}
    for name, value in chances.items():
        if name not in POOLED_TASKS or value.shape != (TASKS[name].width,):
            raise ValueError(f"{name} with {value.size} probabilities")
    return SoftRow(str(record["text"]), str(record["lang"]), str(record["set"]), chances)


def soft_examples(
    path: Path, tokenizer: Tokenizer, noise: Noise, without: Collection[str] = ()
) -> dict[str, list[Example]]:
    """Return the training examples of a file by the sets that recipes know, ``soft_en`` and so on.

    Of the tasks ``without`` nothing is told. Searched words stay: what teachers told is of the whole tweet.
    """
    by_set: dict[str, list[SoftRow]] = {}
    for row in read_soft(path):
        key = f"soft_{row.lang}"
        chances = {task: value for task, value in row.chances.items() if task not in without}
        if key in SOFT_SETS and chances:
            by_set.setdefault(key, []).append(replace(row, chances=chances))
    return {key: _examples(rows, tokenizer, noise) for key, rows in by_set.items()}


def _examples(rows: Sequence[SoftRow], tokenizer: Tokenizer, noise: Noise) -> list[Example]:
    # The teachers read the clean text, the pupil may meet a noisy one (Xie et al. 2020, arXiv:1911.04252).
    clean = [Row(row.text) for row in rows]
    texts = [row.text for row in noised(clean, rows[0].lang, noise.share, noise.seed)]
    return [
        Example(
            ids,
            {name: value.clip(_LEAST, 1 - _LEAST) for name, value in row.chances.items()},
            {name: np.ones_like(value) for name, value in row.chances.items()},
        )
        for ids, row in zip(encode(tokenizer, texts), rows, strict=True)
    ]
