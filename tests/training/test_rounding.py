"""Weights in 8 bits: in range, and with regard to their inputs nearer to the product."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from tests.training.tiny import product_of
from trendlark.nlu.artifact import load_artifact
from trendlark.training.rounding import quantise_product

Array = NDArray[np.float32]


def _world(seed: int, spread: int = 6) -> tuple[Array, Array]:
    """Return rows [400, 48] that go together, as ``spread`` causes make them, and a weight [24, 48]."""
    chance = np.random.default_rng(seed)
    causes = chance.standard_normal((400, spread)) @ chance.standard_normal((spread, 48))
    rows = causes + 0.1 * chance.standard_normal((400, 48))
    return rows.astype(np.float32), chance.standard_normal((24, 48)).astype(np.float32)


def _lost(rows: Array, weight: Array, moments: Array | None) -> float:
    steps, scale = quantise_product(weight, moments)
    return float(np.square(rows @ (steps * scale - weight).T).mean())


def test_products_of_inputs_that_go_together_lose_much_less() -> None:
    for seed in range(5):
        rows, weight = _world(seed)
        assert _lost(rows, weight, rows.T @ rows) < 0.2 * _lost(rows, weight, None)
        # Rows that were not among those seen gain as well.
        fresh = rows[200:]
        assert _lost(fresh, weight, rows[:200].T @ rows[:200]) < 0.3 * _lost(fresh, weight, None)


def test_the_exported_product_gains_what_its_weight_does() -> None:
    rows, weight = _world(7)
    moments = rows.T @ rows
    exact = rows @ weight.T
    nearest, careful = (
        float(np.square(product_of(rows, weight, moments=one) - exact).mean()) for one in (None, moments)
    )
    # What the activations lose stays.
    assert careful < 0.8 * nearest


def test_inputs_that_have_nothing_to_do_with_each_other_leave_the_nearest_step() -> None:
    _, weight = _world(1)
    for one, other in zip(quantise_product(weight), quantise_product(weight, np.eye(48)), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("moments", [np.zeros((48, 48)), np.ones((48, 48)), np.diag([1e12, *[0.0] * 47])])
def test_whatever_was_seen_the_steps_are_in_range_and_near(moments: NDArray[np.float64]) -> None:
    _, weight = _world(2)
    steps, scale = quantise_product(weight, moments)
    assert steps.dtype == np.int8
    assert np.abs(steps.astype(int)).max() <= 127
    np.testing.assert_array_equal(scale, quantise_product(weight)[1])
    assert np.abs(steps * scale - weight).max() < 10 * scale.max()


def test_a_row_of_nothing_stays_nothing() -> None:
    rows, weight = _world(3)
    weight[5] = 0
    steps, scale = quantise_product(weight, rows.T @ rows)
    assert not steps[5].any()
    assert np.isfinite(scale).all()


def _largest_pair(steps: NDArray[np.int8]) -> int:
    """Return the largest sum of neighbouring inputs' steps of one sign, of a weight [outputs, inputs]."""
    even = steps.shape[1] // 2 * 2
    sides = (np.maximum(steps.astype(int), 0), np.maximum(-steps.astype(int), 0))
    return max(int((side[:, 0:even:2] + side[:, 1:even:2]).max(initial=0)) for side in sides)


def test_the_shipped_model_multiplies_exactly_on_any_cpu() -> None:
    graph = onnx.load(str(load_artifact().model_file)).graph
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    products = [node.input[1] for node in graph.node if node.op_type == "MatMulIntegerToFloat"]
    assert len(products) > 40
    assert max(_largest_pair(constants[name].T) for name in products) <= 128


@pytest.mark.parametrize("inputs", [2, 47, 48])
@pytest.mark.parametrize("known", [False, True])
def test_neighbouring_inputs_never_reach_beyond_sixteen_bits(inputs: int, known: bool) -> None:
    chance = np.random.default_rng(inputs)
    # As even as can be: half of all pairs would be too large.
    weight = chance.uniform(-1, 1, (24, inputs)).astype(np.float32)
    rows = chance.standard_normal((200, inputs)) @ chance.standard_normal((inputs, inputs))
    steps, scale = quantise_product(weight, rows.T @ rows if known else None)
    assert 255 * _largest_pair(steps) < 2**15
    assert np.abs(steps * scale - weight).max() < 10 * scale.max()


def test_a_pair_of_opposite_signs_keeps_the_whole_range() -> None:
    steps, _ = quantise_product(np.array([[1.0, -1.0], [1.0, 1.0], [1.0, 0.0]], np.float32))
    assert steps.tolist() == [[127, -127], [64, 64], [127, 0]]


def test_products_of_the_largest_rows_are_exact_on_any_cpu() -> None:
    chance = np.random.default_rng(4)
    weight = np.abs(chance.standard_normal((40, 64))).astype(np.float32)
    steps, scale = quantise_product(weight)
    # After a GELU all of a row's values may be the largest, 255.
    rows = np.full((3, 64), 2, np.float32)
    exact = 2 * steps.astype(int).sum(1) * scale[:, 0]
    np.testing.assert_allclose(product_of(rows, weight, after_gelu=True)[0], exact, rtol=1e-5)
