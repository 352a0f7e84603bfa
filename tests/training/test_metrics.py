"""Every metric against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from trendlark.training.metrics import (
    calibration_error,
    entity_f1,
    f1_of,
    macro_f1,
    macro_f1_labels,
    macro_recall,
    spans_of,
)

GOLD = ["a", "a", "b", "b", "b", "c"]
SAID = ["a", "b", "b", "b", "c", "c"]


def test_f1_of_one_label() -> None:
    assert f1_of(GOLD, SAID, "a") == pytest.approx(2 / 3)
    assert f1_of(GOLD, SAID, "b") == pytest.approx(2 / 3)
    assert f1_of(GOLD, SAID, "missing") == 0.0


def test_macro_f1_is_the_mean_over_gold_labels() -> None:
    assert macro_f1(GOLD, SAID) == pytest.approx(2 / 3)
    # A label said but never true lowers the others' precision and is no label of its own.
    assert macro_f1(["a", "a"], ["a", "z"]) == pytest.approx(2 / 3)


def test_macro_recall() -> None:
    assert macro_recall(GOLD, SAID) == pytest.approx((1 / 2 + 2 / 3 + 1) / 3)


def test_macro_f1_of_many_labels_leaves_out_labels_never_true() -> None:
    gold = np.array([[1, 0, 0], [1, 1, 0]], bool)
    said = np.array([[1, 1, 1], [0, 1, 0]], bool)
    assert macro_f1_labels(gold, said) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert macro_f1_labels(np.zeros((2, 2), bool), said[:, :2]) == 0.0


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["O", "B-x", "I-x", "O"], {(1, 3, "x")}),
        (["B-x", "B-x"], {(0, 1, "x"), (1, 2, "x")}),
        (["I-x", "I-y", "I-y"], {(0, 1, "x"), (1, 3, "y")}),
        (["B-x", "I-y"], {(0, 1, "x"), (1, 2, "y")}),
        (["O"], set()),
        ([], set()),
    ],
)
def test_spans_of_bio_tags(tags: list[str], spans: set[tuple[int, int, str]]) -> None:
    assert spans_of(tags) == spans


def test_entity_f1_wants_exact_spans_and_types() -> None:
    gold = [{(0, 2, "x"), (3, 4, "y")}, set()]
    said = [{(0, 2, "x"), (3, 4, "x")}, {(0, 1, "y")}]
    assert entity_f1(gold, said) == pytest.approx(2 * 1 / (3 + 2))
    assert entity_f1([set()], [set()]) == 0.0


def test_calibration_error() -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.52, 0.52])
    correct = np.array([1, 1, 1, 0, 1, 0], bool)
    assert calibration_error(confidence, correct) == pytest.approx((4 * 0.15 + 2 * 0.02) / 6)
    assert calibration_error(np.array([1.0]), np.array([True])) == 0.0
    assert calibration_error(np.array([]), np.array([], bool)) == 0.0
