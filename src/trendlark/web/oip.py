"""The Open Inference Protocol v2 on the wire: tensors in JSON or behind it in binary, both ways.

Binary tensors follow the "binary tensor data extension" as Triton and KServe speak it: the header
``Inference-Header-Content-Length`` says how many bytes of the body are JSON; the tensors stand behind them in
order, little-endian, every BYTES element after its length in four bytes. Pure: no network, no model.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trendlark.errors import InputError
from trendlark.nlu.tasks import Task
from trendlark.records import Analysis, clean_text
from trendlark.web.answers import MAX_CHARACTERS, MAX_TEXTS

MODEL = "trendlark"
PLATFORM = "onnxruntime_onnx"
HEADER = "Inference-Header-Content-Length"
INPUTS = ("text", "lang")

Datatype = Literal["BYTES", "FP32", "BOOL"]
Values = Sequence[Any]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


class InputTensor(_Wire):
    """A tensor that is sent: ``text``, and ``lang`` where languages are known (empty where not)."""

    name: str
    shape: list[int] = Field(max_length=2)
    datatype: str
    parameters: dict[str, Any] = {}
    data: list[Any] | None = None


class WantedTensor(_Wire):
    """A tensor that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(_Wire):
    """Texts to analyse; ``outputs`` names the tensors that are wanted, all of them if left out."""

    id: str | None = Field(None, max_length=200)
    parameters: dict[str, Any] = {}
    inputs: list[InputTensor]
    outputs: list[WantedTensor] | None = None


class OutputTensor(_Wire):
    """A tensor of the answer."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: list[Any] | None = None


class InferAnswer(_Wire):
    """The tensors that were asked for."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class TensorMetadata(_Wire):
    """A tensor's name and form; -1 in ``shape`` is any number. ``parameters.labels`` names its last axis."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, Any] = {}


class ModelMetadata(_Wire):
    """The model's tensors."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ServerMetadata(_Wire):
    """The server and what it speaks beyond the protocol's core."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(_Wire):
    """The process answers."""

    live: bool


class ServerReady(_Wire):
    """The server can do its work."""

    ready: bool


class ModelReady(_Wire):
    """The model analyses."""

    name: str
    ready: bool


class OipError(_Wire):
    """An error as clients of the protocol read it."""

    error: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was understood: texts, a language or None for each, and output names with binary or not."""

    id: str | None
    texts: list[str]
    langs: list[str | None]
    outputs: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Output:
    """A tensor that the model gives: how it is made of an analysis, and the labels of its last axis, if it has one.

    ``labels`` of a tensor of words are those that may occur; ``width`` is None for one value for each text.
    """

    name: str
    datatype: Datatype
    labels: tuple[str, ...]
    width: int | None
    read: Callable[[Analysis], Any]

    def shape(self, rows: int) -> list[int]:
        """The shape for a number of texts, -1 for any."""
        return [rows] if self.width is None else [rows, self.width]


def outputs_of(tasks: Mapping[str, Task]) -> dict[str, Output]:
    """The tensors by name: the whole analysis as JSON, the language, and two for each task but the entities."""
    found = [
        Output("analysis", "BYTES", (), None, lambda one: orjson.dumps(one, default=dict).decode()),
        Output("lang", "BYTES", (), None, lambda one: one.lang),
    ]
    for task in tasks.values():
        labels = task.labels
        if task.name in _WORDS:
            found.append(Output(task.name, "BYTES", labels, None, _WORDS[task.name]))
        elif task.kind == "yes_no":
            found.append(Output(task.name, "BOOL", (), None, _flag(task.name)))
        else:
            continue
        read = _probabilities(task)
        found.append(Output(f"{task.name}_probabilities", "FP32", labels, len(labels), read))
    return {output.name: output for output in found}


def request_schema() -> dict[str, Any]:
    """The JSON schema of a request, whole in one piece."""
    schema = InferRequest.model_json_schema()
    defs = schema.pop("$defs")

    def inlined(value: Any) -> Any:
        if isinstance(value, dict):
            named = str(value.get("$ref", "")).rpartition("/")[2]
            return inlined(defs[named]) if named else {key: inlined(one) for key, one in value.items()}
        return [inlined(one) for one in value] if isinstance(value, list) else value

    found: dict[str, Any] = inlined(schema)
    return found


_WORDS: Mapping[str, Callable[[Analysis], str]] = {
    "sentiment": lambda one: one.sentiment.label,
    "emotions": lambda one: ",".join(one.emotions_present),
    "topics": lambda one: ",".join(topic.label for topic in one.topics),
}


def _flag(name: str) -> Callable[[Analysis], bool]:
    return lambda one: bool(getattr(one, name).value)


def _probabilities(task: Task) -> Callable[[Analysis], list[float]]:
    def read(one: Analysis) -> list[float]:
        if task.kind == "yes_no":
            return [getattr(one, task.name).probability]
        by_label = {
            "sentiment": one.sentiment.probabilities,
            "emotions": one.emotions,
            "topics": one.topic_probabilities,
        }[task.name]
        return [by_label[label] for label in task.labels]

    return read


def read_request(body: bytes, header_length: str | None, outputs: Mapping[str, Output]) -> Asked:
    """What a body asks for; InputError in one sentence where it does not follow the protocol."""
    size = len(body) if header_length is None else _size(header_length, len(body))
    asked = _parsed(body[:size])
    rest = memoryview(body)[size:]
    given: dict[str, list[str]] = {}
    for tensor in asked.inputs:
        if tensor.name not in INPUTS or tensor.name in given:
            raise InputError(
                f"Found the input {tensor.name[:40]!r}; the inputs are {' and '.join(INPUTS)}, each once. "
                "Rename it or leave it out."
            )
        given[tensor.name], rest = _strings(tensor, rest)
    if len(rest):
        raise InputError(
            f"Found {len(rest):,} bytes after the last tensor; give every binary tensor its binary_data_size."
        )
    texts = _checked(given.get("text"))
    langs = given.get("lang", [""] * len(texts))
    if len(langs) != len(texts):
        raise InputError(f"Found {len(langs)} of lang for {len(texts)} of text; give one for each, or none.")
    return Asked(asked.id, texts, [lang or None for lang in langs], _wanted(asked, outputs))


def write_answer(
    asked: Asked, found: Sequence[Analysis], model_name: str, outputs: Mapping[str, Output]
) -> tuple[bytes, dict[str, str]]:
    """The body of an answer and its headers."""
    tensors, binaries = [], []
    for name, binary in asked.outputs:
        output = outputs[name]
        values = [output.read(one) for one in found]
        tensor: dict[str, Any] = {
            "name": name,
            "shape": output.shape(len(found)),
            "datatype": output.datatype,
        }
        if binary:
            binaries.append(_packed(output, values))
            tensor["parameters"] = {"binary_data_size": len(binaries[-1])}
        else:
            tensor["data"] = _flat(values) if output.width else values
        tensors.append(tensor)
    answer: dict[str, Any] = {"model_name": MODEL, "model_version": model_name, "outputs": tensors}
    if asked.id is not None:
        answer["id"] = asked.id
    head = orjson.dumps(answer)
    if not binaries:
        return head, {"Content-Type": "application/json"}
    headers = {"Content-Type": "application/octet-stream", HEADER: str(len(head))}
    return b"".join([head, *binaries]), headers


def _parsed(raw: bytes) -> InferRequest:
    try:
        # Not read by pydantic, which takes no lone surrogate: who cuts a text within an emoji sends one.
        return InferRequest.model_validate(json.loads(raw))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        found = f"{'.'.join(str(part) for part in first['loc']) or 'the JSON'}: {first['msg']}"
    except (ValueError, RecursionError) as error:
        found = f"the JSON: {error}"
    raise InputError(
        f"Found a request that is not of the Open Inference Protocol: {found}. See docs/api.md for one that is."
    )


def _size(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12) or int(text) > most:
        raise InputError(
            f"Found {HEADER}: {text[:40]!r} over a body of {most:,} bytes; it is the length of the JSON part. "
            "Correct it or leave it out."
        )
    return int(text)


def _strings(tensor: InputTensor, rest: memoryview) -> tuple[list[str], memoryview]:
    if tensor.datatype != "BYTES":
        raise InputError(
            f"Found {tensor.name} with the datatype {tensor.datatype[:20]!r}; it is BYTES. Send UTF-8 text."
        )
    size = tensor.parameters.get("binary_data_size")
    if size is None:
        values = [_text(value, tensor.name) for value in _flat(tensor.data or [])]
    else:
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= len(rest):
            raise InputError(
                f"Found binary_data_size {str(size)[:20]} of {tensor.name} where {len(rest):,} bytes are left; "
                "it is the length of the tensor in bytes. Correct it."
            )
        values, rest = list(_unpacked(rest[:size], tensor.name)), rest[size:]
    shape = tensor.shape
    if shape not in ([len(values)], [len(values), 1]):
        raise InputError(
            f"Found {len(values)} values in {tensor.name} of shape {str(shape)[:40]}; the shape is [{len(values)}]. "
            "Correct it."
        )
    return values, rest


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"Found {type(value).__name__} in {name}; it holds strings. Send text.")
    return clean_text(value)


def _unpacked(raw: memoryview, name: str) -> Iterator[str]:
    at = 0
    while at < len(raw):
        if at + 4 > len(raw):
            raise InputError(f"Found {name} cut off within a length; four bytes tell it. Send it whole.")
        (size,) = struct.unpack_from("<I", raw, at)
        at += 4
        if at + size > len(raw):
            raise InputError(
                f"Found an element of {name} cut off; its length says {size:,} bytes. Send it whole."
            )
        try:
            yield str(raw[at : at + size], "utf-8")
        except UnicodeDecodeError:
            raise InputError(f"Found {name} that is not UTF-8; encode the text as UTF-8.") from None
        at += size


def _checked(texts: list[str] | None) -> list[str]:
    if texts is None:
        raise InputError("Found no input text; it holds the texts to analyse. Send it as BYTES.")
    if len(texts) > MAX_TEXTS:
        raise InputError(f"Found {len(texts)} texts; the most is {MAX_TEXTS}. Send them in parts.")
    for number, text in enumerate(texts):
        if len(text) > MAX_CHARACTERS:
            raise InputError(
                f"Found a text of {len(text):,} characters at {number}; the most is {MAX_CHARACTERS:,}. "
                "Cut it into parts."
            )
    return texts


def _wanted(asked: InferRequest, outputs: Mapping[str, Output]) -> tuple[tuple[str, bool], ...]:
    default = asked.parameters.get("binary_data_output") is True
    if not asked.outputs:
        return tuple((name, default) for name in outputs)
    unknown = [one.name for one in asked.outputs if one.name not in outputs]
    if unknown:
        raise InputError(
            f"Found the output {unknown[0][:40]!r} asked for; there are {', '.join(outputs)}. Choose of these."
        )
    named = {one.name: one.parameters.get("binary_data", default) is True for one in asked.outputs}
    return tuple(named.items())


def _packed(output: Output, values: Values) -> bytes:
    if output.datatype == "BYTES":
        parts = [value.encode("utf-8", "replace") for value in values]
        return b"".join(struct.pack("<I", len(part)) + part for part in parts)
    kind = "<f4" if output.datatype == "FP32" else "?"
    return np.asarray(values, kind).tobytes()


def _flat(values: Values) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        if isinstance(value, list):
            flat += value
        else:
            flat.append(value)
    return flat
