"""The record that every run of a job leaves, also when it fails: the job runner's edge."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from trendlark import __version__
from trendlark.errors import LakeError, TrendlarkError
from trendlark.hours import Hour, utc_now
from trendlark.jobs.progress import Progress
from trendlark.lake import Lake
from trendlark.records import Run

_log = logging.getLogger(__name__)

DONE = "done"
NOTHING = "nothing to do"
FAILED = "failed"


@dataclass(slots=True)
class Tally:
    """What a run counts while it works."""

    run_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: str = DONE
    counts: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    requests: int = 0
    cost: float = 0.0
    model: str | None = None

    def count(self, name: str, units: int = 1) -> None:
        """Add to the count of ``name``."""
        self.counts[name] = self.counts.get(name, 0) + units


def record_run(
    lake: Lake,
    work: Callable[[Tally], None],
    *,
    job: str,
    hour: Hour,
    source: str,
    place: str | None,
    progress: Progress,
) -> Run:
    """Do the work and leave its record in the lake, then return it; a failure is recorded and raised again."""
    tally = Tally()
    began, clock = utc_now(), time.monotonic()

    def _close(error: str | None) -> Run:
        run = Run(
            run_id=tally.run_id,
            job=job,
            hour=hour,
            source=source,
            place=place,
            status=FAILED if error else tally.status,
            started_at=began,
            seconds=time.monotonic() - clock,
            counts=dict(tally.counts),
            refused=tally.refused,
            requests=tally.requests,
            cost=tally.cost,
            model=tally.model,
            error=error,
            version=__version__,
        )
        progress.finish(run)
        return run

    try:
        work(tally)
    except Exception as error:
        known = isinstance(error, TrendlarkError)
        run = _close(str(error) if known else f"{type(error).__name__}, which was not foreseen: {error}")
        _record_failure(lake, run)
        raise
    run = _close(None)
    if run.status != NOTHING:
        # A run that found nothing to do leaves no record: an hour run twice is an hour run once.
        lake.add_run(run)
    return run


def _record_failure(lake: Lake, run: Run) -> None:
    try:
        lake.add_run(run)
    except LakeError as error:
        # The failure itself is often a full or read-only lake; it is raised, so this must not hide it.
        _log.warning("The record of the failed run %s could not be written: %s", run.run_id, error)
