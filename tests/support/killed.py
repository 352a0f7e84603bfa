"""Runs an hour and kills itself, as a power cut would, at a chosen step.

    python -m tests.support.killed LAKE HOUR STEP

The steps are counted before and after every commit and every chunk of the model. A negative STEP kills as soon as so
many data files are there, which is within a commit: the log entry that makes a file count comes after it. Prints the
number of steps when it survives.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.support.hours import jobs_for
from trendlark.hours import Hour
from trendlark.lake import store
from trendlark.nlu import fake
from trendlark.records import Analysis

_LONGEST_LOOK_SECONDS = 60.0


class Fuse:
    """Burns down one step at a time; at the chosen one the process is gone."""

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.burnt = 0

    def burn(self) -> None:
        """One step."""
        self.burnt += 1
        if self.burnt == self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def install(fuse: Fuse) -> None:
    """Put the fuse around every commit and every chunk of the model."""
    commit = store.Store._commit
    analyze = fake.FakeAnalyzer.analyze

    def _commit(self: store.Store, spec: Any, attempt: Callable[[Any], Any]) -> Any:
        fuse.burn()
        done = commit(self, spec, attempt)
        fuse.burn()
        return done

    def _analyze(self: fake.FakeAnalyzer, texts: Iterable[str], *args: Any, **options: Any) -> list[Analysis]:
        fuse.burn()
        done = analyze(self, texts, *args, **options)
        fuse.burn()
        return done

    store.Store._commit = _commit  # type: ignore[method-assign]
    fake.FakeAnalyzer.analyze = _analyze  # type: ignore[method-assign]


def watch(lake: Path, files: int) -> None:
    """Kill as soon as so many data files are there."""
    while sum(1 for _ in lake.rglob("*.parquet")) < files:
        pass
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Run the hour on a short fuse."""
    lake, hour, step = sys.argv[1:]
    fuse = Fuse(int(step))
    install(fuse)
    watcher = threading.Thread(target=watch, args=(Path(lake), -fuse.left), daemon=True)
    if fuse.left < 0:
        watcher.start()
    jobs_for(lake).run_hour(Hour.parse(hour))
    if fuse.left < 0:
        # On a busy machine the watcher may not have had its turn; it sees the files yet, if they are so many.
        watcher.join(_LONGEST_LOOK_SECONDS)
    sys.stdout.write(f"{fuse.burnt}\n")


if __name__ == "__main__":
    main()
