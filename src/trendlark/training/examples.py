"""The training examples of a folder of sets."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from trendlark.errors import InputError
from trendlark.training.data import (
    RARITY,
    Example,
    Row,
    encode,
    fingerprint,
    label_shares,
    make_examples,
    read_file,
    read_rows,
    validation_fingerprints,
)
from trendlark.training.noise import Noise
from trendlark.training.sets import EMOJI_SETS, SETS

_log = logging.getLogger(__name__)


def load_examples(
    data: Path,
    tokenizer: Tokenizer,
    emoji: Sequence[str],
    noise: Noise | None = None,
    rarity: float = RARITY,
) -> dict[str, list[Example]]:
    """Return the training examples of every set that ``data`` holds, by set, changed as the noise says.

    A label weighs its rarity in its set to the power ``rarity``.
    """
    kept_out = validation_fingerprints(data)
    _log.info("class weights: a label weighs its rarity to the power %s, because the recipe says so", rarity)
    found: dict[str, list[Example]] = {}
    for key, entry in SETS.items():
        rows = read_rows(data, entry, "train")
        fresh = [row for row in rows if fingerprint(row.text) not in kept_out]
        if not rows:
            _log.warning("%s: no training file, left out", key)
            continue
        read = noise.change(fresh, entry.lang, entry.name) if noise else fresh
        found[key] = make_examples(read, entry, tokenizer, rarity)
        _log.info(
            "%s (%s, %s): %d examples (%s), %d rows dropped because validation holds their text",
            key,
            entry.lang,
            entry.task,
            len(found[key]),
            label_shares(fresh),
            len(rows) - len(fresh),
        )
    for name in EMOJI_SETS if emoji else ():
        rows = read_file(data / name / "train.jsonl.gz")
        if rows:
            found[name] = _emoji_examples(rows, tokenizer, emoji)
            _log.info("%s (auxiliary emoji head): %d examples", name, len(found[name]))
    if not found:
        raise InputError(
            f"No training set lies in {data}. Allowed are the folders {', '.join(SETS)}. "
            "Give the folder that holds them."
        )
    return found


def emoji_labels(data: Path) -> tuple[str, ...]:
    """Return the labels of the auxiliary emoji sets, sorted."""
    labels = {row.labels[0] for name in EMOJI_SETS for row in read_file(data / name / "train.jsonl.gz")}
    return tuple(sorted(labels))


def _emoji_examples(rows: Sequence[Row], tokenizer: Tokenizer, emoji: Sequence[str]) -> list[Example]:
    own = {row.labels[0] for row in rows}
    allowed = np.array([sign in own for sign in emoji])
    index = {sign: at for at, sign in enumerate(emoji)}
    # The sets' own placeholders for what they took out would be words of no language.
    texts = [row.text.replace("_emo", " ").replace("_nums", "1") for row in rows]
    ids = encode(tokenizer, texts)
    return [
        Example(one, emoji=index[row.labels[0]], emoji_allowed=allowed)
        for one, row in zip(ids, rows, strict=True)
    ]
