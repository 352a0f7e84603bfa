"""A run with patience stops when it no longer gets better, and ends with the best state that it had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.training.crew import differences
from tests.training.cut import CutOffError, a_minute_passes
from trendlark.training import checkpoint, keeper, train
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.optimise import Clock

RECIPE = """
name = "patient"
steps = {steps}
tokens_per_batch = 96
encoder_rate = 1e-3
checkpoint_minutes = 60
validate_minutes = {minutes}
patience = {patience}
"""


class _Judge:
    """Stands for validation: it says what it is told to say, and remembers the weights that it saw at each step."""

    def __init__(self, *means: float) -> None:
        self._means = iter(means)
        self.seen: dict[int, dict[str, Tensor]] = {}
        self.rows: list[int] = []

    def __call__(
        self, state: Checkpoint, data: Path, out: Path, rows: int, step: int, seconds: float
    ) -> float:
        self.rows.append(rows)
        if rows == 0:
            return 0.0
        self.seen[step] = {name: value.clone() for name, value in state.network.state_dict().items()}
        return next(self._means)


@pytest.fixture(autouse=True)
def _uncentred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "centre", lambda *_: {})


def _recipe(folder: Path, steps: int = 50, minutes: int = 0, patience: int = 2) -> str:
    path = folder / "patient.toml"
    path.write_text(RECIPE.format(steps=steps, minutes=minutes, patience=patience), encoding="utf-8")
    return str(path)


def _told(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(("stop:", "end:"))]


def test_a_run_that_gets_no_better_ends_with_its_best_state(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = _Judge(0.5, 0.6, 0.55, 0.6)
    monkeypatch.setattr(keeper, "validate", judge)
    caplog.set_level("INFO")
    out = tmp_path / "out"
    end = checkpoint.load(train.run(data, out, _recipe(tmp_path), start=start))
    # The best is at the second step; two more are no better, and a fifth is never made.
    assert end.more["step"] == 4
    assert _told(caplog.messages) == [
        "stop: at step 4, because 2 validations in a row were no better than 0.6000",
        "end: with the state of step 2, because its mean of tasks, 0.6000, is the best",
    ]
    assert differences(end.network.state_dict(), judge.seen[2]) == []
    assert differences(end.network.state_dict(), judge.seen[4]) != []
    assert differences(end.more["optimiser"], checkpoint.load(out / "best.pt").more["optimiser"]) == []
    # Asked again it is finished, and the same.
    again = checkpoint.load(train.run(data, out, _recipe(tmp_path), start=start))
    assert again.more["step"] == 4
    assert differences(again.network.state_dict(), judge.seen[2]) == []
    assert judge.rows.count(0) == 2


@pytest.mark.parametrize(("last", "step"), [(0.9, 3), (0.1, 2)])
def test_the_last_state_is_judged_too(
    last: float,
    step: int,
    data: Path,
    start: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    judge = _Judge(0.7, last, 0.2)
    monkeypatch.setattr(keeper, "validate", judge)
    monkeypatch.setattr(Clock, "tick", a_minute_passes)
    # Validation is due once, after the second step.
    due = iter([False, True, False])
    monkeypatch.setattr(keeper._Timer, "due", lambda self: next(due) if self.minutes == 30 else False)
    caplog.set_level("INFO")
    recipe = _recipe(tmp_path, minutes=30, patience=1)
    end = checkpoint.load(train.run(data, tmp_path / "out", recipe, minutes=3, start=start))
    assert sorted(judge.seen) == [2, 3]
    assert differences(end.network.state_dict(), judge.seen[step]) == []
    (told,) = _told(caplog.messages)
    assert told.endswith("is the best")
    # Its minutes ended it, not its patience: with more of them it goes on.
    assert end.more["step"] == 3
    due = iter([False])
    more = train.run(data, tmp_path / "out", recipe, minutes=4, start=start)
    assert checkpoint.load(more).more["step"] == 4
    assert sorted(judge.seen) == [2, 3, 4]


def test_a_resumed_run_remembers_its_best_and_how_long_it_has_waited(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = _Judge(0.6, 0.5, 0.4)
    monkeypatch.setattr(keeper, "validate", judge)
    out, recipe = tmp_path / "out", _recipe(tmp_path, steps=50, patience=2)
    calls: list[float] = []

    def kill(progress: float) -> None:
        calls.append(progress)
        if len(calls) == 3:
            raise CutOffError

    with pytest.raises(CutOffError):
        train.run(data, out, recipe, start=start, progress=kill)
    kept = checkpoint.load(out / "last.pt").more
    assert (kept["step"], kept["early"]) == (
        2,
        {"best": 0.6, "best_step": 1, "judged_step": 2, "worse": 1},
    )
    end = checkpoint.load(train.run(data, out, recipe, start=start))
    assert end.more["step"] == 3
    assert differences(end.network.state_dict(), judge.seen[1]) == []


def test_a_run_whose_best_state_is_gone_ends_with_the_last(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judge = _Judge(0.6, 0.5, 0.4)
    monkeypatch.setattr(keeper, "validate", judge)
    caplog.set_level("INFO")
    out = tmp_path / "out"

    def lose(progress: float) -> None:
        (out / "best.pt").unlink(missing_ok=True)

    end = checkpoint.load(train.run(data, out, _recipe(tmp_path), start=start, progress=lose))
    assert differences(end.network.state_dict(), judge.seen[3]) == []
    assert (
        _told(caplog.messages)[-1]
        == f"end: with the last state, of step 3, because {out / 'best.pt'} is gone"
    )


def test_real_validation_is_told_of_the_state_that_is_kept(data: Path, start: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    end = checkpoint.load(train.run(data, out, _recipe(tmp_path, steps=3, patience=9), start=start))
    *some, last = [json.loads(line) for line in (out / "validation.jsonl").read_text("utf-8").splitlines()]
    best: dict[str, Any] = max(some, key=lambda line: line["mean"])
    assert [line["step"] for line in some] == [1, 2, 3]
    assert (last["step"], last["mean"]) == (best["step"], pytest.approx(best["mean"]))
    assert end.more["early"]["best_step"] == best["step"]


def test_without_patience_nothing_else_is_kept(
    data: Path, start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = _Judge(0.9, 0.1, 0.1)
    monkeypatch.setattr(keeper, "validate", judge)
    out = tmp_path / "out"
    end = checkpoint.load(train.run(data, out, _recipe(tmp_path, steps=3, patience=0), start=start))
    assert differences(end.network.state_dict(), judge.seen[3]) == []
    assert sorted(path.name for path in out.glob("*.pt")) == ["last.pt"]
    assert judge.rows == [250, 250, 250, 0]
    assert isinstance(end.more["rng"], torch.Tensor)


def test_sets_without_validation_leave_the_last_state(
    start: Path, tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    silent: Iterator[float] = iter([0.0, 0.0])
    monkeypatch.setattr(keeper, "validate", lambda *_: next(silent, 0.0))
    caplog.set_level("INFO")
    train.run(data, tmp_path / "out", _recipe(tmp_path, steps=2, patience=9), start=start)
    assert _told(caplog.messages) == [
        "end: with the last state, of step 2, because no set has a validation file"
    ]
