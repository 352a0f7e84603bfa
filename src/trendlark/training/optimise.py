"""What both stages of training share: optimisers, the schedule of the learning rate, one step, the clock."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trendlark.training.model import Network

_GRADIENT_CLIP = 1.0
# What is done to the gradients of the dense and of the sparse parameters before a step.
Meet = Callable[[Sequence[nn.Parameter], Sequence[nn.Parameter]], None]


@dataclass(frozen=True, slots=True)
class Rates:
    """Peak learning rates by part of the network; lower layers move less by ``layer_decay`` a layer."""

    encoder: float
    heads: float
    words: float
    layer_decay: float = 1.0
    weight_decay: float = 0.01


class Optimiser:
    """AdamW for the dense parts and SparseAdam for the word embeddings, on one schedule."""

    def __init__(self, network: Network, rates: Rates) -> None:
        self._dense_parameters = [p for name, p in network.named_parameters() if name != "words.weight"]
        self._dense = torch.optim.AdamW(_groups(network, rates), fused=True)
        self._sparse_parameters = [network.get_parameter("words.weight")]
        self._sparse = torch.optim.SparseAdam(self._sparse_parameters, lr=rates.words)
        self._peaks = [group["lr"] for group in self._groups]

    @property
    def _groups(self) -> list[dict[str, Any]]:
        return [*self._dense.param_groups, *self._sparse.param_groups]

    def step(self, loss: Tensor, factor: float, meet: Meet | None = None) -> None:
        """Go one step down the gradient of ``loss`` at ``factor`` times the peak rates.

        ``meet`` may change the gradients before they are clipped, as a team does that shares them.
        """
        for group, peak in zip(self._groups, self._peaks, strict=True):
            group["lr"] = peak * factor
        self._dense.zero_grad(set_to_none=True)
        self._sparse.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if meet is not None:
            meet(self._dense_parameters, self._sparse_parameters)
        nn.utils.clip_grad_norm_([p for p in self._dense_parameters if p.grad is not None], _GRADIENT_CLIP)
        self._dense.step()
        self._sparse.step()  # type: ignore[no-untyped-call]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of both optimisers."""
        return {"dense": self._dense.state_dict(), "sparse": self._sparse.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the state of both optimisers."""
        self._dense.load_state_dict(state["dense"])
        self._sparse.load_state_dict(state["sparse"])


def _groups(network: Network, rates: Rates) -> list[dict[str, Any]]:
    depth = len(network.layers)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if name == "words.weight":
            continue
        if name.startswith("layers."):
            rate = rates.encoder * rates.layer_decay ** (depth - 1 - int(name.split(".")[1]))
        elif name.startswith(("positions", "norm.", "distances.")):
            rate = rates.encoder * rates.layer_decay**depth
        else:
            rate = rates.heads
        decay = rates.weight_decay if parameter.dim() > 1 and name != "positions" else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": part, "lr": rate, "weight_decay": decay} for (rate, decay), part in groups.items()]


def rate_factor(progress: float, warm_up: float) -> float:
    """Share of the peak rate at ``progress`` in [0, 1]: up linearly for ``warm_up``, then down to nothing."""
    if progress < warm_up:
        return max(progress / warm_up, 0.02)
    return max(0.0, (1 - progress) / (1 - warm_up))


@dataclass(slots=True)
class Clock:
    """How far a stage is: by steps, or by minutes where a time budget ends it first."""

    steps: int
    minutes: float | None = None
    step: int = 0
    seconds: float = 0.0
    _since: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Leave the time until now out of the count."""
        self._since = time.monotonic()

    def tick(self) -> None:
        """Count one step and the time since the last."""
        now = time.monotonic()
        self.seconds += now - self._since
        self._since = now
        self.step += 1

    @property
    def progress(self) -> float:
        """Share of the stage that is done, 0 to 1."""
        by_steps = self.step / max(1, self.steps)
        by_time = self.seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(by_steps, by_time))

    @property
    def done(self) -> bool:
        """True once the stage has used up its steps or its minutes."""
        return self.progress >= 1.0 or math.isclose(self.progress, 1.0)


def pad(rows: Iterable[list[int]]) -> tuple[Tensor, Tensor]:
    """Return ids [batch, longest] padded with 0, and the mask that is True at tokens."""
    listed = list(rows)
    longest = max(len(row) for row in listed)
    ids = torch.zeros((len(listed), longest), dtype=torch.long)
    mask = torch.zeros((len(listed), longest), dtype=torch.bool)
    for at, row in enumerate(listed):
        ids[at, : len(row)] = torch.tensor(row)
        mask[at, : len(row)] = True
    return ids, mask


def save_whole(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint so that a reader, or a crash, meets the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)  # noqa: PTH105  atomic on every platform
