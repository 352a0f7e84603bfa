"""Thresholds of sentiment: where they are chosen, where they are left alone, and what is said by them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.tiny import write_rows
from trendlark.nlu.answers import choose
from trendlark.nlu.tasks import TASKS
from trendlark.training import calibrate
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.choices import fit_choice
from trendlark.training.data import Row, encode
from trendlark.training.guard import GUARDED
from trendlark.training.predict import Floats
from trendlark.training.scoring import Calibration, Scored, main_metric, said_labels, score_labels
from trendlark.training.sets import SETS

LABELS = TASKS["sentiment"].labels


def _logits(truth: NDArray[np.int64], shift: tuple[float, float, float], seed: int = 0) -> Floats:
    """Return logits of noisy features, a constant away from those that serve every label the same."""
    noise = np.random.default_rng(seed).normal(size=(len(truth), 3))
    return np.asarray(noise + 1.5 * np.eye(3)[truth] + shift, np.float32)


def _scored(key: str, shift: tuple[float, float, float], count: int = 900, seed: int = 0) -> Scored:
    truth = np.arange(count) % 3
    rows = [Row(f"text {at}", (LABELS[label],)) for at, label in enumerate(truth)]
    chances = Calibration().probabilities("sentiment", _logits(truth, shift, seed))
    return Scored(SETS[key], rows, chances)


def _score(one: Scored, thresholds: dict[str, float]) -> float:
    return main_metric(one.entry, score_labels(one, Calibration(thresholds={"sentiment": thresholds})))


def test_a_label_said_too_seldom_gets_a_lower_threshold() -> None:
    one = _scored("umsab_es", (-0.7, 0.0, 0.0))
    found = fit_choice([one])
    assert list(found) == list(LABELS)
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-3)
    assert found["negative"] < 0.7 * min(found["neutral"], found["positive"])
    assert _score(one, found) > _score(one, {}) + 0.01
    # On tweets that it was not chosen on, too.
    other = _scored("umsab_es", (-0.7, 0.0, 0.0), seed=1)
    assert _score(other, found) > _score(other, {}) + 0.01


def _apart(thresholds: Mapping[str, float]) -> float:
    """How far apart the lowest and the highest threshold are, in log odds."""
    return float(np.ptp(np.log(list(thresholds.values())))) if thresholds else 0.0


@pytest.mark.parametrize("size", [0.0, 0.5])
def test_where_every_label_is_served_alike_next_to_nothing_is_moved(size: float) -> None:
    # All moved by the same is no move.
    assert _apart(fit_choice([_scored("umsab_es", (size, size, size))])) < 0.25


def test_where_all_is_right_nothing_is_moved() -> None:
    truth = np.arange(90) % 3
    rows = [Row(f"text {at}", (LABELS[label],)) for at, label in enumerate(truth)]
    sure = Calibration().probabilities("sentiment", (9 * np.eye(3)[truth]).astype(np.float32))
    assert fit_choice([Scored(SETS["umsab_es"], rows, sure)]) == {}


def test_a_set_weighs_as_many_tweets_as_it_has() -> None:
    large, small = (
        _scored("tweeteval_sentiment", (0.0, 0.0, 0.7), 1500),
        _scored("umsab_en", (0.7, 0.0, 0.0), 60),
    )
    found = fit_choice([large, small])
    assert found["positive"] > found["neutral"]
    assert found["positive"] > found["negative"]


def test_the_label_furthest_above_its_threshold_is_said_alike_in_training_and_serving() -> None:
    thresholds = {"negative": 0.25, "neutral": 0.4, "positive": 0.35}
    logits = np.random.default_rng(3).normal(size=(300, 3)).astype(np.float32)
    scored = Scored(SETS["umsab_es"], [Row("x")] * 300, Calibration().probabilities("sentiment", logits))
    calibration = Calibration(thresholds={"sentiment": thresholds})
    said = said_labels(scored, calibration.threshold("sentiment"))
    served = [choose(LABELS, row.tolist(), 1.0, thresholds).label for row in logits]
    assert said == served
    plain = [choose(LABELS, row.tolist(), 1.0).label for row in logits]
    assert 0 < sum(one != other for one, other in zip(said, plain, strict=True)) < 100
    assert said_labels(scored, Calibration().threshold("sentiment")) == plain


def test_the_calibration_error_is_of_what_is_said() -> None:
    scored = Scored(SETS["umsab_es"], [Row("a", ("negative",))], np.array([[0.4, 0.5, 0.1]], np.float32))
    low = Calibration(thresholds={"sentiment": {"negative": 0.2, "neutral": 0.4, "positive": 0.4}})
    assert score_labels(scored, low)["calibration_error"] == pytest.approx(0.6)
    assert score_labels(scored, Calibration())["calibration_error"] == pytest.approx(0.5)


@pytest.mark.parametrize(("shift", "moved"), [((-0.8, 0.0, 0.0), True), ((0.0, 0.0, 0.0), False)])
def test_a_language_gets_thresholds_of_sentiment_where_they_help(
    tmp_path: Path, state: Checkpoint, shift: tuple[float, float, float], moved: bool
) -> None:
    truth = np.arange(600) % 3
    texts = [f"text {at}" for at in range(600)]
    rows = [{"text": text, "label": LABELS[label]} for text, label in zip(texts, truth, strict=True)]
    write_rows(tmp_path / "umsab_es" / "val.jsonl.gz", rows)
    answers = {
        tuple(ids): {**{name: np.zeros(TASKS[name].width, np.float32) for name in GUARDED}, "sentiment": one}
        for ids, one in zip(encode(state.tokenizer, texts), 1.3 * _logits(truth, shift), strict=True)
    }
    found = calibrate.fit(lambda ids: [answers[tuple(row)] for row in ids], state.tokenizer, tmp_path)
    assert (_apart(found.languages["es"].thresholds.get("sentiment", {})) > 0.25) == moved
    # Other languages, of which nothing is known, say the likeliest.
    assert "sentiment" not in found.thresholds


def test_metrics_other_than_f1_are_chosen_for_as_well() -> None:
    one = _scored("tweeteval_sentiment", (0.0, 0.0, 0.8))
    assert one.entry.metric == "macro_recall"
    found = fit_choice([one])
    assert found["positive"] > max(found["negative"], found["neutral"])
    assert _score(one, found) > _score(one, {})
