"""Running a model over token ids, whichever form it has: the PyTorch network or the exported graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from trendlark.nlu.runtime import onnxruntime
from trendlark.training.model import Network
from trendlark.training.optimise import pad
from trendlark.training.precision import autocast

Floats = NDArray[np.float32]
# Token ids of texts in, for each text the raw logits by task ([width], or [tokens, width] for entities).
Predictor = Callable[[Sequence[list[int]]], list[dict[str, Floats]]]

_BATCH = 16


def network_predictor(network: Network, batch: int = 64) -> Predictor:
    """Return a predictor that runs the PyTorch network, in the mode that it is in then."""

    def predict(ids: Sequence[list[int]]) -> list[dict[str, Floats]]:
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        results: list[dict[str, Floats]] = [{} for _ in ids]
        device = network.positions.device
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            rows, mask = pad(ids[at] for at in part)
            with torch.inference_mode(), autocast(device):
                out = network(rows.to(device), mask.to(device))
            arrays = {name: value.float().cpu().numpy() for name, value in out.items()}
            for row, at in enumerate(part):
                results[at] = {name: value[row] for name, value in arrays.items()}
                results[at]["entities"] = results[at]["entities"][: len(ids[at])]
        return results

    return predict


def exact_predictor(network: Network) -> Predictor:
    """Return a predictor that runs the PyTorch network in single precision, one text at a time, without padding."""

    def predict(ids: Sequence[list[int]]) -> list[dict[str, Floats]]:
        single = network.float().eval()
        with torch.inference_mode():
            found = [single(torch.tensor([row])) for row in ids]
        return [{name: value[0].numpy() for name, value in one.items()} for one in found]

    return predict


def build_session(model: onnx.ModelProto | Path) -> onnxruntime.InferenceSession:
    """Return an ONNX Runtime session of a model or a model file, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def session_predictor(session: onnxruntime.InferenceSession) -> Predictor:
    """Return a predictor that runs an ONNX session on batches of texts of one length, as serving does.

    As many batches are run at a time as there are cores; which of them run together changes no answer.
    """
    names = [output.name for output in session.get_outputs()]

    def predict(ids: Sequence[list[int]]) -> list[dict[str, Floats]]:
        by_length: dict[int, list[int]] = {}
        for at, text in enumerate(ids):
            by_length.setdefault(len(text), []).append(at)
        parts = [own[at : at + _BATCH] for own in by_length.values() for at in range(0, len(own), _BATCH)]

        def run(part: Sequence[int]) -> list[Floats]:
            found: list[Floats] = session.run(
                None, {"input_ids": np.array([ids[at] for at in part], np.int64)}
            )
            return found

        results: list[dict[str, Floats]] = [{} for _ in ids]
        with ThreadPoolExecutor(cpu_count()) as threads:
            for part, values in zip(parts, threads.map(run, parts), strict=True):
                for row, place in enumerate(part):
                    results[place] = {name: value[row] for name, value in zip(names, values, strict=True)}
        return results

    return predict
