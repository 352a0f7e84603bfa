"""A model folder damaged in every way that a copy, an editor or another program may: one sentence each."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.tiny_model import checksum, make_tiny_artifact
from trendlark.errors import ModelError
from trendlark.nlu.analyzer import Analyzer, load
from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.text import NORMALISER_VERSION

FILES = ("model.onnx", "tokenizer.json")
_Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_artifact(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    for path in whole.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def edit(path: Path, change: _Change) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def sign(folder: Path) -> None:
    """State the checksums that the files have now: as an export does that went wrong before."""
    edit(
        folder / "manifest.json",
        lambda content: content["files"].update({name: checksum(folder / name) for name in FILES}),
    )


def refusal(folder: Path | str) -> str:
    """What loading says; it is one sentence of what was found and one of what to do."""
    with pytest.raises(ModelError) as caught:
        load(folder, threads=1)
    message = str(caught.value)
    assert re.match(r"Found|Could not read|ONNX Runtime|The model failed", message)
    assert re.search(r"(again|Check the path|upgrade \w+|this version|another one|anew)\.$", message)
    assert "Traceback" not in message
    return message


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: b"\xff" + content[1:],
        lambda content: b"\x00" * len(content),
        lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    ],
    ids=["empty", "half", "a byte short", "first byte", "zeros", "pointer"],
)
def test_a_damaged_file_is_refused(folder: Path, name: str, damage: Callable[[bytes], bytes]) -> None:
    path = folder / name
    path.write_bytes(damage(path.read_bytes()))
    assert name in refusal(folder)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_and_a_folder_in_its_place_are_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in refusal(folder)
    (folder / name).mkdir()
    assert name in refusal(folder)


@pytest.mark.parametrize("name", FILES)
def test_no_flipped_bit_is_overlooked(folder: Path, name: str) -> None:
    chance = random.Random(5)
    path = folder / name
    content = path.read_bytes()
    for _ in range(12):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(flipped)
        assert f"{name} has another checksum" in refusal(folder)


@pytest.mark.parametrize("content", ["[]", "null", "3", '"text"', "{}", '{"format": 1}', "[" * 100_000])
def test_json_that_is_no_manifest_is_refused(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content)
    assert "manifest" in refusal(folder)


@pytest.mark.parametrize(
    "field", ["format", "name", "normaliser", "max_tokens", "tasks", "entity_tags", "files"]
)
def test_a_field_that_is_missing_or_of_another_type_is_named(folder: Path, field: str) -> None:
    edit(folder / "manifest.json", lambda content: content.pop(field))
    assert f"{field}: Field required" in refusal(folder)
    others: list[object] = [None, [[]], {"a": {"b": 1}}, 3 if field == "name" else "one\ntwo"]
    for wrong in others:
        edit(folder / "manifest.json", partial(dict.update, **{field: wrong}))
        assert field in refusal(folder)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("format", bad) for bad in (0, -1, 2, 10**30)),
        *(("max_tokens", bad) for bad in (7, -96, 0.5, 10**30)),
        *(("tasks.hate.temperature", bad) for bad in (0, -1, 1e-320, float("nan"), float("inf"))),
        *(("tasks.entities.temperature", bad) for bad in (1e-320, 1e300)),
        *(("tasks.hate.thresholds.hate", bad) for bad in (float("nan"), -0.1, 1.01, None)),
        *(("tasks.hate.languages", {"es": bad}) for bad in ({}, {"temperature": 0}, None)),
        ("tasks.hate.languages", {"es": {"temperature": 1.0, "thresholds": {"irony": 0.5}}}),
        *(("tasks.hate.labels", bad) for bad in ([], ["irony"], ["hate", "hate"], "hate")),
        ("tasks.sentiment.kind", "many_of"),
        ("tasks.topics.labels", ["sports", "weather"]),
        *(("normaliser", bad) for bad in (0, NORMALISER_VERSION + 1)),
        ("name", ""),
        *(("entity_tags", bad) for bad in ([], ["B-person"], ["O"] * 15, ["O", "X-person"], ["O", "B-"])),
    ],
)
def test_a_value_out_of_bounds_is_refused(folder: Path, path: str, value: object) -> None:
    *way, last = path.split(".")

    def change(content: dict[str, Any]) -> None:
        for step in way:
            content = content[step]
        content[last] = value

    edit(folder / "manifest.json", change)
    assert (way[1] if way else last) in refusal(folder)


@pytest.mark.parametrize("name", ["", ".", "..", "/etc/passwd", "../x", "a/b", "a\x00b", "x" * 300])
def test_a_file_outside_the_folder_is_never_opened(folder: Path, name: str) -> None:
    edit(folder / "manifest.json", lambda content: content["files"].update({name: "0" * 64}))
    assert re.search("not a plain file name|cannot be read", refusal(folder))


@pytest.mark.parametrize(
    "name", ["~nobody-of-this-name/model", "x" * 5000, "a\x00b", "\ud800", "/etc/hostname/x"]
)
def test_a_name_that_cannot_be_a_folder_is_refused(name: str) -> None:
    assert "Found no folder" in refusal(name)


def _without_unknown(content: dict[str, Any]) -> None:
    content["model"]["vocab"].pop("[UNK]")


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.update(version="9.9"),
        lambda content: content.pop("model"),
        lambda content: content["model"].update(type="Nope"),
        lambda content: content["model"].update(vocab={}),
        lambda content: content["model"]["vocab"].update(madrid=-1),
        lambda content: content.update(
            normalizer={"type": "Replace", "pattern": {"Regex": "("}, "content": ""}
        ),
        lambda content: content.update(post_processor=None),
        _without_unknown,
    ],
)
def test_a_tokenizer_with_the_right_checksum_that_does_not_work_is_refused(
    folder: Path, change: _Change
) -> None:
    edit(folder / "tokenizer.json", change)
    sign(folder)
    assert "tokenizer" in refusal(folder)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe", b"{}", b"[" * 1000, b"null"])
def test_a_signed_tokenizer_file_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    (folder / "tokenizer.json").write_bytes(content)
    sign(folder)
    assert "tokenizer.json" in refusal(folder)


@pytest.mark.parametrize("special", [{}, {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}])
def test_a_tokenizer_whose_library_panics_is_refused_too(folder: Path, special: dict[str, Any]) -> None:
    # What Rust raises then is no Exception, so it would end a whole job without a record.
    edit(folder / "tokenizer.json", lambda content: content["post_processor"].update(special_tokens=special))
    sign(folder)
    assert "does not work" in refusal(folder)


def test_a_tokenizer_of_another_vocabulary_is_refused_before_its_word_is_met(folder: Path) -> None:
    edit(folder / "tokenizer.json", lambda content: content["model"]["vocab"].update(zaragoza=9000))
    sign(folder)
    assert "token ids up to 9000" in refusal(folder)


def _output(model: onnx.ModelProto, name: str) -> Any:
    return next(output for output in model.graph.output if output.name == name)


def _cast(model: onnx.ModelProto, kind: int) -> None:
    node = next(node for node in model.graph.node if node.output[0] == "hate")
    node.output[0] = "hate_before"
    model.graph.node.append(helper.make_node("Cast", ["hate_before"], ["hate"], to=kind))
    _output(model, "hate").type.tensor_type.elem_type = kind


def _entities_of_the_whole(model: onnx.ModelProto) -> None:
    next(node for node in model.graph.node if node.output[0] == "entities_raw").input[0] = "pooled"
    del _output(model, "entities").type.tensor_type.shape.dim[1]


def _sentiment_by_token(model: onnx.ModelProto) -> None:
    next(node for node in model.graph.node if node.output[0] == "sentiment_raw").input[0] = "hidden"
    _output(model, "sentiment").type.CopyFrom(
        helper.make_tensor_type_proto(TensorProto.FLOAT, ["batch", "tokens", 3])
    )


def _input(kind: int, shape: list[Any]) -> Callable[[onnx.ModelProto], None]:
    return lambda model: model.graph.input[0].type.CopyFrom(helper.make_tensor_type_proto(kind, shape))


def _few_words(model: onnx.ModelProto) -> None:
    words = next(weight for weight in model.graph.initializer if weight.name == "words")
    words.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(words)[:20], "words"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda model: model.graph.output.remove(_output(model, "embedding")), "no output embedding"),
        (
            lambda model: model.graph.output.remove(_output(model, "topics")),
            "topics has width 0 instead of 19",
        ),
        (_entities_of_the_whole, "entities has 2 axes instead of 3"),
        (_sentiment_by_token, "sentiment has 3 axes instead of 2"),
        (lambda model: _cast(model, TensorProto.DOUBLE), r"hate is tensor\(double\) instead of"),
        (lambda model: _cast(model, TensorProto.STRING), r"hate is tensor\(string\) instead of"),
        (_input(TensorProto.INT32, ["batch", "tokens"]), "inputs are not input_ids alone"),
        (_input(TensorProto.INT64, [1, "tokens"]), "failed on 2 texts of 3 tokens"),
        (_input(TensorProto.INT64, ["batch", 96]), "failed on 1 texts of 3 tokens"),
        (_few_words, "failed on 1 texts of 17 tokens|failed on 1 texts of 3 tokens"),
    ],
)
def test_a_signed_graph_of_another_shape_is_refused_when_it_is_loaded(
    folder: Path, change: Callable[[onnx.ModelProto], object], sentence: str
) -> None:
    model = onnx.load(folder / "model.onnx")
    change(model)
    onnx.save(model, folder / "model.onnx")
    sign(folder)
    assert re.search(sentence, refusal(folder))


def test_an_output_that_nobody_asks_for_is_no_obstacle(whole: Path, folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    model.graph.node.append(helper.make_node("ReduceMean", ["sentiment"], ["mean"], keepdims=0))
    model.graph.output.insert(0, helper.make_tensor_value_info("mean", TensorProto.FLOAT, []))
    onnx.save(model, folder / "model.onnx")
    sign(folder)
    with Analyzer(load_artifact(folder), threads=1) as more, Analyzer(load_artifact(whole)) as plain:
        assert replace(more("Messi in Madrid"), model="") == replace(plain("Messi in Madrid"), model="")
