"""The bias of a head after training, so that on validation its task is said as often as it is there.

Soft labels say irony of few of the tweets from anywhere (``teachers.py``), and the head comes to say it of too few of
its own set, too. A temperature cannot mend that; one number can (Platt 1999, with the slope left to the temperature).
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, read_rows
from trendlark.training.sets import SETS
from trendlark.training.teachers import SHARE_ELSEWHERE

_log = logging.getLogger(__name__)

_UNREGULARISED = 1e6


def centre(state: Checkpoint, data: Path) -> dict[str, float]:
    """Move the biases of the tasks whose soft labels are shifted; return by task what was added.

    A task stays as it is where validation has no answers of both kinds, or where they are at odds with the logits.
    """
    moved = {}
    training = state.network.training
    state.network.eval()
    predict = state.predictor()
    for task in SHARE_ELSEWHERE:
        logits, truth = [np.zeros(0, np.float32)], [np.zeros(0, bool)]
        for entry in SETS.values():
            rows = read_rows(data, entry, "val") if entry.metric and entry.task == task else []
            found = predict(encode(state.tokenizer, [row.text for row in rows]))
            logits += [one[task] for one in found]
            truth.append(np.array([entry.labels[row.labels[0]] == "yes" for row in rows], bool))
        answers = np.concatenate(truth)
        if len(set(answers.tolist())) == 2:
            model = LogisticRegression(C=_UNREGULARISED).fit(np.concatenate(logits)[:, None], answers)
            if model.coef_[0, 0] > 0:
                moved[task] = float(model.intercept_[0] / model.coef_[0, 0])
                with torch.no_grad():
                    state.network.get_parameter(f"heads.{task}.logits.bias").add_(moved[task])
                _log.info("bias of %s: moved by %.2f, to be right on validation", task, moved[task])
    state.network.train(training)
    return moved
