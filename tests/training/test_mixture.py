"""Batches: drawn by size, repeatable, nothing drawn twice before all were drawn once."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np
import pytest
import torch

from trendlark.nlu.tasks import TASKS, entity_tags
from trendlark.training.data import Example
from trendlark.training.mixture import Batch, Mixture, collate, shares


def _example(number: int, length: int, task: str = "irony") -> Example:
    width = TASKS[task].width
    return Example([number] * length, {task: np.ones(width, np.float32)}, {task: np.ones(width, np.float32)})


def _mixture(seed: int = 0) -> Mixture:
    examples = {
        "a": [_example(1000 + at, 3 + at % 7) for at in range(50)],
        "b": [_example(2000 + at, 5, "hate") for at in range(3000)],
    }
    return Mixture(examples, {"a": 0.1, "b": 0.9}, 64, seed)


def _firsts(batch: Batch) -> list[int]:
    return [int(one) for one in batch.ids[:, 0]]


def test_shares_follow_size_to_a_power_times_boost() -> None:
    found = shares(
        {"big": 100, "small": 4, "boosted": 4, "empty": 0, "off": 9}, 0.5, {"boosted": 2.0, "off": 0.0}
    )
    assert found == pytest.approx({"big": 10 / 16, "small": 2 / 16, "boosted": 4 / 16})


def test_batches_keep_the_budget_and_pad_little() -> None:
    for batch in islice(_mixture().batches(), 200):
        assert batch.ids.numel() <= 64 or len(batch.ids) == 1
        assert torch.equal(batch.mask, batch.ids > 0)


def test_every_row_comes_once_before_any_comes_twice() -> None:
    seen: Counter[int] = Counter()
    for batch in islice(_mixture().batches(), 900):
        seen.update(_firsts(batch))
    rounds = [seen[2000 + at] for at in range(3000)]
    assert max(rounds) - min(rounds) <= 2
    assert sum(seen[1000 + at] for at in range(50)) / sum(seen.values()) == pytest.approx(0.1, abs=0.03)


def test_an_epoch_is_as_many_examples_as_there_are() -> None:
    for epochs in (1.0, 2.5):
        steps = _mixture().steps(epochs)
        drawn = sum(len(batch.ids) for batch in islice(_mixture(seed=3).batches(), steps))
        assert drawn == pytest.approx(3050 * epochs, rel=0.05)
    # A team's processes, whose seeds differ, agree when to end; counting takes nothing from the stream.
    mixture = _mixture(seed=3)
    assert mixture.steps(2.5) == _mixture().steps(2.5)
    assert _firsts(next(mixture.batches())) == _firsts(next(_mixture(seed=3).batches()))
    assert _mixture().steps(1e-9) == 1


def test_skipping_meets_the_same_batches() -> None:
    straight = [_firsts(batch) for batch in islice(_mixture().batches(), 700)]
    resumed = [_firsts(batch) for batch in islice(_mixture().batches(skip=650), 50)]
    assert straight[650:] == resumed
    assert straight[:50] != [_firsts(batch) for batch in islice(_mixture(seed=1).batches(), 50)]


def test_collate_masks_what_an_example_does_not_say() -> None:
    tags = np.zeros((2, 15), bool)
    tags[:, 0] = True
    batch = collate([_example(7, 4), Example([8, 9], allowed_tags=tags)], 3)
    assert batch.weights["irony"].tolist() == [[1.0], [0.0]]
    assert not batch.weights["sentiment"].any()
    assert batch.allowed_tags[0].all()
    assert batch.allowed_tags[1, :2].sum() == 2
    assert batch.allowed_tags[1, 2:].all()
    assert batch.emoji.tolist() == [-1, -1]


def test_a_batch_met_twice_has_its_second_half_like_its_first() -> None:
    tags = np.zeros((2, len(entity_tags())), bool)
    once = collate([_example(7, 4), Example([8, 9], allowed_tags=tags)], 3)
    both = once.twice()
    for half in (slice(0, 2), slice(2, 4)):
        assert torch.equal(both.ids[half], once.ids)
        assert torch.equal(both.mask[half], once.mask)
        assert torch.equal(both.allowed_tags[half], once.allowed_tags)
        assert torch.equal(both.emoji_allowed[half], once.emoji_allowed)
        for name, value in once.values.items():
            assert torch.equal(both.values[name][half], value)
            assert torch.equal(both.weights[name][half], once.weights[name])
    assert len(both.ids) == len(both.choice) == len(both.emoji) == 4
