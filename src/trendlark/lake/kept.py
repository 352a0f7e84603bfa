"""A lake for those who ask often: its tables stay open and follow each commit, instead of being opened anew.

Opening a table reads its log, which takes longer than most questions. What is kept is the list of its files, no row.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from trendlark.lake import Lake
from trendlark.lake.read import files_by_partition
from trendlark.lake.store import local_folder
from trendlark.lake.tables import TABLES, TRENDS, TableSpec

# On a disk a look for new commits costs a millisecond; on S3 it is a paid request.
_S3_FRESH_SECONDS = 2.0


@dataclass(slots=True)
class _Open:
    table: DeltaTable
    log: int | None
    looked_at: float


class KeptLake(Lake):
    """The lake at an address with its tables kept open; any number of threads may ask it.

    On S3 a commit is seen two seconds after it was made at the latest, on disk at once. ``clock`` counts seconds.
    """

    def __init__(
        self,
        uri: str,
        storage_options: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(uri, storage_options)
        self._clock = clock
        self._fresh_seconds = _S3_FRESH_SECONDS if local_folder(uri) is None else 0.0
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
            kept = self._open.get(spec.name)
            log = self._log_of(spec)
            if kept is not None and kept.log == log and self._is_fresh(kept):
                return kept.table
            table = super()._table(spec)
            self._open.pop(spec.name, None)
            if table is not None:
                self._open[spec.name] = _Open(table, log, self._clock())
            return table

    def _is_fresh(self, kept: _Open) -> bool:
        now = self._clock()
        if now - kept.looked_at < self._fresh_seconds:
            return True
        try:
            kept.table.update_incremental()
        except (DeltaError, OSError):
            return False  # whatever it is, opening the table anew tells it better
        kept.looked_at = now
        return True

    def _log_of(self, spec: TableSpec) -> int | None:
        # A lake that was deleted and made again is another one, though its versions count alike.
        folder = local_folder(self.uri)
        if folder is None:
            return None
        try:
            return os.stat(folder / spec.name / "_delta_log").st_ino  # noqa: PTH116 - of a Path it hides nothing
        except OSError:
            return None
