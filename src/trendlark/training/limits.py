"""What an artefact may weigh and what 8 bits may cost it: checked at export, told in the manifest and the card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trendlark.nlu.tasks import TASKS
from trendlark.training.sets import SETS

# The package carries the graph.
MOST_BYTES = 40 * 10**6
# Points of the mean of a task's sets that 8 bits may score less than the same weights in single precision.
MOST_POINTS = 0.3


def lost_by_task(metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return for each task that was scored what 8 bits lose, in points of the mean of its sets."""
    gaps: dict[str, list[float]] = {name: [] for name in TASKS}
    for key, found in metrics.items():
        gaps[SETS[key].task].append(100 * (found["float32"] - found[SETS[key].metric]))
    # Scores have four digits: what is more in a sum of them is nothing.
    return {name: round(sum(own) / len(own), 4) for name, own in gaps.items() if own}


def check(size: int, metrics: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Return what the manifest says of the limits: what a graph of ``size`` bytes and its scores have, and may have."""
    return {
        "bytes": {"found": size, "allowed": MOST_BYTES},
        "lost_by_8_bits": {"found": lost_by_task(metrics), "allowed": MOST_POINTS},
    }


def beyond(found: Mapping[str, Any]) -> list[str]:
    """Return what is beyond its limit of what ``check`` found, one sentence each."""
    size, lost = found["bytes"], found["lost_by_8_bits"]
    wrong = [
        f"{task} loses {points:.2f} points to 8 bits in the mean of its sets; the limit is {lost['allowed']}"
        for task, points in lost["found"].items()
        if not points <= lost["allowed"]
    ]
    if size["found"] > size["allowed"]:
        wrong.append(
            f"the graph has {size['found'] / 1e6:.1f} MB; the limit is {size['allowed'] / 1e6:.0f}, so take fewer "
            "word pieces or layers"
        )
    return wrong
