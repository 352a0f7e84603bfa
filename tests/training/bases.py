"""A base of some thousand weights in a folder, in the form that Hugging Face's libraries save."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.support.tiny_model import tiny_tokenizer

WIDTH, HEADS, _INNER, LAYERS = 16, 4, 32, 2


def _config(**others: Any) -> dict[str, Any]:
    return {
        "model_type": "bert",
        "vocab_size": tiny_tokenizer().get_vocab_size(),
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": _INNER,
        "max_position_embeddings": 128,
        "hidden_act": "gelu",
        **others,
    }


def base_weights(prefix: str = "") -> dict[str, Tensor]:
    """Return the weights of a BERT by name, always the same."""
    torch.manual_seed(5)
    config = _config()
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], WIDTH),
        "embeddings.position_embeddings.weight": (128, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    for at in range(LAYERS):
        own = f"encoder.layer.{at}"
        for name, rows, columns in (
            *((f"attention.self.{one}", WIDTH, WIDTH) for one in ("query", "key", "value")),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", _INNER, WIDTH),
            ("output.dense", WIDTH, _INNER),
        ):
            shapes |= {f"{own}.{name}.weight": (rows, columns), f"{own}.{name}.bias": (rows,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{own}.{name}.weight": (WIDTH,), f"{own}.{name}.bias": (WIDTH,)}
    return {f"{prefix}{name}": torch.randn(shape) * 0.5 for name, shape in shapes.items()}


def write_base(folder: Path, prefix: str = "", **config: Any) -> Path:
    """Write a base whose configuration has these settings and return its folder."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(_config(**config)), encoding="utf-8")
    tiny_tokenizer().save(str(folder / "tokenizer.json"))
    save_file(base_weights(prefix), str(folder / "model.safetensors"))
    return folder
