"""Fitting the n-grams: they learn from training files, and are heard where validation is likelier with them."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.training.tiny import SENTIMENT_WORDS, tiny_checkpoint, write_rows, write_sentiment
from trendlark.errors import InputError
from trendlark.nlu.tasks import TASKS
from trendlark.training import checkpoint, export, train, wide
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode
from trendlark.training.dequantise import from_artifact
from trendlark.training.predict import build_session, session_predictor
from trendlark.training.recipe import parse_recipe

_LABELS = TASKS["sentiment"].labels
_FILL = {"en": ("the", "bus", "was"), "es": ("el", "tren", "fue")}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentiment by a word in two languages, irony by one, offence that training misleads about, rain in Italian."""
    folder = tmp_path_factory.mktemp("wide")
    pattern = {lang: f"{first} {{word}} {last} {{split}} {{at}}" for lang, (first, _, last) in _FILL.items()}
    write_sentiment(folder, {"train": 40, "val": 90}, pattern)
    _write_misleading(folder)
    for split in ("train", "val"):
        rows = [
            {"text": f"the {word} {split} {at}", "label": label_of}
            for at in range(130)
            for word, label_of in (("bus", "irony"), ("was", "non_irony"))
        ]
        write_rows(folder / "tweeteval_irony" / f"{split}.jsonl.gz", rows)
    rows = [{"text": f"la pioggia {at} cade", "label": "positive"} for at in range(40)]
    write_rows(folder / "umsab_it" / "train.jsonl.gz", rows)
    return folder


def _write_misleading(folder: Path) -> None:
    """What tells offence in training tells the contrary on validation."""
    for split, even in (("train", 0), ("val", 1)):
        rows = [
            {"text": f"the bus was {split} {at}", "label": ("offensive", "not-offensive")[(at + even) % 2]}
            for at in range(260)
        ]
        write_rows(folder / "tweeteval_offensive" / f"{split}.jsonl.gz", rows)


def _fresh() -> Checkpoint:
    words = [word for lang in SENTIMENT_WORDS for word in (*SENTIMENT_WORDS[lang], *_FILL[lang])]
    state = tiny_checkpoint(words=[*words, "la", "pioggia", "cade", "val", "train"])
    state.network.eval()
    return state


@pytest.fixture(scope="module")
def fitted(world: Path) -> Checkpoint:
    return wide.attach(_fresh(), world, rows=1024)


def _said(state: Checkpoint, texts: list[str]) -> list[str]:
    assert state.ngrams is not None
    found = state.ngrams.logits(encode(state.tokenizer, texts))
    return [_LABELS[int(row[: len(_LABELS)].argmax())] for row in found]


def test_it_learns_each_language_and_knows_which_it_reads(fitted: Checkpoint) -> None:
    texts = [
        f"{_FILL[lang][0]} {word} {_FILL[lang][2]}"
        for lang in SENTIMENT_WORDS
        for word in SENTIMENT_WORDS[lang]
    ]
    assert _said(fitted, texts) == [*_LABELS, *_LABELS]
    # Only where validation is likelier is anything said: of offence it is not, Italian has none, and to irony, which a
    # word would tell here, they are not asked.
    assert fitted.ngrams is not None
    assert fitted.ngrams.speaks.shape == (3, 6)
    assert fitted.ngrams.tells.sum(0).nonzero()[0].tolist() == [0, 1, 2]
    assert fitted.ngrams.weights.shape == (1024, 3 + 6)
    # What is in neither language is left to the network, though it has a word that one of them knows.
    own, strange = fitted.ngrams.logits(
        encode(fitted.tokenizer, ["the wonderful bus", "la pioggia wonderful cade la pioggia"])
    )
    assert np.ptp(strange[:3]) < np.ptp(own[:3]) / 4


def test_what_it_chose_is_told_with_its_reason(world: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "trendlark.training.wide"):
        wide.attach(_fresh(), world, rows=256)
    said = " ".join(caplog.messages)
    assert "n-grams of sentiment (en): share 2.0, because the loss on validation is" in said
    assert "n-grams of offensive (en): share 0.0" in said
    assert "n-grams of irony (en): none, because its tweets were gathered by words" in said


def test_where_they_help_nowhere_there_are_none(tmp_path: Path) -> None:
    _write_misleading(tmp_path)
    assert wide.attach(_fresh(), tmp_path, rows=256).ngrams is None


def test_few_validation_tweets_give_no_voice(
    tmp_path: Path, world: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for split in ("train", "val"):
        rows = (world / "tweeteval_sentiment" / f"{split}.jsonl.gz").read_bytes()
        target = tmp_path / "tweeteval_sentiment" / f"{split}.jsonl.gz"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(rows)
    assert wide.attach(_fresh(), tmp_path, rows=256).ngrams is not None
    short = [
        {"text": f"the {word} bus {at}", "label": label_of}
        for at in range(83)
        for word, label_of in zip(SENTIMENT_WORDS["en"], _LABELS, strict=True)
    ]
    write_rows(tmp_path / "tweeteval_sentiment" / "val.jsonl.gz", short)
    with caplog.at_level(logging.INFO, "trendlark.training.wide"):
        assert wide.attach(_fresh(), tmp_path, rows=256).ngrams is None
    assert caplog.messages == [
        "n-grams of sentiment (en): none, because 249 tweets of validation are fewer than 250"
    ]


def test_those_of_before_are_replaced(world: Path, fitted: Checkpoint) -> None:
    again = wide.attach(fitted, world, rows=1024)
    assert again.ngrams is not None
    assert fitted.ngrams is not None
    np.testing.assert_array_equal(again.ngrams.weights, fitted.ngrams.weights)
    assert again.ngrams is not fitted.ngrams


def test_the_artefact_holds_them_and_training_goes_on_without(
    world: Path, fitted: Checkpoint, tmp_path: Path
) -> None:
    small, _ = export.write_model(fitted, world, tmp_path / "model", "tiny")
    ids = encode(fitted.tokenizer, ["the wonderful bus", "el horrible tren"])
    alone = fitted.predictor(exact=True)(ids)
    for one, other in zip(small(ids), alone, strict=True):
        np.testing.assert_allclose(one["sentiment"], other["sentiment"], atol=0.1)
    back = from_artifact(tmp_path / "model", fitted.emoji)
    assert back.ngrams is None
    network = session_predictor(build_session(export.exact_graph(back)))(ids)
    for one, other in zip(network, alone, strict=True):
        assert np.abs(one["sentiment"] - other["sentiment"]).max() > 0.5
        np.testing.assert_allclose(one["topics"], other["topics"], atol=0.1)


def test_the_command_fits_them_beside_a_checkpoint_or_an_artefact(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = _fresh()
    start.save(tmp_path / "start.pt")
    export.write_model(start, world, tmp_path / "model", "tiny")
    for given in (tmp_path / "start.pt", tmp_path / "model"):
        out = tmp_path / "out.pt"
        words = ["--checkpoint", given, "--data", world, "--out", out]
        monkeypatch.setattr(sys, "argv", ["wide", *map(str, words)])
        wide.main()
        assert _said(checkpoint.load(out), ["the terrible bus"]) == ["negative"]


def test_a_run_ends_with_them_where_its_recipe_says_so(tmp_path: Path, world: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text("steps = 2\nlayers = 2\nngrams = 512\nvalidate_minutes = 60\n", encoding="utf-8")
    _fresh().save(tmp_path / "start.pt")
    last = train.run(world, tmp_path / "out", str(recipe), start=tmp_path / "start.pt")
    found = checkpoint.load(last)
    assert found.ngrams is not None
    assert len(found.ngrams.weights) == 512
    # Going on from there, the network learns alone.
    recipe.write_text("steps = 2\nlayers = 2\nvalidate_minutes = 60\n", encoding="utf-8")
    assert checkpoint.load(train.run(world, tmp_path / "next", str(recipe), start=last)).ngrams is None


@pytest.mark.parametrize("rows", [-1, 3, 1000])
def test_rows_are_a_power_of_two(rows: int) -> None:
    with pytest.raises(InputError, match=f"ngrams is {rows}, not 0 or a power of two"):
        parse_recipe({"ngrams": rows}, "one.toml")
    assert parse_recipe({"ngrams": 1024}, "one.toml").ngrams == 1024
