"""Channels made of like size: the product stays, and 8 bits lose less of it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.training.tiny import product_of, tiny_checkpoint
from trendlark.nlu.tasks import TASKS
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, some_texts
from trendlark.training.export import network_weights, unbiased
from trendlark.training.graph import Care, build
from trendlark.training.inputs import Inputs
from trendlark.training.model import POOLED_TASKS, Layer
from trendlark.training.predict import build_session, session_predictor
from trendlark.training.smooth import factors, prepare

LAYERS = ("layers.0.qkv.weight", "layers.0.up.weight", "layers.1.qkv.weight", "layers.1.up.weight")
IDS = np.random.default_rng(4).integers(4, 60, (24, 15))


def layers_of(state: Checkpoint) -> list[Layer]:
    return [layer for layer in state.network.layers if isinstance(layer, Layer)]


def make_uneven(seed: int) -> Checkpoint:
    """Return a network with a few channels many times as large as the others, as trained encoders have them."""
    state = tiny_checkpoint(seed)
    with torch.no_grad():
        for layer in layers_of(state):
            layer.norm1.weight[:3] *= 30
            layer.norm2.weight[:3] *= 30
        state.network.norm.weight[5] *= 40
    return state


@pytest.fixture
def uneven() -> Checkpoint:
    return make_uneven(0)


def _even(state: Checkpoint, data: Path) -> dict[str, Care]:
    """What is known of a network's weights by the tweets of ``data``, but for the moments."""
    ids = encode(state.tokenizer, some_texts(data))
    found = prepare(state.network, network_weights(state), ids)
    return {name: replace(one, moments=None) for name, one in found.items()}


def _answers(state: Checkpoint, int8: bool, care: dict[str, Care]) -> dict[str, NDArray[np.float32]]:
    session = build_session(build(network_weights(state), state.network.shape, int8, care))
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"input_ids": IDS}), strict=True))


def test_layers_that_read_a_norm_are_evened_out_and_no_others(uneven: Checkpoint, data: Path) -> None:
    found = _even(uneven, data)
    assert {name for name, care in found.items() if care.smooth is not None} == set(LAYERS)
    assert {"layers.0.down.weight", "pool.weight", "heads.irony.inner.weight"} < set(found)


def test_what_is_evened_out_and_how_weights_are_rounded_is_told_with_the_reason(
    uneven: Checkpoint, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ids = encode(uneven.tokenizer, some_texts(data))
    with caplog.at_level(logging.INFO, "trendlark.training"):
        care = prepare(uneven.network, network_weights(uneven), ids)
        unbiased(network_weights(uneven), uneven.network.shape, care, ids)
    even = [one.smooth for one in care.values() if one.smooth is not None]
    smallest, largest = min(one.min() for one in even), max(one.max() for one in even)
    evened, rounded, *moved = caplog.messages
    assert evened.startswith(
        f"8 bits: channels of 4 products are divided by {smallest:.2f} to {largest:.1f}, because"
    )
    assert any(f"of {name} " in evened for name in LAYERS)
    assert rounded.startswith(
        f"8 bits: {len(care)} weights are rounded column after column, because {len(ids)} "
    )
    assert [line.partition(":")[0] for line in moved] == [f"8 bits, {task}" for task in POOLED_TASKS]
    assert all(
        line.endswith(f"because so far are its logits off in the mean of {len(ids)} texts") for line in moved
    )


def test_factors_follow_large_channels_and_leave_the_mean() -> None:
    weights = {"layers.0.up.weight": np.ones((4, 5), np.float32)}
    seen = {
        "layers.0.up.weight": Inputs(np.array([1, 1, 100, 1, 0], np.float32), np.eye(5, dtype=np.float32))
    }
    found = factors(weights, seen)["layers.0.up.weight"]
    assert found.dtype == np.float32
    assert np.argmax(found) == 2
    assert found[2] / found[0] == pytest.approx(100**0.6, rel=1e-4)
    assert np.exp(np.log(found).mean()) == pytest.approx(1, rel=1e-4)
    # A channel that is never used divides by something, not by nothing.
    assert np.isfinite(1 / found).all()


@pytest.mark.parametrize("name", ["layers.0.qkv.weight", "layers.1.up.weight"])
def test_a_product_loses_much_less_when_its_channels_are_even(
    uneven: Checkpoint, data: Path, name: str
) -> None:
    weight = network_weights(uneven)[name]
    even = _even(uneven, data)[name].smooth
    seen: list[torch.Tensor] = []
    layer = uneven.network.get_submodule(name.removesuffix(".weight"))
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    uneven.network(torch.from_numpy(IDS))
    hook.remove()
    rows = seen[0].detach().numpy().reshape(-1, weight.shape[1])
    lost = [np.abs(product_of(rows, weight, smooth=one) - rows @ weight.T).mean() for one in (None, even)]
    assert lost[1] < 0.6 * lost[0]


def test_smoothing_takes_away_a_part_of_what_8_bits_lose(data: Path) -> None:
    lost = np.zeros(2)
    for seed in range(8):
        state = make_uneven(seed)
        exact = _answers(state, False, {})
        for at, care in enumerate(({}, _even(state, data))):
            found = _answers(state, True, care)
            lost[at] += np.mean([np.abs(found[one] - exact[one]).mean() / exact[one].std() for one in TASKS])
    # Of single networks between 0.38 and 1.02.
    assert lost[1] < 0.75 * lost[0]


def test_biases_take_away_what_8_bits_add_in_the_mean(uneven: Checkpoint) -> None:
    weights, shape, ids = network_weights(uneven), uneven.network.shape, [row.tolist() for row in IDS]
    corrected = unbiased(weights, shape, {}, ids)
    exact, before, after = (
        session_predictor(build_session(build(own, shape, int8)))(ids)
        for own, int8 in ((weights, False), (weights, True), (corrected, True))
    )
    for name in POOLED_TASKS:
        first, second = (
            np.abs(
                np.mean([one[name] - other[name] for one, other in zip(found, exact, strict=True)], axis=0)
            )
            for found in (before, after)
        )
        assert first.max() > 1e-4
        assert second.max() < 0.01 * first.max()
    changed = {name for name, value in weights.items() if not np.array_equal(value, corrected[name])}
    assert changed == {f"heads.{name}.logits.bias" for name in POOLED_TASKS}


def test_without_texts_no_bias_is_moved(uneven: Checkpoint) -> None:
    weights = network_weights(uneven)
    found = unbiased(weights, uneven.network.shape, {}, [])
    assert all(np.array_equal(value, found[name]) for name, value in weights.items())


def test_in_single_precision_nothing_changes(uneven: Checkpoint, data: Path) -> None:
    plain, smooth = (
        _answers(uneven, False, {}),
        _answers(uneven, False, _even(uneven, data)),
    )
    for name in TASKS:
        np.testing.assert_array_equal(plain[name], smooth[name])


def test_a_text_alone_still_gets_bitwise_what_it_gets_in_a_batch(uneven: Checkpoint, data: Path) -> None:
    network, weights = uneven.network, network_weights(uneven)
    care = prepare(network, weights, encode(uneven.tokenizer, some_texts(data)))
    session = build_session(build(weights, network.shape, True, care))
    together = session.run(None, {"input_ids": IDS})
    for size in (1, 3, 16):
        for one, other in zip(session.run(None, {"input_ids": IDS[:size]}), together, strict=True):
            np.testing.assert_array_equal(one, other[:size])
