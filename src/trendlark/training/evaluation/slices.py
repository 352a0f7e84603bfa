"""Slices of a set: the rows that share a trait, so that a mean cannot hide where a model fails."""

from __future__ import annotations

from collections.abc import Sequence

import emoji
import numpy as np

from trendlark.nlu.marks import find_marks
from trendlark.nlu.text import normalise
from trendlark.training.data import Row
from trendlark.training.evaluation.tallies import Bools

SHORT, LONG = 60, 120
LEAST_ROWS = 30


def slice_rows(rows: Sequence[Row]) -> dict[str, Bools]:
    """Return, for each slice of at least ``LEAST_ROWS`` rows that is not all of them, which rows are in it."""
    traits = [_traits(row.text) for row in rows]
    masks = {name: np.array([one[name] for one in traits], bool) for name in traits[0]}
    return {name: mask for name, mask in masks.items() if LEAST_ROWS <= mask.sum() < len(rows)}


def _traits(text: str) -> dict[str, bool]:
    words = normalise(text).text.split()
    signs = emoji.emoji_count(text) > 0
    return {
        f"up to {SHORT} characters": len(text) <= SHORT,
        f"{SHORT + 1} to {LONG} characters": SHORT < len(text) <= LONG,
        f"over {LONG} characters": len(text) > LONG,
        "with emoji": signs,
        "without emoji": not signs,
        "with hashtag": bool(find_marks(text).hashtags),
        "with mention": "@user" in words,
        "with link": "http" in words,
    }
