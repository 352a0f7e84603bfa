"""Questions to a real lake whose trends bear hostile names, come from two sources, leave gaps and change names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.report_records import HOUR, NOW, analysed, analysis, drawn, trend_row
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

NAMES = [
    *("O'Brien", 'say "no"', "a/b\\c", "50%", "_", "%", "--; DROP TABLE trends", "' OR '1'='1", "${x} {y}"),
    *(
        "\u202eabc\u202c",
        "\u200fشلونك",
        "日本 🇯🇵",
        "e\u0301",
        "\u00e9",
        "A",
        "a",
        " lead",
        "lead ",
        " ",
        "nul\x00nul",
        "line\nbreak",
    ),
]
EARLIER = HOUR - 3
SOURCES = ("x", "replay")


def _row(name: str, rank: int, hour: Hour, source: str = "x", place: str = "es") -> TrendHour:
    row = trend_row(name, rank=rank, sampled=2, place=place, hour=hour)
    return replace(row, trend=replace(row.trend, source=source))


def _fill(lake: Lake, rows: list[TrendHour]) -> None:
    """One hour of one source and place: two tweets a trend, the second one shared by all; the mood is the source's."""
    hour, source, place = rows[0].trend.hour, rows[0].trend.source, rows[0].trend.place
    tweets: list[Tweet] = []
    for row in rows:
        for tweet_id in (f"{row.trend.rank} of '{source}'", "shared"):
            tweet = drawn(
                tweet_id, f"frase {tweet_id} de la tarde", trend=row.trend.name, place=place, hour=hour
            )
            tweets.append(replace(tweet, source=source))
    mood = "positive" if source == "x" else "negative"
    found: list[AnalyzedTweet] = [
        replace(analysed(tweet_id, analysis(mood), hour=hour), source=source)
        for tweet_id in sorted({tweet.tweet_id for tweet in tweets})
    ]
    lake.commit_collection(hour, source, place, tweets, rows, [], "collect-1")
    lake.insert_analyses(hour, found, "analyze-1")
    lake.commit_summaries(hour, source, summarise(rows, tweets, found, NOW), "summarise-1")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = open_lake(str(tmp_path_factory.mktemp("names") / "a lake's folder"))
    for source in SOURCES:
        _fill(lake, [_row(name, rank, HOUR, source) for rank, name in enumerate(NAMES, 1)])
    _fill(lake, [_row(name, rank, EARLIER) for rank, name in enumerate(reversed(NAMES[:4]), 1)])
    return lake


def test_both_sources_are_told_apart(lake: Lake) -> None:
    assert sources(lake) == ["replay", "x"]
    assert places(lake, "x") == places(lake, "replay") == ["es"]
    assert hours(lake, "x", "es") == [HOUR, EARLIER]
    assert hours(lake, "replay") == [HOUR]
    assert latest_hour(lake, "replay", "es") == HOUR
    for source, mood in zip(SOURCES, ("positive", "negative"), strict=True):
        rows = trends(lake, source, "es", HOUR)
        assert {row.trend.source for row in rows} == {source}
        assert all(row.summary and row.summary.sentiment[mood].value == 1.0 for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_finds_its_own_trend_and_no_other(lake: Lake, name: str) -> None:
    for source in SOURCES:
        [point] = trend_over_hours(lake, source, "es", name, HOUR, hours=1)
        assert point.row is not None
        assert point.row.trend.name == name
        assert point.row.trend.rank == NAMES.index(name) + 1
        shown = example_tweets(lake, point.row)
        assert {one.tweet.tweet_id for one in shown} == {"shared", f"{point.row.trend.rank} of '{source}'"}
        assert {(one.tweet.trend, one.tweet.source) for one in shown} == {(name, source)}
        assert all(one.analyzed and one.analyzed.source == source for one in shown)


@pytest.mark.parametrize(
    "name", ["", "o'brien", "O''Brien", "É", "lead", "nul", "line", "50", "a/b/c", "\ud800"]
)
def test_a_name_nearly_the_same_is_another_trend(lake: Lake, name: str) -> None:
    assert [point.row for point in trend_over_hours(lake, "x", "es", name, HOUR, hours=2)] == [None, None]


def test_sources_and_places_that_are_hostile_find_nothing(lake: Lake) -> None:
    for word in ("x' OR 1=1 --", "", "X", "x\x00", "%"):
        assert trends(lake, word, "es", HOUR) == []
        assert trends(lake, "x", word, HOUR) == []
        assert places(lake, word) == []
        assert latest_hour(lake, "x", word) is None


def test_hours_without_the_trend_are_gaps_between_those_with_it(lake: Lake) -> None:
    points = trend_over_hours(lake, "x", "es", "O'Brien", HOUR + 1, hours=6)
    assert [point.hour for point in points] == [HOUR + at for at in range(-4, 2)]
    assert [point.row and point.row.trend.rank for point in points] == [None, 4, None, None, 1, None]
    assert [p.row for p in trend_over_hours(lake, "replay", "es", "O'Brien", HOUR - 1, hours=3)] == [None] * 3


def test_moves_of_hostile_names_are_those_of_their_ranks(lake: Lake) -> None:
    now, before = trends(lake, "x", "es", HOUR), trends(lake, "x", "es", EARLIER)
    climbed = {move.row.trend.name: move.climbed for move in moved(now, before) if not move.new}
    assert climbed == {"O'Brien": 3, 'say "no"': 1, "a/b\\c": -1, "50%": -3}
    assert gone(now, before) == []
    assert {row.trend.name for row in gone(before, now)} == set(NAMES[4:])


def test_a_trend_that_changes_its_spelling_is_gone_and_new(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    _fill(lake, [_row("#LaLiga", 1, EARLIER), _row("caf\u00e9", 2, EARLIER)])
    _fill(lake, [_row("#laliga", 1, HOUR), _row("cafe\u0301", 2, HOUR)])
    now, before = trends(lake, "x", "es", HOUR), trends(lake, "x", "es", EARLIER)
    assert [move.new for move in moved(now, before)] == [True, True]
    assert gone(now, before) == before


def test_collecting_an_hour_again_replaces_its_trends_and_leaves_the_other_source(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    for source in SOURCES:
        _fill(lake, [_row("#uno", 1, HOUR, source), _row("#dos", 2, HOUR, source)])
    _fill(lake, [_row("#tres", 1, HOUR), _row("#uno", 2, HOUR)])
    assert [row.trend.name for row in trends(lake, "x", "es", HOUR)] == ["#tres", "#uno"]
    assert [row.trend.name for row in trends(lake, "replay", "es", HOUR)] == ["#uno", "#dos"]
    [row] = [row for row in trends(lake, "x", "es", HOUR) if row.trend.name == "#uno"]
    assert {one.tweet.tweet_id for one in example_tweets(lake, row)} == {"2 of 'x'", "shared"}
