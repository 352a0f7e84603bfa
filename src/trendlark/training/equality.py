"""Whether the 8-bit artefact says what the network says that it was made of, on a thousand tweets.

    python -m trendlark.training.equality --checkpoint OUT/last.pt --model OUT/artefact

The tweets are the project's own: the cases of the behavioural suite and the bundled sample. The network runs in single
precision in PyTorch, the artefact in 8 bits in ONNX Runtime; both at the artefact's temperatures of all languages.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.tasks import TASKS
from trendlark.training import checkpoint
from trendlark.training.behaviour.suite import load_suite
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode
from trendlark.training.predict import build_session, session_predictor
from trendlark.training.scoring import Calibration

COUNT = 1000
# The stated tolerance: of a probability's difference the mean and 99.9 of 100, and the share of answers that stay.
LARGEST_MEAN = 0.01
LARGEST = 0.1
LEAST_SAME = 0.98

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


def thousand_tweets() -> list[str]:
    """Return ``COUNT`` different texts, none of a data set: cases of the suite, then tweets of the sample."""
    cases = (text for one in load_suite() for case in one.cases for text in case.texts)
    sample = (files("trendlark.sources") / "sample" / "tweets.jsonl").read_text(encoding="utf-8")
    tweets = (str(json.loads(line)["text"]) for line in sample.splitlines() if line.strip())
    return list(dict.fromkeys([*cases, *tweets]))[:COUNT]


def compare(state: Checkpoint, model: Path, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return for each task how its probabilities differ (``mean``, ``p999``) and how often the answer is the ``same``.

    The answer is the strongest label, of entities at each token; of labels that exclude nothing, each yes or no.
    """
    ids = encode(state.tokenizer, texts)
    artifact = load_artifact(model)
    ours = session_predictor(build_session(artifact.model_file))(ids)
    calibration = Calibration({name: task.temperature for name, task in artifact.manifest.tasks.items()})
    gaps: dict[str, list[Floats]] = {name: [] for name in TASKS}
    same: dict[str, list[Bools]] = {name: [] for name in TASKS}
    for exact, out in zip(state.predictor(exact=True)(ids), ours, strict=True):
        for name, task in TASKS.items():
            one = calibration.probabilities(name, exact[name])
            other = calibration.probabilities(name, out[name])
            gaps[name].append(np.abs(one - other).ravel())
            several = task.kind in ("many_of", "yes_no")
            equal = (one >= 0.5) == (other >= 0.5) if several else one.argmax(-1) == other.argmax(-1)
            same[name].append(np.atleast_1d(equal))
    return {
        name: {
            "mean": float(np.concatenate(gaps[name]).mean()),
            "p999": float(np.percentile(np.concatenate(gaps[name]), 99.9)),
            "same": float(np.concatenate(same[name]).mean()),
        }
        for name in TASKS
    }


def beyond(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return what is beyond the stated tolerance, one sentence for each task."""
    return [
        f"{name}: probabilities differ by {one['mean']:.4f} in the mean ({LARGEST_MEAN} allowed) and {one['p999']:.3f} "
        f"at most but for one in a thousand ({LARGEST}); {one['same']:.1%} of the answers stay ({LEAST_SAME:.0%})"
        for name, one in found.items()
        if one["mean"] > LARGEST_MEAN or one["p999"] > LARGEST or one["same"] < LEAST_SAME
    ]


def main() -> int:
    """Run from the command line; 1 where something is beyond the tolerance."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = compare(checkpoint.load(given.checkpoint), given.model, thousand_tweets())
    for name, one in found.items():
        sys.stdout.write(f"{name}: mean {one['mean']:.5f}, p99.9 {one['p999']:.4f}, same {one['same']:.2%}\n")
    wrong = beyond(found)
    for line in wrong:
        sys.stdout.write(f"beyond the tolerance: {line}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
