"""An artefact read back: the same answers, the same weights within half a step, the history kept, faults told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tests.training.tiny import EMOJI, tiny_checkpoint
from trendlark.errors import ModelError
from trendlark.nlu.artifact import MANIFEST_FILE, MODEL_FILE, load_artifact
from trendlark.training import export
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, file_digest, some_texts
from trendlark.training.dequantise import from_artifact
from trendlark.training.graph import Care
from trendlark.training.predict import build_session, session_predictor
from trendlark.training.rounding import quantise_product, quantise_rows
from trendlark.training.smooth import prepare

TEXTS = ["I love this wonderful day", "the bus leaves at nine in new york", "que asco"]


def _nearest(*given: Any) -> dict[str, Care]:
    """Prepare weights for being rounded to the nearest step, as if no moments were known."""
    return {name: replace(one, moments=None) for name, one in prepare(*given).items()}


@pytest.fixture
def nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "prepare", _nearest)


@pytest.fixture
def artefact(state: Checkpoint, data: Path, tmp_path: Path) -> Path:
    state.more = {
        "history": [{"stage": "train", "step": 1}],
        "recipe": {"name": "first"},
        "step": 7,
        "seconds": 3.2,
    }
    export.write_model(state, data, tmp_path / "artefact", "tiny")
    return tmp_path / "artefact"


@pytest.mark.usefixtures("nearest")
def test_every_weight_is_back_within_half_a_step(
    state: Checkpoint, data: Path, request: pytest.FixtureRequest
) -> None:
    found = from_artifact(request.getfixturevalue("artefact"), EMOJI).network.state_dict()
    expected = state.network.state_dict()
    weights = export.network_weights(state)
    ids = encode(state.tokenizer, some_texts(data))
    moved = export.unbiased(weights, state.network.shape, _nearest(state.network, weights, ids), ids)
    # What 8 bits add in the mean was taken from these.
    expected |= {name: torch.from_numpy(value) for name, value in moved.items() if value.ndim == 1}
    assert set(found) == set(expected)
    for name, value in expected.items():
        if name.startswith("emoji."):
            continue
        # Smoothing makes the steps of some columns larger, and of others smaller.
        room = 3.0 if name.endswith(("qkv.weight", "up.weight")) else 1.01
        exact = value.dim() < 2 or name == "positions" or ("logits.weight" in name and "heads" in name)
        form = quantise_rows if name == "words.weight" else quantise_product
        step = torch.zeros(1) if exact else torch.from_numpy(form(value.numpy())[1])
        assert bool(((found[name] - value).abs() <= room * step / 2 + 1e-7).all()), name


def test_the_network_says_what_the_artefact_says(artefact: Path) -> None:
    state = from_artifact(artefact, EMOJI)
    ids = encode(state.tokenizer, TEXTS)
    said = session_predictor(build_session(artefact / MODEL_FILE))(ids)
    state.network.eval()
    with torch.inference_mode():
        for row, expected in zip(ids, said, strict=True):
            found = state.network(torch.tensor([row]))
            for name, value in expected.items():
                np.testing.assert_allclose(found[name][0].numpy(), value, atol=0.03, err_msg=name)


def test_weights_of_distances_are_back_as_they_were(data: Path, tmp_path: Path) -> None:
    state = tiny_checkpoint(buckets=8)
    export.write_model(state, data, tmp_path / "artefact", "tiny")
    found = from_artifact(tmp_path / "artefact", EMOJI).network
    assert found.shape == state.network.shape
    name = "distances.weight"
    assert torch.equal(found.state_dict()[name], state.network.state_dict()[name])


def _change(artefact: Path, model: onnx.ModelProto) -> None:
    """Save another model in an artefact, with the checksum that it has."""
    onnx.save(model, str(artefact / MODEL_FILE))
    manifest = json.loads((artefact / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["files"][MODEL_FILE] = file_digest(artefact / MODEL_FILE)
    (artefact / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")


def test_weights_that_the_sixth_model_kept_in_single_precision_are_back(artefact: Path) -> None:
    name, places = "layers.0.down.weight", np.array([3, 40], np.int64)
    apart = np.random.default_rng(2).standard_normal((2, 32)).astype(np.float32)
    before = from_artifact(artefact, EMOJI).network.state_dict()[name].numpy()
    model = onnx.load(str(artefact / MODEL_FILE))
    for array, ending in ((apart, "/apart"), (places, "/apart/places")):
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name + ending))
    _change(artefact, model)
    found = from_artifact(artefact, EMOJI).network.state_dict()[name].numpy()
    np.testing.assert_array_equal(found[:, places], apart.T)
    np.testing.assert_array_equal(np.delete(found, places, 1), np.delete(before, places, 1))


@pytest.mark.usefixtures("nearest")
def test_exported_again_it_is_nearly_the_same_file(
    data: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    artefact = request.getfixturevalue("artefact")
    again = tmp_path / "again"
    export.write_model(from_artifact(artefact, EMOJI), data, again, "tiny")
    first, second = (
        {
            one.name: onnx.numpy_helper.to_array(one)
            for one in onnx.load(str(folder / MODEL_FILE)).graph.initializer
        }
        for folder in (artefact, again)
    )
    assert set(first) == set(second)
    # Rows without smoothing are on the grid of 8 bits already.
    assert np.array_equal(first["words.weight"], second["words.weight"])
    for name in ("layers.0.down.weight", "layers.1.down.weight", "layers.1.out.weight"):
        assert np.array_equal(first[name], second[name]), name


def test_what_was_done_to_it_before_is_kept(artefact: Path) -> None:
    history = from_artifact(artefact, EMOJI).more["history"]
    assert history == [
        {"stage": "train", "step": 1},
        {
            "stage": "train",
            "recipe": {"name": "first"},
            "step": 7,
            "seconds": 3,
            "exported": load_artifact(artefact).name,
        },
    ]


def test_an_artefact_without_names_is_refused(artefact: Path) -> None:
    model = onnx.load(str(artefact / MODEL_FILE))
    names = {one.name: f"constant_{at}" for at, one in enumerate(model.graph.initializer)}
    for one in model.graph.initializer:
        one.name = names[one.name]
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
    _change(artefact, model)
    with pytest.raises(ModelError, match=r"no weights named .*Start from its checkpoint"):
        from_artifact(artefact, EMOJI)


def test_a_damaged_artefact_is_refused(artefact: Path) -> None:
    with (artefact / MODEL_FILE).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ModelError):
        from_artifact(artefact, EMOJI)
