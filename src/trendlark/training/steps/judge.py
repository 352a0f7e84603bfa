"""Step 4: score each run, and the model in service, by set on the same validation rows."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import numpy as np

from trendlark.training import checkpoint, evaluate
from trendlark.training.export import write_model
from trendlark.training.scoring import mean_score
from trendlark.training.steps.claim import Claim, write_whole
from trendlark.training.steps.gate import NOTHING, Evaluation, Scores
from trendlark.training.steps.learn import CHECKPOINT_FILE, data_of
from trendlark.training.steps.pictures import Pictures, draw

_log = logging.getLogger(__name__)

EVALUATION_FILE = "evaluation.json"


def judge(claim: Claim, run: str, limit: int = 0) -> tuple[Evaluation, Pictures]:
    """Score a run's checkpoint in the form in which it would serve: 8 bits, calibrated, through the public API.

    ``limit`` takes only the first validation rows of each set (0 for all).
    """
    data, folder = claim.data(data_of(claim, run)), claim.run(run)
    state = checkpoint.load(folder / CHECKPOINT_FILE)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".judging-") as scratch:
        predict, calibration = write_model(state, data, Path(scratch), run, limit or None)
        evaluation = _summed_up(run, evaluate.run(scratch, data, limit or None))
    write_whole(folder / EVALUATION_FILE, evaluation.to_dict())
    _log.info("evaluation: %s has a mean of tasks of %.4f", run, evaluation.mean)
    return evaluation, draw(predict, state.tokenizer, data, calibration, limit or None)


def judge_service(claim: Claim, digest: str, address: str, name: str, limit: int = 0) -> Evaluation:
    """Score the model in service, which is told of by its name, on the same rows by the same rules.

    The name ``none`` has no scores.
    """
    if name == NOTHING:
        return Evaluation(NOTHING, 0.0, {})
    return _summed_up(name, evaluate.run(address, claim.data(digest), limit or None))


def _summed_up(model: str, scores: Scores) -> Evaluation:
    """Not-a-number, as where a set has no example of a label, counts as 0: JSON cannot say it."""
    clean = {key: {k: float(np.nan_to_num(v)) for k, v in found.items()} for key, found in scores.items()}
    return Evaluation(model, mean_score(clean), clean)
