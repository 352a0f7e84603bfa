"""More layers for a trained network, added so that it says at first what it said before; or fewer.

Growing keeps what the lower layers have learnt (Gong et al. 2019, progressive stacking; Chen et al. 2016, Net2Net,
arXiv:1511.05641). A new layer is the base's own with what it adds to its input scaled down, and its norms set to the
mean and deviation that states have where they come from: normalising again then changes next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from trendlark.errors import InputError
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode
from trendlark.training.model import Network

# Of what the base's layers add: at a quarter validation is what it was, at a half it falls by three points.
_SHARE = 0.25


def deepen(state: Checkpoint, base: Network, texts: Sequence[str]) -> Checkpoint:
    """Return the model with as many layers as ``base`` has, those above its own taken from there.

    ``texts`` are read to learn how large states are. Raises InputError where the layers are of other sizes.
    """
    network = state.network
    own, other = ((one.width, one.heads, one.inner) for one in (network.shape, base.shape))
    if own != other:
        raise InputError(
            f"Found a base of width, heads and inner width {other}; allowed for the layers on top of this model are "
            f"{own}. Take the base that the model was made of, or no more layers than it has."
        )
    mean, deviation = _size(state, texts)
    grown = Network(replace(network.shape, layers=base.shape.layers))
    weights = grown.state_dict() | network.state_dict()
    for name, value in base.state_dict().items():
        if name.startswith("layers.") and name not in network.state_dict():
            weights[name] = value.clone()
            layer = name.split(".")[2]
            if layer in ("out", "down"):
                weights[name] *= _SHARE
            elif layer in ("norm1", "norm2"):
                weights[name].fill_(deviation if name.endswith("weight") else mean)
    grown.load_state_dict(weights)
    return Checkpoint(grown, state.tokenizer, state.emoji, state.more)


def shorten(state: Checkpoint, layers: int) -> Checkpoint:
    """Return the model with its lowest ``layers`` alone: what layers far up add can be little (Sajjad et al. 2023,
    arXiv:2004.03844). Raises InputError where it has not that many.
    """
    network = state.network
    if not 0 < layers <= network.shape.layers:
        raise InputError(
            f"Found a wish for {layers} layers of a model that has {network.shape.layers}; allowed are 1 to "
            f"{network.shape.layers}. Ask for fewer, or start from a model with more."
        )
    short = Network(replace(network.shape, layers=layers))
    wanted = short.state_dict()
    short.load_state_dict({name: value for name, value in network.state_dict().items() if name in wanted})
    return Checkpoint(short, state.tokenizer, state.emoji, state.more)


def _size(state: Checkpoint, texts: Sequence[str]) -> tuple[float, float]:
    """Return the mean over tokens of the mean and of the standard deviation of their last states."""
    state.network.eval()
    with torch.inference_mode():
        rows = [state.network.encode(torch.tensor([row]))[0] for row in encode(state.tokenizer, texts)]
    states = torch.cat(rows).float()
    return float(states.mean()), float(states.std(-1, correction=0).mean())
