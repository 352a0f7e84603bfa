"""Several processes that train one network: each on batches of its own, their weights averaged every few steps.

This is local SGD (Stich 2019, arXiv:1805.09767). Between averages no process waits for another, which on a busy
machine costs less than sharing every gradient; averaging after each step is plain data-parallel training.

    torchrun --nproc-per-node 2 -m trendlark.training.train --data DATA --out OUT
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from trendlark.training.model import Network

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Team:
    """Which of how many processes this one is; the first one speaks, validates and saves."""

    rank: int = 0
    size: int = 1
    every: int = 1

    @property
    def first(self) -> bool:
        """Whether this process is the one that speaks for all."""
        return self.rank == 0

    def meets(self, step: int) -> bool:
        """Whether all average their weights after this many steps; one alone may stop after any."""
        return step % self.every == 0 or self.size == 1

    def average(self, network: Network) -> None:
        """Set the weights of every process to the mean of all."""
        if self.size == 1:
            return
        with torch.no_grad():
            for parameter in (one for one in network.parameters() if one.requires_grad):
                distributed.all_reduce(parameter.data)
                parameter.data /= self.size

    def any(self, here: bool) -> bool:
        """Whether it is so in any process."""
        if self.size == 1:
            return here
        said: Tensor = torch.tensor(float(here))
        distributed.all_reduce(said, distributed.ReduceOp.MAX)
        return bool(said > 0)


def join(every: int) -> Team:
    """Return the team that ``torchrun`` started, or a team of one."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team()
    if not distributed.is_initialized():
        distributed.init_process_group("gloo")
    team = Team(distributed.get_rank(), size, max(1, every))
    _log.info("team: process %d of %d; weights are averaged every %d steps", team.rank, size, team.every)
    return team


def leave() -> None:
    """End the processes' connection, where there is one."""
    if distributed.is_initialized():
        distributed.destroy_process_group()
