"""What waits for analyzers is counted as it comes and goes, down to the tweet, and told to Prometheus."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from tests.support.hours import jobs_for, settings_for
from trendlark.hours import Hour
from trendlark.jobs.services import Pulse, share_hour
from trendlark.lake import Lake, open_lake
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.records import Analysis
from trendlark.reports.backlog import LOOK_BACK_HOURS, Backlog, backlog, waiting_hours
from trendlark.web.metrics import LakeMetrics, Metrics

LAST = Hour.last_complete()


def _tweets(lake: Lake, hour: Hour) -> int:
    return sum(len(batch) for batch in lake.distinct_tweets(hour))


class Halting(FakeAnalyzer):
    """Analyses one portion and tells the service to stop."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self.stop = stop
        self.done = 0

    def analyze(self, texts: object, *args: object, **options: object) -> list[Analysis]:
        made = super().analyze(texts, *args, **options)  # type: ignore[arg-type]
        self.done += len(made)
        self.stop.set()
        return made


def test_the_backlog_grows_by_collecting_and_shrinks_by_analysing(tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path / "lake")
    assert backlog(jobs.lake) == Backlog(0, 0)
    jobs.collect(LAST)
    jobs.collect(LAST - 1)
    all_of_it = _tweets(jobs.lake, LAST) + _tweets(jobs.lake, LAST - 1)
    assert backlog(jobs.lake) == Backlog(2, all_of_it)
    stop = threading.Event()
    analyzer = Halting(stop)
    share_hour(jobs.lake, analyzer, LAST, stop, Pulse())
    assert 0 < analyzer.done < all_of_it
    assert backlog(jobs.lake) == Backlog(2, all_of_it - analyzer.done)
    jobs.run_hour(LAST)
    left = _tweets(jobs.lake, LAST - 1)
    # A tweet that was seen in both hours waits in one of them still.
    assert backlog(jobs.lake) == Backlog(1, left)
    jobs.run_hour(LAST - 1)
    assert backlog(jobs.lake) == Backlog(0, 0)


def test_an_hour_that_is_analysed_and_not_summed_up_still_waits(tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path / "lake")
    jobs.collect(LAST)
    share_hour(jobs.lake, FakeAnalyzer(), LAST, threading.Event(), Pulse())
    assert backlog(jobs.lake) == Backlog(1, 0)


def test_hours_that_no_analyzer_looks_at_are_not_in_it(tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path / "lake")
    old = LAST - LOOK_BACK_HOURS - 1
    jobs.collect(old)
    assert waiting_hours(jobs.lake, old) == {old: {"sample"}}
    assert backlog(jobs.lake) == Backlog(0, 0)


@pytest.mark.parametrize("collected", [False, True])
def test_prometheus_is_told(tmp_path: Path, collected: bool) -> None:
    jobs = jobs_for(tmp_path / "lake")
    if collected:
        jobs.collect(LAST)
    metrics = Metrics()
    LakeMetrics(metrics, open_lake(str(tmp_path / "lake")), settings_for(tmp_path / "lake")).refresh()
    told = {
        family.name: family.samples[0].value for family in families(metrics.page().decode()) if family.samples
    }
    assert told["trendlark_backlog_hours"] == (1 if collected else 0)
    assert told["trendlark_backlog_tweets"] == (_tweets(jobs.lake, LAST) if collected else 0)
