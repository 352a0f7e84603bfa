"""The weights of a run's end drawn back towards its start (Wortsman et al. 2022, arXiv:2109.01903).

    python -m trendlark.training.average --data DATA --recipe NAME --start START --end OUT/last.pt \\
        --share 0.7 --out FILE.pt

A run forgets some of what it began with. Between the two lies a network that has the better part of both; how far along
is chosen on validation.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from trendlark.errors import InputError
from trendlark.training import checkpoint
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.recipe import load_recipe
from trendlark.training.train import start_state


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
        name: value if name.startswith("emoji.") else old[name].lerp(value, share)
        for name, value in new.items()
    }
    end.network.load_state_dict(mixed)
    end.more = {name: value for name, value in end.more.items() if name != "optimiser"} | {"share": share}
    return end


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--end", type=Path, required=True)
    parser.add_argument("--share", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    start = start_state(given.data, load_recipe(given.recipe), given.start)
    between(start, checkpoint.load(given.end), given.share).save(given.out)


if __name__ == "__main__":
    main()
