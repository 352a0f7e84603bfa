"""Batches: sets drawn by size to a power, texts of like length together, targets with masks.

Drawing is by rounds: a round takes some thousand examples over all sets, cuts them into batches of like
length and shuffles these. Everything follows from the seed, so a resumed run meets the same batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.training.data import Example
from trendlark.training.model import POOLED_TASKS
from trendlark.training.optimise import pad

_ROUND = 4096


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded ids and targets; a weight of 0 masks a target, an all-true row of ``allowed_tags`` a token."""

    ids: Tensor
    mask: Tensor
    values: dict[str, Tensor]
    weights: dict[str, Tensor]
    choice: Tensor
    allowed_tags: Tensor
    emoji: Tensor
    emoji_allowed: Tensor
    raw: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on the device."""
        return self._with(lambda tensor: tensor.to(device))

    def twice(self) -> Batch:
        """Return the batch with every example a second time, in the same order behind the first."""
        return self._with(lambda tensor: torch.cat([tensor, tensor]))

    def _with(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(
            change(self.ids),
            change(self.mask),
            {name: change(value) for name, value in self.values.items()},
            {name: change(weight) for name, weight in self.weights.items()},
            change(self.choice),
            change(self.allowed_tags),
            change(self.emoji),
            change(self.emoji_allowed),
            change(self.raw),
        )


def collate(examples: Sequence[Example], emoji: int) -> Batch:
    """Return the batch of the examples; ``emoji`` is the width of the auxiliary head."""
    ids, mask = pad(example.ids for example in examples)
    size, longest = ids.shape
    values = {name: np.zeros((size, TASKS[name].width), np.float32) for name in POOLED_TASKS}
    weights = {name: np.zeros((size, TASKS[name].width), np.float32) for name in POOLED_TASKS}
    tags = np.ones((size, longest, len(entity_tags())), bool)
    allowed = np.ones((size, emoji), bool)
    for at, example in enumerate(examples):
        for name, value in example.values.items():
            values[name][at] = value
            weights[name][at] = example.weights[name]
        if example.allowed_tags is not None:
            tags[at, : len(example.ids)] = example.allowed_tags
        if example.emoji_allowed is not None:
            allowed[at] = example.emoji_allowed
    return Batch(
        ids,
        mask,
        {name: torch.from_numpy(value) for name, value in values.items()},
        {name: torch.from_numpy(weight) for name, weight in weights.items()},
        torch.tensor([example.choice for example in examples]),
        torch.from_numpy(tags),
        torch.tensor([example.emoji for example in examples]),
        torch.from_numpy(allowed),
        torch.tensor([example.raw for example in examples]),
    )


def shares(sizes: Mapping[str, int], power: float, boosts: Mapping[str, float]) -> dict[str, float]:
    """Return the share of each set: size to the ``power`` times its boost, normalised."""
    raw = {name: size**power * boosts.get(name, 1.0) for name, size in sizes.items() if size}
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items() if value > 0}


class Mixture:
    """An endless stream of batches over the sets; ``skip`` goes to where an interrupted run was."""

    def __init__(
        self,
        examples: Mapping[str, Sequence[Example]],
        set_shares: Mapping[str, float],
        tokens_per_batch: int,
        seed: int,
        emoji: int = 0,
    ) -> None:
        self._examples = examples
        self._names = sorted(set_shares)
        weights = np.array([set_shares[name] for name in self._names])
        self._probabilities = weights / weights.sum()
        self._budget = tokens_per_batch
        self._rng = np.random.default_rng(seed)
        self._emoji = emoji
        self._left: dict[str, list[int]] = {name: [] for name in self._names}

    def steps(self, epochs: float) -> int:
        """Return how many batches hold ``epochs`` times as many examples as there are; every seed gives the same."""
        count = sum(len(self._examples[name]) for name in self._names)
        shares_of = dict(zip(self._names, self._probabilities, strict=True))
        round_of_all = Mixture(self._examples, shares_of, self._budget, seed=0)._round()
        return max(1, round(epochs * count / _ROUND * len(round_of_all)))

    def batches(self, skip: int = 0) -> Iterator[Batch]:
        """Yield batches for ever, leaving out the first ``skip``."""
        while True:
            for group in self._round():
                if skip > 0:
                    skip -= 1
                    continue
                yield collate(group, self._emoji)

    def _round(self) -> list[list[Example]]:
        counts = self._rng.multinomial(_ROUND, self._probabilities)
        drawn: list[Example] = []
        for name, count in zip(self._names, counts, strict=True):
            drawn += (self._examples[name][at] for at in self._draw(name, int(count)))
        # A little noise, so that like lengths do not always meet the same neighbours.
        keys = [
            len(example.ids) + 2 * noise
            for example, noise in zip(drawn, self._rng.random(_ROUND), strict=True)
        ]
        ordered = [drawn[at] for at in np.argsort(keys)]
        groups: list[list[Example]] = [[]]
        longest = 0
        for example in ordered:
            longest = max(longest, len(example.ids))
            if groups[-1] and longest * (len(groups[-1]) + 1) > self._budget:
                groups.append([])
                longest = len(example.ids)
            groups[-1].append(example)
        return [groups[at] for at in self._rng.permutation(len(groups))]

    def _draw(self, name: str, count: int) -> list[int]:
        """Take ``count`` places of a set; every place comes once before any comes twice."""
        left = self._left[name]
        while len(left) < count:
            left += self._rng.permutation(len(self._examples[name])).tolist()
        self._left[name] = left[count:]
        return left[:count]
