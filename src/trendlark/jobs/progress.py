"""How a job tells how far it is, without knowing who looks."""

from __future__ import annotations

from typing import Protocol

from trendlark.records import Run


class Progress(Protocol):
    """Receives what a job does; the command line draws bars from it, tests count."""

    def start(self, label: str, total: int | None) -> None:
        """A step begins; ``total`` is the number of its units, if known."""

    def advance(self, units: int = 1) -> None:
        """So many more units of the step are done."""

    def finish(self, run: Run) -> None:
        """A job is over; its record says how it went."""


class Silent:
    """Progress that nobody looks at."""

    def start(self, label: str, total: int | None) -> None:
        """Say nothing."""

    def advance(self, units: int = 1) -> None:
        """Say nothing."""

    def finish(self, run: Run) -> None:
        """Say nothing."""


SILENT: Progress = Silent()
