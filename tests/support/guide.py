"""A guide whose shell blocks are run as they stand: step by step, then the undoings from the last to the first."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_STEP = re.compile(r"^## (?P<number>\d+)\. (?P<title>.+)\n(?P<text>(?:(?!^## ).*\n)*)", re.M)
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
_UNDO = re.compile(r"^- Undo", re.M)


@dataclass(frozen=True)
class Step:
    """A numbered section: what it runs, what undoes it, all that it says."""

    number: int
    title: str
    text: str
    do: tuple[str, ...]
    undo: tuple[str, ...]


def steps_of(page: str) -> list[Step]:
    """The numbered sections of a page; blocks after the line that begins with ``- Undo`` undo."""
    found = []
    for match in _STEP.finditer(page):
        text = match["text"]
        undoing = _UNDO.search(text)
        cut = undoing.start() if undoing else len(text)
        do, undo = tuple(_BLOCK.findall(text[:cut])), tuple(_BLOCK.findall(text[cut:]))
        found.append(Step(int(match["number"]), match["title"], text, do, undo))
    return found


class Shell:
    """One shell in which blocks are run: folder and exported variables live on from block to block."""

    def __init__(self, folder: Path, notes: Path, environment: Mapping[str, str]) -> None:
        self._notes = notes
        self._environment = dict(environment)
        (notes / "cwd").write_text(str(folder))
        (notes / "exported").write_text("")

    def run(self, block: str, stdin: str = "") -> str:
        """Run a block of ``bash``; what it wrote. It must end well."""
        script = (
            f'set -euo pipefail\nsource {self._notes}/exported\ncd "$(cat {self._notes}/cwd)"\n{block}\n'
            f"pwd > {self._notes}/cwd\nexport -p > {self._notes}/exported\n"
        )
        done = subprocess.run(
            ["bash", "-c", script],
            env=os.environ | self._environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-4000:]}\n{done.stderr[-6000:]}"
        return done.stdout

    def exported(self, name: str) -> str:
        """The value of a variable that a block exported."""
        return self.run(f'printf %s "${name}"')
