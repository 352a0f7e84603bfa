"""A thousand tweets through PyTorch and through the exported artefact."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tests.training.tiny import tiny_checkpoint
from trendlark.nlu.analyzer import load
from trendlark.nlu.tasks import TASKS
from trendlark.nlu.text import normalise
from trendlark.training import export, graph
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, file_digest
from trendlark.training.equality import COUNT, beyond, compare, thousand_tweets
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
