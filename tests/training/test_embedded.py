"""The teacher over an encoder that nobody tuned: what it learns, of what it speaks, and that it may vote."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from tests.training.bases import write_base
from tests.training.tiny import tiny_checkpoint
from trendlark.cli import app
from trendlark.nlu.tasks import TASKS
from trendlark.training import embedded, teachers
from trendlark.training.data import Row, read_rows
from trendlark.training.embedded import EmbeddedModel, likeness, regress
from trendlark.training.predict import Floats
from trendlark.training.sets import SETS
from trendlark.training.soft import read_soft
from trendlark.training.votes import choose_votes


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("encoder") / "base")


@pytest.fixture(scope="module")
def model(base: Path, data: Path) -> EmbeddedModel:
    return embedded.fit(base, data)


def _unit(*shape: int) -> Floats:
    rows = np.random.default_rng(4).normal(size=shape).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def test_likeness_is_one_of_a_text_and_itself_and_falls_with_the_distance() -> None:
    rows = _unit(3, 5)
    expected = np.exp(-((rows[:, None] - rows[None]) ** 2).sum(-1))
    np.testing.assert_allclose(likeness(rows, rows), expected, atol=1e-6)
    np.testing.assert_allclose(np.diag(likeness(rows, rows)), 1, atol=1e-6)


def test_a_side_of_the_sphere_is_learnt_from_the_rows_where_it_is_known() -> None:
    rows = _unit(400, 4)
    values = np.stack([rows[:, 0] > 0, rows[:, 1] > 0], 1).astype(np.float32)
    known = np.ones(values.shape, bool)
    # What stands where nobody looked is wrong, and changes nothing.
    known[:200, 1] = False
    values[:200, 1] = 1 - values[:200, 1]
    ridge = regress(rows[:300], values[:300], known[:300], np.random.default_rng(0))
    said = ridge.logits(rows[300:]) > 0
    assert (said == (values[300:] > 0)).mean(0).min() > 0.9


def test_most_texts_are_compared_with_some_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _unit(60, 4)
    values = (rows[:, :1] > 0).astype(np.float32)
    known = np.ones(values.shape, bool)
    monkeypatch.setattr(embedded, "_LANDMARKS", 20)
    ridge = regress(rows, values, known, np.random.default_rng(0))
    assert ridge.landmarks.shape == (20, 4)
    assert all((ridge.landmarks[at] == rows).all(1).any() for at in range(20))
    assert ((ridge.logits(rows) > 0) == (values > 0)).mean() > 0.9


def test_each_fifth_is_told_by_who_never_saw_it() -> None:
    chance, entry = np.random.default_rng(8), SETS["tweeteval_hate"]
    rows = _unit(400, 4)

    def told(yes: NDArray[np.bool_]) -> tuple[float, float]:
        # How often texts are told rightly out of fold, and by regressions that saw them.
        own = [Row(f"text {at}", ("hate" if one else "not-hate",)) for at, one in enumerate(yes)]
        known = np.ones((len(yes), 1), bool)
        ridge = regress(rows, yes[:, None].astype(np.float32), known, np.random.default_rng(0))
        said = embedded.out_of_fold(rows, [(entry, own[:150]), (entry, own[150:])], np.random.default_rng(0))
        assert said.shape == (400, 1)
        assert 0 < said.min() < said.max() < 1
        return float(((said[:, 0] > 0.5) == yes).mean()), float(
            ((ridge.logits(rows)[:, 0] > 0) == yes).mean()
        )

    assert told(rows[:, 0] > 0)[0] > 0.9
    # What cannot be known of a text can be remembered, and is not.
    outside, inside = told(chance.random(400) > 0.5)
    assert outside < 0.6 < inside


@pytest.mark.parametrize("many", [1, 3])
def test_fewer_texts_than_folds_are_told_as_well(many: int) -> None:
    rows, own = _unit(many, 4), [Row("text", ("hate",)), Row("text", ("not-hate",))] * 2
    said = embedded.out_of_fold(rows, [(SETS["tweeteval_hate"], own[:many])], np.random.default_rng(0))
    assert said.shape == (many, 1)
    assert np.isfinite(said).all()


def test_labelled_tweets_of_hate_and_irony_are_told_again(model: EmbeddedModel, data: Path) -> None:
    assert set(model.told) == {"hate", "irony"}
    texts = {row.text for row in read_rows(data, SETS["tweeteval_hate"], "train")}
    held = {row.text for row in read_rows(data, SETS["tweeteval_hate"], "val")}
    assert set(model.told["hate"]) == texts - held
    assert {value.shape for value in model.told["hate"].values()} == {(1,)}


def test_rows_are_answered_in_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = _unit(7, 4)
    ridge = regress(rows, np.eye(7, 2, dtype=np.float32), np.ones((7, 2), bool), np.random.default_rng(0))
    whole = ridge.logits(rows)
    monkeypatch.setattr(embedded, "_BLOCK", 3)
    np.testing.assert_allclose(ridge.logits(rows), whole, atol=1e-5)
    assert np.ptp(whole, axis=0).min() > 1e-3


def test_it_speaks_of_english_tasks_alone(model: EmbeddedModel) -> None:
    assert {task for task in TASKS if model.knows(task, "en")} == {
        *("sentiment", "emotions", "irony", "hate", "offensive")
    }
    assert not any(model.knows("hate", lang) for lang in ("es", ""))
    english, spanish = model.logits(["they should all vanish", "que asco"], ["en", "es"])
    assert {task: row.shape for task, row in english.items()} == {
        task: (TASKS[task].width,) for task in ("sentiment", "emotions", "irony", "hate", "offensive")
    }
    assert spanish == {}


def test_it_has_learnt_what_its_tweets_were_said_to_be(model: EmbeddedModel) -> None:
    hateful, other = model.logits(["they should all vanish", "have a nice day"], ["en", "en"])
    assert hateful["hate"] > other["hate"]


def test_texts_keep_their_order(model: EmbeddedModel) -> None:
    texts = ["have a nice day", "que asco", "they should all vanish and never come back to this street", "oh"]
    together = model.logits(texts, ["en", "es", "en", "en"])
    for text, lang, one in zip(texts, ["en", "es", "en", "en"], together, strict=True):
        (alone,) = model.logits([text], [lang])
        for task in alone:
            np.testing.assert_allclose(one[task], alone[task], atol=1e-4)
    # Texts are further apart than that, so an answer in another one's place would be seen.
    said = np.concatenate([one["hate"] for one in together if one])
    assert np.abs(said[:, None] - said)[~np.eye(3, dtype=bool)].min() > 1e-3


def test_texts_of_other_languages_alone_get_no_answer(model: EmbeddedModel) -> None:
    assert model.logits(["que asco", "hola"], ["es", "es"]) == [{}, {}]


def test_it_teaches_beside_the_others_and_tells_labelled_tweets_again(
    base: Path,
    model: EmbeddedModel,
    data: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The sample has fewer tweets than a language's own vote needs.
    monkeypatch.setattr(teachers, "choose_votes", partial(choose_votes, enough=1))
    tiny_checkpoint(3).save(tmp_path / "one.pt")
    soft = tmp_path / "soft.jsonl.gz"
    words = ["teach", "--data", data, "--model", tmp_path / "one.pt", "--encoder", base, "--out", soft]
    with caplog.at_level(logging.INFO):
        told = CliRunner().invoke(app, list(map(str, words)))
    assert told.exit_code == 0, told.output
    votes = [one.message for one in caplog.records if one.message.startswith("teachers of hate (en)")]
    assert len(votes) == 1
    assert "linear" in votes[0]
    assert "embedded" in votes[0]
    own = [row for row in read_soft(soft) if row.origin in ("tweeteval_hate", "tweeteval_irony")]
    assert {row.origin for row in own} == {"tweeteval_hate", "tweeteval_irony"}
    for row in own:
        assert {"sentiment", "hate", "irony"} <= set(row.chances)
        task = row.origin.removeprefix("tweeteval_")
        # Written to a thousandth.
        assert row.chances[task] == pytest.approx(model.told[task][row.text], abs=6e-4)
