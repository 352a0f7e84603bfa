"""Intervals: published values, exact coverage by enumeration, and what must hold for any numbers."""

from __future__ import annotations

from math import comb, exp, lgamma, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import InputError
from trendlark.records import Share
from trendlark.reports.intervals import balance, change, interval, shares, swing, usable_population


@pytest.mark.parametrize(
    ("count", "sampled", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_without_a_population_it_is_wilsons_interval(
    count: int, sampled: int, low: float, high: float
) -> None:
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3.
    assert interval(count, sampled) == pytest.approx((low, high), abs=5e-5)


def test_a_known_population_makes_the_sample_count_for_more() -> None:
    # 50 of 100 count as 50 * 99 / 50 = 99 draws; Wilson's interval of 0.4 with 99 draws by hand.
    z2 = 3.841458820694124
    centre = (0.4 + z2 / 198) / (1 + z2 / 99)
    half = (z2 * 0.24 / 99 + z2 * z2 / (4 * 99 * 99)) ** 0.5 / (1 + z2 / 99)
    assert (centre - half, centre + half) == pytest.approx((0.30898, 0.49849), abs=5e-6)
    # Of 100 tweets a share is a whole number of hundredths: outward to the next ones.
    assert interval(20, 50, 100) == (0.30, 0.50)


def test_a_whole_population_leaves_no_doubt() -> None:
    assert interval(3, 4, 4) == (0.75, 0.75)
    assert interval(0, 1, 1) == (0.0, 0.0)


def test_nothing_sampled_tells_nothing() -> None:
    assert interval(0, 0) == (0.0, 1.0)
    assert interval(0, 0, 10) == (0.0, 1.0)
    assert interval(0, 0, 0) == (0.0, 1.0)
    assert shares({"joy": 0}, 0) == {}


def test_what_the_sample_proves_is_never_doubted() -> None:
    # 9 of 10 tweets are known, 5 of them negative: the share is 5/10 or 6/10 and nothing else.
    low, high = interval(5, 9, 10)
    assert low >= 0.5
    assert high <= 0.6


def test_shares_carry_their_names_values_and_intervals() -> None:
    found = shares({"negative": 1, "positive": 3}, 4, 4)
    assert found == {"negative": Share(0.25, 0.25, 0.25), "positive": Share(0.75, 0.75, 0.75)}


@pytest.mark.parametrize(("count", "sampled", "population"), [(5, 4, None), (-1, 4, None), (1, 4, 3)])
def test_numbers_that_contradict_each_other_are_refused(
    count: int, sampled: int, population: int | None
) -> None:
    with pytest.raises(InputError, match="Found"):
        interval(count, sampled, population)


def test_a_volume_is_used_where_the_sample_does_not_refute_it() -> None:
    assert usable_population(None, 10) is None
    assert usable_population(9, 10) is None
    assert usable_population(10, 10) == 10
    assert usable_population(12_000, 20) == 12_000
    assert usable_population(0, 0) is None


def _hypergeometric(population: int, having: int, sampled: int) -> list[float]:
    ways = comb(population, sampled)
    return [comb(having, k) * comb(population - having, sampled - k) / ways for k in range(sampled + 1)]


def _coverage(population: int, sampled: int) -> list[float]:
    """For each true number of tweets that have a property, how often the interval holds the true share."""
    intervals = [interval(k, sampled, population) for k in range(sampled + 1)]
    found = []
    for having in range(population + 1):
        chances = _hypergeometric(population, having, sampled)
        truth = having / population
        found.append(
            sum(
                chance
                for chance, (low, high) in zip(chances, intervals, strict=True)
                if low - 1e-12 <= truth <= high + 1e-12
            )
        )
    return found


@pytest.mark.parametrize("population", [12, 20, 50, 120, 400])
@pytest.mark.parametrize("part", [0.1, 0.25, 0.5, 0.8, 0.95])
def test_it_holds_the_truth_as_often_as_it_says_in_finite_hours(population: int, part: float) -> None:
    sampled = max(5, round(population * part))
    coverage = _coverage(population, sampled)
    assert sum(coverage) / len(coverage) >= 0.93
    assert min(coverage) >= 0.92


@pytest.mark.parametrize("sampled", [5, 10, 20, 50, 100])
def test_it_holds_the_truth_as_often_as_it_says_in_endless_hours(sampled: int) -> None:
    intervals = [interval(k, sampled) for k in range(sampled + 1)]
    coverage = []
    for step in range(1, 200):
        truth = step / 200
        coverage.append(
            sum(
                comb(sampled, k) * truth**k * (1 - truth) ** (sampled - k)
                for k, (low, high) in enumerate(intervals)
                if low <= truth <= high
            )
        )
    assert sum(coverage) / len(coverage) >= 0.94
    assert min(coverage) >= 0.83


@st.composite
def _samples(draw: st.DrawFn) -> tuple[int, int, int | None]:
    sampled = draw(st.integers(1, 5000))
    count = draw(st.integers(0, sampled))
    population = draw(st.none() | st.integers(sampled, sampled * 3) | st.integers(sampled, 10**9))
    return count, sampled, population


@given(_samples())
def test_it_holds_the_estimate_and_stays_between_0_and_1(sample: tuple[int, int, int | None]) -> None:
    count, sampled, population = sample
    low, high = interval(count, sampled, population)
    assert 0.0 <= low <= count / sampled <= high <= 1.0


@given(_samples())
def test_it_grows_with_the_count(sample: tuple[int, int, int | None]) -> None:
    count, sampled, population = sample
    low, high = interval(count, sampled, population)
    more_low, more_high = interval(min(sampled, count + 1), sampled, population)
    assert low <= more_low + 1e-12
    assert high <= more_high + 1e-12


@given(_samples())
def test_knowing_the_population_never_widens_it_by_more_than_a_tweet(
    sample: tuple[int, int, int | None],
) -> None:
    count, sampled, population = sample
    low, high = interval(count, sampled, population)
    wide_low, wide_high = interval(count, sampled)
    one = 1 / population + 1e-12 if population else 0.0
    assert wide_low <= low + one
    assert wide_high >= high - one


@given(_samples())
def test_it_is_the_mirror_of_the_interval_of_those_that_have_not(sample: tuple[int, int, int | None]) -> None:
    count, sampled, population = sample
    low, high = interval(count, sampled, population)
    other_low, other_high = interval(sampled - count, sampled, population)
    assert (low, high) == pytest.approx((1 - other_high, 1 - other_low), abs=1e-9)


def _share(count: int, sampled: int) -> Share:
    return shares({"it": count}, sampled)["it"]


@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_a_change_is_newcombes_interval(
    now: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    # Newcombe 1998, Statistics in Medicine 17:873-890, table II, method 10.
    found = change(_share(*now), _share(*before))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.value == pytest.approx(now[0] / now[1] - before[0] / before[1])
    assert found.clear is (low > 0)


@given(_samples(), _samples())
def test_a_change_holds_its_value_and_turns_round(
    first: tuple[int, int, int | None], second: tuple[int, int, int | None]
) -> None:
    now, before = _share(*first[:2]), _share(*second[:2])
    there, back = change(now, before), change(before, now)
    assert -1.0 <= there.low <= there.value <= there.high <= 1.0
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.clear == back.clear


def _balance_covers(sampled: int, positive: float, negative: float) -> float:
    """How often the interval of the balance holds the truth, over every sample that may be drawn."""
    logs = [lgamma(count + 1) for count in range(sampled + 1)]
    total = 0.0
    for more in range(sampled + 1):
        for less in range(sampled + 1 - more):
            found = balance(_share(more, sampled), _share(less, sampled))
            if found.low - 1e-12 <= positive - negative <= found.high + 1e-12:
                rest = sampled - more - less
                total += exp(
                    logs[sampled] - logs[more] - logs[less] - logs[rest]
                    + more * log(positive) + less * log(negative) + rest * log(1 - positive - negative)
                )  # fmt: skip
    return total


@pytest.mark.parametrize(("sampled", "least"), [(10, 0.90), (20, 0.92), (40, 0.935)])
def test_a_balance_holds_the_truth_as_often_as_it_says(sampled: int, least: float) -> None:
    grid = (0.05, 0.2, 0.35, 0.45, 0.6, 0.8)
    covers = [_balance_covers(sampled, one, other) for one in grid for other in grid if one + other < 1]
    assert sum(covers) / len(covers) >= 0.945
    assert min(covers) >= least


def test_a_balance_of_all_or_of_none_stays_within_what_is_possible() -> None:
    for more, less in ((10, 0), (0, 10), (0, 0), (5, 5)):
        found = balance(_share(more, 10), _share(less, 10))
        assert found.value == pytest.approx((more - less) / 10)
        assert -1 <= found.low <= found.value <= found.high <= 1
    # Both shares of one sample make it wider than those of two would.
    apart = change(_share(8, 20), _share(8, 20))
    assert balance(_share(8, 20), _share(8, 20)).low < apart.low


@given(_samples(), _samples())
def test_a_swing_holds_its_value_and_turns_round(
    first: tuple[int, int, int | None], second: tuple[int, int, int | None]
) -> None:
    moods = [
        balance(_share(count, sampled), _share(sampled - count, sampled))
        for count, sampled, _ in (first, second)
    ]
    there, back = swing(*moods), swing(*reversed(moods))
    assert -2.0 <= there.low <= there.value <= there.high <= 2.0
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert there.clear == back.clear
