"""Step 7: the artefact of the chosen run, held against the framework before anybody may publish it."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import torch

from trendlark.errors import ModelError
from trendlark.nlu.artifact import load_artifact
from trendlark.training import checkpoint, export, graph
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, read_rows
from trendlark.training.optimise import pad
from trendlark.training.predict import Floats, build_session, session_predictor
from trendlark.training.scoring import Calibration
from trendlark.training.sets import SETS
from trendlark.training.steps.claim import Claim
from trendlark.training.steps.learn import CHECKPOINT_FILE, data_of

_log = logging.getLogger(__name__)

_TEXTS = 256
# A graph in single precision does the same sums in another order; this is in logits.
_EXACT = 1e-3


@dataclass(frozen=True, slots=True)
class Difference:
    """How far the exported graphs are from the framework on the same texts.

    ``exact`` is the largest difference of a logit in single precision; ``small`` the mean difference of a
    calibrated probability with 8 bits, by task; ``texts`` how many texts were compared.
    """

    texts: int
    exact: float
    small: Mapping[str, float]


def ship(claim: Claim, run: str, name: str, tolerance: float, limit: int = 0) -> tuple[Path, Difference]:
    """Write the run's artefact and return its folder, or raise ModelError where it differs from the framework.

    ``tolerance`` is the largest mean difference of a probability that the 8-bit graph may have in any task.
    """
    data, folder = claim.data(data_of(claim, run)), claim.run(run)
    target = folder / "artefact"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".exporting-") as scratch:
        part = export.run(
            folder / CHECKPOINT_FILE, data, Path(scratch) / "artefact", name, limit=limit or None
        )
        found = compare(checkpoint.load(folder / CHECKPOINT_FILE), part, data)
        _check(found, tolerance)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    return target, found


def compare(state: Checkpoint, artefact: Path, data: Path) -> Difference:
    """Run the checkpoint in PyTorch, and both graphs in ONNX Runtime, over validation texts of every set."""
    artifact = load_artifact(artefact)
    calibration = Calibration({name: task.temperature for name, task in artifact.manifest.tasks.items()})
    ids = encode(state.tokenizer, _texts(data))
    framework = _framework(state, ids)
    weights, shape = export.network_weights(state), state.network.shape
    single = session_predictor(build_session(graph.build(weights, shape, int8=False)))(ids)
    small = session_predictor(build_session(artifact.model_file))(ids)
    exact = max(
        float(np.abs(one[task] - other[task]).max())
        for one, other in zip(framework, single, strict=True)
        for task in artifact.tasks
    )
    differences = {
        task: float(
            np.mean(
                [
                    np.abs(
                        calibration.probabilities(task, a[task]) - calibration.probabilities(task, b[task])
                    ).mean()
                    for a, b in zip(framework, small, strict=True)
                ]
            )
        )
        for task in artifact.tasks
    }
    return Difference(len(ids), exact, differences)


def _texts(data: Path) -> list[str]:
    """Return texts of all sets in turn, so that none is left out."""
    rows = [[row.text for row in read_rows(data, entry, "val")[:_TEXTS]] for entry in SETS.values()]
    return [text for turn in zip_longest(*rows) for text in turn if text is not None][:_TEXTS]


def _framework(state: Checkpoint, ids: list[list[int]]) -> list[dict[str, Floats]]:
    network = state.network.eval()
    results = []
    with torch.inference_mode():
        for one in ids:
            out = network(*pad([one]))
            results.append({name: value[0].float().numpy() for name, value in out.items()})
    return results


def _check(found: Difference, tolerance: float) -> None:
    worst = max(found.small, key=lambda task: found.small[task])
    _log.info(
        "export: over %d texts a logit differs by at most %.1e in single precision, a probability of %s by %.4f "
        "in the mean with 8 bits",
        found.texts, found.exact, worst, found.small[worst],
    )  # fmt: skip
    wrong = []
    if not found.exact <= _EXACT:
        wrong.append(
            f"logits of the graph in single precision differ by {found.exact:.2g} (allowed {_EXACT})"
        )
    if not found.small[worst] <= tolerance:
        wrong.append(
            f"probabilities of {worst} with 8 bits differ by {found.small[worst]:.4f} (allowed {tolerance})"
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
        f"Over {found.texts} validation texts. Single precision: a logit differs by at most {found.exact:.1e}",
        f"(allowed {_EXACT:.0e}). With 8 bits, the mean difference of a probability (allowed {tolerance}):",
        "",
        "| task | difference |",
        "|---|---|",
    ]
    lines += [f"| {task} | {value:.4f} |" for task, value in found.small.items()]
    return "\n".join(lines) + "\n"
