"""Trends against an earlier hour."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.report_records import HOUR, NOW, analysed, analysis, drawn, trend_row
from trendlark.records import TrendHour
from trendlark.reports.compare import compare
from trendlark.reports.compute import summarise
from trendlark.reports.queries import gone, moved


def _summed(name: str, rank: int, moods: dict[str, int], model: str = "lark-1") -> TrendHour:
    tweets, found = [], []
    for mood, many in moods.items():
        for n in range(many):
            tweets.append(drawn(f"{mood}{n}", trend=name))
            found.append(analysed(f"{mood}{n}", analysis(mood, model=model)))
    [row] = summarise([trend_row(name, rank=rank, sampled=len(tweets))], tweets, found, NOW)
    return row


def test_climbing_is_positive_and_new_trends_have_no_rank_before() -> None:
    now = [trend_row("#c", rank=1), trend_row("#a", rank=2), trend_row("#b", rank=3)]
    before = [trend_row("#b", rank=2, hour=HOUR - 1), trend_row("#c", rank=9, hour=HOUR - 1)]
    found = moved(now, before)
    assert [(move.row.trend.name, move.rank_before, move.climbed, move.new) for move in found] == [
        ("#c", 9, 8, False),
        ("#a", None, None, True),
        ("#b", 2, -1, False),
    ]


def test_the_same_name_elsewhere_is_another_trend() -> None:
    [move] = moved([trend_row("#a")], [trend_row("#a", place="mx")])
    assert move.new
    other_source = trend_row("#a")
    other_source = replace(other_source, trend=replace(other_source.trend, source="mastodon"))
    assert moved([trend_row("#a")], [other_source])[0].new
    assert gone([trend_row("#a")], [other_source]) == [other_source]


def test_a_change_of_mood_beyond_luck_is_clear() -> None:
    now = _summed("#a", 1, {"negative": 80, "positive": 20})
    before = _summed("#a", 1, {"negative": 20, "positive": 80})
    [move] = moved([now], [before])
    assert move.mood
    assert move.mood.value == pytest.approx(-1.2)
    assert -2 <= move.mood.low < -1.2 < move.mood.high < 0
    assert move.mood.clear
    assert move.mood_is_clear


def test_a_change_of_model_is_no_clear_change_of_mood_but_is_still_told() -> None:
    before = _summed("#a", 1, {"negative": 20, "positive": 80})
    same, other = (
        _summed("#a", 1, {"negative": 80, "positive": 20}, model) for model in ("lark-1", "lark-2")
    )
    [read_alike], [read_otherwise] = moved([same], [before]), moved([other], [before])
    assert read_otherwise.mood == read_alike.mood
    assert read_otherwise.mood is not None
    assert read_otherwise.mood.clear
    assert (read_alike.mood_is_clear, read_otherwise.mood_is_clear) == (True, False)
    # The next hour is of the new model, too: marks are back.
    [move] = moved([_summed("#a", 1, {"positive": 100}, "lark-2")], [other])
    assert move.mood_is_clear
    # The page Compare takes the same two rows the same way.
    side_by_side = compare([other, before])
    difference = side_by_side.difference(0, 1, "sentiment", "negative")
    assert difference is not None
    assert difference.clear
    assert not side_by_side.clear(difference)


def test_two_shares_that_grow_alike_leave_the_mood_as_it_was() -> None:
    now = _summed("#a", 1, {"negative": 50, "positive": 50})
    before = _summed("#a", 1, {"neutral": 80, "negative": 10, "positive": 10})
    [move] = moved([now], [before])
    assert move.mood
    assert move.mood.value == pytest.approx(0)
    assert not move.mood.clear
    assert not move.mood_is_clear


def test_a_change_of_mood_in_few_tweets_is_not_clear() -> None:
    now, before = _summed("#a", 1, {"negative": 3, "positive": 2}), _summed("#a", 2, {"positive": 5})
    [move] = moved([now], [before])
    assert move.climbed == 1
    assert move.mood
    assert move.mood.value == pytest.approx(-1.2)
    assert move.mood.high > -0.3


def test_without_both_summaries_or_without_tweets_there_is_no_change_of_mood() -> None:
    summed, bare, empty = _summed("#a", 1, {"neutral": 3}), trend_row("#a"), _summed("#a", 1, {})
    for now, before in ((summed, bare), (bare, summed), (bare, bare), (summed, empty), (empty, summed)):
        [move] = moved([now], [before])
        assert move.mood is None
        assert not move.mood_is_clear
        assert move.climbed == 0
    [new] = moved([summed], [])
    assert not new.mood_is_clear


_NAMES = st.lists(st.sampled_from(["#a", "#b", "#c", "#d", "#e"]), unique=True)


@given(_NAMES, _NAMES)
def test_every_trend_is_new_stays_or_is_gone(now: list[str], before: list[str]) -> None:
    rows_now = [trend_row(name, rank=rank) for rank, name in enumerate(now, 1)]
    rows_before = [trend_row(name, rank=rank) for rank, name in enumerate(before, 1)]
    found = moved(rows_now, rows_before)
    assert [move.row for move in found] == rows_now
    assert {move.row.trend.name for move in found if move.new} == set(now) - set(before)
    assert [row.trend.name for row in gone(rows_now, rows_before)] == [n for n in before if n not in now]
    for move in found:
        assert move.new or move.climbed == before.index(move.row.trend.name) - now.index(move.row.trend.name)
