"""A lake for those who ask often: its tables stay open and follow each commit, instead of being opened anew.

Opening a table reads its log, which takes longer than most questions. What is kept is the list of its files, no row.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from trendlark.lake import Lake
from trendlark.lake.read import files_by_partition
from trendlark.lake.store import local_folder
from trendlark.lake.tables import TABLES, TRENDS, TableSpec

# On S3 a look for new commits is a paid request.
_S3_FRESH_SECONDS = 2.0
# A folder that was changed this long ago cannot have been changed again since without showing it.
_SETTLED_SECONDS = 1.0


class _Log(NamedTuple):
    """The folder of a table's log: another number is another table, another time a new commit."""

    number: int
    changed: float


@dataclass(slots=True)
class _Open:
    table: DeltaTable
    log: _Log | None
    looked_at: float


class KeptLake(Lake):
    """The lake at an address with its tables kept open; any number of threads may ask it.

    On S3 a commit is seen two seconds after it was made at the latest, on disk at once. ``clock`` tells the
    seconds since 1970.
    """

    def __init__(
        self,
        uri: str,
        storage_options: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(uri, storage_options)
        self._clock = clock
        self._on_s3 = local_folder(uri) is None
        self._open: dict[str, _Open] = {}
        self._locks = {name: threading.Lock() for name in TABLES}
        self._files: tuple[DeltaTable, int, Mapping[str, tuple[str, ...]]] | None = None

    @classmethod
    def of(cls, lake: Lake) -> Self:
        """The same lake, kept open."""
        return cls(lake.uri, lake._options)

    def hour_files(self) -> Mapping[str, tuple[str, ...]]:
        """The data files of each hour of ``trends``; counted anew only when there was a commit."""
        table = self._table(TRENDS)
        if table is None:
            return {}
        known = self._files
        if known is None or known[0] is not table or known[1] != table.version():
            known = (table, table.version(), files_by_partition(table, TRENDS))
            self._files = known
        return known[2]

    def _table(self, spec: TableSpec) -> DeltaTable | None:
        with self._locks[spec.name]:
            kept, log, now = self._open.get(spec.name), self._log_of(spec), self._clock()
            if kept is not None and self._follow(kept, log, now):
                return kept.table
            table = super()._table(spec)
            self._open.pop(spec.name, None)
            if table is not None:
                self._open[spec.name] = _Open(table, log, now)
            return table

    def _follow(self, kept: _Open, log: _Log | None, now: float) -> bool:
        """Bring an open table up to date; False where it must be opened anew."""
        if self._on_s3:
            settled = now - kept.looked_at < _S3_FRESH_SECONDS
        elif log is None or kept.log is None or kept.log.number != log.number:
            return False  # deleted, or deleted and made again: another table, though its versions count alike
        else:
            settled = kept.log == log and kept.looked_at - log.changed > _SETTLED_SECONDS
        if not settled:
            try:
                kept.table.update_incremental()
            except (DeltaError, OSError):
                return False  # whatever it is, opening the table anew tells it better
            kept.log, kept.looked_at = log, now
        return True

    def _log_of(self, spec: TableSpec) -> _Log | None:
        if self._on_s3:
            return None
        try:
            found = os.stat(Path(self.uri) / spec.name / "_delta_log")  # noqa: PTH116 - of a Path it hides errors
        except OSError:
            return None
        return _Log(found.st_ino, found.st_mtime)
