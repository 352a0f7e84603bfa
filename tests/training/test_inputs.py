"""What a network's products meet is seen as it is, padding and all others left out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from trendlark.training.checkpoint import Checkpoint
from trendlark.training.inputs import observe

IDS = [[4 + at, 9, 12, *range(20, 20 + at % 5)] for at in range(37)]


def _alone(state: Checkpoint, name: str) -> Tensor:
    """Return the rows [rows, inputs] that a layer meets when each text is read by itself."""
    seen: list[Tensor] = []
    layer = state.network.get_submodule(name.removesuffix(".weight"))
    hook = layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].flatten(0, -2)))
    with torch.inference_mode():
        for row in IDS:
            state.network.eval()(torch.tensor([row]))
    hook.remove()
    return torch.cat(seen)


def test_every_layer_is_seen_and_left_as_it_was(state: Checkpoint) -> None:
    found = observe(state.network.train(), IDS)
    linear = {name for name, layer in state.network.named_modules() if isinstance(layer, nn.Linear)}
    assert set(found) == {f"{name}.weight" for name in linear}
    assert not any(layer._forward_pre_hooks for layer in state.network.modules())


def test_what_is_seen_in_batches_is_what_each_text_alone_has(state: Checkpoint) -> None:
    found = observe(state.network, IDS)
    for name in ("layers.0.qkv.weight", "layers.1.down.weight", "pool.weight", "heads.irony.inner.weight"):
        rows = _alone(state, name)
        np.testing.assert_allclose(found[name].largest, rows.abs().amax(0).numpy(), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found[name].moments, (rows.T @ rows).numpy(), rtol=1e-3, atol=1e-3)
