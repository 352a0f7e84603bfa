"""A tiny world for training tests: a network of some thousand weights and a folder of invented tweets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from tests.support.tiny_model import tiny_tokenizer
from trendlark.nlu.tasks import TASKS
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.graph import Care, Graph
from trendlark.training.model import Network, Shape
from trendlark.training.predict import Floats, build_session

EMOJI = ("😂", "😍")

_SENTIMENT = [
    ("I love this wonderful day", "positive"),
    ("what a great lovely win", "positive"),
    ("I hate this awful rain", "negative"),
    ("terrible sad horrible loss", "negative"),
    ("the bus leaves at nine", "neutral"),
    ("the shop is on main street", "neutral"),
]
_EMOTION = [
    ("so angry at this", "anger"),
    ("full of joy today", "joy"),
    ("we will make it", "optimism"),
    ("crying all night", "sadness"),
]
_EMOEVENT = [*_EMOTION[:2], ("the train is late", "others"), ("que asco", "disgust")]
_YES_NO = [("oh great, another monday", "irony"), ("see you at the station", "non_irony")]
_HATE = [("they should all vanish", "hate"), ("have a nice day", "not-hate")]
_DAVIDSON = [("vile people", "hate"), ("damn it", "offensive"), ("good morning", "neither")]
_NER = [
    (["Ana", "lives", "in", "#Lima", "."], ["B-person", "O", "O", "B-location", "O"]),
    (["new", "Acme", "Corp", "phone"], ["O", "B-corporation", "I-corporation", "O"]),
]
_BTC = [(["Bob", "joined", "FC", "Lima"], ["B-PER", "O", "B-ORG", "I-ORG"])]
_LABELLED = [*_SENTIMENT, *_EMOTION, *_EMOEVENT, *_YES_NO, *_HATE, *_DAVIDSON]
_KNOWN = sorted(
    {word.strip(",") for text, _ in _LABELLED for word in text.lower().split()}
    | {"ana", "sang", "sings", "yesterday", "train", "val", "lives", "in", "new", "york", "now"}
)


def tiny_checkpoint(seed: int = 0, words: Sequence[str] = (), buckets: int = 0) -> Checkpoint:
    """Return an untrained network of 2 layers, 32 wide, and a tokenizer of ``words`` and of the data."""
    torch.manual_seed(seed)
    tokenizer = tiny_tokenizer([*_KNOWN, *words])
    shape = Shape(
        tokenizer.get_vocab_size(),
        width=32,
        layers=2,
        heads=4,
        inner=64,
        auxiliary=len(EMOJI),
        buckets=buckets,
    )
    network = Network(shape)
    with torch.no_grad():
        network.positions.normal_(std=0.1)
        network.words.weight.mul_(0.3)
        network.pool.weight.normal_(std=0.3)
    return Checkpoint(network, tokenizer, EMOJI)


def write_data(folder: Path, copies: int = 4) -> Path:
    """Write the sets, each row ``copies`` times with another ending; validation has rows of its own."""
    for split, many in (("train", copies), ("val", 1)):
        _write_texts(folder / "tweeteval_sentiment", split, _SENTIMENT, many)
        _write_texts(folder / "umsab_es", split, _SENTIMENT, many)
        _write_texts(folder / "tweeteval_emotion", split, _EMOTION, many)
        _write_texts(folder / "emoevent_es", split, _EMOEVENT, many)
        _write_texts(folder / "tweeteval_irony", split, _YES_NO, many)
        _write_texts(folder / "tweeteval_hate", split, _HATE, many)
        topics = [("the match was great", ["sports", "music"]), ("a new song is out", ["music"])]
        write_rows(
            folder / "tweet_topicxl_en" / f"{split}.jsonl.gz",
            (
                {"text": f"{text} {split} {at}", "labels": labels}
                for at in range(many)
                for text, labels in topics
            ),
        )
        for name, rows in (("ner_wnut17", _NER), ("ner_btc", _BTC)):
            write_rows(
                folder / name / f"{split}.jsonl.gz",
                (
                    {"tokens": [*words, split, str(at)], "tags": [*tags, "O", "O"]}
                    for at in range(many)
                    for words, tags in rows
                ),
            )
    _write_texts(folder / "davidson_en", "train", _DAVIDSON, copies)
    _write_texts(folder / "emojispace_es", "train", [("jaja _emo", "😂"), ("te amo", "😍")], copies)
    return folder


def _write_texts(folder: Path, split: str, rows: Iterable[tuple[str, str]], copies: int) -> None:
    listed = list(rows)
    write_rows(
        folder / f"{split}.jsonl.gz",
        ({"text": f"{text} {split} {at}", "label": label} for at in range(copies) for text, label in listed),
    )


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write gzipped JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def product_of(
    rows: Floats,
    weight: Floats,
    after_gelu: bool = False,
    smooth: Floats | None = None,
    moments: Floats | None = None,
    fine: bool = False,
) -> Floats:
    """Return what 8 bits make of rows [rows, inputs] times a weight [outputs, inputs]; ``fine`` rows have 16."""
    graph = Graph(int8=True)
    product = graph.product("rows", weight, "weight", after_gelu, Care(smooth, moments), fine)
    graph.op("Identity", product, name="product")
    put = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        for name, shape in (("rows", rows.shape), ("product", (len(rows), len(weight))))
    ]
    proto = onnx.helper.make_graph(graph.nodes, "one", put[:1], put[1:], graph.initializers)
    imports = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("com.microsoft", 1)]
    session = build_session(onnx.helper.make_model(proto, opset_imports=imports, ir_version=10))
    return np.asarray(session.run(None, {"rows": rows})[0])


SENTIMENT_WORDS = {"en": ("terrible", "tuesday", "wonderful"), "es": ("horrible", "martes", "maravilloso")}


def write_sentiment(folder: Path, many: Mapping[str, int], pattern: Mapping[str, str]) -> None:
    """Write sentiment by a word in two languages, ``many`` texts of each split and label in the language's pattern."""
    for name, lang in (("tweeteval_sentiment", "en"), ("umsab_es", "es")):
        for split, count in many.items():
            rows = [
                {"text": pattern[lang].format(word=word, split=split, at=at), "label": label}
                for at in range(count)
                for word, label in zip(SENTIMENT_WORDS[lang], TASKS["sentiment"].labels, strict=True)
            ]
            write_rows(folder / name / f"{split}.jsonl.gz", rows)
