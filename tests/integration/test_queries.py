"""What people ask, answered from a real lake that was collected, analysed and summed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.report_records import HOUR, NOW, analysed, analysis, drawn, trend_row
from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.lake import Lake, open_lake
from trendlark.records import AnalyzedTweet, TrendHour, Tweet
from trendlark.reports.compute import summarise
from trendlark.reports.queries import (
    example_tweets,
    gone,
    hours,
    latest_hour,
    moved,
    places,
    sources,
    trend_over_hours,
    trends,
)

_MOODS = ("positive", "negative", "negative", "neutral")


def _fill(lake: Lake, hour: Hour, rows: Sequence[TrendHour], place: str = "es") -> None:
    """An hour through all three jobs; each trend gets four tweets with ids of its own, one of them in all trends."""
    tweets: list[Tweet] = []
    found: dict[str, AnalyzedTweet] = {}
    for row in rows:
        name = row.trend.name
        ids = ["shared", *(f"{name}-{n}" for n in range(3))]
        tweets += [
            drawn(one, f"frase {n} sobre {name} y {n * 7} cosas", trend=name, place=place, hour=hour)
            for n, one in enumerate(ids)
        ]
        found |= {
            one: analysed(one, analysis(mood), hour=hour) for one, mood in zip(ids, _MOODS, strict=True)
        }
    lake.commit_collection(hour, "x", place, tweets, rows, [], "collect-1")
    lake.insert_analyses(hour, list(found.values()), "analyze-1")
    summarised = summarise(
        lake.trend_hours(hour, source="x"), lake.tweets(hour, source="x"), lake.analyses(hour, "x"), NOW
    )
    lake.commit_summaries(hour, "x", summarised, "summarise-1")


def _rows(hour: Hour, *names: str, place: str = "es") -> list[TrendHour]:
    return [
        trend_row(name, rank=rank, sampled=4, place=place, hour=hour) for rank, name in enumerate(names, 1)
    ]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Hours 5 and 7 of es and hour 7 of mx; nothing in hour 6."""
    lake = open_lake(str(tmp_path_factory.mktemp("reports") / "lake"))
    _fill(lake, HOUR - 2, _rows(HOUR - 2, "#uno", "#dos", "O'Brien"))
    _fill(lake, HOUR, _rows(HOUR, "#dos", "#uno", "#tres"))
    _fill(lake, HOUR, _rows(HOUR, "#uno", place="mx"), place="mx")
    return lake


def test_an_empty_lake_has_nothing_to_tell(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "empty"))
    assert sources(lake) == []
    assert places(lake) == []
    assert hours(lake) == []
    assert latest_hour(lake) is None
    assert trends(lake, "x", "es", HOUR) == []
    assert [point.row for point in trend_over_hours(lake, "x", "es", "#uno", HOUR, hours=2)] == [None, None]
    assert example_tweets(lake, trend_row()) == []


def test_sources_places_and_hours(lake: Lake) -> None:
    assert sources(lake) == ["x"]
    assert places(lake) == places(lake, "x") == ["es", "mx"]
    assert places(lake, "mastodon") == []
    assert hours(lake, "x", "es") == [HOUR, HOUR - 2]
    assert hours(lake, "x", "mx") == [HOUR]
    assert hours(lake) == [HOUR, HOUR - 2]
    assert latest_hour(lake, "x", "es") == HOUR
    assert latest_hour(lake, "x", "fr") is None


def test_trends_come_from_the_top_with_what_was_summed_up(lake: Lake) -> None:
    rows = trends(lake, "x", "es", HOUR)
    assert [row.trend.name for row in rows] == ["#dos", "#uno", "#tres"]
    for row in rows:
        assert row.summary is not None
        assert row.summary.analysed == 4
        assert row.summary.sentiment["negative"].value == 0.5
        assert len(row.summary.examples) == 3
        assert row.summary.summarised_at == NOW
    assert trends(lake, "x", "es", HOUR - 1) == []


def test_the_lake_gives_back_what_was_summed_up(lake: Lake) -> None:
    rows = lake.trend_hours(HOUR, source="x")
    again = summarise(rows, lake.tweets(HOUR, source="x"), lake.analyses(HOUR, "x"), NOW)
    assert again == rows


def test_a_trend_over_hours_shows_its_gaps(lake: Lake) -> None:
    points = trend_over_hours(lake, "x", "es", "#uno", HOUR, hours=4)
    assert [point.hour for point in points] == [HOUR - 3, HOUR - 2, HOUR - 1, HOUR]
    assert [point.row and point.row.trend.rank for point in points] == [None, 1, None, 2]
    assert len(trend_over_hours(lake, "x", "es", "#uno", HOUR)) == 24
    quoted = trend_over_hours(lake, "x", "es", "O'Brien", HOUR - 2, hours=1)
    assert [point.row and point.row.trend.name for point in quoted] == ["O'Brien"]
    with pytest.raises(InputError, match="Found 0 hours"):
        trend_over_hours(lake, "x", "es", "#uno", HOUR, hours=0)


def test_moves_between_two_hours_of_the_lake(lake: Lake) -> None:
    now, before = trends(lake, "x", "es", HOUR), trends(lake, "x", "es", HOUR - 2)
    found = moved(now, before)
    assert [(move.row.trend.name, move.climbed, move.new) for move in found] == [
        ("#dos", 1, False),
        ("#uno", -1, False),
        ("#tres", None, True),
    ]
    assert [row.trend.name for row in gone(now, before)] == ["O'Brien"]
    assert found[0].mood
    assert found[0].mood.value == 0.0
    assert not found[0].mood.clear


def test_example_tweets_are_those_of_the_trend_in_the_order_of_the_summary(lake: Lake) -> None:
    row = trends(lake, "x", "es", HOUR)[1]
    assert row.summary is not None
    found = example_tweets(lake, row)
    assert tuple(one.tweet.tweet_id for one in found) == row.summary.examples
    for one in found:
        assert (one.tweet.place, one.tweet.trend, one.tweet.hour) == ("es", "#uno", HOUR)
        assert one.tweet.collected_at == NOW
        assert one.analyzed is not None
        assert one.analyzed.tweet_id == one.tweet.tweet_id
        assert one.analyzed.hour == HOUR


def test_examples_that_are_no_longer_there_are_left_out(lake: Lake) -> None:
    row = trends(lake, "x", "es", HOUR)[1]
    assert row.summary is not None
    ids = ("no such", "shared", "it's", "nul\x00", "#dos-1")
    told = example_tweets(lake, replace(row, summary=replace(row.summary, examples=ids)))
    assert [one.tweet.tweet_id for one in told] == ["shared"]
    assert example_tweets(lake, replace(row, summary=None)) == []


def test_a_tweet_without_analysis_is_shown_without(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    [row] = _rows(HOUR, "#uno")
    lake.commit_collection(HOUR, "x", "es", [drawn("1")], [row], [], "collect-1")
    [summed] = summarise([row], lake.tweets(HOUR), [analysed("1")], NOW)
    [example] = example_tweets(lake, summed)
    assert example.tweet.tweet_id == "1"
    assert example.analyzed is None
