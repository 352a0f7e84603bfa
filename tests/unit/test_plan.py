"""No plan costs more than it may, and none leaves out what it could afford."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.hours import Hour
from trendlark.records import PLACES, Trend
from trendlark.sources.plan import OVER_BUDGET, allowance, part_of_place, plan_day, plan_hour
from trendlark.sources.x import XPrices

HOUR = Hour.parse("2026-11-23T07")
X = XPrices()
ROOM = 1e-6


class Free:
    """A source that costs nothing."""

    def cost_of_trends(self) -> float:
        """Nothing."""
        return 0.0

    def cost_of_tweets(self, wanted: int, windows: int) -> float:
        """Nothing."""
        del wanted, windows
        return 0.0


def trends(count: int) -> list[Trend]:
    """Trends from the last rank to the first."""
    return [Trend(HOUR, "x", "es", f"t{rank}", rank) for rank in range(count, 0, -1)]


def test_what_is_affordable_is_planned_in_full_and_in_rank_order() -> None:
    plan = plan_hour(trends(10), 20, 4, X, 1.0)
    assert [item.trend.rank for item in plan.trends] == list(range(1, 11))
    assert {(item.tweets, item.windows, item.note) for item in plan.trends} == {(20, 4, None)}
    assert plan.cost == pytest.approx(1.0)


def test_tweets_are_cut_before_trends_are() -> None:
    plan = plan_hour(trends(10), 20, 4, X, 0.75)
    assert {item.tweets for item in plan.trends} == {15}
    assert plan.cost == pytest.approx(0.75)


def test_the_lowest_ranks_go_without_tweets_and_say_why() -> None:
    plan = plan_hour(trends(10), 20, 4, X, 0.16)
    assert [item.tweets for item in plan.trends] == [10] * 3 + [0] * 7
    assert {item.note for item in plan.trends[3:]} == {OVER_BUDGET}
    assert sum(item.cost for item in plan.trends) == pytest.approx(plan.cost) == pytest.approx(0.15)


def test_a_budget_of_zero_asks_a_paid_source_for_nothing_and_a_free_one_for_all() -> None:
    assert {item.tweets for item in plan_hour(trends(5), 20, 4, X, 0.0).trends} == {0}
    assert {item.tweets for item in plan_hour(trends(5), 20, 4, Free(), 0.0).trends} == {20}
    assert {item.tweets for item in plan_hour(trends(5), 20, 4, Free(), -1.0).trends} == {20}
    assert plan_hour([], 20, 4, X, 1.0).trends == ()


@given(st.integers(0, 50), st.integers(10, 1000), st.integers(1, 60), st.floats(0, 300))
def test_an_hour_never_exceeds_its_allowance_and_wastes_less_than_one_trend(
    count: int, tweets: int, windows: int, allowed: float
) -> None:
    plan = plan_hour(trends(count), tweets, windows, X, allowed)
    assert plan.cost <= allowed + ROOM
    assert len(plan.trends) == count
    sampled = [item for item in plan.trends if item.tweets]
    assert sampled == list(plan.trends[: len(sampled)])
    if len(sampled) < count:
        assert plan.cost + X.cost_of_tweets(10, windows) > allowed - ROOM
    elif sampled and sampled[0].tweets < tweets:
        assert count * X.cost_of_tweets(sampled[0].tweets + 1, windows) > allowed - ROOM


@given(st.floats(0, 1000), st.integers(0, 23))
def test_hours_that_spend_their_allowance_spend_the_budget_and_no_more(budget: float, first: int) -> None:
    spent = 0.0
    for hour in range(first, 24):
        allowed = allowance(budget, spent, Hour.parse(f"2026-11-23T{hour:02}"))
        assert 0 <= allowed <= budget
        spent += allowed
    assert spent == pytest.approx(budget)


def test_an_overspent_day_allows_nothing() -> None:
    assert allowance(10, 11, HOUR) == 0


def test_places_have_equal_parts_of_what_the_collected_ones_left() -> None:
    assert part_of_place(1.2, {}, ["es", "us", "mx"], "es") == pytest.approx(0.4)
    # The first spent little, the list of its own trends is paid.
    assert part_of_place(1.2, {"es": 0.2, "us": 0.01}, ["us", "mx"], "us") == pytest.approx(0.49)
    # Two that failed halfway: what they have spent is of their own part, not of the third one's.
    failed = {"es": 0.1, "us": 0.4}
    assert part_of_place(1.2, failed, ["es", "us", "mx"], "mx") == pytest.approx(0.4)
    assert part_of_place(1.2, failed, ["es", "us", "mx"], "es") == pytest.approx(0.3)
    assert part_of_place(1.2, failed, ["es", "us", "mx"], "us") == 0
    # One that the settings do not name shares with those that they name.
    assert part_of_place(1.2, {}, ["es"], "fr") == pytest.approx(0.6)
    assert part_of_place(1.2, {}, [], "fr") == pytest.approx(1.2)


SPENDING = st.dictionaries(st.sampled_from("abcde"), st.floats(0, 10))


@given(st.floats(0, 10), SPENDING, st.sets(st.sampled_from("abcde"), min_size=1))
def test_the_parts_of_an_hour_are_never_negative_and_never_more_than_it_has(
    allowed: float, spent: dict[str, float], waiting: set[str]
) -> None:
    parts = {place: part_of_place(allowed, spent, waiting, place) for place in waiting}
    assert min(parts.values()) >= 0
    gone = sum(usd for place, usd in spent.items() if place not in waiting)
    for place, part in parts.items():
        assert part <= max(0.0, allowed - gone) / len(waiting) + ROOM
        assert part == 0 or part + spent.get(place, 0.0) <= (allowed - gone) / len(waiting) + ROOM


def day_of_collecting(places: list[str], budget: float) -> tuple[dict[tuple[int, str], int], float]:
    """The tweets of each hour and place of a UTC day in which every trend has enough of them, and the day's cost."""
    drawn: dict[tuple[int, str], int] = {}
    before = 0.0
    for number in range(24):
        spent: dict[str, float] = {}
        for index, place in enumerate(places):
            spent[place] = X.cost_of_trends()
            hourly = allowance(budget, before, Hour.parse(f"2026-11-23T{number:02}"))
            plan = plan_hour(trends(10), 20, 4, X, part_of_place(hourly, spent, places[index:], place))
            spent[place] += plan.cost
            drawn[number, place] = sum(item.tweets for item in plan.trends)
        before += sum(spent.values())
    return drawn, before


@pytest.mark.parametrize(
    ("places", "budget"), [(1, 5.0), (2, 10.0), (4, 20.0), (13, 65.0), (2, 40.0), (13, 260.0)]
)
def test_a_day_gives_each_hour_and_place_its_equal_part(places: int, budget: float) -> None:
    slugs = list(PLACES)[:places]
    drawn, cost = day_of_collecting(slugs, budget)
    planned = plan_day([PLACES[slug] for slug in slugs], 10, 20, 4, X, budget)
    for number in range(24):
        of_hour = [drawn[number, slug] for slug in slugs]
        # Tweets are cut by ten: by one of each trend, or by one trend with its ten.
        assert max(of_hour) - min(of_hour) <= 10
        assert min(of_hour) >= planned.places[0].tweets_per_day / 24 > 0
    assert budget - 1 < cost <= budget + ROOM


def test_the_figures_of_the_price_list() -> None:
    day = plan_day([PLACES["es"]], 10, 20, 4, X, 1000)
    (row,) = day.places
    assert row.cost_per_month == pytest.approx(720 + 24 * 30 * 0.01)
    assert (row.tweets_per_day, row.note) == (4800, None)
    assert day.wanted_per_month == pytest.approx(row.cost_per_month)
    large = plan_day([PLACES["es"]], 20, 100, 4, X, 1000)
    assert large.wanted_per_month == pytest.approx(7200 + 7.2)


@pytest.mark.parametrize(
    ("budget", "note"),
    [
        (100.0, None),
        (40.0, "the budget covers 16 of 20 tweets a trend"),
        (10.0, "the budget covers 3 of 10 trends"),
        (0.5, "the budget covers 0 of 10 trends"),
        (0.4, "the budget does not cover the list of trends"),
    ],
)
def test_a_day_says_what_the_budget_buys(budget: float, note: str | None) -> None:
    day = plan_day([PLACES["es"], PLACES["us"]], 10, 20, 4, X, budget)
    assert [row.note for row in day.places] == [note, note]
    assert day.wanted_per_day == pytest.approx(48.48)
    assert day.cost_per_day <= budget


@given(
    st.integers(0, 13), st.integers(1, 50), st.integers(10, 1000), st.integers(1, 60), st.floats(0, 100_000)
)
def test_a_day_never_exceeds_its_budget(
    places: int, count: int, tweets: int, windows: int, budget: float
) -> None:
    day = plan_day(list(PLACES.values())[:places], count, tweets, windows, X, budget)
    assert day.cost_per_day <= budget + ROOM * 24
    assert day.cost_per_day <= day.wanted_per_day + ROOM
    free = plan_day(list(PLACES.values())[:places], count, tweets, windows, Free(), 0)
    assert free.cost_per_month == 0
    assert all(row.trends_sampled == count and row.tweets_per_trend == tweets for row in free.places)
