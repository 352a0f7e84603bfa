"""Weights in 8 bits, so that what they are multiplied with keeps its product (GPTQ, Frantar et al. 2023,
arXiv:2210.17323).

Rounded to the nearest step, each weight errs by itself, and errors of inputs that rise and fall together add up. Here
the inputs' columns are rounded one after the other, and what one of them loses those behind it make good, as far as
the inputs go together. Nothing of this is seen when the model is served.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
# What is added to the mean of the moments' diagonal, so that inputs that were never seen can be told from each other.
_DAMPING = 0.01
_LARGEST, _LARGEST_PAIR = 127, 128


def quantise_rows(table: Array) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return 8-bit rows to be looked up and their scales [rows, 1]: symmetric, the largest value of a row at 127."""
    scale = _scale(np.abs(table).max(1) / _LARGEST)
    return np.round(table / scale).astype(np.int8), scale


def quantise_product(
    weight: Array, moments: Array | None = None
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the 8-bit form of a weight [outputs, inputs] and the scales [outputs, 1] of its rows.

    ``moments`` [inputs, inputs] are the sums of products of the inputs, two by two; without them each value is rounded
    to the nearest step. Of two neighbouring inputs, from the first on, values of one sign have a sum of at most 128,
    the largest with which CPUs without VNNI multiply exactly: their VPMADDUBSW cuts off sums at 16 bits.
    """
    apart = [np.maximum(side, 0) for side in (weight, -weight)]
    even = weight.shape[1] // 2 * 2
    pairs = [(side[:, 0:even:2] + side[:, 1:even:2]).max(1, initial=0) for side in apart]
    # Half a step less: both values may be rounded up.
    scale = _scale(
        np.maximum(np.abs(weight).max(1) / _LARGEST, np.max(pairs, axis=0) / (_LARGEST_PAIR - 0.5))
    )
    steps = weight / scale
    if moments is None:
        return np.round(steps).astype(np.int8), scale
    steps = steps.astype(np.float64)
    follow = _follow(moments)
    for at in range(len(follow)):
        before = steps[:, at - 1] if at % 2 else np.zeros(len(steps))
        high = np.minimum(_LARGEST, _LARGEST_PAIR - np.maximum(before, 0))
        low = -np.minimum(_LARGEST, _LARGEST_PAIR - np.maximum(-before, 0))
        whole = np.round(steps[:, at]).clip(low, high)
        lost = (steps[:, at] - whole) / follow[at, at]
        steps[:, at] = whole
        steps[:, at + 1 :] -= np.outer(lost, follow[at, at + 1 :])
    return steps.astype(np.int8), scale


def _scale(steps: Array) -> NDArray[np.float32]:
    return np.asarray(steps, np.float32)[:, None].clip(1e-12)


def _follow(moments: Array) -> NDArray[np.float64]:
    """Return how the columns behind one make good what it loses: the upper Cholesky factor of the inverse."""
    damped = moments.astype(np.float64)
    mean = float(np.diag(damped).mean()) or 1.0
    damped = damped + _DAMPING * mean * np.eye(len(damped))
    return np.asarray(np.linalg.cholesky(np.linalg.inv(damped)).T, np.float64)
