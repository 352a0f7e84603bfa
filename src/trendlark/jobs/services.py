"""Services that run for ever, each perhaps beside others of its kind: one collects the hours, one analyses them.

The lake is all that they share. What is in ``tweets`` and not in ``analyses`` is the analyzers' work.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from trendlark.errors import (
    InputError,
    LakeError,
    LakeFullError,
    LakeReadOnlyError,
    ModelError,
)
from trendlark.hours import Hour, utc_now
from trendlark.jobs.analyze import JOB as ANALYZE
from trendlark.jobs.analyze import analyze_hour
from trendlark.jobs.engines import Engine
from trendlark.jobs.hourly import Jobs, Owed
from trendlark.jobs.progress import SILENT, Progress
from trendlark.jobs.runs import NOTHING, Tally, record_run
from trendlark.jobs.shares import next_portion, portion_of
from trendlark.jobs.summarise import summarise_hour
from trendlark.lake import DistinctTweet, Lake
from trendlark.records import AnalyzedTweet, Run
from trendlark.reports.backlog import LOOK_BACK_HOURS, waiting_hours

_log = logging.getLogger(__name__)

POLL_SECONDS = 15.0
_PAUSE_SECONDS = 60.0
# Two collectors that were started by mistake do not ask in the same second; the later one finds the hour done.
_SCATTER_SECONDS = 20.0
# What a worker holds of an hour at once, so that memory does not grow with the hour.
_AT_ONCE = 8192


@dataclass(frozen=True, slots=True)
class Pulse:
    """Progress that also touches a file, by which a probe tells a service at work from one that hangs."""

    file: Path | None = None
    shown: Progress = SILENT

    def beat(self) -> None:
        """Say that the service is alive; raises InputError where the file cannot be touched."""
        if self.file is None:
            return
        try:
            self.file.touch()
        except OSError as error:
            raise InputError(
                f"Found that the heartbeat file {self.file} cannot be touched ({error.strerror}); a file in a "
                "folder that may be written is allowed. Name another one."
            ) from error

    def start(self, label: str, total: int | None) -> None:
        """A step begins."""
        self.beat()
        self.shown.start(label, total)

    def advance(self, units: int = 1) -> None:
        """Units of the step are done."""
        self.beat()
        self.shown.advance(units)

    def finish(self, run: Run) -> None:
        """A job is over."""
        self.beat()
        self.shown.finish(run)

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        """Wait, beating all the while, until the time is over or the service is told to stop."""
        until = time.monotonic() + seconds
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            self.beat()
            stop.wait(min(left, POLL_SECONDS))


def pulse_age_seconds(file: Path) -> float | None:
    """How long ago a heartbeat file was touched; None where there is none."""
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return None


def keep_collecting(jobs: Jobs, stop: threading.Event, pulse: Pulse, past_hours: int = 1) -> None:
    """Collect each hour soon after it ends, until told to stop.

    ``past_hours`` complete hours are collected at the start. What is owed is tried again every five minutes, or with
    the next hour where trying soon would not help (no budget, credits or rights). A lake that did not answer is asked
    again after a minute.
    """
    owed = Owed(jobs.lake, past_hours)
    while not stop.is_set():
        pulse.beat()
        longest = float("inf")
        try:
            soon = owed.collect(jobs.collect, stop)
        except LakeError as error:
            _log.error("Collecting is tried again: %s", error)
            soon = True
            # Where it can be read and not written, what the source answers is paid for and lost.
            if not isinstance(error, LakeFullError | LakeReadOnlyError):
                longest = _PAUSE_SECONDS
        pause = owed.pause_seconds(soon, random.uniform(0, _SCATTER_SECONDS))  # noqa: S311
        pulse.sleep(min(pause, longest), stop)


def keep_analyzing(
    lake: Lake,
    analyzer: Engine,
    stop: threading.Event,
    pulse: Pulse,
    *,
    poll_seconds: float = POLL_SECONDS,
    look_back_hours: int = LOOK_BACK_HOURS,
) -> None:
    """Analyse and summarise the hours that have work, until told to stop; several may do so at once."""
    while not stop.is_set():
        pulse.beat()
        failed = False
        try:
            backlog = waiting_hours(lake, Hour.last_complete() - look_back_hours)
        except LakeError as error:
            _log.error("The lake is asked again: %s", error)
            backlog, failed = {}, True
        # Each worker has an order of its own, so that several with many hours to do meet seldom.
        for hour in random.sample(sorted(backlog), len(backlog)):
            if stop.is_set():
                break
            try:
                finish_hour(lake, analyzer, hour, backlog[hour], stop, pulse)
            except (LakeError, ModelError) as error:
                _log.error("%s did not finish and is tried again: %s", hour, error)
                failed = True
        pulse.sleep(max(poll_seconds, _PAUSE_SECONDS) if failed else poll_seconds, stop)


def finish_hour(
    lake: Lake, analyzer: Engine, hour: Hour, sources: set[str], stop: threading.Event, pulse: Pulse
) -> None:
    """Analyse an hour beside others who do the same, then sum it up."""
    if not set(lake.analysed_models(hour)) - {analyzer.name}:
        share_hour(lake, analyzer, hour, stop, pulse)
    if stop.is_set():
        return
    if set(lake.analysed_models(hour)) - {analyzer.name} and _mixed_or_partly(lake, hour):
        # Another model began it, as when a new release is rolled out: one of them does the hour whole.
        analyze_hour(lake, analyzer, hour, pulse)
        sources = {row.trend.source for row in lake.trend_hours(hour=hour)}
    for source in sorted(sources):
        summarise_hour(lake, source, hour, pulse)


def _mixed_or_partly(lake: Lake, hour: Hour) -> bool:
    return len(lake.analysed_models(hour)) > 1 or any(True for _ in lake.distinct_tweets(hour))


def share_hour(lake: Lake, analyzer: Engine, hour: Hour, stop: threading.Event, pulse: Pulse) -> Run:
    """Analyse portions of an hour until none is left; each is committed only where nobody else has done it."""

    def _work(tally: Tally) -> None:
        tally.model = analyzer.name
        while not stop.is_set() and (tweets := _waiting(lake, hour)):
            pulse.start(f"analyze {hour}", len(tweets))
            _share(lake, analyzer, hour, tweets, stop, pulse, tally)
        if not tally.counts:
            tally.status = NOTHING

    return record_run(lake, _work, job=ANALYZE, hour=hour, source="all", place=None, progress=pulse)


def _waiting(lake: Lake, hour: Hour) -> list[DistinctTweet]:
    found = chain.from_iterable(lake.distinct_tweets(hour))
    return sorted(islice(found, _AT_ONCE), key=lambda tweet: (tweet.source, tweet.tweet_id))


def _share(
    lake: Lake,
    analyzer: Engine,
    hour: Hour,
    tweets: Sequence[DistinctTweet],
    stop: threading.Event,
    pulse: Pulse,
    tally: Tally,
) -> None:
    left = [True] * len(tweets)
    # A start of one's own: workers that begin together begin apart.
    after: int | None = random.randrange(len(tweets))  # noqa: S311
    while not stop.is_set():
        places = next_portion(left, after, portion_of(sum(left)))
        if not places:
            return
        chosen = [tweets[place] for place in places]
        analyses = analyzer.analyze([t.text for t in chosen], langs=[t.lang for t in chosen])
        now = utc_now()
        rows = [
            AnalyzedTweet(hour, tweet.source, tweet.tweet_id, analysis, now)
            for tweet, analysis in zip(chosen, analyses, strict=True)
        ]
        inserted = lake.insert_analyses(hour, rows, tally.run_id)
        tally.count("analyses", inserted)
        if inserted < len(rows):
            tally.count("analysed by another meanwhile", len(rows) - inserted)
        pulse.advance(len(rows))
        after = places.stop if inserted == len(rows) else random.randrange(len(tweets))  # noqa: S311
        still = {(tweet.source, tweet.tweet_id) for tweet in chain.from_iterable(lake.distinct_tweets(hour))}
        left = [(tweet.source, tweet.tweet_id) in still for tweet in tweets]
