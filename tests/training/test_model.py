"""The network itself: what training does to it that serving must not."""

from __future__ import annotations

import torch

from trendlark.training.model import Network, Shape, buckets
from trendlark.training.optimise import Optimiser, Rates


def _network(layers: int = 1, distances: int = 0) -> Network:
    torch.manual_seed(0)
    return Network(Shape(50, 24, layers, heads=2, inner=48, positions=12, dropout=0.0, buckets=distances))


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


def test_distances_fall_into_buckets_that_grow() -> None:
    found = buckets(200, 32)
    behind = [int(found[199, 199 - far]) for far in (0, 1, 7, 8, 12, 30, 64, 127, 150, 199)]
    assert behind == [0, 1, 7, 8, 9, 11, 14, 15, 15, 15]
    ahead = [int(found[0, far]) for far in (1, 7, 8, 12, 30, 64, 127, 150, 199)]
    assert ahead == [one + 16 for one in behind[1:]]
    # It is the distance that counts, and not the place.
    assert torch.equal(found[1:, 1:], found[:-1, :-1])


def test_padding_says_nothing_where_distances_count() -> None:
    network, ids = _network(distances=8).eval(), torch.randint(4, 50, (1, 6))
    padded = torch.cat([ids, torch.zeros(1, 3, dtype=torch.long)], 1)
    torch.testing.assert_close(network.encode(padded, padded > 0)[:, :6], network.encode(ids))


def test_frozen_layers_and_words_stay_and_the_others_learn() -> None:
    network = _network(layers=3, distances=8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.freeze(2)
    optimiser = Optimiser(network, Rates(1e-2, 1e-2, 1e-2))
    out = network(torch.randint(4, 50, (4, 6)))
    optimiser.step(sum((value.float().square().mean() for value in out.values()), torch.zeros(())), 1.0)
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    still = ("words", "positions", "norm.", "distances", "layers.0.", "layers.1.")
    assert not [name for name in moved if name.startswith(still)]
    assert {name for name in before if name.startswith("layers.2.") and name.endswith("weight")} <= moved


def test_nothing_is_frozen_unless_it_is_asked() -> None:
    network = _network(layers=2)
    network.freeze(0)
    assert all(parameter.requires_grad for parameter in network.parameters())
