"""The exported graph: equal to PyTorch, and the same text gets the same answer in any batch, bit by bit."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray

from tests.training.tiny import product_of, tiny_checkpoint
from trendlark.nlu.tasks import TASKS
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.export import network_weights
from trendlark.training.graph import build
from trendlark.training.predict import build_session, network_predictor, session_predictor
from trendlark.training.rounding import quantise_rows

Arrays = dict[str, NDArray[np.float32]]


def _ids(batch: int, tokens: int) -> NDArray[np.int64]:
    return np.random.default_rng(3).integers(4, 200, (batch, tokens))


def _run(state: Checkpoint, ids: NDArray[np.int64], int8: bool) -> Arrays:
    session = build_session(build(network_weights(state), state.network.shape, int8))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"input_ids": ids}), strict=True))


def _torch(state: Checkpoint, ids: NDArray[np.int64]) -> Arrays:
    with torch.inference_mode():
        out = state.network.eval()(torch.from_numpy(ids))
    return {name: value.numpy() for name, value in out.items()}


@pytest.mark.parametrize("shape", [(1, 3), (4, 1), (5, 17), (3, 96)])
def test_single_precision_equals_pytorch(state: Checkpoint, shape: tuple[int, int]) -> None:
    ids = _ids(*shape)
    found, expected = _run(state, ids, int8=False), _torch(state, ids)
    assert set(found) == {*TASKS, "embedding"}
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], atol=2e-5, err_msg=name)


@pytest.mark.parametrize("shape", [(1, 3), (5, 17), (3, 96)])
def test_distances_weigh_in_the_graph_as_in_pytorch(shape: tuple[int, int]) -> None:
    state, ids = tiny_checkpoint(buckets=8), _ids(*shape)
    found, expected = _run(state, ids, int8=False), _torch(state, ids)
    for name, value in found.items():
        np.testing.assert_allclose(value, expected[name], atol=2e-5, err_msg=name)
    assert state.network.distances is not None
    torch.nn.init.zeros_(state.network.distances.weight)
    without = _run(state, ids, int8=False)
    assert np.abs(without["emotions"] - found["emotions"]).max() > 1e-4


def test_eight_bits_stay_near(state: Checkpoint) -> None:
    ids = _ids(16, 20)
    found, expected = _run(state, ids, int8=True), _torch(state, ids)
    for name, value in found.items():
        assert np.abs(value - expected[name]).max() < 0.05, name
    cosine = (found["embedding"] * expected["embedding"]).sum(-1)
    assert cosine.min() > 0.999


@pytest.mark.parametrize("factor", [1.0, 0.01])
def test_rows_after_a_gelu_lose_less_when_it_is_known(factor: float) -> None:
    chance = np.random.default_rng(5)
    plain = torch.from_numpy(3 * factor * chance.standard_normal((32, 64)).astype(np.float32))
    rows = torch.nn.functional.gelu(plain).numpy()
    # Whole steps, so that only the rows lose.
    weight = chance.integers(-63, 64, (16, 64)).astype(np.float32)
    weight[:, :2] = 127, 0
    weight *= 0.02
    lost = [
        float(np.abs(product_of(rows, weight, after_gelu=known) - rows @ weight.T).mean())
        for known in (True, False)
    ]
    # Where all values are small, zero is far enough from the end of the range for nothing to be cut off.
    assert lost[0] < (0.7 * lost[1] if factor == 1.0 else 0.02)


def test_fine_rows_lose_next_to_nothing_beside_one_large_value() -> None:
    chance = np.random.default_rng(6)
    rows = chance.standard_normal((32, 64)).astype(np.float32)
    rows[:, 5] = 40.0
    rows[0] = 0.0
    # Whole steps, so that only the rows lose.
    weight = chance.integers(-63, 64, (16, 64)).astype(np.float32)
    weight[:, :2] = 127, 0
    weight *= 0.02
    lost = [np.abs(product_of(rows, weight, fine=fine) - rows @ weight.T).max() for fine in (True, False)]
    assert lost[0] < 0.01 * lost[1]
    np.testing.assert_array_equal(product_of(rows, weight, fine=True)[0], 0)
    for size in (1, 3, 16):
        np.testing.assert_array_equal(
            product_of(rows[:size], weight, fine=True), product_of(rows, weight, fine=True)[:size]
        )


def test_outputs_have_the_stated_shapes(state: Checkpoint) -> None:
    found = _run(state, _ids(2, 9), int8=True)
    assert {name: value.shape for name, value in found.items()} == {
        "sentiment": (2, 3),
        "emotions": (2, 8),
        "irony": (2, 1),
        "hate": (2, 1),
        "offensive": (2, 1),
        "topics": (2, 19),
        "entities": (2, 9, 15),
        "embedding": (2, 32),
    }
    np.testing.assert_allclose(np.linalg.norm(found["embedding"], axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize("tokens", [1, 7, 28, 96])
def test_a_text_alone_gets_bitwise_what_it_gets_in_a_batch(state: Checkpoint, tokens: int) -> None:
    session = build_session(build(network_weights(state), state.network.shape, int8=True))
    names = [output.name for output in session.get_outputs()]
    ids = _ids(33, tokens)
    together = session.run(None, {"input_ids": ids})
    for size in (1, 2, 5, 16):
        part = session.run(None, {"input_ids": ids[:size]})
        for name, one, other in zip(names, part, together, strict=True):
            np.testing.assert_array_equal(one, other[:size], err_msg=f"{name}, batch of {size}")


def test_rows_are_quantised_by_their_own_largest_value() -> None:
    table = np.array([[1.27, -0.5, 0.004], [0.0, 0.0, 0.0], [-254.0, 2.0, 100.0]], np.float32)
    quantised, scale = quantise_rows(table)
    assert quantised.dtype == np.int8
    assert quantised.tolist() == [[127, -50, 0], [0, 0, 0], [-127, 1, 50]]
    assert np.abs(quantised * scale - table).max() <= scale.max() / 2


def test_the_graph_is_valid_and_takes_ids_alone(state: Checkpoint) -> None:
    model = build(network_weights(state), state.network.shape, int8=True)
    onnx.checker.check_model(model)
    assert [one.name for one in model.graph.input] == ["input_ids"]
    kinds = {one.data_type for one in model.graph.initializer if np.prod(one.dims) > 4_000}
    assert kinds == {onnx.TensorProto.INT8}


def test_both_predictors_answer_in_the_order_given(state: Checkpoint) -> None:
    rows = [[2, *range(20, 20 + size), 3] for size in (5, 2, 9, 2, 5)]
    session = build_session(build(network_weights(state), state.network.shape, int8=False))
    ours, theirs = session_predictor(session)(rows), network_predictor(state.network.eval(), batch=2)(rows)
    for row, one, other in zip(rows, ours, theirs, strict=True):
        assert one["entities"].shape == other["entities"].shape == (len(row), 15)
        np.testing.assert_allclose(one["topics"], other["topics"], atol=0.02)


def test_batches_that_run_together_answer_each_text_as_it_is_answered_alone(state: Checkpoint) -> None:
    session = build_session(build(network_weights(state), state.network.shape, int8=True))
    rows = [[2, *range(20 + at, 23 + at + at % 3), 3] for at in range(120)]
    predict = session_predictor(session)
    for row, found in zip(rows, predict(rows), strict=True):
        alone = predict([row])[0]
        for name, value in alone.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)
