"""One ONNX Runtime session on the CPU: rows of token ids in, the raw logits of every task out.

Each run computes on the thread that calls it; ONNX Runtime releases Python's lock meanwhile, so threads that
share the session use as many cores as there are threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from trendlark.errors import ModelError
from trendlark.nlu.artifact import Artifact
from trendlark.nlu.runtime import onnxruntime, states

EMBEDDING = "embedding"
_FAILURES = (
    *(states.EPFail, states.EngineError, states.Fail, states.InvalidArgument, states.InvalidGraph),
    *(states.InvalidProtobuf, states.NoSuchFile, states.NotImplemented, states.RuntimeException),
    *(RuntimeError, ValueError),
)
_ERRORS_ONLY = 3
# Lengths in tokens at which a graph is tried when it is loaded.
_PROBES = (3, 17, 40)
_FLOATS = "tensor(float)"

Outputs = Mapping[str, NDArray[np.float32]]


class Session:
    """The loaded graph of an artefact; safe to share between threads."""

    def __init__(self, artifact: Artifact) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        # Plans of memory are kept for each shape, and every length of text is a shape.
        options.enable_mem_pattern = False
        options.log_severity_level = _ERRORS_ONLY
        self._path = artifact.model_file
        try:
            self._session = onnxruntime.InferenceSession(
                artifact.model_file, options, providers=["CPUExecutionProvider"]
            )
        except _FAILURES as error:
            raise ModelError(
                f"ONNX Runtime could not load {artifact.model_file}: {error}. It reads ONNX graphs for the CPU. "
                "Export the model again, or upgrade onnxruntime."
            ) from error
        self._names = [*_expected_widths(artifact), EMBEDDING]
        self._check_outputs(artifact)
        # Kernels for a single row may round in another order than those for several. Graphs of `trendlark train`
        # avoid them; with others a lone text is run as two, to get bitwise what it gets in a batch.
        self._doubles = self._rounds_single_rows_otherwise()
        shapes = {put.name: put.shape for put in self._session.get_outputs()}
        self.embedding_width = int(shapes[EMBEDDING][-1])

    def run(self, rows: Sequence[Sequence[int]]) -> Outputs:
        """Return the outputs, [row, ...] each, for rows of token ids that are all of one length."""
        ids = np.asarray([*rows, *rows] if len(rows) == 1 and self._doubles else rows, np.int64)
        values = self._compute(ids)
        outputs = {name: value[: len(rows)] for name, value in zip(self._names, values, strict=True)}
        broken = [name for name, value in outputs.items() if not np.isfinite(value).all()]
        if broken:
            raise ModelError(
                f"The model answered with numbers that are not finite for {', '.join(broken)}; logits are finite. "
                "The training run that made it went wrong: load another model."
            )
        return outputs

    def check_vocabulary(self, largest_id: int) -> None:
        """Raise ModelError when the graph cannot take every token id that its tokenizer gives."""
        try:
            self._compute(np.full((1, _PROBES[0]), largest_id, np.int64))
        except ModelError as error:
            raise ModelError(
                f"Found a tokenizer that gives token ids up to {largest_id} beside {self._path}, a graph that cannot "
                "take them. Both come from one export. Export the model again."
            ) from error

    def _compute(self, ids: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        try:
            values: list[NDArray[np.float32]] = self._session.run(self._names, {"input_ids": ids})
        except _FAILURES as error:
            raise ModelError(
                f"The model failed on {len(ids)} texts of {ids.shape[1]} tokens: {error}. A model answers every "
                "text. Export it again, or load another one."
            ) from error
        return values

    def _rounds_single_rows_otherwise(self) -> bool:
        for tokens in _PROBES:
            row = [31 * at % 100 for at in range(tokens)]
            alone, twice = (self._compute(np.array(ids, np.int64)) for ids in ([row], [row, row]))
            if any(not np.array_equal(one[0], two[0]) for one, two in zip(alone, twice, strict=True)):
                return True
        return False

    def _check_outputs(self, artifact: Artifact) -> None:
        found = {put.name: put for put in self._session.get_outputs()}
        wrong = []
        for name, width in _expected_widths(artifact).items():
            shape = found[name].shape if name in found else []
            axes = 3 if artifact.tasks[name].kind == "spans" else 2
            if shape[-1:] != [width]:
                wrong.append(f"{name} has width {shape[-1] if shape else 0} instead of {width}")
            elif len(shape) != axes:
                wrong.append(f"{name} has {len(shape)} axes instead of {axes}")
        shape = found[EMBEDDING].shape if EMBEDDING in found else []
        if len(shape) != 2 or not isinstance(shape[-1], int):
            wrong.append(f"there is no output {EMBEDDING} of a fixed width")
        kinds = {name: found[name].type for name in self._names if name in found}
        wrong += [f"{name} is {kind} instead of {_FLOATS}" for name, kind in kinds.items() if kind != _FLOATS]
        if [(put.name, put.type) for put in self._session.get_inputs()] != [("input_ids", "tensor(int64)")]:
            wrong.append("the inputs are not input_ids alone, in tensor(int64)")
        if wrong:
            raise ModelError(
                f"Found a graph in {artifact.model_file} that does not fit its manifest: {'; '.join(wrong)}. "
                "Both come from one export. Export the model again."
            )


def _expected_widths(artifact: Artifact) -> dict[str, int]:
    widths = {name: len(task.labels) for name, task in artifact.tasks.items()}
    spans = [name for name, task in artifact.tasks.items() if task.kind == "spans"]
    return widths | {name: len(artifact.manifest.entity_tags) for name in spans}
