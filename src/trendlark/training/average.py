"""The weights of a run's end drawn back towards its start (Wortsman et al. 2022, arXiv:2109.01903).

    python -m trendlark.training.average --data DATA --recipe NAME --start START --end OUT/last.pt \\
        --share 0.7 --out FILE.pt

A run forgets some of what it began with. Between the two lies a network that has the better part of both; how far along
is chosen on validation. Several ends, of runs from one start with other seeds or recipes, are averaged first ("model
soups", Wortsman et al. 2022, arXiv:2203.05482): what each learnt by chance falls away.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from trendlark.errors import InputError
from trendlark.training import checkpoint
from trendlark.training.centre import centre
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.model import AUXILIARY, Network
from trendlark.training.recipe import load_recipe
from trendlark.training.train import start_state

# What a run needs to go on; a mean of networks is the end of none.
_OF_THE_RUN = ("optimiser", "others", "early")


def between(start: Checkpoint, end: Checkpoint, share: float) -> Checkpoint:
    """Return the network at ``share`` of the way from the start of a run (0) to its end (1).

    What only helps training is the end's. Raises InputError where the share is no share or the shapes differ.
    """
    if not 0 <= share <= 1 or start.network.shape != end.network.shape:
        raise InputError(
            f"Found a share of {share} between {start.network.shape} and {end.network.shape}; allowed are 0 to 1 "
            "between two networks of one shape. Take the start and the end of one run."
        )
    old, new = start.network.state_dict(), end.network.state_dict()
    mixed = {
        name: value if name.startswith(AUXILIARY) else old[name].lerp(value, share)
        for name, value in new.items()
    }
    network = Network(end.network.shape)
    network.load_state_dict(mixed)
    more = {name: value for name, value in end.more.items() if name not in _OF_THE_RUN} | {"share": share}
    return Checkpoint(network, end.tokenizer, end.emoji, more)


def mean(ends: Sequence[Checkpoint]) -> Checkpoint:
    """Return the mean of the networks of several runs from one start; what was done to all is in its history.

    Raises InputError where their shapes differ.
    """
    first, *others = ends
    shapes = {end.network.shape for end in ends}
    if len(shapes) > 1:
        raise InputError(
            f"Found ends of {len(shapes)} shapes; allowed are ends of one. Take runs of the same start and layers."
        )
    weights = [end.network.state_dict() for end in ends]
    network = Network(first.network.shape)
    network.load_state_dict(
        {name: torch.stack([one[name] for one in weights]).mean(0) for name in weights[0]}
    )
    beside = [checkpoint.history(other)[-1] | {"stage": "beside"} for other in others]
    more = first.more | {"history": [*first.more.get("history", []), *beside]}
    return Checkpoint(network, first.tokenizer, first.emoji, more)


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--end", type=Path, required=True, nargs="+")
    parser.add_argument("--share", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    start = start_state(given.data, load_recipe(given.recipe), given.start)
    end = mean([checkpoint.load(path) for path in given.end])
    found = between(start, end, given.share)
    centre(found, given.data)
    found.save(given.out)


if __name__ == "__main__":
    main()
