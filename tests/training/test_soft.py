"""Soft labels: their file, the examples made of it, and the teachers that give them."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from tests.training.tiny import tiny_checkpoint, write_data
from trendlark.cli import app
from trendlark.errors import InputError, ModelError, TrendlarkError
from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.tasks import TASKS
from trendlark.training import checkpoint, export, pools
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import encode, file_digest, fingerprint, read_rows
from trendlark.training.losses import smooth, task_losses
from trendlark.training.mixture import collate
from trendlark.training.noise import Noise
from trendlark.training.pools import Pool
from trendlark.training.predict import Floats
from trendlark.training.scoring import Calibration
from trendlark.training.sets import SETS
from trendlark.training.soft import SoftRow, read_soft, soft_examples, write_soft
from trendlark.training.teachers import NetworkTeacher, find_shifts, label, load_teacher
from trendlark.training.votes import Vote

SURE = np.array([0.8, 0.15, 0.05], np.float32)
ROWS = [
    SoftRow("Qué día más 😀", "es", "unlabeled", {"sentiment": SURE, "irony": np.array([0.25], np.float32)}),
    SoftRow("a bus\nat nine", "en", "unlabeled", {"sentiment": SURE[::-1].copy()}),
    SoftRow("en vissen", "nl", "unlabeled", {"sentiment": SURE}),
]


def _command(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory, data: Path) -> list[Path]:
    """Two untrained models with what teachers need."""
    folder = tmp_path_factory.mktemp("teachers")
    for seed in (1, 2):
        export.write_model(tiny_checkpoint(seed), data, folder / str(seed), str(seed))
    return [folder / "1", folder / "2"]


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    write_soft(tmp_path / "soft.jsonl.gz", ROWS)
    for ours, back in zip(ROWS, read_soft(tmp_path / "soft.jsonl.gz"), strict=True):
        assert (back.text, back.lang, back.origin) == (ours.text, ours.lang, ours.origin)
        assert back.chances.keys() == ours.chances.keys()
        for name, value in ours.chances.items():
            np.testing.assert_allclose(back.chances[name], value, atol=5e-4)


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"text": "a", "lang": "en"}',
        '{"text": "a", "lang": "en", "set": "x", "chances": {"sentiment": [0.5, 0.5]}}',
        '{"text": "a", "lang": "en", "set": "x", "chances": {"mood": [1.0]}}',
        '{"text": "a", "lang": "en", "set": "x", "chances": [1.0]}',
    ],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    write_soft(tmp_path / "soft.jsonl.gz", ROWS[:1])
    with gzip.open(tmp_path / "soft.jsonl.gz", "at", encoding="utf-8") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=r"line 2: .*Allowed are JSON lines"):
        list(read_soft(tmp_path / "soft.jsonl.gz"))


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Found no file of soft labels"):
        list(read_soft(tmp_path / "none.gz"))


def test_examples_carry_the_probabilities_as_targets(tmp_path: Path, state: Checkpoint) -> None:
    write_soft(tmp_path / "soft.jsonl.gz", ROWS)
    found = soft_examples(tmp_path / "soft.jsonl.gz", state.tokenizer, Noise())
    # Dutch is no language of a recipe.
    assert set(found) == {"soft_es", "soft_en"}
    (one,) = found["soft_es"]
    assert one.ids == encode(state.tokenizer, [ROWS[0].text])[0]
    np.testing.assert_allclose(one.values["sentiment"], SURE)
    assert set(one.weights) == {"sentiment", "irony"}
    assert one.weights["sentiment"].tolist() == [1, 1, 1]


def test_noise_changes_the_text_and_not_the_target(tmp_path: Path, state: Checkpoint) -> None:
    rows = [
        SoftRow(f"mañana llegará temprano, número {at}", "es", "x", {"sentiment": SURE}) for at in range(80)
    ]
    write_soft(tmp_path / "soft.jsonl.gz", rows)
    path = tmp_path / "soft.jsonl.gz"
    clean, noisy, again = (
        soft_examples(path, state.tokenizer, Noise(share, seed=3))["soft_es"] for share in (0.0, 1.0, 1.0)
    )
    changed = sum(one.ids != other.ids for one, other in zip(clean, noisy, strict=True))
    # The tiny tokenizer is blind for capitals and accents: it sees mistyped words alone.
    assert 3 < changed < 80
    assert [one.ids for one in noisy] == [one.ids for one in again]
    assert all(np.array_equal(one.values["sentiment"], clean[0].values["sentiment"]) for one in noisy)


def test_searched_words_stay_where_teachers_told_of_the_whole_tweet(
    tmp_path: Path, state: Checkpoint
) -> None:
    write_soft(
        tmp_path / "soft.jsonl.gz", [SoftRow("those boats", "en", "tweeteval_hate", {"sentiment": SURE})]
    )
    noise = Noise(unsearched=1.0, searched={"tweeteval_hate": frozenset({"boats"})})
    (found,) = soft_examples(tmp_path / "soft.jsonl.gz", state.tokenizer, noise)["soft_en"]
    assert found.ids == encode(state.tokenizer, ["those boats"])[0]


def test_of_tasks_that_a_recipe_leaves_out_soft_labels_tell_nothing(
    tmp_path: Path, state: Checkpoint
) -> None:
    write_soft(tmp_path / "soft.jsonl.gz", ROWS)
    found = soft_examples(tmp_path / "soft.jsonl.gz", state.tokenizer, Noise(), ["sentiment"])
    # The English tweet has no other task, so it has nothing to teach.
    assert set(found) == {"soft_es"}
    (one,) = found["soft_es"]
    assert set(one.values) == set(one.weights) == {"irony"}


def test_the_loss_of_a_soft_label_is_least_at_its_probabilities(tmp_path: Path, state: Checkpoint) -> None:
    chances = {
        "sentiment": SURE,
        "offensive": np.array([0.3], np.float32),
        "emotions": np.full(8, 0.2, np.float32),
    }
    write_soft(tmp_path / "soft.jsonl.gz", [SoftRow("good morning", "en", "x", chances)])
    batch = collate(soft_examples(tmp_path / "soft.jsonl.gz", state.tokenizer, Noise())["soft_en"], 2)
    out = {
        "sentiment": torch.from_numpy(SURE).log()[None] + 2.0,
        "offensive": torch.logit(torch.tensor([[0.3]])),
        "emotions": torch.logit(torch.full((1, 8), 0.2)),
    }
    least = task_losses(out, batch)
    assert set(least) == set(chances)
    for name in chances:
        moved = dict(out)
        moved[name] = out[name] + torch.linspace(0.2, 0.6, out[name].shape[1])
        assert task_losses(moved, batch)[name] > least[name]


def test_what_teachers_are_all_but_certain_of_is_not_spread_as_people_s_labels_are(
    tmp_path: Path, state: Checkpoint
) -> None:
    chances = {
        "sentiment": np.array([0.9999, 0.0001, 0.0], np.float32),
        "hate": np.array([0.0001], np.float32),
        "topics": np.zeros(19, np.float32),
    }
    write_soft(tmp_path / "soft.jsonl.gz", [SoftRow("good morning", "en", "x", chances)])
    batch = collate(soft_examples(tmp_path / "soft.jsonl.gz", state.tokenizer, Noise())["soft_en"], 2)
    for name, expected in chances.items():
        found = smooth(name, batch.values[name], batch.weights[name], 0.3)
        np.testing.assert_allclose(found[0].numpy(), expected, atol=6e-4, err_msg=name)


def test_the_joint_answer_is_the_weighed_sum_of_logits(artefacts: list[Path]) -> None:
    several = [load_teacher(folder) for folder in artefacts]
    rows = [
        SoftRow("what a great day", "en", "unlabeled", {}),
        SoftRow("i hate this rain", "xx", "tweeteval_irony", {}),
    ]
    votes = {
        ("sentiment", "en"): Vote((0.5, 2.0)),
        ("sentiment", ""): Vote((1.0, 0.0)),
        ("irony", ""): Vote((0.0, 1.0)),
    }
    first, second = label(rows, several, votes)
    each = [one.logits([row.text for row in rows], ["en", "xx"]) for one in several]
    joint = 0.5 * each[0][0]["sentiment"] + 2.0 * each[1][0]["sentiment"]
    np.testing.assert_allclose(
        first.chances["sentiment"], Calibration().probabilities("sentiment", joint), rtol=1e-5
    )
    alone = Calibration().probabilities("sentiment", each[0][1]["sentiment"])
    np.testing.assert_allclose(second.chances["sentiment"], alone, rtol=1e-5)
    assert first.chances["irony"] == pytest.approx(1 / (1 + np.exp(-each[1][0]["irony"])), rel=1e-5)
    # People have said whether a tweet of the irony set is ironic; of tasks without a vote nothing is said.
    assert set(first.chances) == {"sentiment", "irony"}
    assert set(second.chances) == {"sentiment"}


class _Ironic:
    """A teacher that says one thing of every text's irony but of some."""

    name = "ironic"

    def __init__(self, chances: Sequence[float]) -> None:
        self._chances = chances

    def knows(self, task: str, lang: str) -> bool:
        return task == "irony"

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:
        found = [np.float32(self._chances[int(text)]) for text in texts]
        return [{"irony": np.log(one / (1 - one)).reshape(1)} for one in found]


def _of_irony(
    chances: Sequence[float], origin: str = "unlabeled"
) -> tuple[list[SoftRow], dict[tuple[str, str], float | Floats]]:
    """Label texts by one teacher of irony, and return them with the shift."""
    several, votes = [_Ironic(chances)], {("irony", ""): Vote((1.0,))}
    rows = [SoftRow(str(at), "en", origin, {}) for at in range(len(chances))]
    shifts = find_shifts(rows, several, votes)
    return label(rows, several, votes, shifts), shifts


def test_irony_is_said_of_as_many_texts_as_are_ironic_in_order() -> None:
    chances = [0.1, 0.3, 0.4, 0.5, 0.6, 0.9]
    rows, shifts = _of_irony(chances)
    said = [float(row.chances["irony"][0]) for row in rows]
    assert np.mean(said) == pytest.approx(0.1, abs=1e-4)
    assert said == sorted(said)
    # One factor for all odds.
    factors = [one / (1 - one) / (old / (1 - old)) for one, old in zip(said, chances, strict=True)]
    assert factors == pytest.approx([np.exp(shifts["irony", ""])] * len(chances), rel=1e-3)


def test_irony_that_is_rare_already_stays() -> None:
    rows, shifts = _of_irony([0.02, 0.05, 0.1])
    assert shifts == {("irony", ""): 0}
    assert [float(row.chances["irony"][0]) for row in rows] == pytest.approx([0.02, 0.05, 0.1], rel=1e-4)


def test_without_a_text_to_judge_by_nothing_is_shifted() -> None:
    # Of a tweet of the irony set people have said it.
    rows, shifts = _of_irony([0.5, 0.6], "tweeteval_irony")
    assert shifts == {}
    assert all(row.chances == {} for row in rows)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrendlarkError, match=re.escape(str(tmp_path))):
        load_teacher(tmp_path)


def test_a_model_with_labels_in_another_order_does_not_teach(artefacts: list[Path], tmp_path: Path) -> None:
    shutil.copytree(artefacts[0], tmp_path / "other")
    manifest = tmp_path / "other" / "manifest.json"
    found = json.loads(manifest.read_text(encoding="utf-8"))
    found["tasks"]["sentiment"]["labels"] = ["positive", "neutral", "negative"]
    manifest.write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(ModelError, match="other labels of sentiment"):
        load_teacher(tmp_path / "other")


def test_from_teachers_to_a_pupil(
    artefacts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "trendlark.training")
    data = write_data(tmp_path / "data")
    (data / "unlabeled").mkdir()
    with gzip.open(data / "unlabeled" / "en.txt.gz", "wt", encoding="utf-8") as file:
        file.writelines(f"an everyday tweet, number {at}\n" for at in range(25))
    monkeypatch.setattr(
        pools,
        "POOLS",
        (Pool("unlabeled/en.txt.gz", "en", 25), Pool("tweeteval_hate/train.jsonl.gz", "en", 5)),
    )
    soft = tmp_path / "soft.jsonl.gz"
    told = _command(
        "teach", "--data", data, "--out", soft, *(word for one in artefacts for word in ("--model", one))
    )
    assert told.exit_code == 0, told.output
    assert f"30 tweets are labelled in {soft}" in " ".join(told.output.split())
    assert not list(tmp_path.glob("*.part"))
    rows = list(read_soft(tmp_path / "soft.jsonl.gz"))
    assert len(rows) == 30
    assert {fingerprint(row.text) for row in rows}.isdisjoint(
        fingerprint(row.text) for entry in SETS.values() for row in read_rows(data, entry, "val")
    )
    hateful = [row for row in rows if row.origin == "tweeteval_hate"]
    assert all("hate" not in row.chances and "sentiment" in row.chances for row in hateful)
    assert all(abs(row.chances["sentiment"].sum() - 1) < 2e-3 for row in rows)
    few, other = tmp_path / "few.jsonl.gz", tmp_path / "other.jsonl.gz"
    for path, seed in ((few, "0"), (other, "1")):
        words = ("--data", data, "--out", path, "--model", artefacts[0], "--texts", "12", "--seed", seed)
        assert _command("teach", *words).exit_code == 0
    assert [row.text for row in read_soft(few)] == [row.text for row in rows[:12]]
    drawn = {row.text for row in read_soft(other)}
    assert len(drawn) == 12
    assert drawn != {row.text for row in rows[:12]}
    start = tmp_path / "start.pt"
    tiny_checkpoint().save(start)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("steps = 3\nnoise = 0.5\n[boosts]\nsoft_en = 2\n", encoding="utf-8")
    out = tmp_path / "out"
    told = _command(
        "train", "--data", data, "--out", out, "--recipe", recipe, "--start", start, "--soft", soft
    )
    assert told.exit_code == 0, told.output
    assert checkpoint.load(out / "last.pt").more["step"] == 3
    assert "soft_en" in caplog.text
    recipe_told = load_artifact(out / "artefact").manifest.recipe
    assert recipe_told["name"] == "custom"
    assert recipe_told["soft"] == file_digest(soft)


def test_a_teacher_reads_a_text_as_training_does(artefacts: list[Path], data: Path) -> None:
    teacher = load_teacher(artefacts[0])
    assert isinstance(teacher, NetworkTeacher)
    rows = read_rows(data, SETS["umsab_es"], "val")[:2]
    found = teacher.logits([row.text for row in rows], ["es", "es"])
    ids = encode(teacher.tokenizer, [row.text for row in rows])
    for one, other in zip(found, teacher.predict(ids), strict=True):
        np.testing.assert_array_equal(one["sentiment"], other["sentiment"])
        assert set(one) == set(TASKS) - {"entities"}
