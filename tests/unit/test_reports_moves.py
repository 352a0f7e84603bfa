"""Trends against an earlier hour."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.report_records import HOUR, NOW, analysed, analysis, drawn, trend_row
from trendlark.records import TrendHour
from trendlark.reports.compute import summarise
from trendlark.reports.queries import gone, moved


def _summed(name: str, rank: int, moods: dict[str, int]) -> TrendHour:
    tweets, found = [], []
    for mood, many in moods.items():
        for n in range(many):
            tweets.append(drawn(f"{mood}{n}", trend=name))
            found.append(analysed(f"{mood}{n}", analysis(mood)))
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


def test_two_shares_that_grow_alike_leave_the_mood_as_it_was() -> None:
    now = _summed("#a", 1, {"negative": 50, "positive": 50})
    before = _summed("#a", 1, {"neutral": 80, "negative": 10, "positive": 10})
    [move] = moved([now], [before])
    assert move.mood
    assert move.mood.value == pytest.approx(0)
    assert not move.mood.clear


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
        assert move.climbed == 0


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
