"""Opening what is to be judged: a model as users load it, or a checkpoint of a run that is still going."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import onnx

from trendlark.nlu.analyzer import Analyze, load
from trendlark.nlu.artifact import MANIFEST_FILE, MODEL_FILE, TOKENIZER_FILE
from trendlark.training import checkpoint
from trendlark.training.data import file_digest
from trendlark.training.export import exact_graph, make_manifest
from trendlark.training.scoring import Calibration


def open_model(name: str | Path, threads: int = 0) -> Analyze:
    """Return the analyzer of ``default``, ``fake``, a folder, an ``s3://`` address or a checkpoint (``.pt``).

    A checkpoint answers in single precision, without calibration, with thresholds of one half.
    Raises ModelError or NotFoundError.
    """
    if not str(name).endswith(".pt"):
        return load(name, threads)
    state = checkpoint.load(Path(name))
    with tempfile.TemporaryDirectory(prefix="trendlark-") as scratch:
        folder = Path(scratch)
        onnx.save(exact_graph(state), str(folder / MODEL_FILE))
        state.tokenizer.save(str(folder / TOKENIZER_FILE))
        manifest = make_manifest(Path(name).stem, state, Calibration(), {}, folder)
        manifest["files"] = {one: file_digest(folder / one) for one in (MODEL_FILE, TOKENIZER_FILE)}
        (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
        return load(folder, threads)
