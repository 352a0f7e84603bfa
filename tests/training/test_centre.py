"""The bias of a head after training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.tiny import tiny_checkpoint, write_rows
from trendlark.training.calibrate import Sample, fit_temperature
from trendlark.training.centre import centre
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, read_rows
from trendlark.training.predict import network_predictor
from trendlark.training.scoring import Calibration, Scored
from trendlark.training.sets import SETS

IRONY = SETS["tweeteval_irony"]
BIAS = "heads.irony.logits.bias"
WORDS = (
    "great",
    "monday",
    "love",
    "hate",
    "rain",
    "bus",
    "nine",
    "main",
    "street",
    "lovely",
    "win",
    "terrible",
)


def _logits(state: Checkpoint, data: Path) -> np.ndarray:
    state.network.eval()
    rows = read_rows(data, IRONY, "val")
    found = network_predictor(state.network)(encode(state.tokenizer, [row.text for row in rows]))
    return np.array([one["irony"][0] for one in found])


@pytest.fixture
def told(tmp_path: Path) -> tuple[Checkpoint, Path]:
    """A head, and tweets of which the likelier half is ironic but for a few."""
    state = tiny_checkpoint()
    with torch.no_grad():
        state.network.get_parameter("heads.irony.logits.weight").mul_(8)
    texts = [f"{one} {other}" for one in WORDS for other in WORDS]
    path = tmp_path / IRONY.name / "val.jsonl.gz"
    write_rows(path, [{"text": text, "label": "irony"} for text in texts])
    above = _logits(state, tmp_path) > np.median(_logits(state, tmp_path))
    labels = ["irony" if yes != (at % 5 == 0) else "non_irony" for at, yes in enumerate(above)]
    write_rows(path, [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)])
    return state, tmp_path


@pytest.mark.parametrize("pulled", [-3.0, 2.0])
def test_a_head_that_was_pulled_away_is_moved_back(told: tuple[Checkpoint, Path], pulled: float) -> None:
    state, data = told
    first = centre(state, data)["irony"]
    with torch.no_grad():
        state.network.get_parameter(BIAS).add_(pulled)
    assert centre(state, data)["irony"] == pytest.approx(-pulled, abs=0.05)
    assert centre(state, data)["irony"] == pytest.approx(0, abs=0.05)
    assert abs(first) < 20


def test_the_mean_probability_is_the_share_that_people_found(told: tuple[Checkpoint, Path]) -> None:
    state, data = told
    rows = read_rows(data, IRONY, "val")
    centre(state, data)
    logits = _logits(state, data)[:, None]
    heat = fit_temperature("irony", [Sample(Scored(IRONY, rows, logits), logits)])
    share = np.mean([row.labels[0] == "irony" for row in rows])
    assert Calibration({"irony": heat}).probabilities("irony", logits).mean() == pytest.approx(
        share, abs=0.02
    )


def test_nothing_but_one_bias_changes_and_training_goes_on(told: tuple[Checkpoint, Path]) -> None:
    state, data = told
    before = {name: value.clone() for name, value in state.network.state_dict().items()}
    state.network.train()
    centre(state, data)
    assert state.network.training
    for name, value in state.network.state_dict().items():
        assert torch.equal(value, before[name]) == (name != BIAS), name


def test_without_answers_of_both_kinds_it_stays(tmp_path: Path) -> None:
    state = tiny_checkpoint()
    before = state.network.get_parameter(BIAS).clone()
    assert centre(state, tmp_path) == {}
    write_rows(tmp_path / IRONY.name / "val.jsonl.gz", [{"text": "so great", "label": "irony"}] * 3)
    assert centre(state, tmp_path) == {}
    assert torch.equal(state.network.get_parameter(BIAS), before)


def test_a_head_at_odds_with_people_stays(told: tuple[Checkpoint, Path]) -> None:
    state, data = told
    with torch.no_grad():
        state.network.get_parameter("heads.irony.logits.weight").mul_(-1)
    before = state.network.get_parameter(BIAS).clone()
    assert centre(state, data) == {}
    assert torch.equal(state.network.get_parameter(BIAS), before)
