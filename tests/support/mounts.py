"""Small file systems of their own, so that a disk can really be full or read-only."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size_kib: int) -> Iterator[Path]:
    """A tmpfs of a size, mounted for the time being; the test is skipped where mounting is not allowed."""
    folder.mkdir()
    options = f"size={size_kib}k,mode=777"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small disk needs root and mount(8)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def make_read_only(folder: Path) -> None:
    """From now on nothing can be written there, by root neither."""
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
