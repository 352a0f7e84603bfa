"""Where the steps keep what they make: one volume (or folder) that outlives every pod.

data/DIGEST/      the data sets as they were when a run took them
runs/NAME/        recipe.toml, last.pt (the checkpoint), done.json, validation.jsonl, evaluation.json, artefact/,
                  shipped.json (what the artefact was made by)
models/VERSION/   published artefacts, and models.json, which says which one is in service
logs/             what each step said, by day
"""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from trendlark.errors import NotFoundError
from trendlark.hours import utc_now

_log = logging.getLogger(__name__)

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@dataclass(frozen=True, slots=True)
class Claim:
    """The folders under the root of a claim."""

    root: Path

    @property
    def models(self) -> Path:
        """Where artefacts are published when nothing else is asked for."""
        return self.root / "models"

    def data(self, digest: str) -> Path:
        """The data of this digest; raises NotFoundError where they are gone."""
        return self._existing(self.root / "data" / digest, "data sets")

    def run(self, name: str) -> Path:
        """The folder of a training run; raises NotFoundError where it is gone."""
        return self._existing(self.root / "runs" / name, "training run")

    def new_run(self, name: str) -> Path:
        """The folder of a training run, made where it is missing."""
        folder = self.root / "runs" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _existing(self, folder: Path, what: str) -> Path:
        if folder.is_dir():
            return folder
        raise NotFoundError(
            f"Found no {what} at {folder}, though an earlier step reported it; steps may be answered from a cache "
            "while the claim was emptied. Run the pipeline again without caching."
        )

    @contextmanager
    def logged(self, step: str) -> Iterator[None]:
        """Keep what a step says in ``logs/DAY.log``, beside what its pod shows."""
        folder = self.root / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        ours = logging.getLogger("trendlark")
        before = ours.level
        ours.setLevel(logging.INFO)
        handlers = [logging.FileHandler(folder / f"{utc_now():%Y-%m-%d}.log", encoding="utf-8")]
        for handler in handlers:
            handler.setFormatter(logging.Formatter(f"{step} {_FORMAT}"))
            ours.addHandler(handler)
        try:
            ours.info("begins")
            yield
            ours.info("ends")
        except BaseException as error:
            ours.error("fails: %s: %s", type(error).__name__, error)
            raise
        finally:
            for handler in handlers:
                ours.removeHandler(handler)
                handler.close()
            ours.setLevel(before)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Let one at a time into the block, of all pods that share the claim; the others wait. A killed one holds none up.

    Where the file system has no locks everybody is let in.
    """
    with lock.open("wb") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.info("waiting for another run, which is at work in %s", lock.parent)
            fcntl.flock(held, fcntl.LOCK_EX)
        except OSError as error:
            _log.warning(
                "no lock can be had in %s (%s): let no two runs work there at once", lock.parent, error
            )
        yield


def write_whole(path: Path, content: Any) -> None:
    """Write JSON whole or not at all."""
    # Pods that share the claim may have the same process id.
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    part.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
