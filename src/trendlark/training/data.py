"""From folders of labelled tweets to token ids and targets, and from these to batches.

The folder has one sub-folder for each set with ``train.jsonl.gz`` and ``val.jsonl.gz``: JSON lines
``{"text", "label"}``, ``{"text", "labels"}`` or, for entities, ``{"tokens", "tags"}`` with BIO tags. Which set
supervises what is said in ``sets.py``. Training rows whose text stands in a validation file that is scored
are left out.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trendlark.errors import InputError
from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.nlu.text import normalise
from trendlark.training.model import MAX_TOKENS
from trendlark.training.sets import SETS, DataSet

_log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

NO_CHOICE, CLOSED_CHOICE, CHOICE_OR_NONE = 0, 1, 2
# A square root: rare labels count more, and do not count for all (docs/model-log.md has what it gives).
RARITY = 0.5
_LARGEST_CLASS_WEIGHT = 3.0
# Share of positives at which a label of a many-of task needs no help.
_COMMON_SHARE = 0.15

_TEXTS_OF_A_SET = 120


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a set: its text, its labels in the set's words, and for entities its words with tags."""

    text: str
    labels: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Example:
    """One text for training: ids, and for each task it supervises the values and their weights (0 masks).

    Of ``raw`` texts words are blanked and guessed.
    """

    ids: list[int]
    values: dict[str, Floats] = field(default_factory=dict)
    weights: dict[str, Floats] = field(default_factory=dict)
    choice: int = NO_CHOICE
    allowed_tags: Bools | None = None
    emoji: int = -1
    emoji_allowed: Bools | None = None
    raw: bool = False


def read_rows(data: Path, entry: DataSet, split: str) -> list[Row]:
    """Return the rows of a set's split, or an empty list where the set has no such file."""
    stem = entry.file if split == "train" else split
    return read_file(data / entry.name / f"{stem}.jsonl.gz") if split in ("train", "val") else []


def read_file(path: Path, limit: int | None = None) -> list[Row]:
    """Return the (first) rows of a file in the documented form, none where there is no such file; raises InputError."""
    return list(islice(_read(path), limit))


def _read(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    for number, line in enumerate(_lines(path), 1):
        try:
            yield _parse(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number}: {error!r}. Allowed are JSON lines with text and label, text and "
                "labels, or tokens and BIO tags. Correct the line or remove it."
            ) from error


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from lines
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(
            f"Could not read {path} to its end ({error}). Allowed is a whole gzipped file in UTF-8. Copy it again."
        ) from error


def _parse(record: Mapping[str, Any]) -> Row:
    if "tokens" in record:
        words = tuple(str(word) for word in record["tokens"])
        tags = tuple(str(tag) for tag in record["tags"])
        if len(words) != len(tags):
            raise ValueError(f"{len(words)} tokens and {len(tags)} tags")
        strange = [tag for tag in tags if tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:])]
        if strange:
            raise ValueError(f"{strange[0]!r} is no BIO tag")
        return Row(" ".join(words), words=words, tags=tags)
    labels = record["labels"] if "labels" in record else [record["label"]]
    if not isinstance(labels, list) or record["text"] is None:
        raise TypeError("no list of labels" if record["text"] is not None else "no text")
    return Row(str(record["text"]), tuple(str(label) for label in labels))


def usable(entry: DataSet, rows: Sequence[Row]) -> list[Row]:
    """Return the rows that say something of our labels; where there may be several, none at all says so, too."""
    if entry.task == "entities":
        return [row for row in rows if row.words]
    return [
        row
        for row in rows
        if any(label in entry.labels for label in row.labels)
        or (not entry.single and not row.labels and not row.words)
    ]


def digest(folder: Path, file: str = "train") -> str:
    """Return the SHA-256 of a set's files in its folder: the training file, then ``val`` where there is one."""
    total = hashlib.sha256()
    for stem in (file, "val"):
        path = folder / f"{stem}.jsonl.gz"
        if path.exists():
            total.update(path.read_bytes())
    return total.hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int = MAX_TOKENS) -> list[list[int]]:
    """Return token ids of the normalised texts, cut to ``max_tokens`` with the closing token kept."""
    encodings = tokenizer.encode_batch([normalise(text).text for text in texts])
    return [cut(encoding.ids, max_tokens) for encoding in encodings]


def cut(ids: list[int], max_tokens: int) -> list[int]:
    """Return the ids, cut to ``max_tokens`` with the closing token kept."""
    return ids if len(ids) <= max_tokens else [*ids[: max_tokens - 1], ids[-1]]


def fingerprint(text: str) -> str:
    """Return the text without case, mentions, links and white space, for finding duplicates."""
    return "".join(normalise(text).text.lower().replace("@user", "").replace("http", "").split())


def label_shares(rows: Sequence[Row]) -> str:
    """Return the share of rows that have each label (or entity type), most frequent first, for people."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update({*row.labels, *(tag[2:] for tag in row.tags if tag != "O")})
    total = max(1, len(rows))
    return ", ".join(f"{label} {100 * count / total:.0f} %" for label, count in counts.most_common())


def validation_fingerprints(data: Path) -> set[str]:
    """Return the fingerprints of all texts of the validation files that are scored."""
    rows = (row for entry in SETS.values() if entry.metric for row in read_rows(data, entry, "val"))
    return {fingerprint(row.text) for row in rows}


def some_texts(data: Path) -> list[str]:
    """Return the first validation tweets of every set that is scored, to measure on."""
    return [
        row.text
        for entry in SETS.values()
        if entry.metric
        for row in islice(read_rows(data, entry, "val"), _TEXTS_OF_A_SET)
    ]


def make_examples(
    rows: Sequence[Row], entry: DataSet, tokenizer: Tokenizer, rarity: float = RARITY
) -> list[Example]:
    """Return the examples of a set; rows that say nothing of our labels are left out.

    A label weighs its rarity to the power ``rarity``, 0 for as much as any other.
    """
    if entry.task == "entities":
        return [entity_example(row, entry, tokenizer) for row in rows]
    rows = usable(entry, rows)
    ids = encode(tokenizer, [row.text for row in rows])
    values = [our_values(row, entry) for row in rows]
    weights = _class_weights(np.stack(values), entry, rarity) if values else []
    examples = [
        Example(one, {entry.task: value}, {entry.task: weight}, _choice(entry))
        for one, value, weight in zip(ids, values, weights, strict=True)
    ]
    for row, example in zip(rows, examples, strict=True):
        if entry.hate:
            example.values["hate"] = np.array([entry.hate[row.labels[0]] == "yes"], np.float32)
            example.weights["hate"] = np.full(1, 0.5, np.float32)
    return examples


def our_values(row: Row, entry: DataSet) -> Floats:
    """Return a row's labels as values [width] of the set's task: 1 for those it has, 0 for all others."""
    mapped = {entry.labels[label] for label in row.labels if label in entry.labels}
    task = TASKS[entry.task]
    if task.kind == "yes_no":
        return np.array(["yes" in mapped], np.float32)
    return np.array([label in mapped for label in task.labels], np.float32)


def _choice(entry: DataSet) -> int:
    if TASKS[entry.task].kind != "many_of" or not entry.single:
        return NO_CHOICE
    return CHOICE_OR_NONE if "" in entry.labels.values() else CLOSED_CHOICE


def _class_weights(values: Floats, entry: DataSet, power: float) -> list[Floats]:
    """Weights of each element: 0 where the set is silent, more for rare labels (rarity to the power)."""
    task = TASKS[entry.task]
    shares = values.mean(0)
    if task.kind == "one_of":
        annotated = np.array([label in entry.annotated for label in task.labels], np.float32)
        mean = 1.0 / max(1.0, float((shares > 0).sum()))
        rarity = (mean / np.maximum(shares, 1e-6)) ** power
        rarity = rarity.clip(1 / _LARGEST_CLASS_WEIGHT, _LARGEST_CLASS_WEIGHT)
        return [(annotated * float((rarity * value).sum())).astype(np.float32) for value in values]
    if task.kind == "yes_no":
        yes = ((0.5 / np.maximum(shares, 1e-6)) ** power).clip(0.5, _LARGEST_CLASS_WEIGHT)
        no = ((0.5 / np.maximum(1 - shares, 1e-6)) ** power).clip(0.5, _LARGEST_CLASS_WEIGHT)
        return [np.where(value > 0, yes, no).astype(np.float32) for value in values]
    annotated = np.array([label in entry.annotated for label in task.labels], np.float32)
    rarity = ((_COMMON_SHARE / np.maximum(shares, 1e-6)) ** power).clip(1.0, _LARGEST_CLASS_WEIGHT)
    return [(annotated * np.where(value > 0, rarity, 1.0)).astype(np.float32) for value in values]


def tag_table(entry: DataSet) -> dict[str, Bools]:
    """Return, for each tag of the set, which of our tags it may stand for.

    "O" also allows the types that the set does not annotate; a coarse type allows each of its finer ones.
    """
    tags = entity_tags()
    silent = [label for label in TASKS["entities"].labels if label not in entry.annotated]
    outside = {"O", *(f"{part}-{label}" for label in silent for part in "BI")}
    table = {"O": np.array([tag in outside for tag in tags])}
    for theirs, ours in entry.entities.items():
        for part in "BI":
            table[f"{part}-{theirs}"] = np.array(
                [tag in {f"{part}-{label}" for label in ours} for tag in tags]
            )
    return table


@dataclass(frozen=True, slots=True)
class WordPieces:
    """Token ids of a text given as words, and for each token the word that it is of (-1 for none)."""

    ids: list[int]
    words: list[int]
    starts: list[bool]


def encode_words(tokenizer: Tokenizer, words: Sequence[str], max_tokens: int = MAX_TOKENS) -> WordPieces:
    """Encode words joined by spaces; ``starts`` marks the first token of a word (after its "#", if any)."""
    raw = " ".join(words)
    begins, at = [], 0
    for word in words:
        begins.append(at)
        at += len(word) + 1
    normalised = normalise(raw)
    encoding = tokenizer.encode(normalised.text)
    owners, starts, seen = [], [], -1
    for first, last in encoding.offsets:
        owner = -1
        if first < last:
            owner = bisect_right(begins, normalised.span(first, last)[0]) - 1
            if normalised.text[first:last] == "#" and len(words[owner]) > 1:
                owner = -1
        starts.append(owner != seen and owner >= 0)
        seen = owner if owner >= 0 else seen
        owners.append(owner)
    if len(owners) > max_tokens:
        owners = [*owners[: max_tokens - 1], -1]
        starts = [*starts[: max_tokens - 1], False]
    return WordPieces(cut(encoding.ids, max_tokens), owners, starts)


def entity_example(row: Row, entry: DataSet, tokenizer: Tokenizer) -> Example:
    """Return the example of a tagged row: every piece of a word is supervised, later pieces as inside."""
    table = tag_table(entry)
    pieces = encode_words(tokenizer, row.words)
    allowed = np.ones((len(pieces.ids), len(entity_tags())), bool)
    for at, (owner, start) in enumerate(zip(pieces.words, pieces.starts, strict=True)):
        if owner < 0:
            continue
        tag = row.tags[owner]
        if tag not in table:
            raise InputError(
                f"{entry.name}: tag {tag!r} is unknown. Allowed are {', '.join(table)}. "
                "Add it to the set's row in training/sets.py."
            )
        allowed[at] = table[tag if start or tag == "O" else f"I-{tag[2:]}"]
    return Example(pieces.ids, allowed_tags=allowed)
