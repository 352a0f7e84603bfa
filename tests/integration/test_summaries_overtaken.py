"""A second collector lands while an hour is summed up: its rows stay, whole, and soon have summaries of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours import jobs_for
from tests.support.lake_records import HOUR, analyzed, summary, trend_hour, tweet
from trendlark.errors import LakeConflictError
from trendlark.hours import Hour
from trendlark.jobs.runs import DONE, FAILED, NOTHING
from trendlark.jobs.services import Pulse, keep_analyzing
from trendlark.jobs.summarise import JOB, summarise_hour
from trendlark.lake import Lake, open_lake
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.records import TrendHour
from trendlark.reports.backlog import waiting_hours

Land = Callable[[], object]
FIRST = {"#a": ["a0", "a1", "a2"], "#b": ["b0", "b1", "b2"]}
FEWER = {"#a": ["a0", "a1"]}
OTHERS = {"#a": ["a0", "new"]}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Two trends, collected and analysed, not summed up."""
    lake = open_lake(str(tmp_path / "lake"))
    collect(lake, FIRST)
    lake.insert_analyses(HOUR, [analyzed(name) for names in FIRST.values() for name in names], "analyze")
    return lake


def collect(lake: Lake, drawn: dict[str, list[str]], place: str = "es") -> None:
    tweets = [tweet(name, trend, place=place) for trend, names in drawn.items() for name in names]
    rows = [
        trend_hour(trend, place=place, rank=rank, sampled=len(names))
        for rank, (trend, names) in enumerate(drawn.items(), 1)
    ]
    lake.commit_collection(HOUR, "x", place, tweets, rows, [], "collect")


def land_before(monkeypatch: pytest.MonkeyPatch, lake: Lake, step: str, *landings: Land) -> None:
    """Let others land, one at each time that the summaries come to a step."""
    left, done = list(landings), getattr(lake, step)

    def overtaken(*args: Any, **named: Any) -> Any:
        if left:
            left.pop(0)()
        return done(*args, **named)

    monkeypatch.setattr(lake, step, overtaken)


def told(lake: Lake) -> list[tuple[str, int, int | None, int]]:
    """Of each trend: its name, the tweets that it says it has, those summed up, and those that are there."""
    return [
        (
            row.trend.name,
            row.sampled,
            row.summary.analysed if row.summary else None,
            sum(1 for _ in lake.tweets(HOUR, "x", row.trend.place, row.trend.name)),
        )
        for row in lake.trend_hours(HOUR)
    ]


@pytest.mark.parametrize("step", ["analysed_models", "tweets", "analyses", "commit_summaries"])
def test_the_hour_is_read_and_summed_up_again_at_once(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    land_before(monkeypatch, lake, step, lambda: collect(lake, FEWER))
    assert summarise_hour(lake, "x", HOUR).counts == {"trends": 1}
    assert told(lake) == [("#a", 2, 2, 2)]
    assert waiting_hours(lake, HOUR) == {}
    assert summarise_hour(lake, "x", HOUR).status == NOTHING
    assert [(run.job, run.status) for run in lake.runs()] == [(JOB, DONE)]


def test_an_hour_that_was_left_without_trends_has_nothing_to_sum_up(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    land_before(monkeypatch, lake, "commit_summaries", lambda: collect(lake, {}))
    assert summarise_hour(lake, "x", HOUR).status == NOTHING
    assert lake.trend_hours(HOUR) == []
    assert lake.runs() == []


def test_who_is_overtaken_twice_gives_up_and_changes_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    landings = [lambda: collect(lake, FEWER), lambda: collect(lake, {"#b": ["b1"]})]
    land_before(monkeypatch, lake, "commit_summaries", *landings)
    with pytest.raises(LakeConflictError, match="second collector"):
        summarise_hour(lake, "x", HOUR)
    assert told(lake) == [("#b", 1, None, 1)]
    assert summarise_hour(lake, "x", HOUR).status == DONE
    assert told(lake) == [("#b", 1, 1, 1)]


def test_tweets_that_came_meanwhile_are_analysed_first(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    land_before(monkeypatch, lake, "commit_summaries", lambda: collect(lake, OTHERS))
    with pytest.raises(LakeConflictError, match=r"\(#a, #b\)"):
        summarise_hour(lake, "x", HOUR)
    assert told(lake) == [("#a", 2, None, 2)]
    (failed,) = lake.runs()
    assert (failed.job, failed.status, failed.counts) == (JOB, FAILED, {})
    assert waiting_hours(lake, HOUR) == {HOUR: {"x"}}


def test_an_analyzer_finishes_an_overtaken_hour_at_its_next_look(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hour, "last_complete", staticmethod(lambda: HOUR))
    land_before(monkeypatch, lake, "commit_summaries", lambda: collect(lake, OTHERS))
    naps: list[float] = []

    class Twice(Pulse):
        def sleep(self, seconds: float, stop: threading.Event) -> None:
            naps.append(seconds)
            if len(naps) == 2:
                stop.set()

    keep_analyzing(lake, FakeAnalyzer("lark-1"), threading.Event(), Twice())
    assert told(lake) == [("#a", 2, 2, 2)]
    assert waiting_hours(lake, HOUR) == {}
    assert [run.status for run in lake.runs() if run.job == JOB] == [DONE, FAILED]


def test_a_single_process_finishes_an_overtaken_hour_at_its_next_try(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = replace(jobs_for(lake.uri), lake=lake, analyzer=FakeAnalyzer("lark-1"))
    land_before(monkeypatch, lake, "commit_summaries", lambda: collect(lake, OTHERS))
    assert not jobs.finish_hours(HOUR)
    assert told(lake) == [("#a", 2, None, 2)]
    assert jobs.finish_hours(HOUR)
    assert told(lake) == [("#a", 2, 2, 2)]


def test_what_lands_elsewhere_is_no_conflict(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    land_before(monkeypatch, lake, "commit_summaries", lambda: collect(lake, {"#c": ["a0"]}, place="mx"))
    assert summarise_hour(lake, "x", HOUR).counts == {"trends": 2}
    assert told(lake) == [("#a", 3, 3, 3), ("#b", 3, 3, 3), ("#c", 1, None, 1)]


def test_another_summary_of_the_same_rows_is_no_conflict(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    land_before(
        monkeypatch, lake, "commit_summaries", partial(summarise_hour, open_lake(lake.uri), "x", HOUR)
    )
    assert summarise_hour(lake, "x", HOUR).counts == {"trends": 2}
    assert told(lake) == [("#a", 3, 3, 3), ("#b", 3, 3, 3)]


def _renamed(row: TrendHour, **changes: Any) -> TrendHour:
    return replace(row, trend=replace(row.trend, **changes))


_ROW = replace(_renamed(trend_hour(), volume=5), note="over budget")


@pytest.mark.parametrize(
    "landed",
    [
        _renamed(_ROW, name="#UNO"),
        _renamed(_ROW, rank=2),
        _renamed(_ROW, volume=6),
        _renamed(_ROW, volume=None),
        replace(_ROW, sampled=1),
        replace(_ROW, requests=2),
        replace(_ROW, cost=0.011),
        replace(_ROW, note=None),
        replace(_ROW, note=""),
    ],
    ids=["name", "rank", "volume", "no volume", "sampled", "requests", "cost", "no note", "empty note"],
)
def test_anything_else_that_was_collected_is_a_conflict(tmp_path: Path, landed: TrendHour) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    lake.commit_collection(HOUR, "x", "es", [], [landed], [], "collect")
    with pytest.raises(LakeConflictError, match=r"\((#UNO, )?#uno\)"):
        lake.commit_summaries(HOUR, "x", [replace(_ROW, summary=summary())], "summarise")
    assert lake.trend_hours(HOUR) == [landed]


@pytest.mark.parametrize(
    "row",
    [
        replace(_renamed(_ROW, name="O'Brien \ud800\x00\n", volume=10**30), note="\udfff'"),
        replace(_ROW, cost=0),
        replace(_ROW, cost=0.1 + 0.2, requests=2**62),
        replace(_renamed(_ROW, volume=None), note=None),
    ],
    ids=["odd text", "whole cost", "long numbers", "nulls"],
)
def test_what_was_written_is_known_again(tmp_path: Path, row: TrendHour) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    lake.commit_collection(HOUR, "x", "es", [], [row], [], "collect")
    for given in (row, *lake.trend_hours(HOUR)):
        lake.commit_summaries(HOUR, "x", [replace(given, summary=summary())], "summarise")
        assert [kept.summary for kept in lake.trend_hours(HOUR)] == [summary()]
