"""What is kept of a run lets it go on as if it had never been cut off, alone and in a team."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.crew import differences, sums_seen, train_both, write_recipe
from tests.training.cut import CutOffError, cut_off_after
from trendlark.training import checkpoint, train
from trendlark.training.keeper import random_state, set_random_state


@pytest.mark.parametrize("every", [2, 0])
def test_a_resumed_team_gives_what_an_undisturbed_one_gives(
    every: int, data: Path, start: Path, tmp_path: Path
) -> None:
    recipe, straight, second = write_recipe(tmp_path, every), tmp_path / "straight", tmp_path / "second"
    train_both(tmp_path, "run_to_its_end", data, straight, recipe, start)
    assert "CutOffError" in train_both(tmp_path, "run_until_cut_off", data, second, recipe, start)
    cut = checkpoint.load(second / "last.pt").more
    assert cut["step"] == 4
    # Random numbers differ from process to process; optimisers do where only weights are averaged.
    assert [sorted(one) for one in cut["others"]] == [["optimiser", "rng"] if every else ["rng"]]
    assert not torch.equal(cut["rng"], cut["others"][0]["rng"])
    train_both(tmp_path, "run_to_its_end", data, second, recipe, start)
    first, other = sums_seen(second)
    assert first == other
    assert first == sums_seen(straight)[0][-len(first) :]
    assert len(first) == (4 if every == 0 else 2)
    ends = [checkpoint.load(folder / "last.pt") for folder in (straight, second)]
    assert [end.more["step"] for end in ends] == [8, 8]
    assert differences(ends[0].network.state_dict(), ends[1].network.state_dict()) == []
    for name in ("optimiser", "others"):
        assert differences(ends[0].more[name], ends[1].more[name], name) == []


def test_a_run_of_one_goes_on_as_a_team(data: Path, start: Path, tmp_path: Path) -> None:
    out, recipe = tmp_path / "out", write_recipe(tmp_path, 2)
    with pytest.raises(CutOffError):
        train.run(data, out, str(recipe), start=start, progress=cut_off_after(0.6))
    train_both(tmp_path, "run_to_its_end", data, out, recipe, start)
    first, other = sums_seen(out)
    assert first == other
    assert len(set(first)) == 2
    assert checkpoint.load(out / "last.pt").more["step"] == 8


def test_a_checkpoint_from_before_teams_were_kept_goes_on(
    data: Path, start: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recipe, straight, second = write_recipe(tmp_path, 2), tmp_path / "straight", tmp_path / "second"
    train.run(data, straight, str(recipe), start=start)
    with pytest.raises(CutOffError):
        train.run(data, second, str(recipe), start=start, progress=cut_off_after(0.6))
    state = checkpoint.load(second / "last.pt")
    later = ("others", "early", "start", "over")
    state.more = {name: value for name, value in state.more.items() if name not in later}
    assert set(state.more) == {"history", "optimiser", "step", "seconds", "rng", "recipe", "soft"}
    state.save(second / "last.pt")
    caplog.set_level("INFO")
    train.run(data, second, str(recipe), start=start)
    assert any(line.startswith("resume: at step 4,") and "because" in line for line in caplog.messages)
    one, other = (checkpoint.load(folder / "last.pt").network.state_dict() for folder in (straight, second))
    assert differences(one, other) == []


def _draw(device: torch.device) -> list[Any]:
    return [torch.rand(3).tolist(), torch.rand(3, device=device).tolist()]


@pytest.mark.parametrize(
    "name",
    [
        "cpu",
        pytest.param(
            "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no GPU")
        ),
    ],
)
def test_random_numbers_go_on_from_where_they_stood(name: str) -> None:
    device = torch.device(name)
    kept = random_state(device)
    assert set(kept) == ({"rng"} if name == "cpu" else {"rng", "cuda_rng"})
    drawn = _draw(device)
    assert _draw(device) != drawn
    set_random_state(kept, device)
    assert _draw(device) == drawn
    # What is not kept stays as it is: a checkpoint of a GPU goes on without one, and the other way about.
    torch.manual_seed(5)
    set_random_state({"cuda_rng": torch.zeros(16, dtype=torch.uint8)} if name == "cpu" else {}, device)
    again = _draw(device)
    torch.manual_seed(5)
    assert _draw(device) == again
