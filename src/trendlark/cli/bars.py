"""Progress bars of the jobs, on standard error, so that standard output stays for results."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from trendlark.cli.tables import printable
from trendlark.jobs.runs import NOTHING
from trendlark.records import Run

_COLUMNS = (TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())


class Bars:
    """Draws one bar for each step, and a line for each finished job."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def start(self, label: str, total: int | None) -> None:
        """Open the bar of a step."""
        self.close()
        if not self.console.is_terminal:
            return  # a log file wants lines, not bars
        self._bar = Progress(*_COLUMNS, console=self.console, transient=True)
        self._bar.start()
        self._task = self._bar.add_task(label, total=total)

    def advance(self, units: int = 1) -> None:
        """Move the bar."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, units)

    def finish(self, run: Run) -> None:
        """Close the bar and leave one line, unless there was nothing to do."""
        self.close()
        if run.status == NOTHING:
            return
        self.console.print(describe_run(run), highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None


def describe_run(run: Run) -> str:
    """One line for a run: ``2026-11-23T07 collect es    10 trends, 200 tweets (0.4 s)``."""
    where = f"{run.hour} {run.job:<9} {run.place or '':<5}"
    if run.error:
        return f"{where} failed: {printable(run.error)}"
    parts = [f"{count} {name}" for name, count in run.counts.items()]
    if run.refused:
        parts.append(f"{run.refused} refused")
    if run.cost:
        parts.append(f"${run.cost:.3f}")
    if not parts:
        return f"{where} {run.status}"
    return f"{where} {', '.join(parts)} ({run.seconds:.1f} s)"
