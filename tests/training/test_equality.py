"""A thousand tweets through PyTorch and through the exported artefact."""

from __future__ import annotations

import json
import math
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tests.training.tiny import tiny_checkpoint
from trendlark.nlu.analyzer import load
from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.language import detect
from trendlark.nlu.tasks import TASKS
from trendlark.nlu.text import normalise
from trendlark.training import equality, export, graph
from trendlark.training.card import add_evaluation, render_card
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, file_digest
from trendlark.training.equality import COUNT, beyond, compare, stated, thousand_tweets
from trendlark.training.predict import build_session, session_predictor


def _words() -> list[str]:
    """All words of the tweets: a tokenizer that spells them in letters would make all texts alike."""
    return sorted(
        {word for text in thousand_tweets() for word in re.findall(r"\w+", normalise(text).text.lower())}
    )


@pytest.fixture(scope="module")
def decided() -> Checkpoint:
    """A network whose answers are far from one another, as those of a trained one are."""
    state = tiny_checkpoint(seed=4, words=_words())
    with torch.no_grad():
        for name, weights in state.network.named_parameters():
            if name.startswith("heads.") and name.endswith("logits.weight"):
                weights.mul_(20)
    return state


@pytest.fixture(scope="module")
def folder(decided: Checkpoint, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("equality")
    decided.save(out / "last.pt")
    return export.run(out / "last.pt", data, out / "artefact", "tiny-1")


def test_there_are_a_thousand_different_tweets_of_all_sorts() -> None:
    texts = thousand_tweets()
    assert len(texts) == len(set(texts)) == COUNT
    assert sum("@" in text for text in texts) > 10
    assert sum(any(sign > "\u2600" for sign in text) for text in texts) > 50


def test_eight_bits_say_what_pytorch_says(decided: Checkpoint, folder: Path) -> None:
    found = compare(decided, folder, thousand_tweets())
    assert set(found) == set(TASKS)
    assert beyond(found) == []


def test_the_answers_are_decided_so_the_comparison_means_something(folder: Path) -> None:
    with load(folder, threads=1) as analyzer:
        said = analyzer.analyze(thousand_tweets())
    assert {one.sentiment.label for one in said} == set(TASKS["sentiment"].labels)
    spread = np.array([one.offensive.probability for one in said])
    assert spread.std() > 0.02


def test_single_precision_says_the_same_but_for_rounding(decided: Checkpoint) -> None:
    session = build_session(graph.build(export.network_weights(decided), decided.network.shape, int8=False))
    ids = encode(decided.tokenizer, thousand_tweets()[:200])
    found = session_predictor(session)(ids)
    with torch.inference_mode():
        for row, out in zip(ids, found, strict=True):
            exact = decided.network.eval()(torch.tensor([row]))
            for name in TASKS:
                np.testing.assert_allclose(out[name], exact[name][0].numpy(), atol=2e-3, err_msg=name)


def test_another_network_is_found_out(folder: Path) -> None:
    other = tiny_checkpoint(seed=5, words=_words())
    assert len(beyond(compare(other, folder, thousand_tweets()[:100]))) >= 3


def test_damaged_weights_are_found_out(decided: Checkpoint, folder: Path, tmp_path: Path) -> None:
    """One matrix with its columns' scales shifted by one: what a wrong order of scales would do."""
    weights = export.network_weights(decided)
    name = "layers.0.qkv.weight"
    weights[name] = np.roll(weights[name], 1, axis=0)
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    onnx.save(graph.build(weights, decided.network.shape, int8=True), str(tmp_path / "model.onnx"))
    manifest = (tmp_path / "manifest.json").read_text(encoding="utf-8")
    old, new = (file_digest(at / "model.onnx") for at in (folder, tmp_path))
    (tmp_path / "manifest.json").write_text(manifest.replace(old, new), encoding="utf-8")
    assert beyond(compare(decided, tmp_path, thousand_tweets()[:100]))


def _changed(folder: Path, to: Path, task: str, more: dict[str, Any]) -> Path:
    """Copy an artefact, with its manifest's word on a task changed."""
    shutil.copytree(folder, to)
    manifest = json.loads((to / "manifest.json").read_text(encoding="utf-8"))
    manifest["tasks"][task] |= more
    (to / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return to


def test_answers_are_compared_at_the_thresholds_of_each_language(folder: Path, tmp_path: Path) -> None:
    other, texts = tiny_checkpoint(seed=5, words=_words()), thousand_tweets()[::5]
    never = {"irony": 1.0}
    english = {"en": {"temperature": 1.0, "thresholds": never}}
    at_half = {"temperature": 1.0, "thresholds": {"irony": 0.5}, "languages": {}}
    plain = _changed(folder, tmp_path / "plain", "irony", at_half)
    partly = _changed(folder, tmp_path / "partly", "irony", at_half | {"languages": english})
    wholly = _changed(folder, tmp_path / "wholly", "irony", at_half | {"thresholds": never})
    first, second, third = (compare(other, one, texts)["irony"]["same"] for one in (plain, partly, wholly))
    assert first < second < third == 1.0
    langs = [detect(text) for text in texts]
    # In English nobody says yes any more; of the others nothing has changed.
    spanish = [text for text, lang in zip(texts, langs, strict=True) if lang != "en"]
    left = compare(other, plain, spanish)["irony"]["same"]
    assert second == pytest.approx(1 - (1 - left) * len(spanish) / len(texts))


def test_a_choice_is_compared_by_its_thresholds(folder: Path, tmp_path: Path) -> None:
    other, texts = tiny_checkpoint(seed=5, words=_words()), thousand_tweets()[:50]
    always = {"negative": 0.98, "neutral": 0.01, "positive": 0.01}
    langs = {detect(text): {"temperature": 1000.0, "thresholds": always} for text in texts}
    flat = _changed(folder, tmp_path / "flat", "sentiment", {"languages": langs})
    before, after = (compare(other, one, texts)["sentiment"] for one in (folder, flat))
    # So warm, all probabilities are a third: none is negative by such thresholds, and nothing differs.
    assert before["mean"] > 0.01
    assert after["mean"] < 0.001
    assert after["p999"] < before["p999"]


@pytest.mark.parametrize("figure", ["mean", "p999", "same"])
def test_what_is_no_number_is_beyond_the_tolerance(figure: str) -> None:
    found = {"irony": {"mean": 0.0, "p999": 0.0, "same": 1.0}}
    assert stated(found, 9)["equal"]
    found["irony"][figure] = math.nan
    assert not stated(found, 9)["equal"]


def test_what_was_found_is_recorded_in_manifest_and_card(
    decided: Checkpoint,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = tmp_path / "model"
    shutil.copytree(folder, model)
    decided.save(tmp_path / "last.pt")
    words = ["--checkpoint", tmp_path / "last.pt", "--model", model]
    before = (model / "manifest.json").read_bytes()
    assert b"equality" not in before
    assert "PyTorch" not in (model / "MODEL_CARD.md").read_text(encoding="utf-8")
    monkeypatch.setattr(equality, "thousand_tweets", lambda: thousand_tweets()[::10])
    monkeypatch.setattr(sys, "argv", ["equality", *map(str, words)])
    assert equality.main() == 0
    assert (model / "manifest.json").read_bytes() == before
    monkeypatch.setattr(sys, "argv", ["equality", *map(str, words), "--record"])
    assert equality.main() == 0
    assert f"recorded in {model / 'MODEL_CARD.md'}\n" in capsys.readouterr().out
    found = compare(decided, model, thousand_tweets()[::10])
    manifest = json.loads((model / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["equality"] == stated(found, 100)
    assert manifest["equality"]["equal"]
    assert manifest["equality"]["allowed"] == {"mean": 0.01, "p999": 0.1, "same": 0.98}
    card = (model / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "Equal to PyTorch on 100 tweets" in card
    one = manifest["equality"]["tasks"]["irony"]
    assert f"| irony | {one['mean']:.4f} | {one['p999']:.3f} | {100 * one['same']:.1f} |" in card
    assert load_artifact(model).manifest.name == "tiny-1"
    # What is judged later leaves it there.
    add_evaluation(model, {"model": "tiny-1-00000000", "rivals": []})
    assert (
        json.loads((model / "manifest.json").read_text(encoding="utf-8"))["equality"] == manifest["equality"]
    )


def test_a_card_says_where_it_is_not_equal(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    other = compare(tiny_checkpoint(seed=5, words=_words()), folder, thousand_tweets()[:40])
    assert "Not equal to PyTorch on 1,000 tweets" in render_card(manifest | {"equality": stated(other, 1000)})
