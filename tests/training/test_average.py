"""Between the start and the end of a run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from tests.training.tiny import tiny_checkpoint
from trendlark.errors import InputError
from trendlark.training import average, checkpoint, export
from trendlark.training.average import between, mean


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_every_weight_lies_so_far_along_the_way(share: float) -> None:
    start, end = tiny_checkpoint(1), tiny_checkpoint(2)
    old, new = start.network.state_dict(), end.network.state_dict()
    before = {name: value.clone() for name, value in new.items()}
    end.more = {"optimiser": {}, "others": [], "early": {}, "step": 7}
    found = between(start, end, share)
    for name, value in found.network.state_dict().items():
        expected = new[name] if name.startswith("emoji.") else (1 - share) * old[name] + share * new[name]
        torch.testing.assert_close(value, expected)
    assert found.more == {"step": 7, "share": share}
    # Both ends of the way stay what they were.
    assert all(torch.equal(value, before[name]) for name, value in new.items())
    assert end.more == {"optimiser": {}, "others": [], "early": {}, "step": 7}


def test_shares_and_shapes_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match=r"a share of 1\.2 .* allowed are 0 to 1"):
        between(tiny_checkpoint(), tiny_checkpoint(), 1.2)
    with pytest.raises(InputError, match="networks of one shape"):
        between(tiny_checkpoint(words=["more"]), tiny_checkpoint(), 0.5)


def test_several_ends_are_averaged_and_all_are_told() -> None:
    ends = [tiny_checkpoint(seed) for seed in (1, 2, 4)]
    for at, end in enumerate(ends):
        end.more = {"recipe": {"seed": at}, "step": 10 + at, "history": [{"stage": "words"}]}
    several = [end.network.state_dict() for end in ends]
    found = mean(ends)
    for name, value in found.network.state_dict().items():
        torch.testing.assert_close(value, sum(one[name] for one in several) / 3)
    assert found.more["step"] == 10
    assert found.more["history"] == [
        {"stage": "words"},
        {"stage": "beside", "recipe": {"seed": 1}, "step": 11},
        {"stage": "beside", "recipe": {"seed": 2}, "step": 12},
    ]


def test_the_mean_of_one_end_is_that_end() -> None:
    own = {k: v.clone() for k, v in tiny_checkpoint(1).network.state_dict().items()}
    for name, value in mean([tiny_checkpoint(1)]).network.state_dict().items():
        assert torch.equal(value, own[name])


def test_ends_of_several_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="ends of 2 shapes"):
        mean([tiny_checkpoint(), tiny_checkpoint(words=["more"])])


def test_the_command_writes_a_checkpoint_and_the_manifest_says_so(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / name for name in ("start.pt", "end.pt", "other.pt", "out.pt", "tiny.toml")]
    start, end, other, out, recipe = paths
    tiny_checkpoint(1).save(start)
    for seed, path in ((2, end), (3, other)):
        state = tiny_checkpoint(seed)
        state.more = {"recipe": {"name": "tiny", "seed": seed}, "step": 5}
        state.save(path)
    recipe.write_text("layers = 2\n", encoding="utf-8")
    words = [
        "--data",
        data,
        "--recipe",
        recipe,
        "--start",
        start,
        "--end",
        end,
        other,
        "--share",
        "0.25",
        "--out",
        out,
    ]
    centred = []
    monkeypatch.setattr(average, "centre", lambda _, folder: centred.append(folder))
    monkeypatch.setattr(sys, "argv", ["average", *map(str, words)])
    average.main()
    found = checkpoint.load(out)
    middle = mean([checkpoint.load(end), checkpoint.load(other)])
    expected = between(tiny_checkpoint(1), middle, 0.25).network.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found.network.state_dict().items())
    assert centred == [data]
    export.write_model(found, data, tmp_path / "model", "tiny")
    assert '"share": 0.25' in (tmp_path / "model" / "manifest.json").read_text(encoding="utf-8")
