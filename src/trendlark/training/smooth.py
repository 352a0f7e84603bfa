"""Channels of like size before 8 bits (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438).

A few channels of a layer's input are many times as large as the others, and a row's one scale serves the largest.
Each channel is divided by a factor, and the weight's column multiplied with it: the product is the same, but steps
of 8 bits are finer where they were coarse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, some_texts
from trendlark.training.model import Network

# How far the inputs' sizes decide against the weights': of 0.4, 0.5 and 0.6 the least error (docs/model-log.md).
_EXPONENT = 0.6
_LEAST = 1e-5
# What joins attention and what follows it read rows of the norms, where the large channels are.
_SMOOTHED = ("qkv", "up")

Array = NDArray[Any]


def smoothing(state: Checkpoint, weights: Mapping[str, Array], data: Path) -> dict[str, Array]:
    """Return by weight name the factors [inputs] of a checkpoint, from the first validation tweets of every set."""
    ids = encode(state.tokenizer, some_texts(data))
    return factors(weights, largest_inputs(state.network, ids))


def largest_inputs(network: Network, ids: Sequence[list[int]]) -> dict[str, Array]:
    """Return by weight name the largest absolute value [inputs] of each channel over the texts."""
    found: dict[str, Array] = {}

    def watch(name: str, layer: nn.Linear) -> Any:
        def note(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            seen = inputs[0].detach().float().abs().reshape(-1, layer.in_features).max(0).values.numpy()
            found[name] = np.maximum(found[name], seen) if name in found else seen

        return layer.register_forward_pre_hook(note)

    hooks = [
        watch(f"{name}.weight", layer)
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear)
        and name.startswith("layers.")
        and name.rsplit(".", 1)[-1] in _SMOOTHED
    ]
    network.eval()
    with torch.inference_mode():
        for row in ids:
            network(torch.tensor([row]))
    for hook in hooks:
        hook.remove()
    return found


def factors(weights: Mapping[str, Array], largest: Mapping[str, Array]) -> dict[str, Array]:
    """Return what each channel is divided by, one in the geometric mean."""
    found = {}
    for name, inputs in largest.items():
        columns = np.abs(weights[name]).max(0)
        raw = np.maximum(inputs, _LEAST) ** _EXPONENT / np.maximum(columns, _LEAST) ** (1 - _EXPONENT)
        found[name] = (raw / np.exp(np.log(raw).mean())).astype(np.float32)
    return found
