"""Fit the n-grams beside a network (``ngrams.py``), as loud in each task and language as validation says.

    python -m trendlark.training.wide --checkpoint FILE.pt --data DATA --out FILE.pt
    python -m trendlark.training.wide --checkpoint FOLDER --data DATA --out FILE.pt     # of an artefact

Logistic regressions learn from the training files alone. They are worse than the network and err elsewhere; where it
is no likelier to be right with them they keep silent.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from os import cpu_count
from pathlib import Path
from typing import Any

import numpy as np

from trendlark.nlu.tasks import TASKS
from trendlark.training import checkpoint
from trendlark.training.calibrate import ENOUGH_ROWS, Sample, fit_temperature, sample_loss, validation_samples
from trendlark.training.centre import centre
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import Row, encode
from trendlark.training.dequantise import from_artifact
from trendlark.training.examples import emoji_labels
from trendlark.training.export import exact_graph
from trendlark.training.linear import Sets, grouped, regress, truth
from trendlark.training.model import POOLED_TASKS
from trendlark.training.ngrams import WIDTHS, NGrams, features, piece_hashes
from trendlark.training.predict import Floats, build_session, session_predictor

_log = logging.getLogger(__name__)

ROWS = 2**16
# The inverse strength of regularisation: of 4, 16 and 64 the one with the least loss (decision 82).
_FREEDOM = 16.0
# How loud they may be beside the network's raw logits.
_SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.4, 2.0)
# What they must take off the loss to be heard: less is chance.
_LEAST_GAIN = 0.001
# Their training tweets were gathered by words, which n-grams learn first and other tweets have for other reasons.
_LEFT_ALONE = ("irony", "hate")
# Texts of a language to know it by; what is no language with a voice is known, too, as "".
_TEXTS = 6000
_OTHER = ""

Key = tuple[str, str]
Answers = tuple[Floats, Floats]


def attach(state: Checkpoint, data: Path, rows: int = ROWS, seed: int = 0) -> Checkpoint:
    """Return the checkpoint with n-grams that help it on the validation files of ``data``, instead of those it had.

    ``rows`` of the table are a power of two.
    """
    return replace(state, ngrams=_fit(replace(state, ngrams=None), data, rows, seed))


def _fit(state: Checkpoint, data: Path, rows: int, seed: int) -> NGrams | None:
    pieces = piece_hashes(state.tokenizer)

    def read(given: Sequence[Row]) -> Any:
        return features(pieces, encode(state.tokenizer, [row.text for row in given]), rows)

    def learn(key: Key) -> Answers:
        own = [row for _, some in groups[key] for row in some]
        return regress(read(own), *truth(groups[key]), _FREEDOM)

    # The graph, as bfloat16 is slow on CPUs that do not know it.
    network = session_predictor(build_session(exact_graph(state)))
    groups = grouped(data, seed)
    samples = _by_key(validation_samples(network, state.tokenizer, data))
    keys = [key for key in sorted(set(groups) & set(samples)) if _may_speak(key, samples[key])]
    with ThreadPoolExecutor(cpu_count()) as threads:
        learnt = dict(zip(keys, threads.map(learn, keys), strict=True))
    voices = {}
    for key in keys:
        weights, bias = learnt[key]
        said = [np.asarray(read(one.scored.rows) @ weights + bias) for one in samples[key]]
        if share := _choose(key, samples[key], said):
            voices[key] = (share * weights, share * bias)
    return _table(pieces, voices, _tongues(groups, voices, read)) if voices else None


def _may_speak(key: Key, samples: Sequence[Sample]) -> bool:
    """Say whether n-grams of a task and language are fitted at all."""
    many = sum(len(one.scored.rows) for one in samples)
    why = ""
    if key[0] in _LEFT_ALONE:
        why = "its tweets were gathered by words"
    elif many < ENOUGH_ROWS:
        # Without thresholds of its own a language would be read by those of others, who are shifted otherwise.
        why = f"{many} tweets of validation are fewer than {ENOUGH_ROWS}"
    if why:
        _log.info("n-grams of %s (%s): none, because %s", *key, why)
    return not why


def _by_key(samples: Sequence[Sample]) -> dict[Key, list[Sample]]:
    found: dict[Key, list[Sample]] = {}
    for one in samples:
        found.setdefault((one.scored.entry.task, one.scored.entry.lang), []).append(one)
    return found


def _choose(key: Key, samples: Sequence[Sample], said: Sequence[Floats]) -> float:
    """Return the share of what the n-grams said at which validation is likeliest, each at its best temperature."""
    losses = {}
    for share in _SHARES:
        both = [
            Sample(one.scored, one.logits + share * more) for one, more in zip(samples, said, strict=True)
        ]
        losses[share] = sample_loss(key[0], both, fit_temperature(key[0], both))
    best = min(losses, key=lambda share: losses[share])
    if losses[best] > losses[0.0] - _LEAST_GAIN:
        best = 0.0
    _log.info(
        "n-grams of %s (%s): share %.1f, because the loss on validation is %.4f without and %.4f with them",
        *key,
        best,
        losses[0.0],
        losses[best],
    )
    return best


def _tongues(
    groups: Mapping[Key, Sets], voices: Mapping[Key, Answers], read: Any
) -> tuple[list[str], Answers]:
    """Return the languages to be told apart, and what tells them."""
    spoken = sorted({lang for _, lang in voices})
    texts: dict[str, list[Row]] = {lang: [] for lang in [*spoken, _OTHER]}
    for (_, lang), sets in groups.items():
        for _, rows in sets:
            texts[lang if lang in spoken else _OTHER] += rows[:_TEXTS]
    known = [lang for lang in texts if texts[lang]]
    # Some of each set of a language.
    few = {lang: texts[lang][:: max(1, len(texts[lang]) // _TEXTS)] for lang in known}
    values = np.repeat(np.eye(len(known), dtype=np.float32), [len(few[lang]) for lang in known], axis=0)
    all_texts = [text for lang in known for text in few[lang]]
    return known, regress(read(all_texts), values, np.ones_like(values, bool), _FREEDOM)


def _table(pieces: Any, voices: Mapping[Key, Answers], tongues: tuple[list[str], Answers]) -> NGrams:
    langs, (tongue_weights, tongue_bias) = tongues
    *starts, total = np.cumsum([0, *WIDTHS])
    first = dict(zip(POOLED_TASKS, starts, strict=True))
    weights, bias = [tongue_weights], [tongue_bias]
    owners: list[int] = []
    labels: list[int] = []
    for (task, lang), own in voices.items():
        weights.append(own[0])
        bias.append(own[1])
        owners += [langs.index(lang)] * TASKS[task].width
        labels += range(first[task], first[task] + TASKS[task].width)
    return NGrams(
        pieces,
        np.concatenate(weights, axis=1),
        np.concatenate(bias),
        np.eye(len(langs), dtype=np.float32)[:, owners],
        np.eye(total, dtype=np.float32)[labels],
    )


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    began = time.monotonic()
    if given.checkpoint.suffix == ".pt":
        state = checkpoint.load(given.checkpoint)
    else:
        state = from_artifact(given.checkpoint, emoji_labels(given.data))
    state = attach(state, given.data)
    centre(state, given.data)
    # Of an artefact all that was done is in its history, so this is a stage of its own.
    state.more.setdefault("seconds", time.monotonic() - began)
    state.more["recipe"] = {"name": "wide"} | state.more.get("recipe", {}) | {"ngrams": ROWS}
    state.save(given.out)


if __name__ == "__main__":
    main()
