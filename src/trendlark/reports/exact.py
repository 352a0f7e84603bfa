"""Exact limits of a share, for claims that must hold all at once.

The interval of one share is that of C. J. Clopper and E. S. Pearson (1934, Biometrika 26:404-413): each limit is the
share at which what was seen, or more, has the chance that may be missed on that side. Joined to the interval of a
difference (:func:`trendlark.reports.intervals.change`), such limits err on the safe side also where a small sample
meets a large one and the level is far above 95 %, where Wilson's do not. docs/methods.md says by how much.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, lgamma, log

from trendlark.reports.intervals import check_counts, effective_draws, on_whole_tweets

_TINY = 1e-300
_MOST_TERMS = 2000
_HALVINGS = 26  # to 1.5e-8, far below what a page shows


@lru_cache(maxsize=4096)
def exact_interval(
    count: int, sampled: int, population: int | None = None, level: float = 0.95
) -> tuple[float, float]:
    """The exact interval of the share of ``count`` in ``sampled`` tweets, at a level from 0 to 1.

    A known population counts as an effective number of draws, as in :func:`trendlark.reports.intervals.interval`.
    Raises InputError where the numbers contradict each other.
    """
    check_counts(count, sampled, population)
    if sampled == 0:
        return 0.0, 1.0
    value = count / sampled
    if population == sampled:
        return value, value
    draws = effective_draws(sampled, population)
    hits, missed = value * draws, (1 - level) / 2
    low = 0.0 if count == 0 else _solve(lambda p: _beta(p, hits, draws - hits + 1) > missed)[0]
    high = 1.0 if count == sampled else _solve(lambda p: _beta(1 - p, draws - hits, hits + 1) <= missed)[1]
    return on_whole_tweets(low, high, count, sampled, population)


def _solve(beyond: Callable[[float], bool]) -> tuple[float, float]:
    """Around the share from which on ``beyond`` is true: one just below it, one just above."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return low, high


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function (Digital Library of Mathematical Functions 8.17)."""
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x > (a + 1) / (a + b + 2):  # there the fraction of the other tail is the one that converges fast
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 8.17.22, evaluated from the front (W. J. Lentz 1976, Applied Optics 15:668-671)."""
    upper, lower = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    found = lower
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            lower = 1 / _away_from_zero(1 + term * lower)
            upper = _away_from_zero(1 + term / upper)
            found *= upper * lower
        if abs(upper * lower - 1) < 1e-12:
            break
    return found


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
