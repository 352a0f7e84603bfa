"""Hours with gaps, late places, silent trends, changed recordings and two sources: each ends whole."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours import HOUR, contents, jobs_for
from tests.support.recordings import listed, recorded, recording
from trendlark.errors import InputError, UnavailableError
from trendlark.hours import Hour, utc_now
from trendlark.jobs.hourly import Jobs
from trendlark.jobs.runs import DONE, NOTHING
from trendlark.jobs.summarise import summarise_hour
from trendlark.records import Page

Play = Callable[..., Jobs]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Jobs over a lake and a recording, both in the test's folder."""

    def make(lake: str = "lake", **flags: Any) -> Jobs:
        folder = str(tmp_path / "replay")
        return jobs_for(tmp_path / lake, source="replay", replay_folder=folder, **flags)

    return make


def _statuses(jobs: Jobs, hour: Hour = HOUR) -> list[str]:
    return [run.status for run in jobs.run_hour(hour).runs]


def test_a_backfill_goes_over_gaps_and_then_has_nothing_to_do(tmp_path: Path, play: Play) -> None:
    hours = list(HOUR.until(HOUR + 5))
    recording(tmp_path / "replay", [recorded(f"{h.index}", hour=h) for h in (hours[0], hours[2], hours[5])])
    jobs = play(places="es")
    outcomes = jobs.backfill(hours)
    assert not any(outcome.failed for outcome in outcomes)
    assert jobs.lake.hours() == [hours[0], hours[2], hours[5]]
    before = contents(jobs.lake), len(jobs.lake.runs())
    assert all(outcome.nothing for outcome in jobs.backfill(hours))
    assert (contents(jobs.lake), len(jobs.lake.runs())) == before


def test_a_gap_that_is_filled_later_is_collected_then(tmp_path: Path, play: Play) -> None:
    recording(tmp_path / "replay", [recorded("1", hour=HOUR + 1)])
    jobs = play(places="es")
    assert _statuses(jobs) == [DONE, NOTHING, NOTHING]
    assert _statuses(jobs) == [NOTHING] * 3
    recording(tmp_path / "replay", [recorded("1", hour=HOUR + 1), recorded("2"), recorded("3", "#b")])
    assert _statuses(jobs) == [DONE] * 3
    undisturbed = play("other", places="es")
    undisturbed.run_hour(HOUR)
    assert contents(jobs.lake) == contents(undisturbed.lake)
    assert len(contents(jobs.lake)["analyses"]) == 2


def test_an_hour_of_nothing_but_refused_lines_keeps_them_once(tmp_path: Path, play: Play) -> None:
    broken = {**recorded("1"), "place": None}
    recording(tmp_path / "replay", [recorded("2", hour=HOUR + 1), broken])
    jobs = play(places="es")
    for _ in range(3):
        jobs.run_hour(HOUR + 1)
        jobs.run_hour(HOUR)
    (refused,) = jobs.lake.refused(HOUR + 1)
    assert refused.reason == "tweets.jsonl:2: it has no place"
    assert jobs.lake.refused(HOUR) == []


def test_a_place_added_to_a_finished_hour_is_added_and_the_rest_stays(tmp_path: Path, play: Play) -> None:
    lines = [recorded("1"), recorded("2"), recorded("2", place="us"), recorded("3", place="us")]
    recording(tmp_path / "replay", lines)
    play(places="es").run_hour(HOUR)
    first = contents(play().lake)
    both = play(places="es,us")
    assert _statuses(both) == [NOTHING, DONE, DONE, DONE]
    rows = contents(both.lake)
    assert [row for row in rows["tweets"] if row["place"] == "es"] == first["tweets"]
    assert [row for row in rows["trends"] if row["place"] == "es"] == first["trends"]
    assert [row["tweet_id"] for row in rows["analyses"]] == ["1", "2", "3"]
    assert both.lake.runs()[1].counts == {"analyses": 1}
    whole = play("whole", places="es,us")
    whole.run_hour(HOUR)
    assert contents(whole.lake) == rows


def test_a_summary_made_before_the_analysis_was_through_is_made_again(tmp_path: Path, play: Play) -> None:
    lines = [recorded("1"), recorded("1", place="us"), recorded("2", place="us")]
    recording(tmp_path / "replay", lines)
    play(places="es").run_hour(HOUR)
    both = play(places="es,us")
    both.collect(HOUR)
    summarise_hour(both.lake, "replay", HOUR)
    early = {row.trend.place: row.summary for row in both.lake.trend_hours()}
    assert early["us"] is not None
    # Of the two tweets of the second place, only the one that both share was analysed then.
    assert early["us"].analysed == 1
    assert _statuses(both) == [NOTHING, NOTHING, DONE, DONE]
    assert {row.summary.analysed for row in both.lake.trend_hours(place="us") if row.summary} == {2}


def test_a_trend_without_tweets_is_listed_and_done(tmp_path: Path, play: Play) -> None:
    recording(tmp_path / "replay", [recorded("1", "#talk")], [listed("#silent", 1), listed("#talk", 2)])
    jobs = play(places="es")
    jobs.run_hour(HOUR)
    silent, talk = jobs.lake.trend_hours(hour=HOUR)
    assert (silent.sampled, silent.requests, silent.note) == (0, 0, None)
    assert silent.summary is not None
    assert silent.summary.analysed == 0
    assert silent.summary.sentiment == {}
    assert silent.summary.examples == ()
    assert talk.summary is not None
    assert talk.summary.analysed == 1
    assert jobs.run_hour(HOUR).nothing


def test_an_hour_of_silent_trends_only_is_done_too(tmp_path: Path, play: Play) -> None:
    recording(tmp_path / "replay", [recorded("1", hour=HOUR + 1)], [listed("#silent")])
    jobs = play(places="es")
    assert _statuses(jobs) == [DONE, NOTHING, DONE]
    assert jobs.run_hour(HOUR).nothing


def test_a_tweet_of_two_trends_and_two_places_is_analysed_once_and_counted_in_each(
    tmp_path: Path, play: Play
) -> None:
    spots = [(trend, place) for trend in ("#a", "#b") for place in ("es", "us")]
    recording(tmp_path / "replay", [recorded("7", trend, place=place) for trend, place in spots])
    jobs = play()
    outcome = jobs.run_hour(HOUR)
    assert [run.counts.get("tweets") for run in outcome.runs[:2]] == [2, 2]
    assert outcome.runs[2].counts == {"analyses": 1}
    assert len(contents(jobs.lake)["tweets"]) == 4
    rows = jobs.lake.trend_hours(hour=HOUR)
    assert [(row.trend.place, row.trend.name) for row in rows] == sorted(
        (place, name) for name, place in spots
    )
    assert all(row.summary and row.summary.analysed == 1 == row.sampled for row in rows)


def test_more_trends_than_wanted_are_left_out_from_the_bottom(tmp_path: Path, play: Play) -> None:
    names = [f"#t{rank}" for rank in range(1, 6)]
    lines = [recorded(str(n), name) for n, name in enumerate(names)]
    recording(tmp_path / "replay", lines, [listed(name, rank) for rank, name in enumerate(names, start=1)])
    jobs = play(places="es", trends_per_place=2)
    jobs.run_hour(HOUR)
    assert [row.trend.name for row in jobs.lake.trend_hours()] == ["#t1", "#t2"]
    assert {row["trend"] for row in contents(jobs.lake)["tweets"]} == {"#t1", "#t2"}


def test_a_recording_changed_while_it_was_collected_leaves_nothing_of_its_old_form(
    tmp_path: Path, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [recorded("1", text="as it was"), recorded("gone"), {**recorded("bad"), "text": None}]
    folder = recording(tmp_path / "replay", [*old, recorded("2", "#b")])
    new = [recorded("1", text="as it is"), {**recorded("bad"), "text": None}, recorded("3", "#c")]
    jobs = play(places="es")
    add = jobs.lake.add_page

    def change_after_the_first_tweets(hour: Hour, source: str, place: str, page: Page) -> None:
        add(hour, source, place, page)
        if page.trend is not None:
            recording(folder, new)

    monkeypatch.setattr(jobs.lake, "add_page", change_after_the_first_tweets)
    outcome = jobs.collect(HOUR)
    assert [type(error) for error in outcome.errors] == [UnavailableError]
    assert jobs.lake.hours() == []
    again = play(places="es")
    again.run_hour(HOUR)
    undisturbed = play("other", places="es")
    undisturbed.run_hour(HOUR)
    assert contents(again.lake) == contents(undisturbed.lake)
    assert [row["text"] for row in contents(again.lake)["tweets"]] == ["as it is", "the words of 3"]


def test_a_folder_that_vanishes_is_told_and_comes_back(tmp_path: Path, play: Play) -> None:
    folder = recording(tmp_path / "replay", [recorded("1")])
    jobs = play(places="es")
    folder.rename(tmp_path / "away")
    with pytest.raises(InputError, match="Found no folder"):
        jobs.run_hour(HOUR)
    (tmp_path / "away").rename(folder)
    assert _statuses(jobs) == [DONE] * 3


def test_two_sources_in_one_hour_are_kept_apart(tmp_path: Path, play: Play) -> None:
    recording(tmp_path / "replay", [recorded("1", "#Lluvia"), recorded("2")])
    sample = jobs_for(tmp_path / "lake", places="es")
    sample.run_hour(HOUR)
    before = [row for row in contents(sample.lake)["trends"] if row["source"] == "sample"]
    play(places="es").run_hour(HOUR)
    rows = contents(sample.lake)
    assert [row for row in rows["trends"] if row["source"] == "sample"] == before
    assert {row["tweet_id"] for row in rows["tweets"] if row["source"] == "replay"} == {"1", "2"}
    assert sample.run_hour(HOUR).nothing
    assert play(places="es").run_hour(HOUR).nothing


def test_hours_that_another_source_left_unfinished_are_finished(tmp_path: Path, play: Play) -> None:
    recording(tmp_path / "replay", [recorded("1", hour=HOUR), recorded("2", hour=HOUR + 1)])
    jobs_for(tmp_path / "lake", places="es").collect(HOUR)
    jobs = play(places="es")
    jobs.collect(HOUR + 1)
    jobs.finish_hours(HOUR)
    rows = jobs.lake.trend_hours(first=HOUR)
    assert {row.trend.source for row in rows} == {"sample", "replay"}
    assert all(row.summary and row.summary.analysed == row.sampled for row in rows)


def test_a_backfill_that_is_told_to_stop_ends_after_the_hour_it_is_in(tmp_path: Path, play: Play) -> None:
    hours = list(HOUR.until(HOUR + 3))
    recording(tmp_path / "replay", [recorded("1", hour=hour) for hour in hours])
    jobs, stop = play(places="es"), threading.Event()
    run_hour = jobs.run_hour

    class Stopping(Jobs):
        def run_hour(self, hour: Hour) -> Any:
            if hour == hours[1]:
                stop.set()
            return run_hour(hour)

    stopping = Stopping(jobs.lake, jobs.source, jobs.analyzer, jobs.settings)
    assert [outcome.hour for outcome in stopping.backfill(hours, stop)] == hours[:2]
    assert jobs.lake.hours() == hours[:2]
    assert all(row.summary for row in jobs.lake.trend_hours())


def test_the_same_id_in_two_hours_is_two_tweets(tmp_path: Path, play: Play) -> None:
    recording(tmp_path / "replay", [recorded("1"), recorded("1", hour=HOUR + 1, text="later")])
    jobs = play(places="es")
    jobs.backfill([HOUR, HOUR + 1])
    assert [row["text"] for row in contents(jobs.lake)["tweets"]] == ["the words of 1", "later"]
    assert [row["hour"] for row in contents(jobs.lake)["analyses"]] == [str(HOUR), str(HOUR + 1)]


def test_trends_that_number_their_tweets_alike_have_each_the_analyses_of_their_own(
    tmp_path: Path, play: Play
) -> None:
    lines = [
        recorded("1", "#a", text="uno"),
        recorded("1", "#b", text="dos"),
        recorded("1", "#b", text="passed over, as the second of its trend"),
        recorded("3", "#b", text="tres"),
        recorded("1", "#a", text="cuatro", place="us"),
        recorded("1", "#a", text="cinco", hour=HOUR + 1),
        recorded("2", "#a", text="seis"),
        recorded("2", "#b", text="seis"),
    ]
    recording(tmp_path / "replay", lines)
    jobs = play()
    jobs.run_hour(HOUR)
    jobs.run_hour(HOUR + 1)
    read = {row.tweet_id: row.text for batch in jobs.lake.distinct_tweets(HOUR, "no model") for row in batch}
    assert sorted(read.values()) == ["cuatro", "dos", "seis", "tres", "uno"]
    for tweet in jobs.lake.tweets(HOUR):
        assert tweet.text == read[tweet.tweet_id]
    ids = Counter(tweet.tweet_id.partition("-")[0] for tweet in jobs.lake.tweets(HOUR))
    assert ids == {"1": 3, "2": 2, "3": 1}
    assert {"2", "3"} < set(read)
    assert {one.tweet_id for one in jobs.lake.analyses(HOUR)} == set(read)
    sampled = {(row.trend.place, row.trend.name): row.sampled for row in jobs.lake.trend_hours(hour=HOUR)}
    assert sampled == {("es", "#a"): 2, ("es", "#b"): 3, ("us", "#a"): 1}
    (later,) = jobs.lake.tweets(HOUR + 1)
    assert later.tweet_id == "1"


def test_of_two_texts_under_one_id_of_a_trend_the_second_is_refused_not_lost(
    tmp_path: Path, play: Play
) -> None:
    texts = ("uno", "dos", "uno")
    recording(tmp_path / "replay", [recorded("1", text=text) for text in texts])
    jobs = play(places="es")
    (run,) = jobs.collect(HOUR).runs
    assert [tweet.text for tweet in jobs.lake.tweets(HOUR)] == ["uno"]
    (refused,) = jobs.lake.refused(HOUR)
    assert (run.refused, refused.trend) == (1, "#a")
    assert refused.reason == "the id '1' is that of another tweet of the trend"
    assert '"dos"' in refused.raw


def test_an_hour_to_come_leaves_what_today_has_asked_and_spent(tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path / "lake", source="sample", places="es")
    asked = Page("x trends 1", '{"data": []}', utc_now(), 0.01)
    jobs.lake.add_page(HOUR, "x", "es", asked)
    jobs.collect(Hour.of(asked.fetched_at) + 24 * 365)
    assert jobs.lake.spent(Hour.of(asked.fetched_at).day, "x") == 0.01
    assert jobs.lake.pages(HOUR, "x", "es") == [asked]
