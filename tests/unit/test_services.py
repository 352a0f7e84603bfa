"""The loops of the services: what they owe, what they share, when they beat, when they stop."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.hours import HOUR, contents, jobs_for
from trendlark.errors import (
    BudgetError,
    InputError,
    LakeError,
    LakeFullError,
    LakeReadOnlyError,
    ModelError,
    NotFoundError,
    UnavailableError,
)
from trendlark.hours import Hour
from trendlark.jobs import hourly, services
from trendlark.jobs.collect import collect_hour
from trendlark.jobs.hourly import Jobs
from trendlark.jobs.runs import DONE, FAILED, NOTHING
from trendlark.jobs.services import (
    Pulse,
    finish_hour,
    keep_analyzing,
    keep_collecting,
    pulse_age_seconds,
    share_hour,
)
from trendlark.lake import Lake
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.records import PLACES, Analysis, Page, Place
from trendlark.reports.backlog import waiting_hours
from trendlark.sources import SAMPLE
from trendlark.sources.replay import ReplaySource

LAST = Hour.last_complete()


class Stopping(Pulse):
    """A pulse that tells the service to stop instead of sleeping for the n-th time."""

    __slots__ = ("_naps", "waits")

    def __init__(self, naps: int = 1) -> None:
        super().__init__()
        object.__setattr__(self, "_naps", naps)
        waits: list[float] = []
        object.__setattr__(self, "waits", waits)

    waits: list[float]
    _naps: int

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        self.waits.append(seconds)
        if len(self.waits) >= self._naps:
            stop.set()


class Moody(ReplaySource):
    """The sample; asking for its trends fails in the given ways first."""

    def __init__(self, *faults: Exception) -> None:
        super().__init__(SAMPLE, name="sample", loop=True)
        self.faults = list(faults)

    def trends(self, place: Place, hour: Hour) -> Page:
        if self.faults:
            raise self.faults.pop(0)
        return super().trends(place, hour)


class Named(FakeAnalyzer):
    """A fake model that notes what it was given."""

    def __init__(self, name: str = "fake", fail_times: int = 0) -> None:
        super().__init__(name)
        self.texts = 0
        self.fail_times = fail_times

    def analyze(self, texts: Sequence[str], *args: object, **options: object) -> list[Analysis]:  # type: ignore[override]
        if self.fail_times:
            self.fail_times -= 1
            raise ModelError("Found the model broken; a whole one works. Load it again.")
        self.texts += len(texts)
        return super().analyze(texts, *args, **options)  # type: ignore[arg-type]


class Away(Lake):
    """A lake that fails in the given way when it is first asked."""

    def __init__(self, lake: Lake, fault: LakeError) -> None:
        super().__init__(lake.uri)
        self.faults = [fault]

    def rows(self, *args: Any, **options: Any) -> Any:
        if self.faults:
            raise self.faults.pop()
        return super().rows(*args, **options)


def down() -> UnavailableError:
    return UnavailableError("Found the source down; wait, then run the hour again.")


@pytest.fixture(autouse=True)
def _no_hour_ends_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    now = LAST.end + timedelta(minutes=30)

    def seconds_until(moment: datetime) -> float:
        return max(0.0, (moment - now).total_seconds())

    monkeypatch.setattr(Hour, "now", staticmethod(lambda: Hour.of(now)))
    monkeypatch.setattr(hourly, "seconds_until", seconds_until)


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return jobs_for(tmp_path / "lake", places="es")


def finish(jobs: Jobs, engine: FakeAnalyzer, hour: Hour = HOUR) -> None:
    finish_hour(jobs.lake, engine, hour, {"sample"}, threading.Event(), Pulse())


def test_the_collector_collects_the_newest_complete_hours(jobs: Jobs) -> None:
    pulse = Stopping()
    keep_collecting(jobs, threading.Event(), pulse, past_hours=3)
    assert jobs.lake.hours() == [LAST - 2, LAST - 1, LAST]
    assert 32 * 60 <= pulse.waits[0] <= 32 * 60 + 20


def test_what_failed_is_tried_again_soon(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hourly, "seconds_until", lambda _: 1000.0)
    moody = replace(jobs, source=Moody(down()))
    pulse = Stopping(naps=2)
    keep_collecting(moody, threading.Event(), pulse)
    assert jobs.lake.hours() == [LAST]
    assert pulse.waits[0] == 300
    assert sorted(run.status for run in jobs.lake.runs()) == [DONE, FAILED]


@pytest.mark.parametrize(
    ("fault", "seconds"), [(LakeError, 60), (LakeFullError, 300), (LakeReadOnlyError, 300)]
)
def test_a_lake_that_did_not_answer_is_asked_again_sooner_than_a_source(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch, fault: type[LakeError], seconds: int
) -> None:
    monkeypatch.setattr(hourly, "seconds_until", lambda _: 1000.0)
    away = Away(jobs.lake, fault("Found nobody answering; the store must be reachable. Check the network."))
    pulse = Stopping(naps=2)
    keep_collecting(replace(jobs, lake=away), threading.Event(), pulse)
    assert pulse.waits[0] == seconds
    assert jobs.lake.hours() == [LAST]


def test_what_trying_soon_does_not_mend_waits_for_the_next_hour(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hourly, "seconds_until", lambda _: 1000.0)
    spent = BudgetError("Found no budget left; 10 dollars a day are allowed. Wait, or raise it.")
    pulse = Stopping(naps=2)
    keep_collecting(replace(jobs, source=Moody(spent)), threading.Event(), pulse)
    assert jobs.lake.hours() == [LAST]
    assert 1000 <= pulse.waits[0] <= 1020


def test_an_hour_that_the_source_has_no_longer_is_owed_no_longer(jobs: Jobs) -> None:
    gone = NotFoundError("Found an hour that is over; the newest can be collected. Import it.")
    source = Moody(gone)
    keep_collecting(replace(jobs, source=source), threading.Event(), Stopping(naps=3), past_hours=2)
    # It was asked for once, and given up.
    assert [run.hour for run in jobs.lake.runs() if run.status == FAILED] == [LAST]
    assert jobs.lake.hours() == [LAST - 1]


def test_an_hour_that_a_killed_collector_began_is_finished(jobs: Jobs) -> None:
    begun = LAST - 5
    source = Moody()
    jobs.lake.add_page(begun, "sample", "es", source.trends(PLACES["es"], begun))
    keep_collecting(jobs, threading.Event(), Stopping())
    assert jobs.lake.hours() == [begun, LAST]


def test_a_collector_told_to_stop_begins_no_other_hour(jobs: Jobs) -> None:
    stop = threading.Event()
    stop.set()
    keep_collecting(jobs, stop, Pulse(), past_hours=3)
    assert jobs.lake.hours() == []


def test_work_is_what_is_not_summed_up(jobs: Jobs) -> None:
    assert waiting_hours(jobs.lake, HOUR - 1) == {}
    jobs.collect(HOUR)
    assert waiting_hours(jobs.lake, HOUR) == {HOUR: {"sample"}}
    assert waiting_hours(jobs.lake, HOUR + 1) == {}
    jobs.run_hour(HOUR)
    assert waiting_hours(jobs.lake, HOUR - 1) == {}


def test_shared_portions_make_the_rows_of_a_whole_run(jobs: Jobs, tmp_path: Path) -> None:
    jobs.collect(HOUR)
    finish(jobs, Named())
    other = jobs_for(tmp_path / "other", places="es")
    other.run_hour(HOUR)
    assert contents(jobs.lake) == contents(other.lake)
    again = share_hour(jobs.lake, Named(), HOUR, threading.Event(), Pulse())
    assert again.status == NOTHING


def test_two_workers_commit_nothing_twice(jobs: Jobs) -> None:
    for slug in ("es", "us"):
        collect_hour(jobs.lake, jobs.source, PLACES[slug], HOUR, jobs.settings)
    engines = [Named(), Named()]
    workers = [threading.Thread(target=finish, args=(jobs, engine)) for engine in engines]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    rows = contents(jobs.lake)
    assert len(rows["analyses"]) == len({row["tweet_id"] for row in rows["tweets"]})
    shared = [run for run in jobs.lake.runs() if run.job == "analyze"]
    assert sum(run.counts["analyses"] for run in shared) == len(rows["analyses"])
    assert all(row["analysed"] == row["sampled"] for row in rows["trends"])


def test_an_hour_that_two_models_began_ends_with_one(jobs: Jobs) -> None:
    jobs.collect(HOUR)
    stop = threading.Event()

    class Once(Pulse):
        def advance(self, units: int = 1) -> None:
            stop.set()

    share_hour(jobs.lake, Named("old"), HOUR, stop, Once())
    assert jobs.lake.analysed_models(HOUR).keys() == {"old"}
    finish(jobs, Named("new"))
    assert jobs.lake.analysed_models(HOUR).keys() == {"new"}
    assert waiting_hours(jobs.lake, HOUR) == {}


def test_an_hour_that_an_older_model_finished_is_left_alone(jobs: Jobs) -> None:
    jobs.collect(HOUR)
    finish(jobs, Named("old"))
    newer = Named("new")
    finish(jobs, newer)
    assert newer.texts == 0
    assert jobs.lake.analysed_models(HOUR).keys() == {"old"}


def test_a_worker_told_to_stop_keeps_what_it_did_and_sums_up_nothing(jobs: Jobs) -> None:
    jobs.collect(HOUR)
    stop = threading.Event()

    class Once(Pulse):
        def advance(self, units: int = 1) -> None:
            stop.set()

    finish_hour(jobs.lake, Named(), HOUR, {"sample"}, stop, Once())
    analysed = sum(jobs.lake.analysed_models(HOUR).values())
    assert 0 < analysed < len({row["tweet_id"] for row in contents(jobs.lake)["tweets"]})
    assert all(
        row["summarised_at"] is None for row in jobs.lake.sql("SELECT * FROM trends").read_all().to_pylist()
    )


def test_the_analyzer_goes_on_after_a_failure(jobs: Jobs) -> None:
    jobs.collect(LAST - 1)
    jobs.collect(LAST)
    pulse = Stopping(naps=2)
    keep_analyzing(jobs.lake, Named(fail_times=1), threading.Event(), pulse, poll_seconds=0.5)
    assert waiting_hours(jobs.lake, LAST - 1) == {}
    assert pulse.waits == [60.0, 0.5]


def test_the_analyzer_does_not_look_further_back_than_told(jobs: Jobs) -> None:
    jobs.collect(LAST - 3)
    keep_analyzing(jobs.lake, Named(), threading.Event(), Stopping(), look_back_hours=2)
    assert waiting_hours(jobs.lake, LAST - 3) == {LAST - 3: {"sample"}}


def test_the_pulse_tells_its_age_and_passes_progress_on(tmp_path: Path) -> None:
    file = tmp_path / "beat"
    assert pulse_age_seconds(file) is None
    shown: list[str] = []

    class Shown:
        def start(self, label: str, total: int | None) -> None:
            shown.append(f"start {label} {total}")

        def advance(self, units: int = 1) -> None:
            shown.append(f"advance {units}")

        def finish(self, run: object) -> None:
            shown.append("finish")

    pulse = Pulse(file, Shown())
    pulse.start("a", 3)
    assert file.exists()
    file.unlink()
    pulse.advance(2)
    assert file.exists()
    os.utime(file, (time.time() - 100, time.time() - 100))
    age = pulse_age_seconds(file)
    assert age is not None
    assert 99 < age < 200
    assert shown == ["start a 3", "advance 2"]


def test_a_pulse_that_has_no_place_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be touched.*Name another"):
        Pulse(tmp_path / "no" / "folder").beat()


def test_sleeping_ends_when_told_and_beats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "POLL_SECONDS", 0.01)
    stop = threading.Event()
    file = tmp_path / "beat"
    sleeper = threading.Thread(target=Pulse(file).sleep, args=(3600.0, stop))
    sleeper.start()
    while not file.exists():
        time.sleep(0.01)
    stop.set()
    sleeper.join(30)
    assert not sleeper.is_alive()
    Pulse(file).sleep(0.02, threading.Event())
