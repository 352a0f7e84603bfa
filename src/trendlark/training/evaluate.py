"""Score a checkpoint or an artefact on the validation files of a folder of sets.

python -m trendlark.training.evaluate --model FOLDER_OR_CHECKPOINT --data DATA [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import torch
from tokenizers import Tokenizer

from trendlark.nlu.artifact import load_artifact
from trendlark.training import checkpoint
from trendlark.training.predict import build_session, network_predictor, session_predictor
from trendlark.training.scoring import Calibration, main_metric, mean_score, score_all
from trendlark.training.sets import SETS

_log = logging.getLogger(__name__)

Scores = dict[str, dict[str, float]]


def run(model: Path | str, data: Path, limit: int | None = None) -> Scores:
    """Return the metrics by set of a checkpoint (.pt), an artefact folder or "default".

    A checkpoint is scored as it is, an artefact with its temperatures and thresholds; ``limit`` takes only
    the first rows of each set.
    """
    if str(model).endswith(".pt"):
        state = checkpoint.load(Path(model))
        found = score_all(network_predictor(state.network.eval()), state.tokenizer, data, limit=limit)
    else:
        artifact = load_artifact(model)
        tasks = artifact.manifest.tasks
        calibration = Calibration(
            {name: task.temperature for name, task in tasks.items()},
            {name: dict(task.thresholds) for name, task in tasks.items()},
        )
        tokenizer = Tokenizer.from_file(str(artifact.tokenizer_file))
        found = score_all(
            session_predictor(build_session(artifact.model_file)), tokenizer, data, calibration, limit
        )
    for key, scores in found.items():
        _log.info("%s: %s %.4f", key, SETS[key].metric, main_metric(SETS[key], scores))
    _log.info("mean of tasks: %.4f", mean_score(found))
    return found


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    torch.set_num_threads(1)
    found = run(given.model, given.data, given.limit)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
