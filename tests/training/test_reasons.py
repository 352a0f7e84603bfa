"""Calibration tells what it chose with the reason, in figures that are so."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.training.tiny import write_rows
from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.training import calibrate
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode
from trendlark.training.guard import floors
from trendlark.training.predict import Floats, Predictor
from trendlark.training.scoring import Calibration, score_all

EMOTIONS = TASKS["emotions"].labels


class World:
    """Validation sets of invented tweets, and a model that says of each what was laid down."""

    def __init__(self, state: Checkpoint, folder: Path) -> None:
        self.state, self.folder = state, folder
        self.answers: dict[tuple[int, ...], dict[str, Floats]] = {}

    def add(
        self, name: str, word: str, labels: Sequence[str], logits: Mapping[str, NDArray[np.float64]]
    ) -> None:
        """Write a set of as many tweets as labels, and lay down by task the logits [tweets, width] of these."""
        texts = [f"{word} {at}" for at in range(len(labels))]
        rows = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
        write_rows(self.folder / name / "val.jsonl.gz", rows)
        for at, ids in enumerate(encode(self.state.tokenizer, texts)):
            answer = {task: np.zeros(one.width, np.float32) for task, one in TASKS.items()}
            answer |= {task: own[at].astype(np.float32) for task, own in logits.items()}
            self.answers[tuple(ids)] = answer

    @property
    def predict(self) -> Predictor:
        return lambda ids: [self.answers[tuple(row)] for row in ids]

    def fit(self, caplog: pytest.LogCaptureFixture) -> tuple[Calibration, list[str]]:
        with caplog.at_level(logging.INFO, "trendlark.training"):
            return calibrate.fit(self.predict, self.state.tokenizer, self.folder), caplog.messages


@pytest.fixture
def world(state: Checkpoint, tmp_path: Path) -> World:
    return World(state, tmp_path)


def _add_irony(world: World) -> None:
    """Irony of one in four tweets, told apart by a model that is twice too sure."""
    truth = np.arange(400) % 4 == 0
    feature = np.random.default_rng(0).normal(size=400) + np.where(truth, 1.0, -1.0)
    labels = ["irony" if one else "non_irony" for one in truth]
    world.add("tweeteval_irony", "text", labels, {"irony": 2 * (2 * feature + np.log(1 / 3))[:, None]})


def _line(messages: Sequence[str], start: str) -> str:
    (found,) = [line for line in messages if line.startswith(start)]
    return found


def test_temperature_and_threshold_are_told_with_what_they_gain(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    _add_irony(world)
    fitted, messages = world.fit(caplog)
    line = _line(messages, "calibration irony (en): ")
    own = fitted.of("en")
    assert (
        f"temperature {own.temperatures['irony']:.3f}, because 400 tweets of validation are likeliest" in line
    )
    losses = re.search(r"\(loss ([\d.]+), ([\d.]+) at 1\)", line)
    assert losses
    assert float(losses[1]) < float(losses[2])
    found = score_all(world.predict, world.state.tokenizer, world.folder, fitted)["tweeteval_irony"]["f1_yes"]
    plain = Calibration(own.temperatures, {"irony": {"irony": 0.5}})
    before = score_all(world.predict, world.state.tokenizer, world.folder, plain)["tweeteval_irony"]["f1_yes"]
    assert (
        f"thresholds {own.thresholds['irony']}, because with them validation of tweeteval_irony (f1_yes) scores "
        f"{found:.4f} ({before:.4f} at 0.50); no higher ones are within 0.01 of the best"
    ) in line


def test_what_is_not_fitted_is_told_too(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add_irony(world)
    monkeypatch.setattr(calibrate, "ENOUGH_ROWS", 401)
    _, messages = world.fit(caplog)
    assert "calibration hate: nothing is fitted, because no tweets of validation tell of it" in messages
    assert (
        "calibration irony (en): that of all languages, because 400 tweets of validation are fewer than 401"
        in messages
    )
    assert "calibration entities: temperature 1.000, because no entity is said of validation" in messages
    assert "everyday tweets, irony: any threshold will do, because there are no such tweets here" in messages


def test_a_threshold_that_everyday_tweets_hold_up_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(3)
    truth = np.arange(300) % 2 == 1
    labels = ["hate" if one else "not-hate" for one in truth]
    world.add("tweeteval_hate", "found", labels, {"hate": rng.normal(np.where(truth, 1, -1), 1.5)[:, None]})
    world.add("tweeteval_sentiment", "day", ["neutral"] * 200, {"hate": rng.normal(size=(200, 1))})
    fitted, messages = world.fit(caplog)
    least = fitted.of("en").thresholds["hate"]
    why = "because of each of the sets of 200 tweets at most 0.5% may be flagged"
    assert f"everyday tweets, hate: thresholds of at least {least}, {why}" in messages
    line = _line(messages, "calibration hate (en): ")
    assert line.endswith("; everyday tweets allow no lower ones of hate")


def test_how_often_an_emotion_may_be_said_is_told(caplog: pytest.LogCaptureFixture) -> None:
    logits = {"emotions": np.zeros((7, len(EMOTIONS)), np.float32)}
    with caplog.at_level(logging.INFO, "trendlark.training.guard"):
        floors("emotions", 1.0, [logits, logits])
    (line,) = caplog.messages
    assert line.endswith(
        "because in each of the sets of 7, 7 tweets a label may be said at most 2 times as often as it is likely"
    )


def test_labels_that_no_set_of_a_language_has_are_named(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(6)
    for name, word, labels in (
        ("emoevent_es", "evento", ("joy", "others")),
        ("goemotions", "comment", ("joy", "love", "neutral")),
    ):
        told = [labels[at % len(labels)] for at in range(300)]
        logits = rng.normal(-2.5, 1.0, (300, len(EMOTIONS)))
        for at, label in enumerate(told):
            if label in EMOTIONS:
                logits[at, EMOTIONS.index(label)] += 2.5
        world.add(name, word, told, {"emotions": logits})
    fitted, messages = world.fit(caplog)
    common = f"temperature {fitted.temperatures['emotions']:.3f}"
    line = _line(messages, "calibration emotions (es): ")
    assert f": {common} of all languages, because no set here decides on love, optimism;" in line
    assert _line(messages, "calibration emotions: ").startswith(
        f"calibration emotions: {common}, because 600 "
    )


@pytest.mark.parametrize("gap", [0.0, 1.5])
def test_a_choice_tells_whether_it_is_shifted(
    world: World, caplog: pytest.LogCaptureFixture, gap: float
) -> None:
    """Where the negative ones are said too seldom by a fixed gap, thresholds make that good."""
    rng = np.random.default_rng(1)
    labels = TASKS["sentiment"].labels
    truth = rng.integers(0, 3, 300)
    logits = np.eye(3)[truth] * 2 + rng.normal(0, gap / 2, (300, 3)) - [gap, 0, 0]
    world.add("umsab_es", "dia", [labels[at] for at in truth], {"sentiment": logits})
    fitted, messages = world.fit(caplog)
    line = _line(messages, "calibration sentiment (es): ")
    if not gap:
        assert line.endswith("; the likeliest label is said, because no thresholds gain enough on validation")
        return
    assert f"; thresholds {fitted.of('es').thresholds['sentiment']}, because with them " in line
    scores = re.search(r"umsab_es \(macro_f1\) scores ([\d.]+) \(([\d.]+) at 0.33\)", line)
    assert scores
    assert float(scores[1]) > float(scores[2]) + 0.02


def test_how_sure_entities_are_is_told_with_its_reason(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"tokens": ["Zyxwvut", "sang"], "tags": ["B-PER" if at % 4 else "O", "O"]} for at in range(80)]
    write_rows(world.folder / "ner_btc" / "val.jsonl.gz", rows)
    ids = encode(world.state.tokenizer, ["Zyxwvut sang"])[0]
    logits = np.full((len(ids), len(entity_tags())), -50, np.float32)
    logits[:, entity_tags().index("O")] = 0
    logits[1, entity_tags().index("B-person")] = 3
    world.answers[tuple(ids)] = {"entities": logits}
    fitted, messages = world.fit(caplog)
    line = _line(messages, "calibration entities: ")
    assert f"temperature {fitted.temperatures['entities']:.3f}, because whether 80 entities" in line
    losses = re.search(r"\(loss ([\d.]+), ([\d.]+) at 1\)", line)
    assert losses
    assert float(losses[1]) < float(losses[2])
