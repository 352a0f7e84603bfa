"""The network as an ONNX graph, written node by node, in single precision or with 8-bit weights.

Quantising activations over a whole batch makes a tweet's labels depend on its neighbours. Here each row
(token) has its own scale, so integer products and sums are the same whatever else is in the batch:

    q = uint8(round(x / s) + 128), s = max|x| / 127 by row;  y = (q - 128) W8 * s * column scale

CPUs without VNNI add the products of two neighbouring inputs in 16 bits and cut off what is beyond; weights are such
that nothing is (``rounding.py``). After a GELU, which gives nothing below -0.17, zero lies at 32 and s = max x / 223:
steps of little more than half the size, which takes a twelfth off the error of the logits. What stays in single
precision works row by row or text by text. Fused operators of ONNX Runtime (domain com.microsoft) are used where they
save passes over memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from trendlark.nlu.tasks import TASKS
from trendlark.training.model import POOLED_TASKS, Shape, buckets
from trendlark.training.ngrams import DROPPED, FACTORS, WIDTHS, NGrams
from trendlark.training.rounding import quantise_product, quantise_rows

Array = NDArray[Any]
_OPSET = 21
_CENTRE, _CENTRE_AFTER_GELU = 128, 32
_LEAST_OF_GELU = 0.17
# QuantizeLinear in blocks at least as long as a row has one scale for each row.
_WHOLE_ROW = 4096
_FUSED = "com.microsoft"
# A weight's constant has the name that the network has for it; what belongs to the weight has these endings.
SCALE, SMOOTH = "/scale", "/smooth"


@dataclass(frozen=True, slots=True)
class Care:
    """How a weight is brought to 8 bits: by factors [inputs] of its channels (``smooth.py``), and with regard to the
    moments [inputs, inputs] of what it is multiplied with, divided by these (``rounding.py``)."""

    smooth: Array | None = None
    moments: Array | None = None


_NO_CARE = Care()


class Graph:
    """A graph under construction; every method adds nodes and returns the name of what they give."""

    def __init__(self, int8: bool) -> None:
        self.int8 = int8
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._constants: dict[tuple[str, bytes], str] = {}
        self._rows: dict[str, tuple[str, str, str]] = {}
        self._count = 0

    def op(self, kind: str, *inputs: str, domain: str = "", name: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.ops(kind, *inputs, domain=domain, names=[name or self.fresh(kind)], **attributes)[0]

    def ops(
        self, kind: str, *inputs: str, names: list[str], domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node with several outputs."""
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names

    def fresh(self, kind: str) -> str:
        """Return a name that no node has yet."""
        self._count += 1
        return f"{kind.lower()}_{self._count}"

    def constant(self, array: Array, name: str = "") -> str:
        """Add a constant and return its name; one without a name of its own is kept once if it is small."""
        key = (f"{array.dtype}{array.shape}", array.tobytes())
        small = array.size < 64 and not name
        if small and key in self._constants:
            return self._constants[key]
        name = name or self.fresh("constant")
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        if small:
            self._constants[key] = name
        return name

    def floats(self, value: float) -> str:
        """Add a scalar."""
        return self.constant(np.array(value, np.float32))

    def lookup(self, table: Array, ids: str, name: str) -> str:
        """Rows of an embedding table."""
        if not self.int8:
            return self.op("Gather", self.constant(table, name), ids)
        quantised, scale = quantise_rows(table)
        rows = self.op("Cast", self.op("Gather", self.constant(quantised, name), ids), to=TensorProto.FLOAT)
        return self.op("Mul", rows, self.op("Gather", self.constant(scale, name + SCALE), ids))

    def product(
        self,
        hidden: str,
        weight: Array,
        name: str,
        after_gelu: bool = False,
        care: Care = _NO_CARE,
        fine: bool = False,
    ) -> str:
        """Multiply rows with a weight [outputs, inputs], without the bias.

        ``name`` is the weight's; ``after_gelu`` where the rows are that. ``fine`` rows have 16 bits: what 8 bits leave
        of them is multiplied in 8 bits once more.
        """
        if not self.int8:
            return self.op("MatMul", hidden, self.constant(weight.T, name))
        if care.smooth is not None:
            hidden = self.op(
                "Mul", hidden, self.constant((1 / care.smooth).astype(np.float32), name + SMOOTH)
            )
            weight = weight * care.smooth
        quantised, scale = quantise_product(weight, care.moments)
        own = [self.constant(quantised.T, name), self.floats(1.0), self.constant(scale[:, 0], name + SCALE)]
        zeros = self.constant(np.zeros(len(weight), np.int8))

        def times(rows: str, row_scale: str, centre: str) -> str:
            found = self.op("MatMulIntegerToFloat", rows, *own, centre, zeros, domain=_FUSED)
            return self.op("Mul", found, row_scale)

        rows, row_scale, centre = self._quantised_rows(hidden, after_gelu)
        coarse = times(rows, row_scale, centre)
        if not fine:
            return coarse
        steps = self.op("Sub", *(self.op("Cast", one, to=TensorProto.FLOAT) for one in (rows, centre)))
        rest = self.op("Sub", hidden, self.op("Mul", steps, row_scale))
        return self.op("Sum", coarse, times(*self._quantised_rows(rest, False)))

    def _quantised_rows(self, hidden: str, after_gelu: bool) -> tuple[str, str, str]:
        """Return the names of rows in 8 bits, of their scales and of what stands for zero."""
        if hidden not in self._rows:
            centre = self.constant(np.array(_CENTRE_AFTER_GELU if after_gelu else _CENTRE, np.uint8))
            axis = self.constant(np.array([-1], np.int64))
            size = hidden if after_gelu else self.op("Abs", hidden)
            above = 255 - (_CENTRE_AFTER_GELU if after_gelu else _CENTRE)
            least = _LEAST_OF_GELU / _CENTRE_AFTER_GELU * above if after_gelu else 1e-12
            largest = self.op("ReduceMax", size, axis, keepdims=1)
            scale = self.op("Mul", self.op("Max", largest, self.floats(least)), self.floats(1 / above))
            centres = self.op("Expand", centre, self.op("Shape", scale))
            rows = self.op("QuantizeLinear", hidden, scale, centres, axis=-1, block_size=_WHOLE_ROW)
            self._rows[hidden] = rows, scale, centre
        return self._rows[hidden]

    def exact_product(self, features: str, weight: Array, name: str) -> str:
        """Multiply [batch, inputs] with [outputs, inputs] in single precision, row by row.

        A matrix product of one row takes another path through ONNX Runtime than one of several and rounds
        differently; a sum over the last axis does not.
        """
        wide = self.op("Unsqueeze", features, self.constant(np.array([1], np.int64)))
        terms = self.op("Mul", wide, self.constant(weight[None], name))
        return self.op("ReduceSum", terms, self.constant(np.array([-1], np.int64)), keepdims=0)


def build(
    weights: Mapping[str, Array],
    shape: Shape,
    int8: bool,
    care: Mapping[str, Care] | None = None,
    ngrams: NGrams | None = None,
) -> onnx.ModelProto:
    """Return the model: ``input_ids`` [batch, tokens] of texts of one length in, raw logits and ``embedding`` out.

    ``care`` says by weight name how it is brought to 8 bits; without an entry it is rounded to the nearest. ``ngrams``
    are added to the logits of the pooled tasks.
    """
    graph = Graph(int8)
    care = care or {}
    ends = graph.op("Shape", "input_ids", start=1, end=2)
    hidden = _embed(graph, weights, ends)
    near = _near(graph, weights, shape, ends)
    for at in range(shape.layers):
        hidden = _layer(graph, hidden, weights, f"layers.{at}", shape, care, near)
    outputs = _heads(graph, hidden, weights, care, _said_by(graph, ngrams) if ngrams else {})
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "tokens"])
    proto = helper.make_graph(graph.nodes, "trendlark", [ids], outputs, graph.initializers)
    imports = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_FUSED, 1)]
    return helper.make_model(proto, opset_imports=imports, ir_version=10, producer_name="trendlark")


def _embed(graph: Graph, weights: Mapping[str, Array], ends: str) -> str:
    words = graph.lookup(weights["words.weight"], "input_ids", "words.weight")
    zero = graph.constant(np.array([0], np.int64))
    positions = graph.constant(weights["positions"], "positions")
    positions = graph.op("Slice", positions, zero, ends, zero)
    return _norm(graph, graph.op("Add", words, positions), weights, "norm")


def _near(graph: Graph, weights: Mapping[str, Array], shape: Shape, ends: str) -> str:
    """What the distance of two tokens adds to their attention, [1, heads, tokens, tokens]; "" for nothing."""
    if not shape.buckets:
        return ""
    table = graph.constant(buckets(shape.positions, shape.buckets).numpy())
    zeros, axes = (graph.constant(np.array(one, np.int64)) for one in ([0, 0], [0, 1]))
    own = graph.op("Slice", table, zeros, graph.op("Concat", ends, ends, axis=0), axes)
    weight = graph.constant(weights["distances.weight"], "distances.weight")
    near = graph.op("Transpose", graph.op("Gather", weight, own), perm=[2, 0, 1])
    return graph.op("Unsqueeze", near, graph.constant(np.array([0], np.int64)))


def _norm(graph: Graph, hidden: str, weights: Mapping[str, Array], name: str) -> str:
    gain, bias = (graph.constant(weights[own], own) for own in (f"{name}.weight", f"{name}.bias"))
    return graph.op("LayerNormalization", hidden, gain, bias, axis=-1, epsilon=1e-12)


def _layer(
    graph: Graph,
    hidden: str,
    weights: Mapping[str, Array],
    layer: str,
    shape: Shape,
    care: Mapping[str, Care],
    near: str,
) -> str:
    def product(rows: str, linear: str, after_gelu: bool = False) -> str:
        name = f"{layer}.{linear}.weight"
        return graph.product(rows, weights[name], name, after_gelu, care.get(name, _NO_CARE))

    def bias(linear: str) -> str:
        name = f"{layer}.{linear}.bias"
        return graph.constant(weights[name], name)

    def add_norm(rows: str, change: str, linear: str, number: int) -> str:
        # Sum, not Add: ONNX Runtime would fuse an Add with the norm into SkipLayerNormalization, which is five
        # times as slow on the CPU as the two apart (measured with 1.32: a quarter of the whole pass).
        return _norm(graph, graph.op("Sum", change, rows, bias(linear)), weights, f"{layer}.norm{number}")

    parts = [graph.fresh("part") for _ in range(3)]
    graph.ops("Split", product(hidden, "qkv"), names=parts, axis=-1, num_outputs=3)
    given = [*parts, bias("qkv"), *(["", near] if near else [])]
    mixed = graph.op("MultiHeadAttention", *given, domain=_FUSED, num_heads=shape.heads)
    hidden = add_norm(hidden, product(mixed, "out"), "out", 1)
    inner = graph.op("BiasGelu", product(hidden, "up"), bias("up"), domain=_FUSED)
    return add_norm(hidden, product(inner, "down", after_gelu=True), "down", 2)


def _heads(
    graph: Graph,
    hidden: str,
    weights: Mapping[str, Array],
    care: Mapping[str, Care],
    besides: Mapping[str, str],
) -> list[onnx.ValueInfoProto]:
    """Give the outputs; ``besides`` is added to the logits of a task."""
    outputs = []
    # A row of zeros scores every token alike: the plain mean, in the arithmetic of the other poolings.
    mean_too = np.concatenate([weights["pool.weight"], np.zeros_like(weights["pool.weight"][:1])])
    scores = graph.product(hidden, mean_too, "pool.weight", care=care.get("pool.weight", _NO_CARE))
    scores = graph.op("Transpose", scores, perm=[0, 2, 1])
    pooled = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), hidden)
    parts = [graph.fresh("pooled") for _ in mean_too]
    graph.ops("Split", pooled, names=parts, axis=1, num_outputs=len(parts))
    for name, part in zip(POOLED_TASKS, parts[:-1], strict=True):
        features = graph.op("Squeeze", part, graph.constant(np.array([1], np.int64)))
        inner = _inner(graph, features, weights, f"heads.{name}", care, fine=True)
        weight, bias = f"heads.{name}.logits.weight", f"heads.{name}.logits.bias"
        logits = graph.exact_product(inner, weights[weight], weight)
        own = [logits, graph.constant(weights[bias], bias)]
        graph.op("Sum", *own, *([besides[name]] if name in besides else []), name=name)
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", TASKS[name].width]))
    inner = _inner(graph, hidden, weights, "entities", care)
    weight, bias = "entities.logits.weight", "entities.logits.bias"
    tags = graph.product(inner, weights[weight], weight, True, care.get(weight, _NO_CARE))
    graph.op("Add", tags, graph.constant(weights[bias], bias), name="entities")
    width = TASKS["entities"].width
    outputs.append(helper.make_tensor_value_info("entities", TensorProto.FLOAT, ["batch", "tokens", width]))
    mean = graph.op("Squeeze", parts[-1], graph.constant(np.array([1], np.int64)))
    graph.op("LpNormalization", mean, name="embedding", axis=-1, p=2)
    wide = len(weights["norm.weight"])
    outputs.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", wide]))
    return outputs


def _said_by(graph: Graph, ngrams: NGrams) -> dict[str, str]:
    """What n-grams add to the logits, [batch, labels] by task; arithmetic of ``NGrams.logits``.

    Element by element: sums over so few columns depend on where in memory a row begins.
    """
    languages, answers = ngrams.speaks.shape
    sizes = graph.constant(np.array([languages, answers + 1], np.int64))
    names = [graph.fresh("part") for _ in range(2)]
    tongues, said = graph.ops("Split", _summed(graph, ngrams), sizes, names=names, axis=-1)
    chances = graph.op("Softmax", tongues, axis=-1)
    parts = []
    for at, own in enumerate(ngrams.speaks[:, :, None] * ngrams.tells):
        # Where a language has no answer for a label, the last column has nothing.
        columns = np.where(own.any(0), own.argmax(0), answers).astype(np.int64)
        heard = graph.op("Gather", said, graph.constant(columns), axis=1)
        chance = graph.op("Gather", chances, graph.constant(np.array([at], np.int64)), axis=1)
        parts.append(graph.op("Mul", heard, chance))
    names = [graph.fresh("part") for _ in WIDTHS]
    widths = graph.constant(np.array(WIDTHS, np.int64))
    graph.ops("Split", graph.op("Sum", *parts), widths, names=names, axis=-1)
    return dict(zip(POOLED_TASKS, names, strict=True))


def _summed(graph: Graph, ngrams: NGrams) -> str:
    """The sums of the table's rows over a text's n-grams, [batch, columns + 1]; the last one is always 0.

    Of 8 bits they are exact, whatever the order.
    """

    def whole(value: int) -> str:
        return graph.constant(np.array([value], np.int64))

    def cut(first: int, last: int) -> str:
        return graph.op("Slice", own, whole(first), whole(last), whole(1))

    def times(rows: str, factor: int) -> str:
        return graph.op("Mul", rows, whole(factor))

    near, far = FACTORS
    end = np.iinfo(np.int64).max
    own = graph.op("Gather", graph.constant(ngrams.pieces, "ngrams.pieces"), "input_ids")
    pairs = graph.op("Add", times(cut(0, -1), near), cut(1, end))
    triples = graph.op("Add", times(cut(0, -2), far), times(cut(1, -1), near))
    triples = graph.op("Add", triples, cut(2, end))
    grams = graph.op("Concat", own, pairs, triples, axis=1)
    rows = graph.op("Mod", graph.op("Div", grams, whole(DROPPED)), whole(len(ngrams.weights)))
    count = graph.op("Cast", graph.op("Shape", rows, start=1, end=2), to=TensorProto.FLOAT)
    weights, bias = np.pad(ngrams.weights, ((0, 0), (0, 1))), np.pad(ngrams.bias, (0, 1))
    if graph.int8:
        quantised, scale = quantise_rows(weights.T)
        table = graph.constant(quantised.T, "ngrams.weights")
        met = graph.op("Cast", graph.op("Gather", table, rows), to=TensorProto.INT32)
        total = graph.op("Cast", graph.op("ReduceSum", met, whole(1), keepdims=0), to=TensorProto.FLOAT)
        total = graph.op("Mul", total, graph.constant(scale[:, 0], "ngrams.weights" + SCALE))
    else:
        met = graph.op("Gather", graph.constant(weights, "ngrams.weights"), rows)
        total = graph.op("ReduceSum", met, whole(1), keepdims=0)
    mean = graph.op("Div", total, graph.op("Sqrt", count))
    return graph.op("Add", mean, graph.constant(bias, "ngrams.bias"))


def _inner(
    graph: Graph,
    features: str,
    weights: Mapping[str, Array],
    head: str,
    care: Mapping[str, Care],
    fine: bool = False,
) -> str:
    weight, bias = f"{head}.inner.weight", f"{head}.inner.bias"
    product = graph.product(features, weights[weight], weight, care=care.get(weight, _NO_CARE), fine=fine)
    return graph.op("BiasGelu", product, graph.constant(weights[bias], bias), domain=_FUSED)
