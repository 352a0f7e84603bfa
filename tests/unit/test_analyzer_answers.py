"""From logits to calibrated answers, against values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.nlu.answers import choose, present, read_answers, read_logits, sigmoid, silence, weigh
from trendlark.nlu.artifact import Manifest, TaskManifest
from trendlark.nlu.inputs import read_requests
from trendlark.nlu.tasks import TASKS
from trendlark.nlu.text import NORMALISER_VERSION
from trendlark.records import Label

_LOGIT = st.floats(-1e30, 1e30)


def test_softmax_by_hand() -> None:
    found = choose(("negative", "neutral", "positive"), [0.0, math.log(2), math.log(5)], 1.0)
    assert found.label == "positive"
    assert found.probabilities == pytest.approx({"negative": 1 / 8, "neutral": 2 / 8, "positive": 5 / 8})


def test_a_higher_temperature_is_less_sure_of_the_same_label() -> None:
    sure, unsure = (choose(("a", "b"), [3.0, 0.0], temperature) for temperature in (1.0, 4.0))
    assert sure.label == unsure.label == "a"
    assert sure.probability > unsure.probability > 0.5
    assert unsure.probability == pytest.approx(1 / (1 + math.exp(-0.75)))


def test_the_label_furthest_above_its_threshold_is_said_with_its_own_probability() -> None:
    logits = [math.log(4), math.log(5), 0.0]
    found = choose(("a", "b", "c"), logits, 1.0, {"a": 0.3, "b": 0.4, "c": 0.3})
    assert found.label == "a"
    assert found.probability == pytest.approx(0.4)
    assert found.probabilities == pytest.approx({"a": 0.4, "b": 0.5, "c": 0.1})
    assert choose(("a", "b", "c"), logits, 1.0, {"a": 0.4, "b": 0.4, "c": 0.4}).label == "b"


def test_sigmoid_by_hand() -> None:
    assert weigh(("a", "b"), [0.0, 2 * math.log(3)], 2.0) == pytest.approx({"a": 0.5, "b": 0.75})


def test_labels_at_their_threshold_are_present_strongest_first() -> None:
    probabilities = {"a": 0.3, "b": 0.5, "c": 0.9, "d": 0.49}
    assert present(probabilities, {"a": 0.2, "b": 0.5, "c": 0.5, "d": 0.5}) == (
        *(Label("c", 0.9), Label("b", 0.5), Label("a", 0.3)),
    )


@given(st.lists(_LOGIT, min_size=2, max_size=9), st.floats(0.01, 100))
def test_probabilities_sum_to_one_whatever_the_logits(logits: list[float], temperature: float) -> None:
    labels = [str(number) for number in range(len(logits))]
    found = choose(labels, logits, temperature)
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.probability == max(found.probabilities.values())


@given(_LOGIT)
def test_sigmoid_never_overflows(logit: float) -> None:
    assert 0 <= sigmoid(logit) <= 1
    assert sigmoid(logit) + sigmoid(-logit) == pytest.approx(1)


def test_requests_pair_texts_with_languages_and_mend_surrogates() -> None:
    assert read_requests(["a\ud800", ""], ["es", None]) == [("a\ufffd", "es"), ("", None)]
    assert read_requests(iter(["a"])) == [("a", None)]


def _manifest(**irony: object) -> Manifest:
    tasks: dict[str, dict[str, object]] = {
        name: {"kind": task.kind, "labels": task.labels, "thresholds": dict.fromkeys(task.labels, 0.5)}
        for name, task in TASKS.items()
    }
    tasks["irony"] |= irony
    return Manifest.model_validate(
        {"format": 1, "name": "x", "normaliser": NORMALISER_VERSION, "max_tokens": 96}
        | {"tasks": tasks, "entity_tags": ["O"], "files": {}}
    )


def test_a_language_is_calibrated_by_its_own_numbers_where_it_has_any() -> None:
    own = {"es": {"temperature": 2.0, "thresholds": {"irony": 0.8}}, "pt": {"temperature": 4.0}}
    manifest = _manifest(temperature=1.0, languages=own)
    outputs = {name: np.zeros((2, task.width), np.float32) for name, task in TASKS.items()}
    outputs["irony"][1] = math.log(9)
    logits = read_logits(manifest, outputs, 1)
    found = {lang: read_answers(manifest, logits, lang).irony for lang in ("en", "es", "pt")}
    assert found["en"].probability == pytest.approx(0.9)
    assert found["es"].probability == pytest.approx(0.75)
    assert found["pt"].probability == pytest.approx(math.sqrt(3) / (1 + math.sqrt(3)))
    # Portuguese has a temperature of its own and the task's thresholds.
    assert [found[lang].value for lang in ("en", "es", "pt")] == [True, False, True]
    assert "entities" not in logits


@pytest.mark.parametrize("lang", ["en", "es", "und"])
def test_what_says_nothing_is_neutral_and_nothing_else(lang: str) -> None:
    least = {"temperature": 9.0, "thresholds": {"irony": 0.01}}
    manifest = _manifest(temperature=9.0, languages={"es": least})
    found = read_answers(manifest, silence(manifest), lang)
    assert (found.sentiment.label, found.emotions_present, found.topics) == ("neutral", (), ())
    assert found.sentiment.probability > 0.99
    assert not any(flag.value for flag in (found.irony, found.hate, found.offensive))
    assert (
        max([*found.emotions.values(), *found.topic_probabilities.values(), found.irony.probability]) < 0.01
    )


def test_a_task_without_languages_answers_all_alike() -> None:
    task = TaskManifest(kind="yes_no", labels=("irony",), temperature=1.5, thresholds={"irony": 0.4})
    assert task.calibration("es") == task.calibration("und")
    assert task.calibration("es").thresholds == {"irony": 0.4}
