"""The network itself: what training does to it that serving must not."""

from __future__ import annotations

import torch

from trendlark.training.model import Network, Shape


def _network() -> Network:
    torch.manual_seed(0)
    return Network(Shape(vocabulary=50, width=24, layers=1, heads=2, inner=48, positions=12, dropout=0.0))


def test_words_are_blanked_in_training_alone() -> None:
    network, ids = _network(), torch.randint(4, 50, (8, 10))
    whole = network.eval().encode(ids)
    network.word_dropout = 0.5
    assert torch.equal(network.encode(ids), whole)
    network.train()
    one, other = network.encode(ids), network.encode(ids)
    assert not torch.allclose(one, whole)
    assert not torch.allclose(one, other)


def test_a_blanked_text_says_nothing_but_its_length() -> None:
    network = _network().train()
    network.word_dropout = 1.0
    first, second = (network.encode(torch.full((1, 6), piece)) for piece in (7, 8))
    assert torch.equal(first, second)
