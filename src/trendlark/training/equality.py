"""Whether the 8-bit artefact says what the network says that it was made of, on a thousand tweets.

    python -m trendlark.training.equality --checkpoint OUT/last.pt --model OUT/artefact [--record]

The tweets are the project's own: the cases of the behavioural suite and the bundled sample. The network runs in single
precision in PyTorch, the artefact in 8 bits in ONNX Runtime; both are read as the artefact is served, at the
temperatures and thresholds of each text's language. ``--record`` writes the figures into the artefact's manifest and
card.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trendlark.nlu.artifact import TaskManifest, load_artifact
from trendlark.nlu.language import detect
from trendlark.nlu.tasks import TASKS
from trendlark.training import checkpoint
from trendlark.training.behaviour.suite import load_suite
from trendlark.training.card import add_equality
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode
from trendlark.training.predict import build_session, session_predictor
from trendlark.training.scoring import Calibration

COUNT = 1000
# The stated tolerance: of a probability's difference the mean and 99.9 of 100, and the share of answers that stay.
LARGEST_MEAN = 0.01
LARGEST = 0.1
LEAST_SAME = 0.98
_DIGITS = 5

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Found = Mapping[str, Mapping[str, float]]


def thousand_tweets() -> list[str]:
    """Return ``COUNT`` different texts, none of a data set: cases of the suite, then tweets of the sample."""
    cases = (text for one in load_suite() for case in one.cases for text in case.texts)
    sample = (files("trendlark.sources") / "sample" / "tweets.jsonl").read_text(encoding="utf-8")
    tweets = (str(json.loads(line)["text"]) for line in sample.splitlines() if line.strip())
    return list(dict.fromkeys([*cases, *tweets]))[:COUNT]


def compare(state: Checkpoint, model: Path, texts: Sequence[str]) -> Found:
    """Return for each task how its probabilities differ (``mean``, ``p999``) and how often the answer is the ``same``.

    Answers are those that the artefact gives to users: at the temperature of the text's language, of one label the one
    furthest above its threshold, of labels that exclude nothing whether each reaches its own; of entities the strongest
    tag of each token.
    """
    ids = encode(state.tokenizer, texts)
    artifact = load_artifact(model)
    ours = session_predictor(build_session(artifact.model_file))(ids)
    gaps: dict[str, list[Floats]] = {name: [] for name in TASKS}
    same: dict[str, list[Bools]] = {name: [] for name in TASKS}
    for text, exact, out in zip(texts, state.predictor(exact=True)(ids), ours, strict=True):
        lang = detect(text)
        for name in TASKS:
            task = artifact.manifest.tasks[name]
            chances = [_chances(task, lang, name, logits[name]) for logits in (exact, out)]
            gaps[name].append(np.abs(chances[0] - chances[1]).ravel())
            one, other = (_answers(task, lang, own) for own in chances)
            same[name].append(np.atleast_1d(one == other))
    return {
        name: {
            "mean": float(np.concatenate(gaps[name]).mean()),
            "p999": float(np.percentile(np.concatenate(gaps[name]), 99.9)),
            "same": float(np.concatenate(same[name]).mean()),
        }
        for name in TASKS
    }


def _chances(task: TaskManifest, lang: str, name: str, logits: Floats) -> Floats:
    return Calibration({name: task.calibration(lang).temperature}).probabilities(name, logits)


def _answers(task: TaskManifest, lang: str, chances: Floats) -> NDArray[Any]:
    """Return what is said for these probabilities [..., labels]: labels by their numbers, or yes or no of each."""
    stated = task.calibration(lang).thresholds
    if task.kind == "spans" or not stated:
        return np.asarray(chances.argmax(-1))
    thresholds = np.array([stated[label] for label in task.labels])
    if task.kind == "one_of":
        return np.asarray((chances / thresholds).argmax(-1))
    return np.asarray(chances >= thresholds)


def stated(found: Found, texts: int) -> dict[str, Any]:
    """Return what a manifest says of the comparison over so many texts."""
    return {
        "texts": texts,
        "allowed": {"mean": LARGEST_MEAN, "p999": LARGEST, "same": LEAST_SAME},
        "equal": not beyond(found),
        "tasks": {
            name: {figure: round(value, _DIGITS) for figure, value in one.items()}
            for name, one in found.items()
        },
    }


def beyond(found: Found) -> list[str]:
    """Return what is beyond the stated tolerance, one sentence for each task."""
    return [
        f"{name}: probabilities differ by {one['mean']:.4f} in the mean ({LARGEST_MEAN} allowed) and {one['p999']:.3f} "
        f"at most but for one in a thousand ({LARGEST}); {one['same']:.1%} of the answers stay ({LEAST_SAME:.0%})"
        for name, one in found.items()
        # Not-a-number is beyond everything.
        if not (one["mean"] <= LARGEST_MEAN and one["p999"] <= LARGEST and one["same"] >= LEAST_SAME)
    ]


def main() -> int:
    """Run from the command line; 1 where something is beyond the tolerance."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument(
        "--record", action="store_true", help="write the figures into the artefact's manifest and card"
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    texts = thousand_tweets()
    found = compare(checkpoint.load(given.checkpoint), given.model, texts)
    for name, one in found.items():
        sys.stdout.write(f"{name}: mean {one['mean']:.5f}, p99.9 {one['p999']:.4f}, same {one['same']:.2%}\n")
    wrong = beyond(found)
    for line in wrong:
        sys.stdout.write(f"beyond the tolerance: {line}\n")
    if given.record:
        sys.stdout.write(f"recorded in {add_equality(given.model, stated(found, len(texts)))}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
