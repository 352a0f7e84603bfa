"""Who is asked: a teacher of one language says nothing of others, and no one is asked whose word does not count."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.training.tiny import tiny_checkpoint, write_data
from trendlark.cli import app
from trendlark.errors import NotFoundError
from trendlark.nlu.tasks import TASKS
from trendlark.training import export, pools
from trendlark.training.pools import Pool
from trendlark.training.predict import Floats
from trendlark.training.recipe import Recipe
from trendlark.training.sets import SETS
from trendlark.training.soft import SoftRow, read_soft
from trendlark.training.teachers import find_shifts, label, load_teacher
from trendlark.training.votes import Vote, choose_votes


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    state = tiny_checkpoint(3)
    state.more["recipe"] = Recipe().to_dict()
    folder = tmp_path_factory.mktemp("taught") / "model"
    export.write_model(state, data, folder, "tiny")
    return folder


def _taught(artefact: Path, folder: Path, boosts: Mapping[str, float]) -> Path:
    """Copy the artefact as one whose recipe had these shares."""
    shutil.copytree(artefact, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["recipe"]["boosts"] = dict(boosts)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def _english_alone(artefact: Path, folder: Path) -> Path:
    return _taught(artefact, folder, {key: 0 for key, entry in SETS.items() if entry.lang != "en"})


def test_a_model_of_several_languages_says_what_it_learnt_in_any(artefact: Path) -> None:
    teacher = load_teacher(artefact)
    assert teacher.langs == {"en", "es", "pt", "fr", "de", "it"}
    assert all(teacher.knows("irony", lang) for lang in ("en", "es", "nl", ""))
    assert not teacher.knows("entities", "en")


def test_a_model_of_one_language_says_nothing_of_others(artefact: Path, tmp_path: Path) -> None:
    teacher = load_teacher(_english_alone(artefact, tmp_path / "english"))
    assert teacher.langs == {"en"}
    assert teacher.knows("irony", "en")
    assert not any(teacher.knows("irony", lang) for lang in ("es", "nl", ""))


def test_sets_that_a_recipe_does_not_name_were_drawn(artefact: Path, tmp_path: Path) -> None:
    assert load_teacher(_taught(artefact, tmp_path / "all", {"umsab_es": 0})).langs >= {"en", "es"}


def test_languages_that_only_soft_labels_had_were_taught(artefact: Path, tmp_path: Path) -> None:
    shares: dict[str, float] = dict.fromkeys(SETS, 0.0) | {"soft_pt": 2, "soft_fr": 0}
    assert load_teacher(_taught(artefact, tmp_path / "soft", shares)).langs == {"pt"}


def test_a_model_of_one_language_gets_no_vote_where_there_is_no_validation(
    artefact: Path, tmp_path: Path, data: Path
) -> None:
    several = [load_teacher(artefact), load_teacher(_english_alone(artefact, tmp_path / "english"))]
    votes = choose_votes(several, data, enough=1)
    for task, lang in votes:
        if lang != "en":
            assert not np.any(votes[task, lang].factors[1]), (task, lang)
    assert {("irony", "en"), ("irony", ""), ("sentiment", "es")} <= set(votes)


def test_english_teachers_alone_teach_what_somebody_knows(
    artefact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_data(tmp_path / "data")
    (data / "unlabeled").mkdir()
    for lang in ("en", "es", "nl"):
        with gzip.open(data / "unlabeled" / f"{lang}.txt.gz", "wt", encoding="utf-8") as file:
            file.writelines(f"an everyday tweet, number {at} of {lang}\n" for at in range(8))
    monkeypatch.setattr(
        pools, "POOLS", [Pool(f"unlabeled/{lang}.txt.gz", lang, 8) for lang in ("en", "es", "nl")]
    )
    english, soft = _english_alone(artefact, tmp_path / "english"), tmp_path / "made" / "soft.jsonl.gz"
    told = CliRunner().invoke(
        app, ["teach", "--data", str(data), "--model", str(english), "--out", str(soft)]
    )
    assert told.exit_code == 0, told.output
    rows = list(read_soft(soft))
    assert len(rows) == 24
    told_of = {
        lang: {frozenset(row.chances) for row in rows if row.lang == lang} for lang in ("en", "es", "nl")
    }
    # Of Spanish the linear model knows what a Spanish set was labelled for; of Dutch nobody knows anything.
    assert told_of == {
        "en": {frozenset({"sentiment", "emotions", "irony", "hate", "topics"})},
        "es": {frozenset({"sentiment"})},
        "nl": {frozenset()},
    }


def test_a_checkpoint_teaches_as_its_artefact_does(artefact: Path, tmp_path: Path) -> None:
    state = tiny_checkpoint(3)
    state.more["recipe"] = {"boosts": {key: 0 for key, entry in SETS.items() if entry.lang != "es"}}
    state.network.train()
    state.save(tmp_path / "last.pt")
    one, other = load_teacher(tmp_path / "last.pt"), load_teacher(artefact)
    assert one.name == "last"
    assert one.langs == {"es"}
    texts = ["what a great day", "see you at the station"]
    for mine, theirs in zip(one.logits(texts, ["en"] * 2), other.logits(texts, ["en"] * 2), strict=True):
        assert mine.keys() == theirs.keys()
        # Eight bits and the halved precision of a processor lie between them.
        np.testing.assert_allclose(mine["sentiment"], theirs["sentiment"], atol=0.1)
    with pytest.raises(NotFoundError, match=r"nowhere\.pt"):
        load_teacher(tmp_path / "nowhere.pt")


class _Counted:
    """A teacher that remembers what it was asked."""

    name = "counted"

    def __init__(self, logit: float) -> None:
        self._logit = np.full(1, logit, np.float32)
        self.asked: list[str] = []

    def knows(self, task: str, lang: str) -> bool:
        return task == "irony"

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:
        self.asked += texts
        return [{"irony": self._logit} for _ in texts]


def test_who_does_not_count_in_a_language_is_not_asked_and_nothing_changes() -> None:
    rows = [
        SoftRow(text, lang, "unlabeled", {})
        for text, lang in (("one", "en"), ("dos", "es"), ("three", "en"), ("vier", "nl"))
    ]
    votes = {
        ("irony", "en"): Vote((0.5, 0.5)),
        ("irony", "es"): Vote((1.0, 0.0)),
        ("irony", ""): Vote((0.0, 1.0)),
    }
    teachers = [_Counted(2.0), _Counted(-1.0)]
    found = label(rows, teachers, votes)
    assert [teacher.asked for teacher in teachers] == [["one", "dos", "three"], ["one", "three", "vier"]]
    joint = [0.5, 2.0, 0.5, -1.0]
    expected = [1 / (1 + np.exp(-one)) for one in joint]
    assert [float(row.chances["irony"][0]) for row in found] == pytest.approx(expected, rel=1e-5)
    assert [row.text for row in found] == [row.text for row in rows]


def test_emotions_that_no_spanish_set_has_are_voted_on_as_in_all_languages(
    artefact: Path, data: Path
) -> None:
    votes = choose_votes([load_teacher(artefact)], data, enough=1)
    spanish, common = votes["emotions", "es"].factors[0], votes["emotions", ""].factors[0]
    silent = [not one for one in SETS["emoevent_es"].decides]
    assert [label for label, one in zip(TASKS["emotions"].labels, silent, strict=True) if one] == [
        "love",
        "optimism",
    ]
    factors = np.broadcast_to(common, len(silent))
    np.testing.assert_allclose(np.asarray(spanish)[silent], factors[silent], rtol=1e-6)
    # The set decides on the others, and so does its temperature, which is not that of all languages.
    (own,) = set(np.asarray(spanish)[~np.array(silent)])
    assert own != pytest.approx(factors[0], rel=1e-3)


class _Moved:
    """A teacher of emotions that feels what a text's number says, and optimism everywhere in Spanish."""

    name = "moved"

    def knows(self, task: str, lang: str) -> bool:
        return task == "emotions"

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:
        chance = np.random.default_rng(8)
        found = chance.normal(-3, 1, (len(texts), TASKS["emotions"].width)).astype(np.float32)
        found[[lang == "es" for lang in langs], TASKS["emotions"].labels.index("optimism")] += 3
        return [{"emotions": row} for row in found]


def test_what_no_spanish_set_tells_of_is_said_as_often_as_in_english() -> None:
    rows = [SoftRow(str(at), lang, "unlabeled", {}) for lang in ("en", "es", "pt") for at in range(500)]
    silent = tuple(not one for one in SETS["emoevent_es"].decides)
    votes = {
        ("emotions", "en"): Vote((1.0,)),
        ("emotions", "es"): Vote((1.0,), silent),
        ("emotions", ""): Vote((1.0,)),
    }
    shifts = find_shifts(rows, [_Moved()], votes)
    assert set(shifts) == {("emotions", "es")}
    moved = dict(zip(TASKS["emotions"].labels, np.broadcast_to(shifts["emotions", "es"], 8), strict=True))
    # Love is as frequent as in English already, and what EmoEvent tells of is left to it.
    assert moved["optimism"] < -2
    assert abs(moved["love"]) < 0.2
    assert not any(moved[label] for label in SETS["emoevent_es"].annotated)
    at = TASKS["emotions"].labels.index("optimism")
    said = {
        lang: np.mean(
            [
                row.chances["emotions"][at]
                for row in label(rows, [_Moved()], votes, shifts)
                if row.lang == lang
            ]
        )
        for lang in ("en", "es", "pt")
    }
    assert said["es"] == pytest.approx(said["en"], rel=0.05)
    assert said["pt"] == pytest.approx(said["en"], rel=0.2)
