"""From a checkpoint to an artefact that serving accepts and evaluation scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny import tiny_checkpoint
from trendlark.errors import ModelError
from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.tasks import TASKS
from trendlark.training import baseline, evaluate, export
from trendlark.training.export import file_digest
from trendlark.training.scoring import main_metric
from trendlark.training.sets import SETS


@pytest.fixture(scope="module")
def checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "last.pt"
    state = tiny_checkpoint()
    before = [{"stage": "train", "step": 3}]
    state.more = {"recipe": {"name": "tiny"}, "step": 7, "seconds": 90.0, "history": before}
    state.save(path)
    return path


@pytest.fixture(scope="module")
def folder(checkpoint_path: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("artefact") / "tiny"
    return export.run(checkpoint_path, data, out, "tiny-1", {"tweeteval_irony": 0.25}, core_hours=0.5)


@pytest.fixture
def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def test_serving_accepts_the_artefact(folder: Path) -> None:
    artifact = load_artifact(folder)
    assert artifact.manifest.name == "tiny-1"
    assert {name: task.labels for name, task in artifact.tasks.items()} == {
        name: task.labels for name, task in TASKS.items()
    }


def test_a_changed_file_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "model.onnx").open("ab") as model:
        model.write(b"x")
    with pytest.raises(ModelError, match="checksum"):
        load_artifact(tmp_path)


def test_the_manifest_tells_where_the_model_comes_from(manifest: Any, data: Path) -> None:
    before = [{"stage": "train", "step": 3}]
    recipe = {"name": "tiny", "steps_done": 7, "seconds": 90, "core_hours": 0.5, "before": before}
    assert manifest["recipe"] == recipe
    assert set(manifest["data"]) >= {"tweeteval_irony", "ner_btc", "emojispace_es"}
    assert "tweeteval_offensive" not in manifest["data"]
    assert manifest["metrics"]["tweeteval_irony"]["baseline"] == 0.25
    assert "irony" in manifest["languages"]["en"]
    assert manifest["languages"]["es"][0] == "sentiment"
    assert manifest["base"]["licence"] == "MIT"
    for name, task in manifest["tasks"].items():
        assert ("thresholds" in task) == (TASKS[name].kind in ("many_of", "yes_no"))


def test_the_card_says_what_the_manifest_says(folder: Path, manifest: Any) -> None:
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("# tiny-1\n")
    assert "0.5 core-hours" in card
    score = manifest["metrics"]["tweeteval_irony"]["f1_yes"]
    assert f"| tweeteval_irony | en | F1 of irony | {100 * score:.1f} | 25.0 |" in card
    for key, digest in manifest["data"].items():
        assert f"| {key} | {digest[:16]} |" in card


def test_evaluating_the_artefact_finds_the_metrics_of_its_manifest(
    folder: Path, manifest: Any, data: Path
) -> None:
    found = evaluate.run(folder, data)
    assert set(found) == set(manifest["metrics"])
    for key, scores in found.items():
        assert main_metric(SETS[key], scores) == pytest.approx(
            manifest["metrics"][key][SETS[key].metric], abs=1e-4
        )


def test_evaluating_a_checkpoint(checkpoint_path: Path, data: Path) -> None:
    found = evaluate.run(checkpoint_path, data, limit=2)
    assert "umsab_es" in found
    assert 0 <= found["ner_btc"]["entity_f1"] <= 1


def test_checksums_are_of_the_files(folder: Path, manifest: Any) -> None:
    assert set(manifest["files"]) == {"model.onnx", "tokenizer.json", "MODEL_CARD.md"}
    assert manifest["files"]["tokenizer.json"] == file_digest(folder / "tokenizer.json")


def test_the_baseline_learns_what_words_tell(data: Path) -> None:
    found = baseline.run(data)
    assert set(found) == {
        "tweeteval_sentiment",
        "umsab_es",
        "tweeteval_emotion",
        "emoevent_es",
        "tweeteval_irony",
        "tweeteval_hate",
        "tweet_topicxl_en",
    }
    # The invented sets repeat their sentences with another ending: words are enough.
    assert min(found.values()) > 0.9
