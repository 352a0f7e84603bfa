"""The run: it learns, it stops and goes on, it says what it chose."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from tests.training.bases import LAYERS, WIDTH, write_base
from tests.training.cut import CutOffError, cut_off_after
from tests.training.tiny import tiny_checkpoint
from trendlark.cli import app
from trendlark.errors import InputError, NotFoundError
from trendlark.training import checkpoint, export, train
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.examples import load_examples
from trendlark.training.losses import task_losses
from trendlark.training.mixture import Mixture, shares
from trendlark.training.model import POOLED_TASKS, Network, Shape
from trendlark.training.optimise import Clock, Optimiser, Rates, rate_factor
from trendlark.training.recipe import LOSSES, Recipe, load_recipe, parse_recipe
from trendlark.training.sets import EMOJI_SETS, SETS

RECIPE = """
name = "tiny"
steps = 7
tokens_per_batch = 96
encoder_rate = 1e-3
checkpoint_minutes = {minutes}
validate_minutes = 60
validate_rows = 2
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(RECIPE.format(minutes=0), encoding="utf-8")
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_two_steps_lower_the_loss(data: Path, state: Checkpoint) -> None:
    examples = load_examples(data, state.tokenizer, state.emoji)
    parts = shares({key: len(rows) for key, rows in examples.items()}, 0.5, {})
    batch = next(Mixture(examples, parts, 2048, 0, len(state.emoji)).batches())
    optimiser = Optimiser(state.network.eval(), Rates(1e-3, 1e-3, 1e-3))

    def loss() -> torch.Tensor:
        return torch.stack(list(task_losses(state.network(batch.ids, batch.mask), batch).values())).sum()

    first = loss().item()
    for _ in range(2):
        optimiser.step(loss(), 1.0)
    assert loss().item() < first


def test_a_run_writes_a_checkpoint_and_its_validation(
    data: Path, out: Path, recipe: Path, start: Path
) -> None:
    seen: list[float] = []
    last = train.run(data, out, str(recipe), start=start, progress=seen.append)
    state = checkpoint.load(last)
    assert last == out / "last.pt"
    assert state.more["step"] == 7
    assert state.more["recipe"]["name"] == "tiny"
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    # What the data are is told before anything is learnt from them.
    assert sorted(path.suffix for path in out.glob("data.*")) == [".json", ".md"]
    lines = [json.loads(line) for line in (out / "validation.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines[-1]["step"] == 7
    assert "tweeteval_irony" in lines[-1]["sets"]
    assert not torch.equal(state.network.words.weight, tiny_checkpoint().network.words.weight)


def test_a_run_remembers_what_its_start_had_been_through(
    data: Path, out: Path, recipe: Path, start: Path, tmp_path: Path
) -> None:
    first = train.run(data, out, str(recipe), start=start)
    second = tmp_path / "second"
    done = checkpoint.load(train.run(data, second, str(recipe), start=first)).more["history"]
    assert [(one["stage"], one["step"], one["recipe"]["name"]) for one in done] == [("train", 7, "tiny")]


def test_a_run_begins_from_the_folder_of_a_model(
    data: Path, out: Path, recipe: Path, start: Path, tmp_path: Path
) -> None:
    first = train.run(data, out, str(recipe), start=start)
    export.write_model(checkpoint.load(first), data, tmp_path / "model", "tiny")
    begun = train.start_state(data, load_recipe(str(recipe)), tmp_path / "model")
    expected = checkpoint.load(first).network.state_dict()
    gaps = {
        name: float((value - expected[name]).abs().max())
        for name, value in begun.network.state_dict().items()
        if not name.startswith("emoji.")
    }
    assert max(gaps.values()) < 0.01, gaps
    done = checkpoint.load(train.run(data, tmp_path / "second", str(recipe), start=tmp_path / "model")).more
    assert [(one["step"], one["recipe"]["name"]) for one in done["history"]] == [(7, "tiny")]
    assert done["step"] == 7


def test_a_recipe_with_more_layers_takes_them_from_its_base(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[int] = []

    def base(_: object, layers: int) -> tuple[Network, object]:
        wanted.append(layers)
        return Network(Shape(5, 32, layers, 4, 64)), None

    monkeypatch.setattr(train, "load_bert", base)
    recipe = Recipe(base=str(tmp_path), layers=3)
    begun = train.start_state(data, recipe, start)
    assert (begun.network.shape.layers, wanted) == (3, [3])
    assert train.start_state(data, replace(recipe, layers=2), start).network.shape.layers == 2
    assert train.start_state(data, replace(recipe, layers=0), start).network.shape.layers == 2
    assert train.start_state(data, replace(recipe, layers=1), start).network.shape.layers == 1
    assert wanted == [3]


@pytest.mark.parametrize(("settings", "said"), [("", False), ("r_drop = 0.5\nsmoothing = 0.1\n", True)])
def test_a_run_that_reads_each_batch_twice_tells_how_far_the_answers_are_apart(
    settings: str,
    said: bool,
    data: Path,
    out: Path,
    recipe: Path,
    start: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(train, "_LOG_EVERY", 7)
    caplog.set_level("INFO")
    recipe.write_text(recipe.read_text(encoding="utf-8") + settings, encoding="utf-8")
    train.run(data, out, str(recipe), start=start)
    line = next(one for one in caplog.messages if one.startswith("step 7,"))
    assert ("r_drop" in line) == said, line


def test_a_resumed_run_gives_what_an_undisturbed_one_gives(
    data: Path, out: Path, recipe: Path, start: Path, tmp_path: Path
) -> None:
    straight = checkpoint.load(train.run(data, out, str(recipe), start=start))
    second = tmp_path / "second"
    with pytest.raises(CutOffError):
        train.run(data, second, str(recipe), start=start, progress=cut_off_after(0.6))
    assert checkpoint.load(second / "last.pt").more["step"] == 4
    resumed = checkpoint.load(train.run(data, second, str(recipe), start=start))
    for name, value in straight.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_a_finished_run_is_not_run_again(data: Path, out: Path, recipe: Path, start: Path) -> None:
    train.run(data, out, str(recipe), start=start)
    seen: list[float] = []
    train.run(data, out, str(recipe), start=start, progress=seen.append)
    assert seen == []


def test_a_missing_checkpoint_is_named(data: Path, out: Path, recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"nowhere\.pt"):
        train.run(data, out, str(recipe), start=tmp_path / "nowhere.pt")


def test_the_shipped_recipe_is_sound() -> None:
    recipe = load_recipe("default")
    assert recipe.name == "default"
    assert recipe.to_dict()["boosts"]["umsab_es"] == recipe.boosts["umsab_es"]


def test_a_wrong_recipe_names_all_its_faults() -> None:
    table = {"stepz": 3, "seed": "zero", "boosts": {"no_such_set": 1.0}}
    with pytest.raises(
        InputError, match=r"stepz is no setting; seed is 'zero', not a number; boosts\.no_such_set"
    ):
        parse_recipe(table, "x.toml")
    with pytest.raises(InputError, match=r"Allowed are .*default"):
        load_recipe("no-such-recipe")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            {"weights": {"entitites": 0.3}},
            r"weights\.entitites is not one of sentiment, emotions, irony, .*entities, emoji, words, r_drop\.",
        ),
        (
            {"weights": {"irony": "much", "hate": True}},
            "weights.irony is 'much', not a number; weights.hate is True",
        ),
        ({"boosts": {"umsab_es": "2"}}, r"boosts\.umsab_es is '2', not a number"),
        ({"boosts": {"umsab_es": False}}, r"boosts\.umsab_es is False, not a number"),
        ({"boosts": 3, "weights": [0.3]}, r"boosts is 3, not a table; weights is \[0\.3\], not a table"),
        ({"steps": True}, "steps is True, not a number"),
        (
            {"steps": "3", "boosts": {"umsab": "2"}, "weights": {"emojis": "1"}},
            r"steps is '3', .*; boosts\.umsab is no set; boosts\.umsab is '2', .*; weights\.emojis is not .*'1', not",
        ),
    ],
)
def test_weights_and_boosts_are_checked(table: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=rf"^x\.toml: {told}.* Correct the recipe\.$"):
        parse_recipe(table, "x.toml")


def test_every_loss_of_a_run_may_have_a_weight(
    data: Path, out: Path, recipe: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = dict.fromkeys(LOSSES, 0.5)
    assert parse_recipe({"weights": weights, "boosts": {"umsab_es": 2}}, "x.toml").weights == weights
    seen: set[str] = set()
    monkeypatch.setattr(train, "_note", lambda *given: seen.update(given[1]))
    settings = "r_drop = 0.5\nmasked = 0.5\n[boosts]\ntext_es = 2\nner_btc = 9\nemojispace_es = 9\n"
    recipe.write_text(recipe.read_text(encoding="utf-8") + settings, encoding="utf-8")
    train.run(data, out, str(recipe), start=start)
    assert {"r_drop", "words", "emoji", "entities", "irony"} <= seen <= set(LOSSES)


def test_tasks_that_soft_labels_leave_to_people_are_checked() -> None:
    recipe = parse_recipe({"soft_without": ["hate", "irony"]}, "x.toml")
    assert recipe.soft_without == ("hate", "irony")
    # A recipe as plain data is a recipe again.
    assert parse_recipe(recipe.to_dict(), "x.toml") == recipe
    for wrong in (["entities"], ["hat"], "hate", [["hate"]]):
        with pytest.raises(
            InputError, match=r"x\.toml: soft_without is .*, not a list of tasks out of .*hate"
        ):
            parse_recipe({"soft_without": wrong}, "x.toml")


def test_rates_by_depth(state: Checkpoint) -> None:
    optimiser = Optimiser(state.network, Rates(encoder=1.0, heads=5.0, words=7.0, layer_decay=0.5))
    found = {group["lr"] for group in optimiser.state_dict()["dense"]["param_groups"]}
    assert found == {1.0, 0.5, 0.25, 5.0}


def test_the_schedule_warms_up_and_comes_down() -> None:
    assert rate_factor(0.05, 0.1) == pytest.approx(0.5)
    assert rate_factor(0.1, 0.1) == pytest.approx(1.0)
    assert rate_factor(0.55, 0.1) == pytest.approx(0.5)
    assert rate_factor(1.0, 0.1) == 0.0


def test_the_clock_ends_by_steps_or_by_minutes() -> None:
    clock = Clock(steps=2)
    clock.tick()
    assert clock.progress == 0.5
    clock.tick()
    assert clock.done
    assert Clock(steps=100, minutes=1.0, seconds=60.0).done
    assert not Clock(steps=100, minutes=1.0, seconds=30.0).done
    assert Recipe().rates.words == Recipe().words_rate


@pytest.mark.parametrize("content", [b"name = ", b'name = "a\xf1o"\n', None])
def test_a_recipe_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "mine.toml"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(InputError, match=r"Could not read the recipe .*mine\.toml: .*Correct the file"):
        load_recipe(str(path))


@pytest.mark.parametrize("minutes", ["0", "-3"])
def test_time_for_training_is_more_than_none(data: Path, out: Path, minutes: str) -> None:
    told = CliRunner().invoke(app, ["train", "--data", str(data), "--out", str(out), "--minutes", minutes])
    assert told.exit_code == 2
    assert "--minutes" in told.stderr
    assert not out.exists()


def test_a_base_that_is_nowhere_is_named(data: Path, out: Path, tmp_path: Path) -> None:
    path, folder = tmp_path / "other.toml", tmp_path / "base"
    path.write_text(f'base = "{folder}"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"base is .*, not one of e5 and the folders"):
        load_recipe(str(path))
    folder.mkdir()
    with pytest.raises(NotFoundError, match=r"config\.json, model\.safetensors, tokenizer\.json in the base"):
        train.run(data, out, str(path))


def test_another_base_takes_the_place_of_the_recipe_s(data: Path, out: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text("steps = 1\nvalidate_rows = 2\n", encoding="utf-8")
    folder = str(write_base(tmp_path / "base"))
    state = checkpoint.load(train.run(data, out, str(path), base=folder))
    assert state.more["recipe"]["base"] == folder
    assert (state.network.shape.layers, state.network.shape.width) == (LAYERS, WIDTH)
    with pytest.raises(InputError, match=r"one\.toml: base is 'nowhere', not one of e5 and the folders"):
        train.run(data, out, str(path), base="nowhere")


@pytest.mark.parametrize(
    "name",
    [
        *("default", "go-on", "longer", "taught", "deeper", "lighter", "steadier"),
        *("reader", "after-reading", "two-sources", "pupil", "unsearched", "hate"),
        *("teachers-alone", "teachers-first"),
    ],
)
def test_the_recipes_in_the_package_begin_from_the_base_that_it_names(name: str) -> None:
    assert (load_recipe(name).name, load_recipe(name).base) == (name, "e5")


def test_the_larger_teacher_learns_english_tweets_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="base is 'all-mpnet-base-v2', not one of"):
        load_recipe("teacher")
    (tmp_path / "all-mpnet-base-v2").mkdir()
    recipe = load_recipe("teacher")
    drawn = shares(dict.fromkeys([*SETS, *EMOJI_SETS], 100), recipe.power, recipe.boosts)
    assert {SETS[key].lang for key in drawn} == {"en"}
    assert {SETS[key].task for key in drawn} == set(POOLED_TASKS)
