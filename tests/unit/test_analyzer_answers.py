"""From logits to calibrated answers, against values computed by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.nlu.answers import choose, present, sigmoid, weigh
from trendlark.nlu.inputs import read_requests
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
