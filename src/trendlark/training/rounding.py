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
_LARGEST = 127


def quantise_rows(table: Array, moments: Array | None = None) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return 8-bit rows and their scales [rows, 1]: symmetric, the largest value of a row at 127.

    ``moments`` [columns, columns] are the sums of products of the inputs that the columns meet, two by two; without
    them each value is rounded to the nearest step.
    """
    scale = (np.abs(table).max(1, keepdims=True) / _LARGEST).clip(1e-12).astype(np.float32)
    steps = table / scale
    if moments is None:
        return np.round(steps).astype(np.int8), scale
    steps = steps.astype(np.float64)
    follow = _follow(moments)
    for at in range(len(follow)):
        whole = np.round(steps[:, at]).clip(-_LARGEST, _LARGEST)
        lost = (steps[:, at] - whole) / follow[at, at]
        steps[:, at] = whole
        steps[:, at + 1 :] -= np.outer(lost, follow[at, at + 1 :])
    return steps.astype(np.int8), scale


def _follow(moments: Array) -> NDArray[np.float64]:
    """Return how the columns behind one make good what it loses: the upper Cholesky factor of the inverse."""
    damped = moments.astype(np.float64)
    mean = float(np.diag(damped).mean()) or 1.0
    damped = damped + _DAMPING * mean * np.eye(len(damped))
    return np.asarray(np.linalg.cholesky(np.linalg.inv(damped)).T, np.float64)
