"""Exact limits: published values, binomial tails by enumeration, and how often a difference is called clear wrongly."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trendlark.errors import InputError
from trendlark.records import Share
from trendlark.reports.exact import exact_interval
from trendlark.reports.intervals import change, interval

Limits = Callable[[int, int, float], tuple[float, float]]


@pytest.mark.parametrize(
    ("count", "sampled", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_it_is_the_interval_of_clopper_and_pearson(count: int, sampled: int, low: float, high: float) -> None:
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 5.
    assert exact_interval(count, sampled) == pytest.approx((low, high), abs=5e-5)


def tail(count: int, sampled: int, share: float) -> float:
    """The chance of ``count`` or more."""
    return sum(comb(sampled, k) * share**k * (1 - share) ** (sampled - k) for k in range(count, sampled + 1))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.9999))
def test_each_limit_is_where_the_tail_has_what_may_be_missed(pair: tuple[int, int], level: float) -> None:
    count, sampled = pair
    low, high = exact_interval(count, sampled, None, level)
    missed = (1 - level) / 2
    # Found by halving: what may be missed lies between a limit and the next of its steps towards the share.
    step, rounding = 2.0**-26, 1e-9
    if count:
        assert tail(count, sampled, low) <= missed * (1 + rounding) + 1e-12
        assert tail(count, sampled, low + step) >= missed * (1 - rounding) - 1e-12
    if count < sampled:
        assert 1 - tail(count + 1, sampled, high) <= missed * (1 + rounding) + 1e-12
        assert 1 - tail(count + 1, sampled, high - step) >= missed * (1 - rounding) - 1e-12
    assert 0 <= low <= count / sampled <= high <= 1


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_is_never_narrower_than_it_says_and_mirrors_itself(pair: tuple[int, int]) -> None:
    count, sampled = pair
    low, high = exact_interval(count, sampled)
    mirrored = exact_interval(sampled - count, sampled)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-7)
    wider = exact_interval(count, sampled, None, 0.999)
    assert wider[0] <= low
    assert wider[1] >= high


def test_large_samples_have_their_normal_interval() -> None:
    low, high = exact_interval(30_000, 60_000)
    assert (low, high) == pytest.approx((0.5 - 0.004, 0.5 + 0.004), abs=2e-5)


def test_a_known_population_makes_the_sample_count_for_more() -> None:
    assert exact_interval(5, 20, 20) == (0.25, 0.25)
    endless, known = exact_interval(5, 20), exact_interval(5, 20, 30)
    assert endless[0] < known[0] <= 0.25 <= known[1] < endless[1]
    # 20 of 21 known: the last tweet alone is in doubt.
    assert exact_interval(5, 20, 21) == (5 / 21, 6 / 21)
    assert exact_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(InputError, match="5 of 4"):
        exact_interval(5, 4)


def wilson_at(count: int, sampled: int, level: float) -> tuple[float, float]:
    """Wilson's interval at any level."""
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    share = count / sampled
    centre = (share + z2 / (2 * sampled)) / (1 + z2 / sampled)
    half = (z2 * (share * (1 - share) / sampled + z2 / (4 * sampled**2))) ** 0.5 / (1 + z2 / sampled)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def exact_at(count: int, sampled: int, level: float) -> tuple[float, float]:
    """The interval under test."""
    return exact_interval(count, sampled, None, level)


def chances(sampled: int, share: float) -> NDArray[np.float64]:
    """The binomial distribution."""
    ways = np.array([float(comb(sampled, k)) for k in range(sampled + 1)])
    hits = np.arange(sampled + 1)
    return np.asarray(ways * share**hits * (1 - share) ** (sampled - hits))


def wrongly_clear(limits: Limits, first: int, second: int, comparisons: int) -> float:
    """At the worst of many truths, how often two equal shares are called different, over what is allowed."""
    level = 1 - 0.05 / comparisons
    sides = [[Share(k / n, *limits(k, n, level)) for k in range(n + 1)] for n in (first, second)]
    clear = np.array([[change(one, two).clear for two in sides[1]] for one in sides[0]])
    truths = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.4, 0.5)
    worst = max(float(chances(first, p) @ clear @ chances(second, p)) for p in truths)
    return worst / (1 - level)


def test_wilson_at_the_usual_level_is_the_interval_of_a_share() -> None:
    assert wilson_at(7, 40, 0.95) == pytest.approx(interval(7, 40))


@pytest.mark.parametrize("comparisons", [14, 42, 140])
@pytest.mark.parametrize("sizes", [(5, 100), (10, 10), (10, 40), (20, 20), (20, 100), (20, 400), (40, 40)])
def test_equal_shares_are_called_different_no_oftener_than_allowed(
    sizes: tuple[int, int], comparisons: int
) -> None:
    assert wrongly_clear(exact_at, sizes[0], sizes[1], comparisons) <= 0.8
    assert wrongly_clear(exact_at, sizes[1], sizes[0], comparisons) <= 0.8


def test_wilsons_limits_would_call_them_different_too_often() -> None:
    assert wrongly_clear(wilson_at, 20, 400, 14) > 5
    assert wrongly_clear(wilson_at, 20, 400, 140) > 12
