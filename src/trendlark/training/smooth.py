"""Channels of like size before 8 bits (SmoothQuant, Xiao et al. 2023, arXiv:2211.10438).

A few channels of a layer's input are many times as large as the others, and a row's one scale serves the largest.
Each channel is divided by a factor, and the weight's column multiplied with it: the product is the same, but steps
of 8 bits are finer where they were coarse.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trendlark.training.graph import Care
from trendlark.training.inputs import Inputs, observe
from trendlark.training.model import Network

_log = logging.getLogger(__name__)

# How far the inputs' sizes decide against the weights': of 0.4, 0.5 and 0.6 the least error (docs/model-log.md).
_EXPONENT = 0.6
_LEAST = 1e-5
# What joins attention and what follows it read rows of the norms, where the large channels are.
_SMOOTHED = (".qkv.weight", ".up.weight")

Array = NDArray[Any]


def prepare(network: Network, weights: Mapping[str, Array], ids: Sequence[list[int]]) -> dict[str, Care]:
    """Return by weight name how it is brought to 8 bits, with regard to what it meets over the texts."""
    seen = observe(network, ids)
    even = factors(weights, seen)
    _tell(seen, even, len(ids))
    return {
        name: Care(
            even.get(name),
            one.moments / np.outer(even[name], even[name]) if name in even else one.moments,
        )
        for name, one in seen.items()
    }


def _tell(seen: Mapping[str, Inputs], even: Mapping[str, Array], texts: int) -> None:
    if not seen:
        return
    if even:
        spread = {name: _spread(seen[name].largest) for name in even}
        worst = max(spread, key=lambda name: spread[name])
        _log.info(
            "8 bits: channels of %d products are divided by %.2f to %.1f, because some are far larger than others: "
            "of %s %.0f times as large as the middle one",
            *(len(even), min(one.min() for one in even.values()), max(one.max() for one in even.values())),
            *(worst, spread[worst]),
        )
    _log.info(
        "8 bits: %d weights are rounded column after column, because %d texts tell which errors make good each "
        "other; all others to the nearest step",
        *(len(seen), texts),
    )


def _spread(largest: Array) -> float:
    return float(largest.max()) / max(float(np.median(largest)), _LEAST)


def factors(weights: Mapping[str, Array], seen: Mapping[str, Inputs]) -> dict[str, Array]:
    """Return what each channel is divided by, one in the geometric mean."""
    found = {}
    for name, inputs in seen.items():
        if name.startswith("layers.") and name.endswith(_SMOOTHED):
            columns = np.abs(weights[name]).max(0)
            largest = np.maximum(inputs.largest, _LEAST)
            raw = largest**_EXPONENT / np.maximum(columns, _LEAST) ** (1 - _EXPONENT)
            found[name] = (raw / np.exp(np.log(raw).mean())).astype(np.float32)
    return found
