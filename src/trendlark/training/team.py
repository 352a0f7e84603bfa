"""Several processes that train one network, each on batches of its own.

They average their weights every few steps: local SGD (Stich 2019, arXiv:1805.09767). Between averages no process
waits for another, which on a busy machine costs less than sharing every gradient. Where a recipe has
``average_every = 0`` they average their gradients before each step instead, so that all take the same step:
distributed data parallel. Averaging weights after each step is not that: with Adam each process scales its step by
gradients of its own.

    torchrun --nproc-per-node 2 -m trendlark.training.train --data DATA --out OUT
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

from trendlark.training.model import Network

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Team:
    """Which of how many processes this one is; the first one speaks, validates and saves.

    ``every`` is after how many steps weights are averaged, 0 where gradients are, before each.
    """

    rank: int = 0
    size: int = 1
    every: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that speaks for all."""
        return self.rank == 0

    def meets(self, step: int) -> bool:
        """Whether all have the same weights after this many steps; one alone may stop after any."""
        return self.size == 1 or self.every == 0 or step % self.every == 0

    def begin(self, network: Network) -> None:
        """Set the weights of every process to the first one's: gradients alone would never bring them together."""
        if self.size > 1:
            for parameter in network.parameters():
                distributed.broadcast(parameter.data, 0)

    def average(self, network: Network) -> None:
        """Set the weights of every process to the mean of all, where the steps were not the same."""
        if self.size == 1 or self.every == 0:
            return
        with torch.no_grad():
            for parameter in (one for one in network.parameters() if one.requires_grad):
                distributed.all_reduce(parameter.data)
                parameter.data /= self.size

    def mean_gradients(self, dense: Sequence[nn.Parameter], sparse: Sequence[nn.Parameter]) -> None:
        """Set the gradients of every process to the mean of all, where all take every step together.

        A parameter without a gradient in one process counts as zero there; one without any stays without.
        The gradients of ``sparse`` parameters have only the rows that some process has.
        """
        if self.size == 1 or self.every:
            return
        self._mean_dense([one for one in dense if one.requires_grad])
        for parameter in sparse:
            if parameter.requires_grad:
                self._mean_rows(parameter)

    def agree(self, value: float) -> float:
        """Return the largest of all processes' values where all take every step together, else ``value``."""
        return value if self.size == 1 or self.every else _largest(value)

    def any(self, here: bool) -> bool:
        """Whether it is so in any process."""
        return here if self.size == 1 else _largest(float(here)) > 0

    def gather(self, here: dict[str, Any]) -> list[dict[str, Any]]:
        """Return in the first process what each of the others has ``here``, in their order; in the others nothing."""
        if self.size == 1:
            return []
        found: list[Any] | None = [None] * self.size if self.first else None
        distributed.gather_object({} if self.first else here, found)
        return (found or [])[1:]

    def _mean_dense(self, parameters: Sequence[nn.Parameter]) -> None:
        # All in one message, and behind them in how many processes each parameter has a gradient.
        parts = [(torch.zeros_like(one) if one.grad is None else one.grad).flatten() for one in parameters]
        counts = parts[0].new_tensor([one.grad is not None for one in parameters])
        together = torch.cat([*parts, counts])
        distributed.all_reduce(together)
        *parts, counts = torch.split(together, [*map(len, parts), len(parts)])
        for parameter, part, count in zip(parameters, parts, counts.tolist(), strict=True):
            if count:
                parameter.grad = (part / self.size).view_as(parameter)

    def _mean_rows(self, parameter: nn.Parameter) -> None:
        rows = torch.zeros(0, dtype=torch.long, device=parameter.device)
        values = parameter.data[:0]
        if parameter.grad is not None:
            gradient = parameter.grad.coalesce()
            rows, values = gradient.indices()[0], gradient.values()
        rows, values = self._join(rows), self._join(values)
        if len(rows):
            mean = torch.sparse_coo_tensor(rows[None], values / self.size, parameter.shape)
            parameter.grad = mean.coalesce()

    def _join(self, here: Tensor) -> Tensor:
        """Return the rows of all processes, the first one's first."""
        sizes = torch.zeros(self.size, dtype=torch.long, device=here.device)
        sizes[self.rank] = len(here)
        distributed.all_reduce(sizes)
        # A sum in which each process has a place of its own: gloo gathers nothing that lies on a GPU.
        *before, total = [0, *sizes.cumsum(0).tolist()]
        found = here.new_zeros((total, *here.shape[1:]))
        found[before[self.rank] :][: len(here)] = here
        distributed.all_reduce(found)
        return found


def join(every: int) -> Team:
    """Return the team that ``torchrun`` started, or a team of one; ``every`` is the recipe's ``average_every``."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team()
    if not distributed.is_initialized():
        distributed.init_process_group(
            backend_of(os.environ, torch.cuda.device_count(), distributed.is_nccl_available())
        )
    team = Team(distributed.get_rank(), size, max(0, every))
    how = (
        f"weights are averaged every {every} steps"
        if team.every
        else "gradients are averaged before each step"
    )
    _log.info(
        "team: process %d of %d, because torchrun started so many; %s, because the recipe has average_every %d",
        team.rank,
        size,
        how,
        every,
    )
    return team


def device_of(environment: Mapping[str, str], gpus: int) -> torch.device:
    """Return what this process computes on: a GPU of its own, the processor where there is none.

    ``environment`` is that of the process, in which torchrun puts ``LOCAL_RANK``, its number on this machine; where
    there are more processes than ``gpus`` some share one.
    """
    if not gpus:
        return torch.device("cpu")
    return torch.device("cuda", int(environment.get("LOCAL_RANK", "0")) % gpus)


def backend_of(environment: Mapping[str, str], gpus: int, nccl: bool) -> str:
    """Return by what the processes speak: NCCL between GPUs where each process has its own, else gloo alone."""
    own = 0 < int(environment.get("LOCAL_WORLD_SIZE", "1")) <= gpus
    return "cpu:gloo,cuda:nccl" if own and nccl else "gloo"


def leave() -> None:
    """End the processes' connection, where there is one."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _largest(value: float) -> float:
    said = torch.tensor(value, dtype=torch.float64)
    distributed.all_reduce(said, distributed.ReduceOp.MAX)
    return float(said)
