"""Step 1: take the data sets onto the claim as they are now, named by their digest; step 2: tell what they hold."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pyarrow import fs

from trendlark.errors import InputError
from trendlark.nlu.remote import open_store
from trendlark.training import data_report
from trendlark.training.data import file_digest, read_rows
from trendlark.training.sets import SETS
from trendlark.training.steps.claim import Claim

_log = logging.getLogger(__name__)

_DIGEST_LENGTH = 16


def prepare(claim: Claim, source: str) -> str:
    """Copy the ``.gz`` files of a folder or an ``s3://`` address to ``data/DIGEST`` and return the digest.

    The same content gives the same digest wherever it comes from, and later steps are cached by it. Raises
    InputError when a row cannot be read (file and line are named) or nothing is there to validate with.
    """
    kept = claim.root / "data"
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept, prefix=".taking-") as scratch:
        part = Path(scratch) / "data"
        digest = _copy(source, part)
        _check(part, source)
        target = kept / digest
        try:
            part.rename(target)
        except OSError:
            # An earlier run, or another one meanwhile, may have taken the same; its copy is as good.
            if not target.is_dir():
                raise
        _log.info("data: %s is %s", source, target)
    return digest


def _copy(source: str, target: Path) -> str:
    """Copy all files and return the digest of their names and contents."""
    total = hashlib.sha256()
    count = 0
    for name, store, path in _files(source):
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with store.open_input_stream(path, compression=None) as taken, file.open("wb") as kept:
            shutil.copyfileobj(taken, kept)
        total.update(f"{name}\0{file_digest(file)}\n".encode())
        count += 1
    if not count:
        raise InputError(
            f"Found no .gz file in {source}. Allowed is a folder (or s3:// address) with one folder for each set, as "
            "docs/training.md describes it. Name that folder."
        )
    # Never a bare number: kfp hands "12e4" over as 120000.0 on one machine.
    return f"sha256-{total.hexdigest()[:_DIGEST_LENGTH]}"


def _files(source: str) -> Iterator[tuple[str, fs.FileSystem, str]]:
    """Yield relative name, store and path of each file, in one order for all stores."""
    if source.startswith("s3://"):
        store, root = open_store(source)
    elif not source or "://" in source:
        raise InputError(f"Found the data {source!r}. Allowed are a folder and an s3:// address. Name one.")
    else:
        store, root = fs.LocalFileSystem(), os.path.abspath(Path(source).expanduser())  # noqa: PTH100 - links stay
    found = store.get_file_info(fs.FileSelector(root, recursive=True, allow_not_found=True))
    for info in sorted(found, key=lambda one: one.path):
        if info.type == fs.FileType.File and info.path.endswith(".gz"):
            yield os.path.relpath(info.path, root), store, info.path


def _check(data: Path, source: str) -> None:
    sizes = {
        key: [len(read_rows(data, entry, part)) for part in ("train", "val")] for key, entry in SETS.items()
    }
    if not any(train for train, _ in sizes.values()):
        raise InputError(
            f"Found no training set in {source}. Allowed are the folders {', '.join(SETS)}. Add one."
        )
    if not any(val for key, (_, val) in sizes.items() if SETS[key].metric):
        raise InputError(
            f"Found no validation file (val.jsonl.gz) in {source}; without one no model can be judged. Add one."
        )


def report(claim: Claim, digest: str) -> str:
    """Return what the data hold, and what to be warned of, in Markdown."""
    return data_report.render_markdown(data_report.make_report(claim.data(digest)))
