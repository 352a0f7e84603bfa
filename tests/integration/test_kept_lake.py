"""The lake that web requests read: tables stay open, every commit is seen, nothing stale is told."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from tests.support.web_app import empty_lake
from tests.support.web_lake import FIRST, LAST, STORIES, fill, interval, summary_of
from trendlark.hours import Hour
from trendlark.lake import Lake, open_lake
from trendlark.lake.findings import analysis_row
from trendlark.lake.kept import KeptLake
from trendlark.lake.tables import ANALYSES
from trendlark.records import EMOTIONS, Trend, TrendHour, Tweet
from trendlark.reports.average import average
from trendlark.reports.board import Board
from trendlark.reports.queries import ExampleTweet
from trendlark.reports.tweets import Wanted, tweets_of


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with two places over six hours."""
    lake = empty_lake(tmp_path)
    fill(lake, "sample", STORIES)
    return lake


def add(lake: Lake, hour: Hour, name: str, rank: int = 1) -> None:
    """Commit one trend of a place of its own."""
    lake.commit_collection(
        hour, "sample", "pe", [], [TrendHour(Trend(hour, "sample", "pe", name, rank), 0, 0, 0.0)], [], "run"
    )


def test_an_open_lake_tells_what_an_opened_one_tells(lake: Lake) -> None:
    kept = KeptLake.of(lake)
    for _ in range(2):
        assert kept.hours() == lake.hours()
        assert kept.trend_hours(LAST) == lake.trend_hours(LAST)
        assert kept.hour_files() == lake.hour_files()
    assert set(kept.hour_files()) == {str(hour) for hour in FIRST.until(LAST)}


def test_every_commit_is_seen_at_once(lake: Lake) -> None:
    board = Board(KeptLake.of(lake))
    for number in range(12):
        add(lake, LAST, f"trend {number}")
        rows = [row.trend.name for row in board.rows(LAST) if row.trend.place == "pe"]
        assert rows == [f"trend {number}"]
        assert board.over_hours("sample", "pe", f"trend {number}", FIRST, LAST).num_rows == 1


def test_a_table_made_after_the_first_question_is_found(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    board = Board(KeptLake.of(lake))
    assert board.hours() == []
    assert board.glance(FIRST, LAST).num_rows == 0
    assert board.rows(LAST) == []
    add(lake, LAST, "first")
    assert board.hours() == [LAST]


def test_a_lake_that_is_deleted_and_made_again_is_another(lake: Lake) -> None:
    board = Board(KeptLake.of(lake))
    assert len(board.hours()) == 6
    shutil.rmtree(Path(lake.uri) / "trends")
    assert board.hours() == []
    add(lake, FIRST, "anew")
    assert board.hours() == [FIRST]
    assert [row.trend.name for row in board.rows(FIRST)] == ["anew"]


def test_an_hour_that_is_compacted_away_and_vacuumed_is_read_from_its_new_files(lake: Lake) -> None:
    board = Board(KeptLake.of(lake))
    before = board.rows(LAST)
    lake.compact()
    lake.vacuum()
    assert sorted(board.rows(LAST), key=str) == sorted(before, key=str)
    assert tweets_of(KeptLake.of(lake), before[0].trend).records()


def test_an_hour_is_read_once_while_its_files_are_the_same(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptLake.of(lake)
    board = Board(kept)
    board.rows(LAST)
    board.glance(FIRST, LAST)
    asked: list[Hour] = []
    whole, columns = kept.trend_hours, kept.trend_columns

    def trend_hours(hour: Hour) -> list[TrendHour]:
        asked.append(hour)
        return whole(hour)

    def trend_columns(names: Sequence[str], first: Hour, last: Hour) -> pa.Table:
        asked.append(first)
        return columns(names, first, last)

    monkeypatch.setattr(kept, "trend_hours", trend_hours)
    monkeypatch.setattr(kept, "trend_columns", trend_columns)
    board.rows(LAST)
    board.glance(FIRST, LAST)
    assert asked == []
    add(lake, FIRST + 2, "another hour")
    board.rows(LAST)
    board.glance(FIRST, LAST)
    assert asked == [FIRST + 2]


def test_the_moods_of_a_day_have_their_gaps(lake: Lake) -> None:
    moods = Board(lake).moods("sample", "es", ["Lía Montero", "nobody"], LAST, 8)
    assert moods["Lía Montero"] == [
        None,
        None,
        (0.2, 0.3),
        (0.22, 0.35),
        None,
        (0.15, 0.5),
        (0.18, 0.48),
        (0.2, 0.46),
    ]
    assert moods["nobody"] == [None] * 8


def test_many_threads_ask_while_somebody_writes(lake: Lake) -> None:
    board = Board(KeptLake.of(lake))

    def ask() -> None:
        for _ in range(20):
            assert len([row for row in board.rows(LAST) if row.trend.place == "es"]) == 3
            assert board.glance(FIRST, LAST).num_rows >= 30

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for number in range(5):
            add(lake, LAST, f"trend {number}")
        for one in asking:
            one.result()


def test_tweets_come_with_their_analyses_newest_first(lake: Lake) -> None:
    trend = next(row.trend for row in lake.trend_hours(LAST) if row.trend.name == "Lía Montero")
    found = tweets_of(lake, trend)
    assert len(found) == 3
    records = found.records()
    times = [one.tweet.created_at for one in records]
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]
    wanted = {tweet.tweet_id: tweet for tweet in lake.tweets(LAST, "sample", "es", "Lía Montero")}
    said = {one.tweet_id: one for one in lake.analyses(LAST, "sample")}
    assert records == [ExampleTweet(wanted[one.tweet.tweet_id], said[one.tweet.tweet_id]) for one in records]
    ids = [records[2].tweet.tweet_id, "forgotten", records[0].tweet.tweet_id]
    assert [one.tweet.tweet_id for one in found.named(ids)] == [ids[0], ids[2]]
    assert found.records(1, 1) == records[1:2]
    assert found.languages() == [("es", 3)]
    assert found.windows() == []
    assert len(found.matching(Wanted(emotion="joy", flag="irony", said_lang="es"))) == 3
    assert len(found.matching(Wanted(flag="hate"))) == 0
    assert len(found.matching(Wanted(flag="nonsense", sentiment="none"))) == 0


def test_of_two_analyses_the_newer_counts_and_none_is_none(lake: Lake) -> None:
    trend = next(row.trend for row in lake.trend_hours(LAST) if row.trend.name == "Lía Montero")
    # Two models that analyse an hour at the same time may leave the rows of both.
    again = [
        replace(
            one,
            analysis=replace(one.analysis, model="newer"),
            analyzed_at=one.analyzed_at + timedelta(hours=1),
        )
        for one in lake.analyses(LAST)
    ]
    rows = pa.Table.from_pylist([analysis_row(one) for one in again], schema=ANALYSES.schema)
    write_deltalake(f"{lake.uri}/analyses", rows, mode="append")
    found = tweets_of(KeptLake.of(lake), trend)
    assert [one.analyzed.analysis.model for one in found.records() if one.analyzed] == ["newer"] * 3
    bare = Trend(LAST, "sample", "es", "nobody", 1)
    assert len(tweets_of(lake, bare)) == 0
    assert tweets_of(lake, bare).matching(Wanted(entity="a", sentiment="positive")).records() == []


def test_a_tweet_without_an_analysis_is_there_too(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    trend = Trend(LAST, "x", "es", "a", 1)
    tweet = Tweet(LAST, "x", "es", "a", "1", "text", LAST.end, window="w")
    lake.commit_collection(LAST, "x", "es", [tweet], [TrendHour(trend, 1, 1, 0.0)], [], "run")
    found = tweets_of(lake, trend)
    assert found.records() == [ExampleTweet(tweet, None)]
    assert found.windows() == [("w", 1)]
    assert len(found.matching(Wanted(hashtag="a"))) == len(found.matching(Wanted(flag="irony"))) == 0


def test_the_average_is_the_share_over_all_tweets() -> None:
    def row(name: str, mood: tuple[float, float] | None, n: int) -> TrendHour:
        summary = summary_of(LAST, mood, {"joy": 0.5}, (), n) if mood else None
        return TrendHour(Trend(LAST, "x", "es", name, 1), n, 1, 0.0, None, summary)

    found = average([row("a", (0.5, 0.25), 40), row("b", (0.0, 1.0), 120), row("c", None, 7)])
    assert found
    assert (found.trends, found.analysed) == (2, 160)
    assert found.sentiment["negative"].value == pytest.approx(20 / 160)
    assert found.sentiment["positive"].value == pytest.approx(130 / 160)
    assert found.sentiment["negative"].low < 20 / 160 < found.sentiment["negative"].high
    assert found.sentiment["negative"].high - found.sentiment["negative"].low < interval(0.125, 40).high
    assert set(found.emotions) == set(EMOTIONS)
    assert average([row("c", None, 7)]) is None


def test_what_s3_told_is_fresh_for_two_seconds(lake: Lake) -> None:
    now = [1000.0]
    kept = KeptLake(lake.uri, clock=lambda: now[0])
    kept._on_s3 = True
    assert len(kept.hours()) == 6
    add(lake, LAST + 1, "later")
    assert len(kept.hours()) == 6
    now[0] += 2.0
    assert len(kept.hours()) == 7
    assert len(open_lake(lake.uri).hours()) == 7
