"""A run knows its own checkpoint from that of another run, and a run that has ended from one that was cut off."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.crew import differences, sums_seen, train_both, write_recipe
from tests.training.cut import CutOffError, a_minute_passes, cut_off_after
from tests.training.tiny import tiny_checkpoint
from trendlark.errors import InputError
from trendlark.training import average, checkpoint, train
from trendlark.training.optimise import Clock
from trendlark.training.recipe import Recipe
from trendlark.training.soft import SoftRow, write_soft

RECIPE = """
name = "tiny"
steps = 3
tokens_per_batch = 96
checkpoint_minutes = 0
validate_minutes = 60
validate_rows = 2
soft_without = ["hate"]
"""


def _recipe(folder: Path, change: Callable[[str], str] = str) -> str:
    path = folder / "tiny.toml"
    path.write_text(change(RECIPE), encoding="utf-8")
    return str(path)


def _soft(path: Path, chance: float) -> Path:
    chances = {"irony": np.array([chance], np.float32)}
    write_soft(path, [SoftRow(f"que dia {at}", "es", "umsab_es", chances) for at in range(9)])
    return path


def _steps(data: Path, out: Path, recipe: str, start: Path, minutes: float | None = None) -> int:
    """Train and return how many steps it took."""
    seen: list[float] = []
    train.run(data, out, recipe, minutes, start, seen.append)
    return len(seen)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("steps = 3", "steps = 4"), "steps is 3, not 4"),
        (lambda text: text.replace('"tiny"', '"other"'), "name is 'tiny', not 'other'"),
        (lambda text: text.replace('["hate"]', "[]"), r"soft_without is \('hate',\), not \(\)"),
        (lambda text: text + "[boosts]\numsab_es = 2\n", "boosts.umsab_es is 1.0, not 2"),
        (lambda text: text + "[weights]\nirony = 0.5\nhate = 1\n", "weights.irony is 1.0, not 0.5"),
        (
            lambda text: f"{text}seed = 1\nnoise = 0.1\npower = 0.2\nrarity = 0.1\nr_drop = 1\n",
            "seed is 0, not 1; power is 0.6, not 0.2; rarity is .*, not 0.1 and 2 more",
        ),
    ],
)
def test_another_recipe_does_not_go_on(
    change: Callable[[str], str], told: str, data: Path, start: Path, tmp_path: Path
) -> None:
    last = train.run(data, tmp_path / "out", _recipe(tmp_path), start=start)
    before = last.read_bytes()
    with pytest.raises(InputError) as refusal:
        train.run(data, tmp_path / "out", _recipe(tmp_path, change), start=start)
    assert refusal.match(
        f"^Found the checkpoint of another run at {last}: {told}\\. Allowed is one of the same"
    )
    assert refusal.match(f"Name another --out, and --start {last} to begin from it, or remove the checkpoint")
    assert last.read_bytes() == before


def test_what_a_refusal_says_to_do_helps(data: Path, start: Path, tmp_path: Path) -> None:
    last = train.run(data, tmp_path / "out", _recipe(tmp_path), start=start)
    other = _recipe(tmp_path, lambda text: text.replace("steps = 3", "steps = 4"))
    beside = train.run(data, tmp_path / "beside", other, start=last)
    assert [one["step"] for one in checkpoint.load(beside).more["history"]] == [3]
    last.unlink()
    assert _steps(data, tmp_path / "out", other, start) == 4


def test_another_start_does_not_go_on(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, recipe, other = tmp_path / "out", _recipe(tmp_path), tmp_path / "other.pt"
    with pytest.raises(CutOffError):
        train.run(data, out, recipe, start=start, progress=cut_off_after(0.5))
    tiny_checkpoint(2).save(other)
    for wrong, told in ((other, str(other)), (None, "the base"), (Path("default"), "default")):
        with pytest.raises(InputError, match=f"another run at .*: start is {start}, not {told}\\. Allowed"):
            train.run(data, out, recipe, start=wrong)
    # The same start called otherwise is the same, also when it is gone.
    monkeypatch.chdir(tmp_path)
    start.unlink()
    assert _steps(data, out, recipe, Path(os.path.relpath(start))) == 2


def test_other_soft_labels_do_not_go_on(data: Path, start: Path, tmp_path: Path) -> None:
    out, recipe, soft = tmp_path / "out", _recipe(tmp_path), _soft(tmp_path / "soft.jsonl.gz", 0.25)
    with pytest.raises(CutOffError):
        train.run(data, out, recipe, start=start, soft=soft, progress=cut_off_after(0.5))
    kept = checkpoint.load(out / "last.pt").more["soft"]
    with pytest.raises(InputError, match=f"another run at .*: soft is {kept}, not none\\. Allowed"):
        train.run(data, out, recipe, start=start)
    with pytest.raises(InputError, match=f"another run at .*: soft is {kept}, not [0-9a-f]{{64}}\\. Allowed"):
        train.run(data, out, recipe, start=start, soft=_soft(tmp_path / "other.jsonl.gz", 0.75))
    with pytest.raises(InputError, match=r"Found no file of soft labels at .*gone"):
        train.run(data, out, recipe, start=start, soft=tmp_path / "gone")
    done = checkpoint.load(train.run(data, out, recipe, start=start, soft=soft)).more
    assert (done["step"], done["soft"], done["start"]) == (3, kept, str(start))


def test_a_checkpoint_from_before_runs_were_told_apart_goes_on(
    data: Path, start: Path, tmp_path: Path
) -> None:
    out, recipe = tmp_path / "out", _recipe(tmp_path)
    with pytest.raises(CutOffError):
        train.run(data, out, recipe, start=start, progress=cut_off_after(0.5))
    state = checkpoint.load(out / "last.pt")
    for name in ("start", "over", "soft"):
        del state.more[name]
    # A setting that recipes did not have then.
    del state.more["recipe"]["unsearched"]
    state.save(out / "last.pt")
    with pytest.raises(InputError, match=r"unsearched is 0\.0, not 0\.5"):
        train.run(data, out, _recipe(tmp_path, lambda text: text + "unsearched = 0.5\n"), start=start)
    assert _steps(data, out, _recipe(tmp_path), start) == 2
    done = checkpoint.load(out / "last.pt").more
    assert (done["start"], done["soft"], done["recipe"]["unsearched"]) == (str(start), "", 0.0)


def test_what_no_run_left_is_not_gone_on_from(data: Path, start: Path, tmp_path: Path) -> None:
    recipe = _recipe(tmp_path)
    last = train.run(data, tmp_path / "out", recipe, start=start)
    average.between(checkpoint.load(start), checkpoint.load(last), 0.5).save(last)
    with pytest.raises(InputError, match=r"another run at .*: no optimiser is kept to go on with"):
        train.run(data, tmp_path / "out", recipe, start=start)


def test_recipes_are_told_apart_by_what_they_say() -> None:
    recipe = Recipe(steps=5, boosts={"umsab_es": 2.0}, soft_without=("hate",))
    assert recipe.differences(recipe.to_dict()) == []
    assert recipe.differences(replace(recipe, weights={"irony": 1.0}).to_dict()) == []
    assert recipe.differences({"boosts": {"umsab_de": 3}, "soft_without": ("hate",)}) == [
        "steps is 12000, not 5",
        "boosts.umsab_de is 3, not 1.0",
        "boosts.umsab_es is 1.0, not 2.0",
    ]


def test_what_a_team_trained_to_its_end_is_not_trained_further_by_one(
    data: Path, start: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe, out = write_recipe(tmp_path, 2), tmp_path / "out"
    recipe.write_text(recipe.read_text("utf-8").replace("steps = 8", "epochs = 0.5"), encoding="utf-8")
    train_both(tmp_path, "run_to_its_end", data, out, recipe, start)
    team = checkpoint.load(out / "last.pt")
    caplog.set_level("INFO")
    assert _steps(data, out, str(recipe), start) == 0
    # Minutes are no reason to go on with what its steps ended.
    assert _steps(data, out, str(recipe), start, minutes=600) == 0
    step = team.more["step"]
    alone, _ = [int(line.split()[1]) for line in caplog.messages if line.startswith("schedule: ")]
    assert alone > step > 0
    assert f"resume: no step is left, because the run had ended at step {step}" in caplog.messages
    again = checkpoint.load(out / "last.pt")
    assert again.more["step"] == step
    assert differences(again.more["optimiser"], team.more["optimiser"]) == []


def test_what_one_trained_to_its_end_is_not_trained_further_by_a_team(
    data: Path, start: Path, tmp_path: Path
) -> None:
    recipe, out = write_recipe(tmp_path, 3), tmp_path / "out"
    # Eight steps are no meeting of a team that meets after three.
    assert _steps(data, out, str(recipe), start) == 8
    train_both(tmp_path, "run_to_its_end", data, out, recipe, start)
    assert sums_seen(out) == [[], []]
    assert checkpoint.load(out / "last.pt").more["step"] == 8


def test_minutes_end_a_run_until_it_is_given_more(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "tick", a_minute_passes)
    out = tmp_path / "out"
    recipe = _recipe(tmp_path, lambda text: text.replace("steps = 3", "steps = 9"))
    assert _steps(data, out, recipe, start, minutes=2) == 2
    assert _steps(data, out, recipe, start) == 0
    assert _steps(data, out, recipe, start, minutes=2) == 0
    # What was found to have ended still tells by how many minutes.
    with pytest.raises(CutOffError):
        train.run(data, out, recipe, minutes=6, start=start, progress=cut_off_after(0.6))
    assert checkpoint.load(out / "last.pt").more["step"] == 3
    # Cut off it is not over, with or without minutes.
    assert _steps(data, out, recipe, start, minutes=4) == 1
    assert _steps(data, out, recipe, start, minutes=30) == 5
    assert _steps(data, out, recipe, start, minutes=60) == 0
    assert checkpoint.load(out / "last.pt").more["step"] == 9
