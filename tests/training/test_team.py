"""Two processes train one network: they meet at the same weights and leave one checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.training.crew import sums_seen, train_both, write_recipe
from tests.training.tiny import tiny_checkpoint
from tests.training.told import unexplained
from trendlark.training import checkpoint, team
from trendlark.training.team import Team


def test_one_alone_needs_no_others() -> None:
    alone = team.join(20)
    assert (alone.rank, alone.size) == (0, 1)
    assert alone.first
    assert alone.meets(7)
    assert alone.any(here=True)
    assert not alone.any(here=False)
    before = tiny_checkpoint().network
    alone.average(before)
    assert torch.equal(before.words.weight, tiny_checkpoint().network.words.weight)


def test_a_team_meets_every_few_steps_or_at_each() -> None:
    assert [step for step in range(7) if Team(1, 2, 3).meets(step)] == [0, 3, 6]
    assert [step for step in range(3) if Team(1, 2, 0).meets(step)] == [0, 1, 2]
    assert not Team(1, 2, 3).first


@pytest.mark.parametrize(
    ("environment", "gpus", "device", "backend"),
    [
        ({}, 0, "cpu", "gloo"),
        ({}, 4, "cuda:0", "cpu:gloo,cuda:nccl"),
        ({"LOCAL_RANK": "3", "LOCAL_WORLD_SIZE": "4"}, 0, "cpu", "gloo"),
        ({"LOCAL_RANK": "3", "LOCAL_WORLD_SIZE": "4"}, 4, "cuda:3", "cpu:gloo,cuda:nccl"),
        # NCCL has no two processes on one GPU.
        ({"LOCAL_RANK": "3", "LOCAL_WORLD_SIZE": "4"}, 3, "cuda:0", "gloo"),
        ({"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}, 1, "cuda:0", "gloo"),
    ],
)
def test_every_process_takes_a_gpu_of_its_own(
    environment: dict[str, str], gpus: int, device: str, backend: str
) -> None:
    assert str(team.device_of(environment, gpus)) == device
    assert team.backend_of(environment, gpus, nccl=True) == backend
    assert team.backend_of(environment, gpus, nccl=False) == "gloo"


@pytest.mark.parametrize(("every", "meetings"), [(2, 4), (0, 8)])
def test_two_processes_meet_at_the_same_weights(
    every: int, meetings: int, data: Path, start: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    stderr = train_both(tmp_path, "run_to_its_end", data, out, write_recipe(tmp_path, every), start)
    told = [line.split(maxsplit=1) for line in stderr.splitlines() if line.startswith("trendlark.training.")]
    assert unexplained([(name, message) for name, message in told]) == []
    how = f"weights are averaged every {every} steps" if every else "gradients are averaged before each step"
    for rank in (0, 1):
        line = f"team: process {rank} of 2, because torchrun started so many; {how}, because the recipe has"
        assert [message for _, message in told if message.startswith(line)], stderr[-2000:]
    first, second = sums_seen(out)
    assert len(first) == meetings
    assert first == second
    assert len(set(first)) == meetings
    state = checkpoint.load(out / "last.pt")
    assert state.more["step"] == 8
    lines = (out / "validation.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in lines] == [8]
