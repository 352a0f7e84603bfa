"""A tiny but real artefact: an ONNX graph with seeded random weights and every output, and a WordPiece tokenizer.

Every answer depends on every token, so a wrong order, a mixed-up row or a lost token shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from trendlark.nlu.artifact import FORMAT
from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.nlu.text import NORMALISER_VERSION

WIDTH = 384
MAX_TOKENS = 96
_WORDS = (
    *(
        "user",
        "http",
        "madrid",
        "barcelona",
        "real",
        "messi",
        "love",
        "hate",
        "happy",
        "sad",
        "the",
        "of",
        "que",
    ),
    *(
        "de",
        "la",
        "el",
        "no",
        "me",
        "good",
        "bad",
        "loudly",
        "crying",
        "face",
        "red",
        "heart",
        "juego",
        "tronos",
    ),
)


def make_tiny_artifact(folder: Path, *, name: str = "tiny-1", seed: int = 7, **manifest: Any) -> Path:
    """Write a whole artefact into ``folder`` and return it; keywords replace fields of the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    onnx.save(_graph(tokenizer.get_vocab_size(), np.random.default_rng(seed)), str(folder / "model.onnx"))
    content: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "created": "2026-11-23T00:00:00Z",
        "normaliser": NORMALISER_VERSION,
        "max_tokens": MAX_TOKENS,
        "tasks": {task.name: _task(task.name) for task in TASKS.values()},
        "entity_tags": list(entity_tags()),
        "languages": {"en": list(TASKS), "es": ["sentiment", "emotions"]},
        "metrics": {},
        "data": {},
        "base": {"name": "random"},
        "recipe": {"seed": seed},
        "commit": "",
        "files": {file: checksum(folder / file) for file in ("model.onnx", "tokenizer.json")},
    }
    (folder / "manifest.json").write_text(json.dumps(content | manifest, indent=1), encoding="utf-8")
    return folder


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file as a manifest states it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _task(name: str) -> dict[str, Any]:
    task = TASKS[name]
    thresholds = dict.fromkeys(task.labels, 0.5) if task.kind in ("many_of", "yes_no") else {}
    return {"kind": task.kind, "labels": list(task.labels), "temperature": 1.25, "thresholds": thresholds}


def tiny_tokenizer(words: Sequence[str] = ()) -> Tokenizer:
    """Return a tokenizer that knows some words, and ``words``, and spells the others in letters, as WordPiece does."""
    signs = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *signs, *(f"##{sign}" for sign in signs), *_WORDS, *words]
    vocabulary = {piece: at for at, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(at, vocabulary[at]) for at in ("[CLS]", "[SEP]")]
    )
    return tokenizer


def _graph(vocabulary: int, random: np.random.Generator) -> onnx.ModelProto:
    weights: list[onnx.TensorProto] = []

    def weight(name: str, shape: tuple[int, ...], scale: float) -> str:
        values: NDArray[np.float32] = (random.standard_normal(shape) * scale).astype(np.float32)
        weights.append(numpy_helper.from_array(values, name))
        return name

    def whole(name: str, values: list[int]) -> str:
        weights.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    step = helper.make_node
    nodes = [
        step("Gather", [weight("words", (vocabulary, WIDTH), 1.0), "input_ids"], ["own"]),
        step("ReduceMean", ["own", whole("axis", [1])], ["around"], keepdims=1),
        step("Add", ["own", "around"], ["mixed"]),
        step("MatMul", ["mixed", weight("layer", (WIDTH, WIDTH), 0.06)], ["turned"]),
        step("Tanh", ["turned"], ["hidden"]),
        step("ReduceMean", ["hidden", "axis"], ["pooled"], keepdims=0),
        step("ReduceL2", ["pooled", whole("last", [-1])], ["length"], keepdims=1),
        step("Div", ["pooled", "length"], ["embedding"]),
    ]
    outputs: list[tuple[str, list[str | int | None]]] = [("embedding", ["batch", WIDTH])]
    for task in TASKS.values():
        spans = task.kind == "spans"
        source = "hidden" if spans else "pooled"
        shape: list[str | int | None] = ["batch", "tokens"] if spans else ["batch"]
        head = weight(f"{task.name}_head", (WIDTH, task.width), 0.2 if spans else 1.0)
        nodes += [
            step("MatMul", [source, head], [f"{task.name}_raw"]),
            step("Add", [f"{task.name}_raw", weight(f"{task.name}_bias", (task.width,), 0.2)], [task.name]),
        ]
        outputs.append((task.name, [*shape, task.width]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model
