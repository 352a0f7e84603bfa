"""What to ask of a source within a budget, and what a day of it costs. Pure arithmetic, nothing is asked.

The allowance of an hour is what was left of the day's budget before the hour was asked for, spread over the hours
left of the UTC day, and its places have equal parts of it. When a part does not cover every trend in full, all
trends get fewer tweets, down to ten each; when it does not cover that, the lowest ranks are listed without tweets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from trendlark.hours import Hour
from trendlark.records import Place, Trend

FEWEST_TWEETS = 10
OVER_BUDGET = "over budget"
DAYS_PER_MONTH = 30
_CENT_FRACTION = 1e-9  # sums of 0.005 stray from their decimal value


class Prices(Protocol):
    """What a source costs; every ``Source`` has them."""

    def cost_of_trends(self) -> float:
        """US dollars of one trends request."""

    def cost_of_tweets(self, wanted: int, windows: int) -> float:
        """US dollars, upper bound, of the sample of one trend."""


@dataclass(frozen=True, slots=True)
class TrendPlan:
    """What to ask for one trend; no tweets where ``note`` says why."""

    trend: Trend
    tweets: int
    windows: int
    cost: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class HourPlan:
    """What to ask for the trends of an hour, in the order of rank; ``cost`` is at most the allowance."""

    trends: tuple[TrendPlan, ...]
    cost: float


@dataclass(frozen=True, slots=True)
class PlaceDay:
    """A row of ``trendlark plan``: a place over a UTC day (30 days for the month), in US dollars."""

    place: str
    trends_wanted: int
    trends_sampled: int
    tweets_per_trend: int
    windows_per_hour: int
    tweets_per_day: int
    cost_per_hour: float
    cost_per_day: float
    cost_per_month: float
    note: str | None = None


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A day of collecting within the budget, and what it would cost unbounded."""

    places: tuple[PlaceDay, ...]
    budget_per_day: float
    cost_per_day: float
    cost_per_month: float
    wanted_per_day: float
    wanted_per_month: float


def allowance(budget_usd_per_day: float, spent_usd: float, hour: Hour) -> float:
    """US dollars that what is collected in an hour may cost, given what else its UTC day has cost; never negative."""
    hours_left = 24 - hour.start.hour
    return max(0.0, budget_usd_per_day - spent_usd) / hours_left


def part_of_place(
    allowance_usd: float, spent_usd: Mapping[str, float], waiting: Collection[str], place: str
) -> float:
    """US dollars that a place may still spend of an hour's allowance; never negative.

    ``spent_usd`` is what the hour has cost, by place; ``waiting`` names the places that are not collected yet. They
    have equal parts of what the collected ones left. What a waiting place has spent counts as of its own part, so
    that one that failed finds the rest of its part when it is tried again.
    """
    sharing = {*waiting, place}
    left = allowance_usd - sum(usd for name, usd in spent_usd.items() if name not in sharing)
    return max(0.0, left / len(sharing) - spent_usd.get(place, 0.0))


def fits(cost: float, allowance_usd: float) -> bool:
    """Whether a cost is within an allowance; what costs nothing always is."""
    return cost <= allowance_usd + _CENT_FRACTION


def plan_hour(
    trends: Sequence[Trend],
    tweets_per_trend: int,
    windows_per_hour: int,
    prices: Prices,
    allowance_usd: float,
) -> HourPlan:
    """Share an allowance among trends (the trends request being paid already)."""
    ranked = sorted(trends, key=lambda trend: trend.rank)
    sampled, tweets = _share(len(ranked), tweets_per_trend, windows_per_hour, prices, allowance_usd)
    cost = prices.cost_of_tweets(tweets, windows_per_hour) if sampled else 0.0
    plans = [
        TrendPlan(trend, tweets, windows_per_hour, cost)
        if index < sampled
        else TrendPlan(trend, 0, 0, 0.0, OVER_BUDGET)
        for index, trend in enumerate(ranked)
    ]
    return HourPlan(tuple(plans), round(cost * sampled, 6))


def plan_day(
    places: Sequence[Place],
    trends_per_place: int,
    tweets_per_trend: int,
    windows_per_hour: int,
    prices: Prices,
    budget_usd_per_day: float,
) -> DayPlan:
    """What a whole UTC day would ask for and cost, each hour and place having an equal part of the budget."""
    part = budget_usd_per_day / 24 / max(1, len(places))
    rows = []
    for place in places:
        left = part - prices.cost_of_trends()
        listed = trends_per_place if fits(0.0, left) else 0
        sampled, tweets = _share(listed, tweets_per_trend, windows_per_hour, prices, left)
        hourly = prices.cost_of_trends() + sampled * prices.cost_of_tweets(tweets, windows_per_hour)
        hourly = hourly if listed else 0.0
        rows.append(
            PlaceDay(
                place=place.slug,
                trends_wanted=trends_per_place,
                trends_sampled=sampled,
                tweets_per_trend=tweets if sampled else 0,
                windows_per_hour=windows_per_hour,
                tweets_per_day=sampled * tweets * 24,
                cost_per_hour=round(hourly, 6),
                cost_per_day=round(hourly * 24, 6),
                cost_per_month=round(hourly * 24 * DAYS_PER_MONTH, 6),
                note=_note(listed, sampled, tweets, trends_per_place, tweets_per_trend),
            )
        )
    cost = sum(row.cost_per_day for row in rows)
    wanted = (
        24
        * len(places)
        * (
            prices.cost_of_trends()
            + trends_per_place * prices.cost_of_tweets(tweets_per_trend, windows_per_hour)
        )
    )
    return DayPlan(
        tuple(rows),
        budget_usd_per_day,
        round(cost, 6),
        round(cost * DAYS_PER_MONTH, 6),
        round(wanted, 6),
        round(wanted * DAYS_PER_MONTH, 6),
    )


def _share(
    trends: int, tweets_per_trend: int, windows: int, prices: Prices, allowance_usd: float
) -> tuple[int, int]:
    if trends == 0:
        return 0, tweets_per_trend
    allowance_usd = max(0.0, allowance_usd)
    fewest = min(FEWEST_TWEETS, tweets_per_trend)
    for tweets in range(tweets_per_trend, fewest - 1, -1):
        if fits(trends * prices.cost_of_tweets(tweets, windows), allowance_usd):
            return trends, tweets
    cost = prices.cost_of_tweets(fewest, windows)
    return max(0, int((allowance_usd + _CENT_FRACTION) / cost)), fewest


def _note(listed: int, sampled: int, tweets: int, trends_wanted: int, tweets_wanted: int) -> str | None:
    if not listed:
        return "the budget does not cover the list of trends"
    if sampled < trends_wanted:
        return f"the budget covers {sampled} of {trends_wanted} trends"
    if tweets < tweets_wanted:
        return f"the budget covers {tweets} of {tweets_wanted} tweets a trend"
    return None
