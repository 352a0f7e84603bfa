"""Teaching by parallel sentences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from trendlark.training import teach
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.optimise import Clock


@pytest.fixture
def pairs(data: Path, state: Checkpoint, tmp_path: Path) -> teach.Pairs:
    targets = np.random.default_rng(0).normal(size=(3, 32)).astype(np.float16)
    np.save(tmp_path / "targets.npy", targets)
    return teach.load_pairs(data, state.tokenizer, tmp_path / "targets.npy")


def test_pairs_are_read_in_order(data: Path) -> None:
    assert teach.read_pairs(data)[0] == ("I like dogs", "me gustan los perros")


def test_teaching_moves_sentences_to_their_targets(pairs: teach.Pairs, state: Checkpoint) -> None:
    def distance() -> float:
        state.network.eval()
        ids, mask, targets = next(teach.batches(pairs, 512, np.random.default_rng(1)))
        with torch.inference_mode():
            return teach.teaching_loss(teach.mean_state(state.network, ids, mask), targets).item()

    before = distance()
    teach.teach(state.network, pairs, Clock(steps=12))
    assert distance() < 0.95 * before


def test_a_round_gives_every_pair_once(pairs: teach.Pairs) -> None:
    stream = teach.batches(pairs, 8, np.random.default_rng(0))
    seen = 0
    while seen < len(pairs):
        ids, mask, targets = next(stream)
        assert len(ids) == len(targets)
        assert torch.equal(mask, ids > 0)
        seen += len(ids)
    assert seen == len(pairs)


def test_the_loss_is_nought_at_the_target() -> None:
    target = torch.randn(4, 8)
    assert teach.teaching_loss(target, target).item() == pytest.approx(0, abs=1e-6)


def test_targets_are_the_bases_and_kept(data: Path, state: Checkpoint, tmp_path: Path) -> None:
    cache = tmp_path / "kept" / "targets.npy"
    first = teach.load_pairs(data, state.tokenizer, cache)
    assert first.targets.shape == (3, 384)
    assert np.isfinite(first.targets).all()
    cache.write_bytes(cache.read_bytes())
    again = teach.load_pairs(data, state.tokenizer, cache)
    np.testing.assert_array_equal(first.targets, again.targets)
    near = teach.base_embeddings(["I like dogs", "dogs are what I like", "the interest rate fell"]).astype(
        float
    )
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    assert near[0] @ near[1] > near[0] @ near[2] + 0.2
