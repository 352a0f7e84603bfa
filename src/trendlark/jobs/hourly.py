"""Drive the three jobs: one hour, a range of hours, and hour after hour."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
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
from trendlark.lake.query import literal
from trendlark.records import Run
from trendlark.reports.backlog import LOOK_BACK_HOURS
from trendlark.settings import Settings
from trendlark.sources.base import Source

_log = logging.getLogger(__name__)

# The source needs a moment until the last tweets of an hour can be searched.
_DELAY = timedelta(minutes=2)
_RETRY_SECONDS = 300.0
# What no second try within the hour mends, and every try leaves a record.
_LASTING = (BudgetError, CreditsError, CredentialsError, NotFoundError)


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
        """Analyse and summarise the hours from ``first`` on that were collected but not finished; whether all are.

        The newest hour is finished first.
        """
        rows = self.lake.trend_hours(first=first)
        whole = True
        for hour in sorted({row.trend.hour for row in rows if row.summary is None}, reverse=True):
            try:
                self._finish(hour)
            except (LakeError, ModelError) as error:
                _log.error("%s was not finished and is tried again: %s", hour, error)
                whole = False
        return whole

    def keep_running(self, stop: threading.Event) -> None:
        """Run each hour soon after it ends, until told to stop; what is owed is tried again after a while."""
        owed = Owed(self.lake)
        while not stop.is_set():
            again = self._attempt(owed, stop)
            stop.wait(owed.pause_seconds(again))

    def _attempt(self, owed: Owed, stop: threading.Event) -> bool:
        """Whether it is worth trying again before the next hour."""
        try:
            # What is here can be finished at any time, but a source tells only what trends now.
            again = owed.collect(self.collect, stop)
            whole = self.finish_hours(Hour.last_complete() - LOOK_BACK_HOURS)
        except TrendlarkError as error:
            _log.error("The hours are not done and are tried again: %s", error)
            return True
        return again or not whole


class Owed:
    """The hours that a service has still to collect.

    It owes ``past_hours`` complete hours at its start, those that a killed one had begun, and from then on every hour
    once it is over and settled, however long it is busy with another. An hour is owed until it is collected, the
    source has it no longer, or it is two days old.
    """

    def __init__(self, lake: Lake, past_hours: int = 1) -> None:
        self._lake = lake
        self._next = Hour.now()
        self._hours = set((self._next - past_hours).until(self._next - 1))
        self._begun_known = False

    def collect(self, collect: Callable[[Hour], HourOutcome], stop: threading.Event) -> bool:
        """Try each hour once; whether another may succeed if it is tried again soon."""
        tried: set[Hour] = set()
        soon = False
        # The newest first, also when it came meanwhile: a source tells only what trends now.
        while not stop.is_set() and (left := self._due() - tried):
            hour = max(left)
            tried.add(hour)
            errors = collect(hour).errors
            if all(isinstance(error, NotFoundError) for error in errors):
                self._hours.discard(hour)
            soon = soon or not all(isinstance(error, _LASTING) for error in errors)
        return soon

    def pause_seconds(self, again: bool, scatter_seconds: float = 0.0) -> float:
        """Seconds until another hour is owed, and ``scatter_seconds`` more; at most five minutes to try again."""
        wait = seconds_until(self._next.end + _DELAY) + scatter_seconds
        return min(wait, _RETRY_SECONDS) if again else wait

    def _due(self) -> set[Hour]:
        # A clock that was ahead and is put right must not make it wait for hours that are far away.
        self._next = min(self._next, Hour.now())
        while seconds_until(self._next.end + _DELAY) <= 0:
            self._hours.add(self._next)
            self._next += 1
        newest = Hour.last_complete()
        oldest = newest - (LOOK_BACK_HOURS - 1)
        if not self._begun_known:
            self._hours |= _begun_hours(self._lake, oldest)
            self._begun_known = True
        self._hours = {hour for hour in self._hours if oldest <= hour <= newest}
        return self._hours


def _begun_hours(lake: Lake, first: Hour) -> set[Hour]:
    where = f"hour >= {literal(str(first))} AND day >= {literal(first.day)}"
    return {Hour.parse(row["hour"]) for row in lake.rows("pages", where, ("hour",))}
