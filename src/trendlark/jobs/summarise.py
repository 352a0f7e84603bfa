"""Summarise an hour: what its tweets, taken together, say of each trend."""

from __future__ import annotations

import logging

from trendlark.errors import LakeConflictError
from trendlark.hours import Hour, utc_now
from trendlark.jobs.progress import SILENT, Progress
from trendlark.jobs.runs import NOTHING, Tally, record_run
from trendlark.lake import Lake
from trendlark.records import Run, TrendHour
from trendlark.reports.compute import summarise

_log = logging.getLogger(__name__)

JOB = "summarise"


def summarise_hour(lake: Lake, source: str, hour: Hour, progress: Progress = SILENT) -> Run:
    """Sum up the trends of a source in an hour; finds nothing to do where they are summed up already."""

    def _work(tally: Tally) -> None:
        try:
            _sum_up(lake, source, hour, tally, progress)
        except LakeConflictError as conflict:
            # Tweets that came meanwhile are analysed first: a summary without them would hide the hour from those
            # who look for trends that have none.
            if any(True for _ in lake.distinct_tweets(hour, source=source)):
                raise
            _log.warning("%s of %s is read and summed up again: %s", hour, source, conflict)
            _sum_up(lake, source, hour, tally, progress)

    return record_run(lake, _work, job=JOB, hour=hour, source=source, place=None, progress=progress)


def _sum_up(lake: Lake, source: str, hour: Hour, tally: Tally, progress: Progress) -> None:
    rows = lake.trend_hours(hour=hour, source=source)
    models = set(lake.analysed_models(hour))
    if all(_fresh(row, models) for row in rows):
        tally.status = NOTHING
        return
    progress.start(f"summarise {hour}", len(rows))
    summarised = summarise(rows, lake.tweets(hour, source=source), lake.analyses(hour, source), utc_now())
    lake.commit_summaries(hour, source, summarised, tally.run_id)
    tally.count("trends", len(summarised))
    tally.model = next((row.summary.model for row in summarised if row.summary), None)
    progress.advance(len(rows))


def _fresh(row: TrendHour, models: set[str]) -> bool:
    # A summary of fewer tweets than were sampled was made while the analysis was still going on.
    if row.summary is None or row.summary.analysed != row.sampled:
        return False
    return row.sampled == 0 or models == {row.summary.model}
