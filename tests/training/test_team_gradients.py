"""Two processes that average their gradients are as one that takes the mean of both batches' gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.training.crew import differences, launch
from tests.training.tiny import tiny_checkpoint
from trendlark.training import team
from trendlark.training.model import Network
from trendlark.training.optimise import Optimiser, Rates
from trendlark.training.team import Team

_STEPS = 3
_RATES = Rates(1e-3, 1e-3, 1e-3, weight_decay=0.1)
# By process: the words of its batch, and what it learns. No process learns topics.
_WORDS = ([3, 4, 5, 6], [5, 6, 7, 7])
_TASKS = (("sentiment", "hate"), ("entities", "hate"))


def _loss(network: Network, rank: int, step: int) -> Tensor:
    ids = torch.tensor([_WORDS[rank], [8 + step, 9, 10 + rank, 2]])
    out = network(ids, torch.ones_like(ids, dtype=torch.bool))
    return 5.0 * torch.stack([(out[task] - 1).square().sum() for task in _TASKS[rank]]).sum()


def steps_of_a_team(out: Path) -> None:
    """Take steps together, from weights that differ at first, and write what each process has at the end."""
    crew = team.join(0)
    network = tiny_checkpoint(seed=crew.rank).network.eval()
    crew.begin(network)
    optimiser = Optimiser(network, _RATES)
    for step in range(_STEPS):
        optimiser.step(_loss(network, crew.rank, step), 1.0, crew.mean_gradients)
    apart = Team(crew.rank, crew.size, 2)
    found = {
        "weights": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "agreed": crew.agree(0.25 * crew.rank),
        "apart": apart.agree(0.25 * crew.rank),
        "any": [crew.any(here=crew.rank == 1), crew.any(here=False)],
    }
    torch.save(found, out / f"{crew.rank}.pt")
    team.leave()


def _alone() -> tuple[Network, Optimiser, list[float]]:
    """Take the same steps in one process, by the mean of the gradients of both batches."""
    network = tiny_checkpoint(seed=0).network.eval()
    optimiser = Optimiser(network, _RATES)
    norms: list[float] = []

    for step in range(_STEPS):

        def mean_of_both(
            dense: Sequence[nn.Parameter], sparse: Sequence[nn.Parameter], step: int = step
        ) -> None:
            parameters = [*dense, *sparse]
            first = [_take(one) for one in parameters]
            _loss(network, 1, step).backward()  # type: ignore[no-untyped-call]
            for one, before in zip(parameters, first, strict=True):
                found = [half for half in (before, _take(one)) if half is not None]
                one.grad = sum(found[1:], found[0]) / 2 if found else None
            norms.append(
                math.sqrt(sum(float(one.grad.square().sum()) for one in dense if one.grad is not None))
            )

        optimiser.step(_loss(network, 0, step), 1.0, mean_of_both)
    return network, optimiser, norms


def _take(parameter: nn.Parameter) -> Tensor | None:
    """Return the gradient, each row of a sparse one once, and leave none."""
    gradient, parameter.grad = parameter.grad, None
    return gradient.coalesce() if gradient is not None and gradient.is_sparse else gradient


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("both")
    done = launch(out, __name__, "steps_of_a_team", out)
    assert done.returncode == 0, done.stderr[-2000:]
    return [torch.load(out / f"{rank}.pt", weights_only=True) for rank in (0, 1)]


def test_both_take_the_step_of_the_mean_gradient(both: list[dict[str, Any]]) -> None:
    network, optimiser, norms = _alone()
    # Clipped, so that a mean of gradients that were clipped before would be another one.
    assert min(norms) > 1.0
    for found in both:
        assert differences(network.state_dict(), found["weights"]) == []
        assert differences(optimiser.state_dict(), found["optimiser"]) == []
    start = tiny_checkpoint(seed=0).network.state_dict()
    still = {name for name, value in both[0]["weights"].items() if torch.equal(value, start[name])}
    # What no process learns is not even decayed; what one of them learns moves in both.
    assert {name for name in still if name.endswith(".weight")} >= {"heads.topics.logits.weight"}
    assert not still & {"heads.sentiment.logits.weight", "entities.logits.weight", "pool.weight"}


def test_a_word_moves_where_any_process_read_it(both: list[dict[str, Any]]) -> None:
    start = tiny_checkpoint(seed=0).network.words.weight
    moved = (both[0]["weights"]["words.weight"] != start).any(1).nonzero()[:, 0].tolist()
    assert moved == list(range(2, 12))


def test_processes_that_step_together_go_by_the_clock_that_is_furthest(both: list[dict[str, Any]]) -> None:
    assert [found["agreed"] for found in both] == [0.25, 0.25]
    assert [found["apart"] for found in both] == [0.0, 0.25]
    assert [found["any"] for found in both] == [[True, False], [True, False]]


def test_one_alone_and_those_that_average_weights_leave_gradients_as_they_are() -> None:
    for crew in (Team(), Team(0, 1, 0), Team(1, 2, 20)):
        parameter = nn.Parameter(torch.zeros(2))
        parameter.grad = torch.tensor([1.0, 2.0])
        crew.mean_gradients([parameter], [])
        assert parameter.grad.tolist() == [1.0, 2.0]
