"""One ONNX Runtime session on the CPU: rows of token ids in, the raw logits of every task out.

Each run computes on the thread that calls it; ONNX Runtime releases Python's lock meanwhile, so threads that
share the session use as many cores as there are threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from trendlark.errors import ModelError
from trendlark.nlu.artifact import Artifact

EMBEDDING = "embedding"
_FAILURES = (
    *(states.EPFail, states.EngineError, states.Fail, states.InvalidArgument, states.InvalidGraph),
    *(states.InvalidProtobuf, states.NoSuchFile, states.NotImplemented, states.RuntimeException),
    *(RuntimeError, ValueError),
)
_ERRORS_ONLY = 3
# Lengths in tokens at which a graph is tried when it is loaded.
_PROBES = (3, 17, 40)

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
        try:
            self._session = onnxruntime.InferenceSession(
                artifact.model_file, options, providers=["CPUExecutionProvider"]
            )
        except _FAILURES as error:
            raise ModelError(
                f"ONNX Runtime could not load {artifact.model_file}: {error}. It reads ONNX graphs for the CPU. "
                "Export the model again, or upgrade onnxruntime."
            ) from error
        self._outputs = self._session.get_outputs()
        self._check_outputs(artifact)
        # Kernels for a single row may round in another order than those for several. Graphs of `trendlark train`
        # avoid them; with others a lone text is run as two, to get bitwise what it gets in a batch.
        self._doubles = self._rounds_single_rows_otherwise()
        self.embedding_width = int(next(put for put in self._outputs if put.name == EMBEDDING).shape[-1])

    def run(self, rows: Sequence[Sequence[int]]) -> Outputs:
        """Return the outputs, [row, ...] each, for rows of token ids that are all of one length."""
        ids = np.asarray([*rows, *rows] if len(rows) == 1 and self._doubles else rows, np.int64)
        try:
            values = self._session.run(None, {"input_ids": ids})
        except _FAILURES as error:
            raise ModelError(
                f"The model failed on {len(rows)} texts of {ids.shape[1]} tokens: {error}. A model answers every "
                "text. Export it again, or load another one."
            ) from error
        outputs = {
            output.name: value[: len(rows)] for output, value in zip(self._outputs, values, strict=True)
        }
        broken = [name for name, value in outputs.items() if not np.isfinite(value).all()]
        if broken:
            raise ModelError(
                f"The model answered with numbers that are not finite for {', '.join(broken)}; logits are finite. "
                "The training run that made it went wrong: load another model."
            )
        return outputs

    def _rounds_single_rows_otherwise(self) -> bool:
        for tokens in _PROBES:
            row = [31 * at % 100 for at in range(tokens)]
            alone, twice = (
                self._session.run(None, {"input_ids": np.array(ids)}) for ids in ([row], [row, row])
            )
            if any(not np.array_equal(one[0], two[0]) for one, two in zip(alone, twice, strict=True)):
                return True
        return False

    def _check_outputs(self, artifact: Artifact) -> None:
        widths = {output.name: output.shape[-1] for output in self._outputs}
        wrong = [
            f"{name} has width {widths.get(name, 0)} instead of {width}"
            for name, width in _expected_widths(artifact).items()
            if widths.get(name) != width
        ]
        if not isinstance(widths.get(EMBEDDING), int):
            wrong.append(f"there is no output {EMBEDDING} of a fixed width")
        if [put.name for put in self._session.get_inputs()] != ["input_ids"]:
            wrong.append("the inputs are not input_ids alone")
        if wrong:
            raise ModelError(
                f"Found a graph in {artifact.model_file} that does not fit its manifest: {'; '.join(wrong)}. "
                "Both come from one export. Export the model again."
            )


def _expected_widths(artifact: Artifact) -> dict[str, int]:
    widths = {name: len(task.labels) for name, task in artifact.tasks.items()}
    spans = [name for name, task in artifact.tasks.items() if task.kind == "spans"]
    return widths | {name: len(artifact.manifest.entity_tags) for name in spans}
