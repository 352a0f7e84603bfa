"""Thresholds are raised where they would flood everyday tweets, and only there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.tiny import write_rows
from trendlark.nlu.tasks import TASKS
from trendlark.training import calibrate
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode
from trendlark.training.guard import everyday, guard
from trendlark.training.predict import Floats
from trendlark.training.scoring import Calibration

EMOTIONS = TASKS["emotions"].labels


def _logits(chances: NDArray[np.float64]) -> Floats:
    return np.asarray(np.log(chances / (1 - chances)), np.float32)


def _emotions(**chances: NDArray[np.float64]) -> dict[str, Floats]:
    """Logits [texts, emotions] of one set: these probabilities, and of every other emotion one in a thousand."""
    texts = len(next(iter(chances.values())))
    whole = np.full((texts, len(EMOTIONS)), 0.001)
    for label, own in chances.items():
        whole[:, EMOTIONS.index(label)] = own
    return {"emotions": _logits(whole)}


def _calibration(threshold: float) -> Calibration:
    return Calibration({"emotions": 1.0}, {"emotions": dict.fromkeys(EMOTIONS, threshold)})


def _said(calibration: Calibration, one: dict[str, Floats], label: str) -> float:
    chances = calibration.probabilities("emotions", one["emotions"])[:, EMOTIONS.index(label)]
    return float((chances >= calibration.thresholds["emotions"][label]).mean())


def test_an_emotion_is_said_of_at_most_twice_as_many_tweets_as_its_probabilities_add_up_to() -> None:
    # Of a thousand tweets 75 are disgusted, and nearly half of all are above a threshold that serves macro-F1.
    faint = 0.001 + 0.298 * np.linspace(0, 1, 1000) ** 3
    tweets = _emotions(disgust=faint)
    before = _calibration(0.05)
    after = guard(before, [tweets], ("emotions",))
    assert _said(before, tweets, "disgust") == pytest.approx(0.45, abs=0.01)
    assert 0.1 < _said(after, tweets, "disgust") <= 2 * faint.mean()


def test_each_set_of_everyday_tweets_is_held_to_it_by_itself() -> None:
    calm, news = _emotions(anger=np.full(500, 0.01)), _emotions(anger=np.linspace(0.1, 0.3, 500))
    together = guard(_calibration(0.12), [calm, news], ("emotions",))
    assert _said(together, news, "anger") <= 2 * 0.2
    assert together.thresholds == guard(_calibration(0.12), [news], ("emotions",)).thresholds


def test_a_threshold_that_floods_nothing_stays() -> None:
    sure = np.concatenate([np.full(300, 0.9), np.full(700, 0.05)])
    tweets = _emotions(joy=sure)
    assert guard(_calibration(0.5), [tweets], ("emotions",)) == _calibration(0.5)
    assert guard(_calibration(0.5), [], ("emotions",)) == _calibration(0.5)


def test_a_task_without_thresholds_or_temperature_is_left_alone() -> None:
    tweets = {**_emotions(joy=np.full(9, 0.4)), "hate": np.full((9, 1), 3, np.float32)}
    only_emotions = Calibration({"emotions": 1.0}, {"emotions": {"joy": 0.1}})
    assert "hate" not in guard(only_emotions, [tweets], ("hate",)).thresholds


def test_the_share_that_may_be_flagged_is_fixed_for_hate_and_irony() -> None:
    chances = np.linspace(0.001, 0.999, 1000)[:, None]
    tweets = {"hate": _logits(chances), "irony": _logits(chances)}
    fitted = Calibration({"hate": 1.0, "irony": 1.0}, {"hate": {"hate": 0.4}, "irony": {"irony": 0.4}})
    raised = guard(fitted, [tweets], ("hate", "irony")).thresholds
    # A threshold is at most 0.95, so that a model which is sure can still say it.
    assert raised["hate"]["hate"] == 0.95
    assert 0 < float((chances >= raised["irony"]["irony"]).mean()) <= 0.1


def test_calibration_of_a_language_minds_its_everyday_tweets(tmp_path: Path, state: Checkpoint) -> None:
    """Disgust is rare and faint in the benchmark, where saying it often is best; in everyday tweets it is rarer."""
    searched = [
        {"text": f"evento {at}", "label": "disgust" if at % 8 == 0 else "others"} for at in range(400)
    ]
    calm = [{"text": f"dia {at}", "label": "neutral"} for at in range(400)]
    write_rows(tmp_path / "emoevent_es" / "val.jsonl.gz", searched)
    rng = np.random.default_rng(5)
    answers: dict[tuple[int, ...], dict[str, Floats]] = {}
    for word, rows, mean in (("evento", searched, -2.0), ("dia", calm, -1.6)):
        for at in range(len(rows)):
            logits = np.full(len(EMOTIONS), -6, np.float32)
            shift = 0.8 if word == "evento" and at % 8 == 0 else 0.0
            logits[EMOTIONS.index("disgust")] = rng.normal(mean + shift, 0.4)
            key = tuple(encode(state.tokenizer, [f"{word} {at}"])[0])
            answers[key] = {name: np.zeros(task.width, np.float32) for name, task in TASKS.items()}
            answers[key]["emotions"] = logits

    def fitted() -> Calibration:
        return calibrate.fit(lambda ids: [answers[tuple(row)] for row in ids], state.tokenizer, tmp_path).of(
            "es"
        )

    without = fitted()
    write_rows(tmp_path / "umsab_es" / "val.jsonl.gz", calm)
    tweets = everyday(lambda ids: [answers[tuple(row)] for row in ids], state.tokenizer, tmp_path, None)[
        "es"
    ][0]
    guarded = fitted()
    chances = guarded.probabilities("emotions", tweets["emotions"])[:, EMOTIONS.index("disgust")]
    assert _said(without, tweets, "disgust") > 2 * chances.mean()
    assert _said(guarded, tweets, "disgust") <= 2 * chances.mean()
