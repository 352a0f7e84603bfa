"""Thresholds of a task that chooses one label: the label that is furthest above its own is said.

Where benchmarks weigh every label the same and tweets do not (of TweetEval's a seventh are negative), the likeliest
label is said too often. What each label's probability is divided with is chosen on validation for the metrics of a
language's sets, close to none where that is as good.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from trendlark.nlu.tasks import TASKS
from trendlark.training.scoring import Calibration, Scored, main_metric, score_labels

# Steps of log odds between a label and the middle one.
_SHIFTS = np.round(np.arange(-0.8, 0.81, 0.1), 1)
# Scores are averaged over so many steps each way, so that no single tweet decides.
_REACH = 3
# What a shift has to gain by its square. With a fold of validation held out in turn this keeps a point and more where
# labels are said too seldom, and loses at most half a point where they are not.
_PENALTY = 0.05


def fit_choice(samples: Sequence[Scored]) -> dict[str, float]:
    """Return the threshold of each label, which sum to one, for a task's sets of a language; none where none helps."""
    labels = TASKS[samples[0].entry.task].labels
    shifts = np.array(list(itertools.product(_SHIFTS, repeat=len(labels) - 1)))
    shifts = np.insert(shifts, len(labels) // 2, 0.0, axis=1)
    scores = np.array([_score(samples, _thresholds(one)) for one in shifts])
    centred = shifts - shifts.mean(1, keepdims=True)
    best = int(np.argmax(_smooth(scores, len(labels) - 1) - _PENALTY * (centred**2).sum(1)))
    if not shifts[best].any():
        return {}
    return {label: round(float(one), 4) for label, one in zip(labels, _thresholds(shifts[best]), strict=True)}


def _thresholds(shift: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(-shift)
    return np.asarray(raised / raised.sum())


def _score(samples: Sequence[Scored], thresholds: NDArray[np.float64]) -> float:
    """Return the mean of the sets' metrics, each set weighing as many tweets as it has."""
    task = samples[0].entry.task
    own = dict(zip(TASKS[task].labels, thresholds.tolist(), strict=True))
    calibration = Calibration(thresholds={task: own})
    metrics = [main_metric(one.entry, score_labels(one, calibration)) for one in samples]
    return float(np.average(metrics, weights=[len(one.rows) for one in samples]))


def _smooth(scores: NDArray[np.float64], axes: int) -> NDArray[np.float64]:
    grid = np.pad(scores.reshape((len(_SHIFTS),) * axes), _REACH, mode="edge")
    windows = sliding_window_view(grid, (2 * _REACH + 1,) * axes)
    return np.asarray(windows.mean(tuple(range(-axes, 0))).ravel())
