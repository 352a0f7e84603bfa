"""Another base: a BERT or MPNet encoder in a folder of Hugging Face's form, for those who have one.

The folder holds ``config.json``, ``model.safetensors`` and ``tokenizer.json``, as ``save_pretrained`` writes them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from trendlark.errors import InputError, NotFoundError
from trendlark.training.model import Network, Shape

_FILES = ("config.json", "model.safetensors", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class _Names:
    """What a kind of encoder calls the parts of a layer, and where its positions begin."""

    query: str
    key: str
    value: str
    out: str
    norm: str
    first_position: int = 0


_KINDS = {
    "bert": _Names(
        "attention.self.query",
        "attention.self.key",
        "attention.self.value",
        "attention.output.dense",
        "attention.output.LayerNorm",
    ),
    # Song et al. 2020, arXiv:2004.09297; its first two positions are those of padding.
    "mpnet": _Names(
        "attention.attn.q",
        "attention.attn.k",
        "attention.attn.v",
        "attention.attn.o",
        "attention.LayerNorm",
        2,
    ),
}


def load_bert(folder: Path, auxiliary: int = 0, layers: int = 0) -> tuple[Network, Tokenizer]:
    """Return a network with the folder's weights, its heads new, and the folder's tokenizer.

    ``layers`` takes only the lowest; 0 takes all. Raises NotFoundError where a file is missing, and InputError for
    an encoder that is neither, or whose texts may not be as long as ours.
    """
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise NotFoundError(
            f"Found no {', '.join(missing)} in the base {folder}; allowed is a folder with {', '.join(_FILES)}. "
            "Save the encoder there with save_pretrained."
        )
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = _weights(folder)
    shape = _shape(config, folder, auxiliary, layers)
    network = Network(shape)
    names = _KINDS[config["model_type"]]
    with torch.no_grad():
        positions = weights["embeddings.position_embeddings.weight"][names.first_position :][
            : shape.positions
        ]
        # MPNet has no types of sentences.
        kinds = weights.get("embeddings.token_type_embeddings.weight", torch.zeros(1, shape.width))
        state = {
            "words.weight": weights["embeddings.word_embeddings.weight"],
            "positions": positions + kinds[0],
            **_part(weights, "embeddings.LayerNorm", "norm"),
        }
        if shape.buckets:
            state["distances.weight"] = weights["encoder.relative_attention_bias.weight"]
        for at in range(shape.layers):
            state |= _layer(weights, at, names)
    network.load_state_dict(network.state_dict() | state)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return network, tokenizer


def _weights(folder: Path) -> dict[str, Tensor]:
    # With a head on top, the encoder's names begin with its own.
    return {
        name.removeprefix("bert.").removeprefix("mpnet."): value.float()
        for name, value in load_file(str(folder / "model.safetensors")).items()
    }


def _shape(config: dict[str, int | str], folder: Path, auxiliary: int, layers: int) -> Shape:
    shape = Shape(
        vocabulary=int(config.get("vocab_size", 0)),
        width=int(config.get("hidden_size", 0)),
        layers=layers or int(config.get("num_hidden_layers", 0)),
        heads=int(config.get("num_attention_heads", 0)),
        inner=int(config.get("intermediate_size", 0)),
        auxiliary=auxiliary,
        buckets=int(config.get("relative_attention_num_buckets", 0)),
    )
    kind, act = config.get("model_type"), config.get("hidden_act", "gelu")
    longest = int(config.get("max_position_embeddings", 0))
    if (
        kind not in _KINDS
        or act != "gelu"
        or longest < shape.positions
        or layers > int(config["num_hidden_layers"])
    ):
        raise InputError(
            f"Found a base of type {kind!r} with {act!r}, {longest} positions and "
            f"{config.get('num_hidden_layers')} layers in {folder}; allowed is 'bert' or 'mpnet' with 'gelu' and "
            f"at least {shape.positions} positions, and no more layers than it has. Take another base, or fewer layers."
        )
    return shape


def _layer(weights: dict[str, Tensor], at: int, names: _Names) -> dict[str, Tensor]:
    old, new = f"encoder.layer.{at}", f"layers.{at}"
    joined = {
        f"{new}.qkv.{part}": torch.cat(
            [weights[f"{old}.{name}.{part}"] for name in (names.query, names.key, names.value)]
        )
        for part in ("weight", "bias")
    }
    return {
        **joined,
        **_part(weights, f"{old}.{names.out}", f"{new}.out"),
        **_part(weights, f"{old}.{names.norm}", f"{new}.norm1"),
        **_part(weights, f"{old}.intermediate.dense", f"{new}.up"),
        **_part(weights, f"{old}.output.dense", f"{new}.down"),
        **_part(weights, f"{old}.output.LayerNorm", f"{new}.norm2"),
    }


def _part(weights: dict[str, Tensor], old: str, new: str) -> dict[str, Tensor]:
    return {f"{new}.{part}": weights[f"{old}.{part}"] for part in ("weight", "bias")}
