"""Step 7: the artefact of the chosen run, held against the framework before anybody may publish it."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trendlark import __version__
from trendlark.errors import ModelError
from trendlark.nlu.artifact import load_artifact
from trendlark.training import checkpoint, equality, export
from trendlark.training.card import add_equality
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode
from trendlark.training.predict import build_session, session_predictor
from trendlark.training.steps.claim import Claim, write_whole
from trendlark.training.steps.learn import CHECKPOINT_FILE, data_of

_log = logging.getLogger(__name__)

SHIPPED_FILE = "shipped.json"

_TEXTS = 200
# A graph in single precision does the same sums in another order; this is in logits.
_EXACT = 1e-3


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the exported graphs are from the framework on the project's own tweets.

    ``exact`` is the largest difference of a logit in single precision; ``tasks`` tells of the 8-bit graph, by task,
    how its probabilities differ (``mean``, ``p999``) and how often the answer is the ``same``, over ``texts`` tweets.
    """

    exact: float
    tasks: Mapping[str, Mapping[str, float]]
    texts: int = _TEXTS


def ship(claim: Claim, run: str, name: str, tolerance: float, limit: int = 0) -> tuple[Path, Difference]:
    """Write the run's artefact and return its folder, or raise ModelError where it differs from the framework.

    ``tolerance`` is the largest mean difference of a probability that the 8-bit graph may have in any task. The
    comparison is over a fifth of the tweets of ``equality.py``, so that it takes seconds; manifest and card say so.
    What the same code has exported before is compared again, not made again: a model's version is its content, and an
    artefact says when it was made.
    """
    data, folder = claim.data(data_of(claim, run)), claim.run(run)
    target = folder / "artefact"
    asked = {"name": name, "limit": limit, "version": __version__, "commit": export.commit()}
    if _is_made(folder, asked):
        _log.info("export: %s is made, nothing to export", target)
        found = compare(checkpoint.load(folder / CHECKPOINT_FILE), target)
        _check(found, tolerance)
        return target, found
    with tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-") as scratch:
        part = export.run(
            folder / CHECKPOINT_FILE, data, Path(scratch) / "artefact", name, limit=limit or None
        )
        found = compare(checkpoint.load(folder / CHECKPOINT_FILE), part)
        _check(found, tolerance)
        add_equality(part, equality.stated(found.tasks, found.texts))
        # Cut off from here on, nothing says what the artefact was made by.
        (folder / SHIPPED_FILE).unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    write_whole(folder / SHIPPED_FILE, asked)
    return target, found


def _is_made(folder: Path, asked: Mapping[str, Any]) -> bool:
    try:
        load_artifact(folder / "artefact")
        return bool(json.loads((folder / SHIPPED_FILE).read_bytes()) == asked)
    except (OSError, ValueError, ModelError):
        return False


def compare(state: Checkpoint, artefact: Path, texts: int = _TEXTS) -> Difference:
    """Run the checkpoint in PyTorch, and both graphs in ONNX Runtime, over tweets of no data set."""
    tweets = equality.thousand_tweets()[:: max(1, equality.COUNT // texts)]
    exact = _exact(state, encode(state.tokenizer, tweets))
    return Difference(exact, equality.compare(state, artefact, tweets), len(tweets))


def _exact(state: Checkpoint, ids: list[list[int]]) -> float:
    single = session_predictor(build_session(export.exact_graph(state)))(ids)
    largest = 0.0
    for out, other in zip(state.predictor(exact=True)(ids), single, strict=True):
        gaps = [np.abs(out[name] - other[name]).max() for name in other if name in out]
        largest = float(np.maximum(largest, np.max(gaps)))  # keeps not-a-number, which max() may lose
    return largest


def _check(found: Difference, tolerance: float) -> None:
    # By itself max() loses a not-a-number that is not the first.
    worst = max(found.tasks, key=lambda task: np.nan_to_num(found.tasks[task]["mean"], nan=np.inf))
    mean = found.tasks[worst]["mean"]
    _log.info(
        "export: on %d tweets a logit in single precision differs by at most %.1e, "
        "with 8 bits a probability of %s by %.4f in the mean",
        *(found.texts, found.exact, worst, mean),
    )
    wrong = []
    if not found.exact <= _EXACT:
        wrong.append(
            f"logits of the graph in single precision differ by {found.exact:.2g} (allowed {_EXACT})"
        )
    if not mean <= tolerance:
        wrong.append(
            f"probabilities of {worst} with 8 bits differ by {mean:.4f} in the mean (allowed {tolerance})"
        )
    if wrong:
        raise ModelError(
            f"Found an export that is not the model that was trained: {'; '.join(wrong)}. Nothing was published. "
            "Train on, or state a larger tolerance if the scores of the 8-bit form are good enough."
        )


def told(found: Difference, tolerance: float) -> str:
    """Return the comparison in Markdown."""
    lines = [
        "# The export beside the framework",
        "",
        f"On {found.texts} tweets of no data set.",
        "",
        f"Single precision: a logit differs by at most {found.exact:.1e} (allowed {_EXACT:.0e}). With 8 bits:",
        "",
        f"| task | mean difference of a probability (allowed {tolerance}) | 99.9 of 100 are below | same answer |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {task} | {one['mean']:.4f} | {one['p999']:.4f} | {one['same']:.1%} |"
        for task, one in found.tasks.items()
    ]
    return "\n".join(lines) + "\n"
