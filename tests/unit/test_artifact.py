"""The artefact: what is read, and every way in which a damaged or foreign one is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.support.tiny_model import checksum, make_tiny_artifact
from trendlark.errors import ModelError
from trendlark.nlu.analyzer import Analyzer
from trendlark.nlu.artifact import FORMAT, default_folder, load_artifact
from trendlark.nlu.tasks import TASKS, Task
from trendlark.nlu.text import NORMALISER_VERSION, OLDEST_NORMALISER


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_artifact(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    for path in whole.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_whole_one_is_read(whole: Path) -> None:
    artifact = load_artifact(whole)
    assert artifact.manifest.name == "tiny-1"
    assert artifact.manifest.max_tokens == 96
    assert artifact.manifest.tasks["sentiment"].temperature == 1.25
    assert artifact.manifest.languages["es"] == ("sentiment", "emotions")
    assert artifact.tasks == TASKS
    assert artifact.model_file.is_file()
    assert artifact.tokenizer_file.is_file()


def test_the_manifest_cannot_be_changed(whole: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_artifact(whole).manifest.name = "other"


def test_unknown_fields_of_the_same_format_are_no_obstacle(folder: Path) -> None:
    edit(folder, lambda content: content.update(note="hello"))
    assert load_artifact(folder).manifest.name == "tiny-1"


def test_labels_keep_the_artefacts_own_order(folder: Path) -> None:
    turned = ["positive", "neutral", "negative"]
    edit(folder, lambda content: content["tasks"]["sentiment"].update(labels=turned))
    assert load_artifact(folder).tasks["sentiment"] == Task("sentiment", "one_of", tuple(turned))
    with Analyzer(load_artifact(folder), threads=1) as analyzer:
        assert list(analyzer("hola").sentiment.probabilities) == turned


def test_an_address_of_another_kind_is_refused_with_what_to_do() -> None:
    with pytest.raises(ModelError, match="Copy the folder to one of these first"):
        load_artifact("https://example.com/model")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"Found no folder .* allowed are 'default', 'fake' and a folder"):
        load_artifact(tmp_path / "nowhere")


def test_a_missing_default_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("trendlark.nlu.artifact.default_folder", lambda: tmp_path / "none")
    with pytest.raises(ModelError, match="no default model in this installation"):
        load_artifact("default")


def test_the_default_lies_inside_the_package() -> None:
    assert default_folder().parent.name == "nlu"


@pytest.mark.parametrize("content", [None, "", "{", "\xff", "[]", "3", '{"format": 1}'])
def test_a_manifest_that_is_none_is_refused(folder: Path, content: str | None) -> None:
    (folder / "manifest.json").unlink()
    if content is not None:
        (folder / "manifest.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=r"manifest.*(again)"):
        load_artifact(folder)


def test_a_newer_format_asks_for_an_upgrade(folder: Path) -> None:
    edit(folder, lambda content: content.update(format=FORMAT + 1, tasks="of another shape"))
    with pytest.raises(ModelError, match=f"Found format {FORMAT + 1}.*reads up to format {FORMAT}.*Upgrade"):
        load_artifact(folder)


@pytest.mark.parametrize("normaliser", [NORMALISER_VERSION + 1, OLDEST_NORMALISER - 1])
def test_another_normaliser_is_refused(folder: Path, normaliser: int) -> None:
    edit(folder, lambda content: content.update(normaliser=normaliser))
    with pytest.raises(ModelError, match=f"trained with normaliser {normaliser} "):
        load_artifact(folder)


def test_a_model_of_the_oldest_normaliser_is_read(folder: Path) -> None:
    edit(folder, lambda content: content.update(normaliser=OLDEST_NORMALISER))
    assert load_artifact(folder).manifest.normaliser == OLDEST_NORMALISER


def test_all_bad_fields_are_named_at_once(folder: Path) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["tasks"]["irony"]["temperature"] = 0
        content["tasks"]["hate"]["thresholds"] = {"hate": 2}
        content["max_tokens"] = "many"

    edit(folder, spoil)
    with pytest.raises(ModelError) as caught:
        load_artifact(folder)
    for path in ("tasks.irony.temperature", "tasks.hate.thresholds.hate", "max_tokens"):
        assert path in str(caught.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda content: content["tasks"].pop("topics"), "no task topics"),
        (
            lambda content: content["tasks"]["irony"].update(kind="one_of"),
            "irony is one_of instead of yes_no",
        ),
        (
            lambda content: content["tasks"]["sentiment"].update(labels=["bad", "good"]),
            "unknown or twice: bad, good",
        ),
        (
            lambda content: content["tasks"]["irony"].update(labels=["irony", "irony"]),
            "unknown or twice: irony",
        ),
        (
            lambda content: content["tasks"]["emotions"]["thresholds"].pop("joy"),
            "emotions has no threshold for joy",
        ),
        (
            lambda content: content["tasks"]["irony"].update(thresholds={}),
            "irony has no threshold for irony",
        ),
        (
            lambda content: content["tasks"]["sentiment"].update(
                languages={"en": {"temperature": 1, "thresholds": {"negative": 0.3, "neutral": 0.4}}}
            ),
            "sentiment has no threshold for positive",
        ),
        (
            lambda content: content["tasks"]["sentiment"].update(
                thresholds={"negative": 0, "neutral": 0.5, "positive": 0.5}
            ),
            "sentiment has a threshold of 0",
        ),
        (lambda content: content.update(entity_tags=["O", "B-animal"]), "entity_tags"),
    ],
)
def test_tasks_that_do_not_fit_are_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    edit(folder, change)
    with pytest.raises(ModelError, match=sentence):
        load_artifact(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_changed_byte_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} has another checksum"):
        load_artifact(folder)


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    with pytest.raises(ModelError, match=r"model\.onnx cannot be read"):
        load_artifact(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda content: content["files"].pop("model.onnx"), "model.onnx is not listed"),
        (lambda content: content["files"].update({"../secret": "0"}), "not a plain file name"),
    ],
)
def test_a_list_of_files_that_is_off_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], sentence: str
) -> None:
    edit(folder, change)
    with pytest.raises(ModelError, match=sentence):
        load_artifact(folder)


def sign(folder: Path) -> None:
    """State the checksum that the graph has now."""
    edit(folder, lambda content: content["files"].update({"model.onnx": checksum(folder / "model.onnx")}))


def test_a_graph_that_is_none_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"not a graph")
    sign(folder)
    with pytest.raises(ModelError, match="ONNX Runtime could not load"):
        Analyzer(load_artifact(folder))


def test_a_graph_of_other_outputs_is_refused(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    del model.graph.output[0]
    model.graph.output[0].name, model.graph.output[1].name = "sentiment", "emotions"
    kept = [output for output in model.graph.output if output.name != "irony"]
    del model.graph.output[:]
    model.graph.output.extend(kept)
    onnx.save(model, folder / "model.onnx")
    sign(folder)
    with pytest.raises(ModelError, match="irony has width 0 instead of 1; there is no output embedding"):
        Analyzer(load_artifact(folder))


def test_a_graph_that_gives_no_numbers_is_refused(folder: Path) -> None:
    model = onnx.load(folder / "model.onnx")
    for weight in model.graph.initializer:
        if weight.name == "hate_bias":
            weight.CopyFrom(onnx.numpy_helper.from_array(np.array([np.nan], np.float32), "hate_bias"))
    onnx.save(model, folder / "model.onnx")
    sign(folder)
    with (
        Analyzer(load_artifact(folder), threads=1) as analyzer,
        pytest.raises(ModelError, match="not finite for hate"),
    ):
        analyzer("hola")
