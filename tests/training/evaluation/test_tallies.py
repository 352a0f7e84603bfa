"""Scores as sums of counts: the same as the plain metrics, on all rows and on any resampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.training import metrics
from trendlark.training.evaluation import tallies
from trendlark.training.evaluation.tallies import Tally, draw_weights, interval

_LABELS = ("a", "b", "c")
_PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30)


def _confusion(pairs: list[tuple[int, int]], metric: tallies.Metric) -> Tally:
    gold, said = (np.array(column) for column in zip(*pairs, strict=True))
    return Tally(tallies.confusion(gold, said, 3), metric)


@given(_PAIRS)
def test_scores_of_one_label_are_the_plain_ones(pairs: list[tuple[int, int]]) -> None:
    gold, said = ([_LABELS[at] for at in column] for column in zip(*pairs, strict=True))
    assert _confusion(pairs, tallies.macro_f1).score() == pytest.approx(metrics.macro_f1(gold, said))
    assert _confusion(pairs, tallies.macro_recall).score() == pytest.approx(metrics.macro_recall(gold, said))
    assert _confusion(pairs, tallies.f1_of(1)).score() == pytest.approx(metrics.f1_of(gold, said, "b"))


@given(_PAIRS, st.integers(0, 99))
def test_a_draw_scores_what_the_drawn_rows_score(pairs: list[tuple[int, int]], seed: int) -> None:
    weights = draw_weights(len(pairs), 3, seed)
    scores = _confusion(pairs, tallies.macro_f1).draws(weights)
    for row, score in zip(weights, scores, strict=True):
        drawn = [pair for pair, times in zip(pairs, row, strict=True) for _ in range(int(times))]
        assert score == pytest.approx(_confusion(drawn, tallies.macro_f1).score())


@given(st.lists(st.tuples(*[st.booleans()] * 4), min_size=1, max_size=20))
def test_scores_of_many_labels_are_the_plain_ones(rows: list[tuple[bool, ...]]) -> None:
    table = np.array(rows)
    gold, said = table[:, :2], table[:, 2:]
    found = Tally(tallies.hits_by_label(gold, said), tallies.macro_f1_labels).score()
    assert found == pytest.approx(metrics.macro_f1_labels(gold, said))


def test_scores_of_spans_are_the_plain_ones() -> None:
    gold = [{(0, 1, "PER"), (2, 4, "LOC")}, set(), {(1, 2, "PER")}]
    said = [{(0, 1, "PER"), (2, 3, "LOC")}, {(0, 1, "LOC")}, {(1, 2, "PER")}]
    tally = Tally(tallies.hits_of_spans(gold, said), tallies.span_f1)
    assert tally.score() == pytest.approx(metrics.entity_f1(gold, said)) == pytest.approx(4 / 7)
    assert tally.part(np.array([False, True, False])).score() == 0
    assert tally.part([0, 2]).score() == pytest.approx(4 / 6)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_calibration_error_is_the_plain_one(answers: list[tuple[float, bool]]) -> None:
    confidence = np.array([one for one, _ in answers])
    correct = np.array([one for _, one in answers])
    counts = tallies.bins(np.arange(len(answers)), confidence, correct, len(answers))
    found = Tally(counts, tallies.calibration_error).score()
    assert found == pytest.approx(metrics.calibration_error(confidence, correct))


def test_a_row_may_give_several_answers_or_none() -> None:
    rows, confidence, correct = np.array([0, 0, 2]), np.array([0.9, 0.9, 0.3]), np.array([True, False, True])
    counts = tallies.bins(rows, confidence, correct, 3)
    assert counts.shape == (3, 3 * tallies.BINS)
    assert counts[1].sum() == 0
    error = Tally(counts, tallies.calibration_error)
    assert error.score() == pytest.approx((abs(1.8 - 1) + 0.7) / 3)
    assert error.part([1]).score() == 0


def test_every_draw_takes_as_many_rows_as_there_are() -> None:
    weights = draw_weights(7, 250, seed=3)
    assert weights.shape == (250, 7)
    assert (weights.sum(1) == 7).all()
    assert np.array_equal(weights, draw_weights(7, 250, seed=3))
    assert not np.array_equal(weights, draw_weights(7, 250, seed=4))
    assert weights.mean(0) == pytest.approx(np.ones(7), abs=0.25)


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Of 200 samples of 100 tweets with 70 % right, the intervals of about 95 % hold the truth."""
    random = np.random.default_rng(0)
    weights = draw_weights(100, 300, seed=1)
    held = 0
    for _ in range(200):
        right = random.random(100) < 0.7
        # Of one label alone the recall is the share that is right.
        cells = tallies.confusion(np.zeros(100, int), (~right).astype(int), 2)
        low, high = interval(Tally(cells, tallies.macro_recall).draws(weights))
        held += low <= 0.7 <= high
    assert 180 <= held <= 198


def test_scores_of_nothing_are_nothing() -> None:
    empty = np.zeros((2, 9))
    for metric in (tallies.macro_f1, tallies.macro_recall, tallies.f1_of(0)):
        assert metric(empty).tolist() == [0, 0]
    assert tallies.macro_f1_labels(np.zeros((1, 6))).tolist() == [0]
    assert tallies.span_f1(np.zeros((1, 3))).tolist() == [0]
