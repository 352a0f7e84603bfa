"""Intervals against other ways to the same numbers: closed forms, halving, exact tails, every small case."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, comb, floor, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.records import Share
from trendlark.reports.intervals import change, interval, shares, usable_population

Z = 1.959963984540054


@pytest.mark.parametrize(
    ("count", "sampled", "low", "high"),
    [
        # Closed forms of Wilson's interval: at 0 it is [0, z2/(n+z2)], at a half it is 1/2 -+ z/(2 sqrt(n+z2)).
        (0, 1, 0.0, 0.79345),
        (1, 1, 0.20655, 1.0),
        (0, 5, 0.0, 0.43448),
        (0, 10, 0.0, 0.27753),
        (10, 10, 0.72247, 1.0),
        (0, 100, 0.0, 0.03699),
        (1, 2, 0.09453, 0.90547),
        (5, 10, 0.23659, 0.76341),
        (50, 100, 0.40383, 0.59617),
        (500, 1000, 0.46907, 0.53093),
    ],
)
def test_values_computed_by_hand(count: int, sampled: int, low: float, high: float) -> None:
    assert interval(count, sampled) == pytest.approx((low, high), abs=6e-6)


@pytest.mark.parametrize(("count", "sampled"), [(0, 3), (1, 7), (3, 20), (20, 40), (77, 80), (999, 1000)])
def test_its_ends_are_the_shares_that_the_score_test_just_accepts(count: int, sampled: int) -> None:
    """Wilson's own definition: the shares from which the sample lies at most z standard errors away."""
    value = count / sampled

    def accepted(share: float) -> bool:
        return abs(value - share) <= Z * sqrt(share * (1 - share) / sampled)

    def edge(inside: float, outside: float) -> float:
        for _ in range(200):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if accepted(middle) else (inside, middle)
        return inside

    low, high = interval(count, sampled)
    assert low == pytest.approx(edge(value, 0.0) if count else 0.0, abs=1e-9)
    assert high == pytest.approx(edge(value, 1.0), abs=1e-9)


@pytest.mark.parametrize(
    ("sampled", "population"), [(9, 10), (5, 40), (30, 40), (20, 97), (90, 97), (60, 1000)]
)
def test_of_a_known_population_they_are_whole_tweets_around_those_of_the_corrected_test(
    sampled: int, population: int
) -> None:
    """The same test with Cochran's variance of a sample without replacement, s(1-s)/n * (N-n)/(N-1)."""
    for count in range(sampled + 1):
        value = count / sampled

        def accepted(share: float, value: float = value) -> bool:
            variance = share * (1 - share) / sampled * (population - sampled) / (population - 1)
            return (value - share) ** 2 <= Z * Z * variance + 1e-15

        # The first whole number of tweets that is no longer accepted, or that the sample itself rules out.
        least, most = floor(value * population), ceil(value * population)
        while least > count and accepted(least / population):
            least -= 1
        while most < population - sampled + count and accepted(most / population):
            most += 1
        low, high = interval(count, sampled, population)
        assert (low * population, high * population) == pytest.approx((least, most), abs=1e-6)


def _tail_of_hypergeometric(
    population: int, having: int, sampled: int, count: int
) -> tuple[Fraction, Fraction]:
    """The chances of at most and of at least ``count``."""
    ways = comb(population, sampled)
    chances = [
        Fraction(comb(having, k) * comb(population - having, sampled - k), ways) for k in range(sampled + 1)
    ]
    return sum(chances[: count + 1], Fraction()), sum(chances[count:], Fraction())


@pytest.mark.parametrize(("population", "sampled"), [(20, 8), (30, 25), (60, 12), (60, 55)])
def test_what_it_leaves_out_is_unlikely(population: int, sampled: int) -> None:
    """Every truth outside the interval would give so extreme a sample in less than one of twenty draws."""
    for count in range(sampled + 1):
        low, high = interval(count, sampled, population)
        for having in range(population + 1):
            if low - 1e-12 <= having / population <= high + 1e-12:
                continue
            at_most, at_least = _tail_of_hypergeometric(population, having, sampled, count)
            assert min(at_most, at_least) < Fraction(1, 20)


def test_every_small_case_is_within_what_is_possible() -> None:
    for population in range(1, 26):
        for sampled in range(1, population + 1):
            before = (-1.0, -1.0)
            for count in range(sampled + 1):
                low, high = interval(count, sampled, population)
                # Ends are whole tweets: those seen, and at most those not seen besides.
                for end in (low, high):
                    tweets = end * population
                    assert abs(tweets - round(tweets)) < 1e-9 or end == count / sampled
                    assert count <= tweets + 1e-9
                    assert tweets - 1e-9 <= population - sampled + count
                assert low <= count / sampled <= high
                assert before[0] <= low
                assert before[1] <= high
                before = (low, high)


@pytest.mark.parametrize("population", [15, 33, 77, 200])
@pytest.mark.parametrize("sampled", [2, 3, 7, 14])
def test_it_covers_the_truth_on_other_grids(population: int, sampled: int) -> None:
    intervals = [interval(count, sampled, population) for count in range(sampled + 1)]
    coverage = []
    for having in range(population + 1):
        ways = comb(population, sampled)
        held = sum(
            comb(having, count) * comb(population - having, sampled - count)
            for count, (low, high) in enumerate(intervals)
            if low - 1e-12 <= having / population <= high + 1e-12
        )
        coverage.append(held / ways)
    assert sum(coverage) / len(coverage) >= 0.93
    assert min(coverage) >= 0.83
    assert coverage[0] == coverage[-1] == 1.0
    assert coverage == pytest.approx(coverage[::-1])


@given(st.integers(1, 300), st.data())
def test_more_of_the_same_makes_it_narrower(sampled: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, sampled))
    low, high = interval(count, sampled)
    for times in (2, 3, 10):
        narrow_low, narrow_high = interval(count * times, sampled * times)
        assert low - 1e-12 <= narrow_low <= narrow_high <= high + 1e-12


@given(st.integers(1, 200), st.integers(0, 400), st.data())
def test_a_larger_population_tells_less(sampled: int, more: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, sampled))
    population = sampled + more
    low, high = interval(count, sampled, population)
    one = 2 / population + 1e-9  # rounding to whole tweets may move an end by one of them, in each
    wide_low, wide_high = interval(count, sampled, population * 10)
    assert wide_low <= low + one
    assert wide_high >= high - one
    endless = interval(count, sampled)
    assert interval(count, sampled, 10**12) == pytest.approx(endless, abs=1e-8)
    assert interval(count, sampled, 10**18) == pytest.approx(endless, abs=1e-8)


def _shares(count: int, sampled: int, population: int | None = None) -> Share:
    return shares({"it": count}, sampled, population)["it"]


_SHARES = st.tuples(st.integers(0, 60), st.integers(0, 60), st.none() | st.integers(0, 500)).map(
    lambda t: _shares(t[0], t[0] + t[1] + 1, None if t[2] is None else t[0] + t[1] + 1 + t[2])
)


@given(_SHARES, _SHARES)
def test_a_change_of_those_that_have_is_the_mirror_of_those_that_have_not(now: Share, before: Share) -> None:
    def other(share: Share) -> Share:
        return Share(1 - share.value, 1 - share.high, 1 - share.low)

    there, mirrored = change(now, before), change(other(now), other(before))
    expected = (-there.value, -there.high, -there.low)
    assert (mirrored.value, mirrored.low, mirrored.high) == pytest.approx(expected, abs=1e-12)


@given(_SHARES)
def test_no_change_is_never_clear(share: Share) -> None:
    same = change(share, share)
    assert same.value == 0
    assert same.low == pytest.approx(-same.high)
    assert not same.clear
    width = sqrt((share.value - share.low) ** 2 + (share.high - share.value) ** 2)
    assert same.high == pytest.approx(min(1.0, width))


@given(_SHARES, _SHARES)
def test_a_change_is_clear_where_the_intervals_do_not_meet(now: Share, before: Share) -> None:
    # Newcombe's interval is shorter than the sum of both: apart intervals are clear, one inside the other is not.
    found = change(now, before)
    if now.low > before.high or before.low > now.high:
        assert found.clear
    if now.low <= before.value <= now.high and before.low <= now.value <= before.high:
        assert not found.clear


def test_points_change_without_doubt() -> None:
    found = change(_shares(3, 4, 4), _shares(1, 4, 4))
    assert (found.value, found.low, found.high, found.clear) == (0.5, 0.5, 0.5, True)
    assert change(_shares(0, 9), _shares(9, 9)).low == -1.0


@given(st.none() | st.integers(-5, 50), st.integers(0, 50), st.integers(0, 50))
def test_a_usable_population_always_gives_an_interval(volume: int | None, sampled: int, count: int) -> None:
    population = usable_population(volume, sampled)
    low, high = interval(min(count, sampled), sampled, population)
    assert 0 <= low <= high <= 1
