"""The command line as a user has it: a process, its standard output, its standard error, its exit code."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.hours import command


def run(
    *words: str,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    model: str = "fake",
) -> subprocess.CompletedProcess[str]:
    """Run ``trendlark`` with these words in a folder."""
    done = subprocess.run(
        command(*words),
        cwd=folder,
        env=os.environ | {"TRENDLARK_MODEL": model, "COLUMNS": "200"} | dict(environment or {}),
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        check=False,
        timeout=240,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )
