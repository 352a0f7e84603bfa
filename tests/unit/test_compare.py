"""Comparing: who takes part, what level the intervals have, what may be marked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.report_records import NOW, analysis, drawn, trend_row
from trendlark.errors import InputError
from trendlark.records import TrendHour
from trendlark.reports.compare import MEASURES, compare
from trendlark.reports.compute import summarise


def summed(
    name: str,
    negative: int,
    positive: int,
    total: int,
    *,
    place: str = "es",
    model: str = "lark-1",
    volume: int | None = None,
) -> TrendHour:
    """A trend with so many negative and positive tweets, the rest neutral; the negative ones are angry."""
    moods = ["negative"] * negative + ["positive"] * positive + ["neutral"] * (total - negative - positive)
    tweets = [drawn(f"{name}-{n}", trend=name, place=place) for n in range(total)]
    found = {
        ("x", tweet.tweet_id): analysis(mood, emotions=("anger",) if mood == "negative" else (), model=model)
        for tweet, mood in zip(tweets, moods, strict=True)
    }
    row = trend_row(name, sampled=total, place=place, volume=volume)
    return summarise([row], tweets, found, NOW)[0]


def test_all_fourteen_shares_are_compared() -> None:
    assert len(MEASURES) == 14
    assert len(set(MEASURES)) == 14


def test_a_plain_difference_is_clear_and_a_small_one_is_not() -> None:
    found = compare([summed("a", 32, 4, 40), summed("b", 4, 32, 40)])
    negative = found.difference(0, 1, "sentiment", "negative")
    assert negative
    assert negative.value == pytest.approx(0.7)
    assert negative.low > 0
    assert found.clear(negative)
    assert found.clear(found.difference(0, 1, "emotions", "anger"))
    assert not found.clear(found.difference(0, 1, "sentiment", "neutral"))
    assert not found.clear(found.difference(0, 1, "emotions", "joy"))
    near = compare([summed("a", 20, 4, 40), summed("b", 14, 4, 40)])
    assert not near.clear(near.difference(0, 1, "sentiment", "negative"))


def test_the_other_way_round_a_difference_has_the_other_sign() -> None:
    found = compare([summed("a", 32, 4, 40), summed("b", 4, 30, 60)])
    there, back = found.difference(0, 1, "flags", "hate"), found.difference(1, 0, "flags", "hate")
    assert there
    assert back
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


def test_more_trends_ask_more_of_each_difference() -> None:
    rows = [summed(name, 20, 4, 40) for name in "abcde"]
    two, five = compare(rows[:2]), compare(rows)
    assert (two.differences, five.differences) == (14, 140)
    assert two.level == pytest.approx(1 - 0.05 / 14)
    assert len(five.pairs()) == 10
    narrow, wide = (one.difference(0, 1, "sentiment", "negative") for one in (two, five))
    assert narrow
    assert wide
    assert wide.low < narrow.low < 0 < narrow.high < wide.high


def test_what_is_marked_does_not_depend_on_the_order() -> None:
    rows = [summed("a", 32, 4, 40), summed("b", 4, 32, 40), summed("c", 20, 10, 40)]

    def clear(order: list[int]) -> set[tuple[str, ...]]:
        found = compare([rows[at] for at in order])
        return {
            (name, *sorted((rows[order[one]].trend.name, rows[order[two]].trend.name)))
            for kind, name in MEASURES
            for one, two in found.pairs()
            if found.clear(found.difference(one, two, kind, name))
        }

    assert clear([0, 1, 2]) == clear([2, 0, 1]) == clear([1, 2, 0]) != set()


def test_trends_without_an_analysed_tweet_take_no_part() -> None:
    empty = summarise([trend_row("c")], [], {}, NOW)[0]
    found = compare([summed("a", 32, 4, 40), trend_row("b"), empty, summed("d", 4, 32, 40), None])
    assert found.compared == (0, 3)
    assert found.differences == 14
    assert found.share(1, "sentiment", "negative") is None
    assert found.difference(0, 1, "sentiment", "negative") is None
    assert found.clear(found.difference(0, 3, "sentiment", "negative"))


def test_nothing_at_all_to_compare_is_no_error() -> None:
    found = compare([trend_row("a"), trend_row("b")])
    assert (found.differences, found.models, found.pairs()) == (0, (), [])
    assert found.level == pytest.approx(0.95)


def test_two_models_make_no_clear_difference() -> None:
    found = compare([summed("a", 32, 4, 40), summed("b", 4, 32, 40, model="lark-2")])
    negative = found.difference(0, 1, "sentiment", "negative")
    assert negative
    assert negative.clear
    assert not found.clear(negative)
    assert found.models == ("lark-1", "lark-2")


def test_a_small_known_hour_leaves_less_doubt() -> None:
    endless = compare([summed("a", 20, 4, 40), summed("b", 10, 4, 40)])
    known = compare([summed("a", 20, 4, 40, volume=50), summed("b", 10, 4, 40, volume=50)])
    assert not endless.clear(endless.difference(0, 1, "sentiment", "negative"))
    assert known.clear(known.difference(0, 1, "sentiment", "negative"))


@pytest.mark.parametrize("count", [0, 1, 6])
def test_two_to_five_are_compared(count: int) -> None:
    with pytest.raises(InputError, match=f"Found {count} trends"):
        compare([summed("a", 1, 1, 4)] * count)


def test_a_share_that_an_older_summary_lacks_is_left_out() -> None:
    whole = summed("a", 32, 4, 40)
    assert whole.summary
    old = replace(whole, summary=replace(whole.summary, emotions={}))
    found = compare([whole, old])
    assert found.share(1, "emotions", "joy") is None
    assert found.difference(0, 1, "emotions", "joy") is None
