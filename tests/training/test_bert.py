"""Another base, from a folder of Hugging Face's form: what it says does not change on the way in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from tests.training.bases import HEADS, LAYERS, WIDTH, base_weights, write_base
from trendlark.errors import InputError, NotFoundError
from trendlark.training.bert import load_bert

_MPNET = {
    **{f"attention.self.{long}": f"attention.attn.{long[0]}" for long in ("query", "key", "value")},
    "attention.output.dense": "attention.attn.o",
    "attention.output.LayerNorm": "attention.LayerNorm",
}


def _as_mpnet(weights: dict[str, Tensor], near: Tensor) -> dict[str, Tensor]:
    """Call BERT's weights what MPNet calls them; it has no types, and two positions for padding in front."""
    renamed = {}
    for name, value in weights.items():
        for old, new in _MPNET.items():
            name = name.replace(old, new)  # noqa: PLW2901
        renamed[name] = value
    renamed.pop("embeddings.token_type_embeddings.weight")
    places = "embeddings.position_embeddings.weight"
    renamed[places] = torch.cat([torch.full((2, WIDTH), 9.0), renamed[places]])
    return renamed | {"encoder.relative_attention_bias.weight": near}


def _by_the_paper(ids: Tensor, near: Tensor | None = None) -> Tensor:
    """BERT's encoder as Devlin et al. (2019) write it, with none of our code; MPNet's adds ``near`` to attention."""
    weights = base_weights()

    def linear(hidden: Tensor, name: str) -> Tensor:
        return functional.linear(hidden, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(hidden: Tensor, name: str) -> Tensor:
        return functional.layer_norm(
            hidden, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12
        )

    words = weights["embeddings.word_embeddings.weight"][ids]
    words = words + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
    if near is None:
        words = words + weights["embeddings.token_type_embeddings.weight"][0]
    hidden = norm(words, "embeddings.LayerNorm")
    for at in range(LAYERS):
        own = f"encoder.layer.{at}"
        heads = [
            linear(hidden, f"{own}.attention.self.{one}")
            .reshape(1, -1, HEADS, WIDTH // HEADS)
            .transpose(1, 2)
            for one in ("query", "key", "value")
        ]
        scores = heads[0] @ heads[1].transpose(-1, -2) / (WIDTH // HEADS) ** 0.5
        if near is not None:
            scores = scores + near
        mixed = (scores.softmax(-1) @ heads[2]).transpose(1, 2).flatten(2)
        hidden = norm(
            hidden + linear(mixed, f"{own}.attention.output.dense"), f"{own}.attention.output.LayerNorm"
        )
        inner = functional.gelu(linear(hidden, f"{own}.intermediate.dense"))
        hidden = norm(hidden + linear(inner, f"{own}.output.dense"), f"{own}.output.LayerNorm")
    return hidden


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_a_folder_is_read_as_it_was_written(tmp_path: Path, prefix: str) -> None:
    network, tokenizer = load_bert(write_base(tmp_path / "base", prefix))
    ids = torch.tensor([tokenizer.encode("the real madrid loves juego de tronos").ids])
    with torch.inference_mode():
        found = network.eval().encode(ids)
    torch.testing.assert_close(found, _by_the_paper(ids), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("prefix", ["", "mpnet."])
def test_an_mpnet_is_read_with_the_weights_of_its_distances(tmp_path: Path, prefix: str) -> None:
    # Of four buckets one is for the token itself, one for those behind it, and one for those ahead; 2 is never met.
    table = torch.randn(4, HEADS)
    folder = write_base(tmp_path / "base", model_type="mpnet", relative_attention_num_buckets=4)
    named = {f"{prefix}{name}": value for name, value in _as_mpnet(base_weights(), table).items()}
    save_file(named, str(folder / "model.safetensors"))
    network, tokenizer = load_bert(folder)
    ids = torch.tensor([tokenizer.encode("the real madrid loves juego de tronos").ids])
    size = ids.shape[1]
    near = torch.empty(HEADS, size, size)
    for query in range(size):
        for key in range(size):
            near[:, query, key] = table[0 if key == query else 1 if key < query else 3]
    with torch.inference_mode():
        found = network.eval().encode(ids)
    torch.testing.assert_close(found, _by_the_paper(ids, near), rtol=1e-4, atol=1e-4)


def test_layers_are_taken_from_the_bottom(tmp_path: Path) -> None:
    network, _ = load_bert(write_base(tmp_path / "base"), layers=1)
    assert len(network.layers) == 1
    torch.testing.assert_close(
        network.state_dict()["layers.0.up.bias"], base_weights()["encoder.layer.0.intermediate.dense.bias"]
    )


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "roberta"}, "type 'roberta'"),
        ({"hidden_act": "relu"}, "with 'relu'"),
        ({"max_position_embeddings": 64}, "64 positions"),
    ],
)
def test_another_kind_of_encoder_is_refused(tmp_path: Path, config: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_bert(write_base(tmp_path / "base", **config))


def test_more_layers_than_there_are_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer layers"):
        load_bert(write_base(tmp_path / "base"), layers=3)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = write_base(tmp_path / "base")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(NotFoundError, match=r"Found no tokenizer\.json"):
        load_bert(folder)
