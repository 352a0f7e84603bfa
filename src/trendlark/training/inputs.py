"""What the weights of a network meet: the inputs of every product, seen over some texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trendlark.training.model import Network
from trendlark.training.optimise import pad

_BATCH = 16


@dataclass(slots=True)
class Inputs:
    """The largest absolute value [inputs] of each channel, and the sums [inputs, inputs] of products of any two."""

    largest: NDArray[np.float32]
    moments: NDArray[np.float32]


def observe(network: Network, ids: Sequence[list[int]]) -> dict[str, Inputs]:
    """Return by weight name what the network's linear layers met over the texts; padding is left out."""
    found: dict[str, Inputs] = {}
    mask = torch.zeros(0)

    def watch(name: str, layer: nn.Linear) -> Any:
        def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            rows = inputs[0].detach().float()
            rows = rows[mask] if rows.dim() > 2 else rows
            largest, moments = rows.abs().amax(0).numpy(), (rows.T @ rows).numpy()
            if name in found:
                largest = np.maximum(found[name].largest, largest)
                moments = found[name].moments + moments
            found[name] = Inputs(largest, moments)

        return layer.register_forward_pre_hook(note)

    hooks = [
        watch(f"{name}.weight", layer)
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear)
    ]
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(ids), _BATCH):
            rows, mask = pad(ids[start : start + _BATCH])
            network(rows, mask)
    for hook in hooks:
        hook.remove()
    return found
