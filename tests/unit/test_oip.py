"""The Open Inference Protocol on the wire: JSON and binary say the same, and every break of the form has a sentence."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import InputError
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.nlu.tasks import TASKS
from trendlark.web import oip

MODEL = FakeAnalyzer()
OUTPUTS = oip.outputs_of(TASKS)
TEXTS = ["Me encanta @RealMadrid", "", "ñandú 🙃 \u202e"]


def packed(texts: list[str]) -> bytes:
    """Texts as a binary BYTES tensor."""
    return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)


def body(texts: list[str], binary: bool, **more: Any) -> tuple[bytes, str | None]:
    """A request as a client sends it, and its header."""
    tensor: dict[str, Any] = {"name": "text", "shape": [len(texts)], "datatype": "BYTES"}
    raw = packed(texts) if binary else b""
    tensor |= {"parameters": {"binary_data_size": len(raw)}} if binary else {"data": texts}
    head = json.dumps({"inputs": [tensor], **more}).encode()
    return head + raw, str(len(head)) if binary else None


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=8))
def test_binary_and_json_ask_the_same(texts: list[str]) -> None:
    one, other = (oip.read_request(*body(texts, binary), OUTPUTS) for binary in (True, False))
    assert one == other
    assert one.texts == texts


def test_all_outputs_come_where_none_is_named_and_each_as_the_analysis_says() -> None:
    asked = oip.read_request(*body(TEXTS, binary=False, id="a-1"), OUTPUTS)
    found = MODEL.analyze(TEXTS)
    raw, headers = oip.write_answer(asked, found, "fake", OUTPUTS)
    assert headers == {"Content-Type": "application/json"}
    answer = json.loads(raw)
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("trendlark", "fake", "a-1")
    tensors = {one["name"]: one for one in answer["outputs"]}
    assert list(tensors) == list(OUTPUTS)
    assert [json.loads(one) for one in tensors["analysis"]["data"]] == [one.to_dict() for one in found]
    assert tensors["sentiment"]["data"] == [one.sentiment.label for one in found]
    assert tensors["irony"]["data"] == [one.irony.value for one in found]
    assert tensors["irony_probabilities"]["data"] == [one.irony.probability for one in found]
    emotions = [one.emotions[label] for one in found for label in TASKS["emotions"].labels]
    assert tensors["emotions_probabilities"]["data"] == emotions
    assert tensors["emotions_probabilities"]["shape"] == [3, 8]
    assert tensors["emotions"]["data"] == [",".join(one.emotions_present) for one in found]
    assert tensors["topics"]["data"] == [",".join(topic.label for topic in one.topics) for one in found]
    assert tensors["topics_probabilities"]["shape"] == [3, 19]
    assert tensors["lang"]["data"] == [one.lang for one in found]


def test_binary_outputs_hold_what_json_outputs_hold() -> None:
    asked = oip.read_request(*body(TEXTS, binary=True, parameters={"binary_data_output": True}), OUTPUTS)
    found = MODEL.analyze(TEXTS)
    raw, headers = oip.write_answer(asked, found, "fake", OUTPUTS)
    assert headers["Content-Type"] == "application/octet-stream"
    size = int(headers[oip.HEADER])
    plain = json.loads(
        oip.write_answer(oip.read_request(*body(TEXTS, binary=False), OUTPUTS), found, "", OUTPUTS)[0]
    )
    rest = raw[size:]
    for tensor, said in zip(json.loads(raw[:size])["outputs"], plain["outputs"], strict=True):
        length = tensor["parameters"]["binary_data_size"]
        part, rest = rest[:length], rest[length:]
        assert "data" not in tensor
        if tensor["datatype"] == "BYTES":
            assert part == packed(said["data"])
        elif tensor["datatype"] == "FP32":
            assert np.frombuffer(part, "<f4").tolist() == np.asarray(said["data"], "<f4").tolist()
        else:
            assert np.frombuffer(part, "?").tolist() == said["data"]
    assert rest == b""


def test_outputs_are_chosen_one_by_one_and_binary_one_by_one() -> None:
    wanted = [{"name": "lang", "parameters": {"binary_data": True}}, {"name": "sentiment"}]
    asked = oip.read_request(*body(TEXTS, binary=False, outputs=wanted), OUTPUTS)
    assert asked.outputs == (("lang", True), ("sentiment", False))
    raw, headers = oip.write_answer(asked, MODEL.analyze(TEXTS), "fake", OUTPUTS)
    head = json.loads(raw[: int(headers[oip.HEADER])])
    assert "data" not in head["outputs"][0]
    assert len(head["outputs"][1]["data"]) == 3
    assert raw[int(headers[oip.HEADER]) :] == packed([one.lang for one in MODEL.analyze(TEXTS)])


@pytest.mark.parametrize("shape", [[3], [3, 1]])
def test_a_column_of_texts_is_a_list_of_texts(shape: list[int]) -> None:
    data: list[Any] = TEXTS if len(shape) == 1 else [[text] for text in TEXTS]
    tensor = {"name": "text", "shape": shape, "datatype": "BYTES", "data": data}
    langs = {"name": "lang", "shape": [3], "datatype": "BYTES", "data": ["es", "", "en"]}
    asked = oip.read_request(json.dumps({"inputs": [tensor, langs]}).encode(), None, OUTPUTS)
    assert asked.texts == TEXTS
    assert asked.langs == ["es", None, "en"]


def changed(**fields: Any) -> bytes:
    """A request whose only tensor has other fields."""
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]} | fields
    return json.dumps({"inputs": [tensor]}).encode()


@pytest.mark.parametrize(
    ("raw", "header", "found"),
    [
        (b"", None, "not of the Open Inference Protocol"),
        (b"[]", None, "not of the Open Inference Protocol"),
        (b"{}", None, "inputs"),
        (b'{"inputs": []}', None, "no input text"),
        (changed(name="words"), None, "'words'"),
        (changed(datatype="FP32"), None, "'FP32'"),
        (changed(shape=[2]), None, "1 values in text of shape"),
        (changed(shape=[1, 2]), None, "of shape"),
        (changed(shape=[1, 1, 1]), None, "shape"),
        (changed(data=[1]), None, "int in text"),
        (changed(data=None), None, "0 values"),
        (changed(data=["a"] * 101, shape=[101]), None, "the most is 100"),
        (changed(data=["a" * 10_001]), None, "10,001"),
        (changed(parameters={"binary_data_size": 9}), None, "binary_data_size 9"),
        (changed(parameters={"binary_data_size": -1}), None, "binary_data_size -1"),
        (changed(parameters={"binary_data_size": True}), None, "binary_data_size True"),
        (changed(), "9999", "Inference-Header-Content-Length"),
        (changed(), "-1", "Inference-Header-Content-Length"),
        (changed(), "x", "Inference-Header-Content-Length"),
        (changed(), "0" * 5000, "Inference-Header-Content-Length"),
        (b"[" * 100_000, None, "the JSON: maximum recursion"),
        (b'{"inputs": ' + b"9" * 5000 + b"}", None, "the JSON: "),
        (b'{"id": "\xff"}', None, "the JSON: "),
        (changed(shape=[10**4000]), None, "1 values in text of shape .{40};"),
        (changed(data=[float("nan")]), None, "float in text"),
        (
            json.dumps({"inputs": [{"name": "lang", "shape": [0], "datatype": "BYTES"}]}).encode(),
            None,
            "no input",
        ),
    ],
)
def test_what_breaks_the_form_is_told(raw: bytes, header: str | None, found: str) -> None:
    with pytest.raises(InputError, match=found):
        oip.read_request(raw, header, OUTPUTS)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"\x01\x00", "cut off within a length"),
        (b"\x05\x00\x00\x00ab", "cut off"),
        (b"\x02\x00\x00\x00\xff\xfe", "not UTF-8"),
        (b"\xff\xff\xff\xff", "cut off"),
    ],
)
def test_binary_tensors_that_are_damaged_are_told(raw: bytes, found: str) -> None:
    head = changed(data=None, parameters={"binary_data_size": len(raw)})
    with pytest.raises(InputError, match=found):
        oip.read_request(head + raw, str(len(head)), OUTPUTS)


def test_a_text_cut_within_an_emoji_is_read_with_a_sign_in_its_place() -> None:
    asked = oip.read_request(changed(data=["well \ud83d"]), None, OUTPUTS)
    assert asked.texts == ["well \ufffd"]


def test_bytes_that_belong_to_no_tensor_and_outputs_that_do_not_exist_are_told() -> None:
    whole, header = body(["a"], binary=True)
    with pytest.raises(InputError, match="2 bytes after the last tensor"):
        oip.read_request(whole + b"xx", header, OUTPUTS)
    with pytest.raises(InputError, match="'mood'"):
        oip.read_request(*body(["a"], binary=False, outputs=[{"name": "mood"}]), OUTPUTS)
    both = {"name": "lang", "shape": [2], "datatype": "BYTES", "data": ["en", "es"]}
    text = {"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}
    with pytest.raises(InputError, match="2 of lang for 1 of text"):
        oip.read_request(json.dumps({"inputs": [text, both]}).encode(), None, OUTPUTS)


@given(st.binary(max_size=200), st.none() | st.integers(-5, 300).map(str))
def test_no_body_brings_it_down(raw: bytes, header: str | None) -> None:
    with pytest.raises(InputError):
        oip.read_request(raw, header, OUTPUTS)


def test_there_is_a_tensor_of_labels_and_of_probabilities_for_every_task_but_the_spans() -> None:
    for task in TASKS.values():
        if task.kind != "spans":
            assert {task.name, f"{task.name}_probabilities"} <= set(OUTPUTS)
            assert OUTPUTS[f"{task.name}_probabilities"].labels == task.labels
