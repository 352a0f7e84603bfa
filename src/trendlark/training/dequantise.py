"""An artefact read back into a network, so that training can go on from any published model.

    trendlark train --data DATA --out OUT --start FOLDER

Weights come back within half a step of their 8 bits, which validation does not tell from the checkpoint's. The heads
that only help training, for emoji and blanked words, are not in an artefact and begin anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from tokenizers import Tokenizer

from trendlark.errors import ModelError
from trendlark.nlu.artifact import Artifact, load_artifact
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.graph import SCALE, SMOOTH
from trendlark.training.model import AUXILIARY, Network, Shape

Array = NDArray[Any]
# trendlark-6 has the largest weights behind a GELU in single precision, and which inputs these belong to.
_APART, _PLACES = "/apart", "/apart/places"


def from_artifact(folder: Path | str, emoji: Sequence[str]) -> Checkpoint:
    """Return the model of an artefact's folder as a checkpoint; ``emoji`` are the auxiliary labels.

    Raises ModelError where the artefact is damaged, or was exported before weights had names.
    """
    artifact = load_artifact(folder)
    graph = onnx.load(str(artifact.model_file)).graph
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    missing = {"words.weight", "positions", "norm.weight", "layers.0.up.weight"} - set(constants)
    if missing:
        raise ModelError(
            f"Found no weights named {', '.join(sorted(missing))} in {artifact.model_file}; allowed is a model that "
            "`trendlark train` of this version exported. Start from its checkpoint (a .pt file), or from another model."
        )
    network = Network(_shape(graph, constants, len(emoji)))
    state = network.state_dict()
    for name, own in state.items():
        if not name.startswith(AUXILIARY):
            state[name] = torch.from_numpy(_weight(constants, name, tuple(own.shape)))
    network.load_state_dict(state)
    tokenizer = Tokenizer.from_file(str(artifact.tokenizer_file))
    return Checkpoint(network, tokenizer, emoji, {"history": _history(artifact)})


def _shape(graph: onnx.GraphProto, constants: Mapping[str, Array], auxiliary: int) -> Shape:
    layers = {int(found[1]) for name in constants if (found := re.match(r"layers\.(\d+)\.", name))}
    heads = next(
        attribute.i
        for node in graph.node
        if node.op_type == "MultiHeadAttention"
        for attribute in node.attribute
        if attribute.name == "num_heads"
    )
    vocabulary, width = constants["words.weight"].shape
    return Shape(
        vocabulary,
        width,
        layers=len(layers),
        heads=heads,
        inner=constants["layers.0.up.weight"].shape[1],
        positions=len(constants["positions"]),
        auxiliary=auxiliary,
        buckets=len(constants.get("distances.weight", ())),
    )


def _weight(constants: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    """Return a weight in the shape that the network has for it."""
    value = constants[name].astype(np.float32)
    if name + SCALE in constants:
        scale = constants[name + SCALE]
        # A table keeps a scale for each row; a product's weight lies transposed, with one for each column.
        value = value * scale if scale.ndim == value.ndim else (value * scale).T
    if name + _APART in constants:
        value[:, constants[name + _PLACES]] = constants[name + _APART].T
    if name + SMOOTH in constants:
        value = value * constants[name + SMOOTH]
    # What lies in front (a batch of one) or after it (a pooling more) is the graph's own.
    value = value.reshape(-1, *shape[1:])[: shape[0]]
    return np.ascontiguousarray(value)


def _history(artifact: Artifact) -> list[dict[str, Any]]:
    """Return what was done to an artefact's network, stage by stage."""
    recipe = dict(artifact.manifest.recipe)
    before: list[dict[str, Any]] = list(recipe.pop("before", []))
    step, seconds = recipe.pop("steps_done", 0), recipe.pop("seconds", 0)
    done = {"stage": "train", "recipe": recipe, "step": step, "seconds": seconds}
    return [*before, {**done, "exported": artifact.name}]
