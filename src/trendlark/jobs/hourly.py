"""Drive the three jobs: one hour, a range of hours, and hour after hour."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from trendlark.errors import (
    BudgetError,
    CredentialsError,
    CreditsError,
    LakeError,
    ModelError,
    NotFoundError,
    SourceError,
    TrendlarkError,
)
from trendlark.hours import Hour, seconds_until
from trendlark.jobs.analyze import analyze_hour
from trendlark.jobs.collect import collect_hour
from trendlark.jobs.engines import Engine
from trendlark.jobs.progress import SILENT, Progress
from trendlark.jobs.runs import NOTHING
from trendlark.jobs.summarise import summarise_hour
from trendlark.lake import Lake
from trendlark.records import Run
from trendlark.reports.backlog import LOOK_BACK_HOURS
from trendlark.settings import Settings
from trendlark.sources.base import Source

_log = logging.getLogger(__name__)

# The source needs a moment until the last tweets of an hour can be searched.
_DELAY = timedelta(minutes=2)
_RETRY_SECONDS = 300.0
# What no second try within the hour mends, and every try leaves a record.
LASTING = (BudgetError, CreditsError, CredentialsError, NotFoundError)


@dataclass(frozen=True, slots=True)
class HourOutcome:
    """What the three jobs did with an hour; ``errors`` holds what kept a place from being collected."""

    hour: Hour
    runs: tuple[Run, ...]
    errors: tuple[TrendlarkError, ...] = ()

    @property
    def nothing(self) -> bool:
        """True where every job found its work done already."""
        return not self.errors and all(run.status == NOTHING for run in self.runs)

    @property
    def failed(self) -> bool:
        """True where a place could not be collected."""
        return bool(self.errors)


@dataclass(frozen=True, slots=True)
class Jobs:
    """All that the jobs of an hour work with."""

    lake: Lake
    source: Source
    analyzer: Engine
    settings: Settings
    progress: Progress = SILENT

    def collect(self, hour: Hour) -> HourOutcome:
        """Collect every place; a place whose source fails does not keep the others from being collected."""
        runs: list[Run] = []
        errors: list[TrendlarkError] = []
        for place in self.settings.place_list():
            try:
                runs.append(collect_hour(self.lake, self.source, place, hour, self.settings, self.progress))
            except (SourceError, NotFoundError) as error:
                _log.warning("%s %s was not collected: %s", place.slug, hour, error)
                errors.append(error)
        return HourOutcome(hour, tuple(runs), tuple(errors))

    def run_hour(self, hour: Hour) -> HourOutcome:
        """Collect, analyse and summarise one hour; what is done already is left as it is."""
        collected = self.collect(hour)
        return HourOutcome(hour, (*collected.runs, *self._finish(hour)), collected.errors)

    def _finish(self, hour: Hour) -> list[Run]:
        analyzed = analyze_hour(self.lake, self.analyzer, hour, self.progress)
        # A new model replaces the analyses of every source, so every source is summed up.
        sources = {row.trend.source for row in self.lake.trend_hours(hour=hour)} | {self.source.name}
        summarised = [summarise_hour(self.lake, name, hour, self.progress) for name in sorted(sources)]
        return [analyzed, *summarised]

    def backfill(self, hours: Sequence[Hour], stop: threading.Event | None = None) -> list[HourOutcome]:
        """Run hours one after the other, oldest first; ends early, between two hours, when told to stop."""
        outcomes: list[HourOutcome] = []
        for hour in hours:
            if stop is not None and stop.is_set():
                break
            outcomes.append(self.run_hour(hour))
        return outcomes

    def finish_hours(self, first: Hour) -> bool:
        """Analyse and summarise the hours from ``first`` on that were collected but not finished; whether all are."""
        rows = self.lake.trend_hours(first=first)
        whole = True
        for hour in sorted({row.trend.hour for row in rows if row.summary is None}):
            try:
                self._finish(hour)
            except (LakeError, ModelError) as error:
                _log.error("%s was not finished and is tried again: %s", hour, error)
                whole = False
        return whole

    def keep_running(self, stop: threading.Event) -> None:
        """Run each hour soon after it ends, until told to stop; one that failed is tried again after a while."""
        while not stop.is_set():
            again = self._attempt(Hour.last_complete())
            stop.wait(pause_seconds(again))

    def _attempt(self, due: Hour) -> bool:
        """Whether it is worth trying again before the next hour."""
        try:
            # The hour first: older ones can be finished at any time, but a source tells only what trends now.
            outcome = self.run_hour(due)
            whole = self.finish_hours(due - LOOK_BACK_HOURS)
        except TrendlarkError as error:
            _log.error("%s did not finish and is tried again: %s", due, error)
            return True
        return not whole or any(not isinstance(error, LASTING) for error in outcome.errors)


def pause_seconds(again: bool, scatter_seconds: float = 0.0) -> float:
    """Seconds until the next hour can be collected, a little later by ``scatter_seconds``; less to try again."""
    wait = seconds_until(Hour.now().end + _DELAY) + scatter_seconds
    return min(wait, _RETRY_SECONDS) if again else wait
