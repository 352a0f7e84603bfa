"""More layers on a trained network: it says what it said, and the new layers can learn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.training.tiny import tiny_checkpoint
from trendlark.errors import InputError
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, some_texts
from trendlark.training.deepen import deepen, shorten
from trendlark.training.model import Network, Shape

TEXTS = ["I love this wonderful day", "the bus leaves at nine", "que asco", "so angry at this"]


def _base(state: Checkpoint, layers: int) -> Network:
    shape = state.network.shape
    torch.manual_seed(9)
    return Network(Shape(5, shape.width, layers, shape.heads, shape.inner))


def _states(state: Checkpoint) -> torch.Tensor:
    state.network.eval()
    with torch.inference_mode():
        return torch.cat(
            [state.network.encode(torch.tensor([row]))[0] for row in encode(state.tokenizer, TEXTS)]
        )


def test_it_says_nearly_what_it_said() -> None:
    state = tiny_checkpoint()
    with torch.no_grad():
        # States of a trained network are far from one wide around zero.
        state.network.get_parameter("layers.1.norm2.weight").mul_(0.4)
        state.network.get_parameter("layers.1.norm2.bias").add_(0.3)
    before = _states(state)
    grown = deepen(state, _base(state, 4), TEXTS)
    assert grown.network.shape == replace(state.network.shape, layers=4)
    after = _states(grown)
    assert torch.nn.functional.cosine_similarity(before, after, dim=-1).min() > 0.98
    assert abs(float(after.std() / before.std()) - 1) < 0.05
    assert abs(float(after.mean() - before.mean())) < 0.02


def test_lower_layers_heads_and_words_stay() -> None:
    state = tiny_checkpoint()
    grown = deepen(state, _base(state, 3), TEXTS).network.state_dict()
    for name, value in state.network.state_dict().items():
        assert torch.equal(grown[name], value), name


def test_new_layers_are_the_bases_own_with_a_part_of_what_they_add() -> None:
    state = tiny_checkpoint()
    network = _base(state, 3)
    base, grown = network.state_dict(), deepen(state, network, TEXTS).network.state_dict()
    for name in ("qkv.weight", "up.weight", "up.bias"):
        assert torch.equal(grown[f"layers.2.{name}"], base[f"layers.2.{name}"]), name
    for name in ("down.weight", "out.weight", "out.bias"):
        assert torch.equal(grown[f"layers.2.{name}"], base[f"layers.2.{name}"] / 4), name


def test_layers_of_other_sizes_are_refused() -> None:
    state = tiny_checkpoint()
    with pytest.raises(InputError, match=r"\(64, 4, 64\); allowed .* are \(32, 4, 64\)"):
        deepen(state, Network(replace(state.network.shape, width=64, layers=3)), TEXTS)


def test_every_new_weight_has_a_gradient() -> None:
    state = tiny_checkpoint()
    grown = deepen(state, _base(state, 3), TEXTS).network.train()
    ids = torch.tensor(encode(state.tokenizer, TEXTS)[:1])
    grown(ids)["sentiment"].square().sum().backward()
    for name, weight in grown.layers[2].named_parameters():
        assert weight.grad is not None, name
        # A shift of all keys moves every score of a query alike, which changes nothing.
        part = weight.grad.chunk(3)[2] if name == "qkv.bias" else weight.grad
        assert bool(part.abs().max() > 0), name


def test_texts_to_measure_on_are_the_first_validation_tweets_of_each_set(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trendlark.training.data._TEXTS_OF_A_SET", 1)
    texts = some_texts(data)
    # Two sets of sentiment and two of emotions begin alike; davidson_en is not scored.
    assert texts.count("I love this wonderful day val 0") == 2
    assert texts.count("so angry at this val 0") == 2
    assert len(texts) == 9
    assert all(text.endswith(" val 0") for text in texts)


def test_the_highest_layers_are_left_out_and_all_else_stays() -> None:
    state = tiny_checkpoint()
    short = shorten(state, 1)
    assert short.network.shape == replace(state.network.shape, layers=1)
    own = state.network.state_dict()
    for name, value in short.network.state_dict().items():
        assert torch.equal(value, own[name]), name
    assert {name for name in own if name not in short.network.state_dict()} == {
        name for name in own if name.startswith("layers.1.")
    }
    # What grew by layers and lost them again says what it said.
    again = shorten(deepen(state, _base(state, 4), TEXTS), 2)
    assert torch.equal(_states(again), _states(state))


@pytest.mark.parametrize("layers", [0, 3, -1])
def test_layers_that_it_has_not_cannot_be_kept(layers: int) -> None:
    with pytest.raises(InputError, match=f"Found a wish for {layers} layers .* allowed are 1 to 2"):
        shorten(tiny_checkpoint(), layers)
