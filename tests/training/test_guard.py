"""Thresholds are raised where they would flood everyday tweets, and only there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.tiny import write_rows
from trendlark.nlu.tasks import TASKS
from trendlark.training import calibrate
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode
from trendlark.training.guard import everyday, floors
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


def _said(threshold: float, one: dict[str, Floats], label: str) -> float:
    chances = Calibration().probabilities("emotions", one["emotions"])[:, EMOTIONS.index(label)]
    return float((chances >= threshold).mean())


def test_an_emotion_is_said_of_at_most_twice_as_many_tweets_as_its_probabilities_add_up_to() -> None:
    # Of a thousand tweets 75 are disgusted, and nearly half of all are above a threshold that serves macro-F1.
    faint = 0.001 + 0.298 * np.linspace(0, 1, 1000) ** 3
    tweets = _emotions(disgust=faint)
    least = floors("emotions", 1.0, [tweets])
    assert _said(0.05, tweets, "disgust") == pytest.approx(0.45, abs=0.01)
    assert 0.1 < _said(least["disgust"], tweets, "disgust") <= 2 * faint.mean()
    assert _said(least["disgust"] - 0.02, tweets, "disgust") > 2 * faint.mean()


def test_each_set_of_everyday_tweets_is_held_to_it_by_itself() -> None:
    calm, news = _emotions(anger=np.full(500, 0.01)), _emotions(anger=np.linspace(0.1, 0.3, 500))
    both = floors("emotions", 1.0, [calm, news])
    assert (
        both["anger"] == floors("emotions", 1.0, [news])["anger"] > floors("emotions", 1.0, [calm])["anger"]
    )
    assert _said(both["anger"], news, "anger") <= 2 * 0.2


def test_what_is_sure_may_be_said_as_often_as_it_is_there() -> None:
    tweets = _emotions(joy=np.concatenate([np.full(300, 0.9), np.full(700, 0.05)]))
    assert floors("emotions", 1.0, [tweets])["joy"] < 0.1


def test_a_temperature_is_minded() -> None:
    tweets = _emotions(anger=np.linspace(0.01, 0.3, 500))
    warm, cold = (floors("emotions", heat, [tweets])["anger"] for heat in (2.0, 1.0))
    assert warm > cold


def test_tasks_that_are_not_guarded_and_languages_without_everyday_tweets_have_no_floor() -> None:
    tweets = {"topics": np.zeros((9, TASKS["topics"].width), np.float32)}
    assert floors("topics", 1.0, [tweets]) == {}
    assert floors("emotions", 1.0, []) == {}


def test_the_share_that_may_be_flagged_is_fixed_for_hate_and_irony() -> None:
    chances = np.linspace(0.001, 0.999, 1000)[:, None]
    tweets = {"hate": _logits(chances), "irony": _logits(chances)}
    # A threshold is at most 0.95, so that a model which is sure can still say it.
    assert floors("hate", 1.0, [tweets]) == {"hate": 0.95}
    assert 0.08 < float((chances >= floors("irony", 1.0, [tweets])["irony"]).mean()) <= 0.1


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

    def predict(ids: Sequence[list[int]]) -> list[dict[str, Floats]]:
        return [answers[tuple(row)] for row in ids]

    without = calibrate.fit(predict, state.tokenizer, tmp_path).of("es")
    write_rows(tmp_path / "umsab_es" / "val.jsonl.gz", calm)
    guarded = calibrate.fit(predict, state.tokenizer, tmp_path).of("es")
    logits = everyday(predict, state.tokenizer, tmp_path, None)["es"][0]["emotions"]
    said = {}
    for name, one in (("without", without), ("guarded", guarded)):
        chances = one.probabilities("emotions", logits)[:, EMOTIONS.index("disgust")]
        said[name] = (chances >= one.thresholds["emotions"]["disgust"]).mean() / chances.mean()
    assert said["without"] > 2 >= said["guarded"] > 0


def test_a_label_that_a_language_has_no_tweets_of_is_calibrated_as_in_all(
    tmp_path: Path, state: Checkpoint
) -> None:
    """Spanish EmoEvent knows no love: neither its temperature nor its thresholds say anything of that."""
    rng = np.random.default_rng(6)
    answers: dict[tuple[int, ...], dict[str, Floats]] = {}
    for folder, word, labels, heat in (
        ("emoevent_es", "evento", ("joy", "others"), 3.0),
        ("goemotions", "comment", ("joy", "love", "neutral"), 1.0),
    ):
        rows = [{"text": f"{word} {at}", "label": labels[at % len(labels)]} for at in range(600)]
        write_rows(tmp_path / folder / "val.jsonl.gz", rows)
        for row in rows:
            logits = rng.normal(-2.5, 1.0, len(EMOTIONS)).astype(np.float32)
            if row["label"] in EMOTIONS:
                logits[EMOTIONS.index(row["label"])] += 2.5
            answers[tuple(encode(state.tokenizer, [row["text"]])[0])] = {"emotions": heat * logits}
    fitted = calibrate.fit(lambda ids: [answers[tuple(row)] for row in ids], state.tokenizer, tmp_path)
    spanish, english = fitted.languages["es"], fitted.languages["en"]
    assert spanish.temperatures["emotions"] == fitted.temperatures["emotions"]
    assert spanish.thresholds["emotions"]["love"] == fitted.thresholds["emotions"]["love"]
    # The comments have every emotion of ours.
    assert english.temperatures["emotions"] < fitted.temperatures["emotions"]
