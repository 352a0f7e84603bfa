"""Keeping the lake in order: what is in it, joining small files, deleting what nothing refers to any more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable

from trendlark.hours import Hour
from trendlark.lake.faults import told
from trendlark.lake.query import literal
from trendlark.lake.store import Store
from trendlark.lake.tables import PAGES, TABLES


@dataclass(frozen=True, slots=True)
class TableInfo:
    """The state of a table; ``version`` is ``None`` where nothing was written to it yet."""

    name: str
    version: int | None
    rows: int
    files: int
    size_bytes: int
    partitions: int
    first: str | None
    last: str | None


class Keeper(Store):
    """The upkeep half of a lake."""

    def info(self) -> list[TableInfo]:
        """Rows, files, bytes and partitions of each table."""
        return [self._info(name) for name in TABLES]

    def _info(self, name: str) -> TableInfo:
        spec = TABLES[name]
        table = self._table(spec)
        if table is None:
            return TableInfo(name, None, 0, 0, 0, 0, None, None)
        with told(self.uri, writing=False):
            files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
            partitions = sorted({str(file[f"partition.{spec.partition}"]) for file in files})
            return TableInfo(
                name=name,
                version=table.version(),
                rows=sum(file["num_records"] or 0 for file in files),
                files=len(files),
                size_bytes=sum(file["size_bytes"] for file in files),
                partitions=len(partitions),
                first=partitions[0] if partitions else None,
                last=partitions[-1] if partitions else None,
            )

    def compact(self) -> dict[str, int]:
        """Join the small files of each partition; returns how many files went, by table."""
        return {
            name: self._commit(spec, _compact)
            for name, spec in TABLES.items()
            if self._table(spec) is not None
        }

    def vacuum(self, retention_hours: int | None = None) -> dict[str, int]:
        """Delete files that no version within the retention (a day, where not given) refers to.

        Leftovers of failed commits go, too. Returns how many files went, by table. A retention shorter than
        the longest run can break readers and writers that are at work.
        """
        clean_up = partial(_vacuum, retention_hours=retention_hours)
        return {
            name: self._commit(spec, clean_up)
            for name, spec in TABLES.items()
            if self._table(spec) is not None
        }

    def drop_old_pages(self, before: Hour) -> int:
        """Drop the pages fetched on the days before the day of ``before``; returns how many."""
        if self._table(PAGES) is None:
            return 0
        return self._commit(PAGES, partial(_drop_days, before=before.day))


def _compact(table: DeltaTable) -> int:
    return int(table.optimize.compact(commit_properties=_upkeep("compact"))["numFilesRemoved"])


def _vacuum(table: DeltaTable, retention_hours: int | None) -> int:
    gone = table.vacuum(
        retention_hours=retention_hours,
        dry_run=False,
        enforce_retention_duration=False,
        full=True,
        commit_properties=_upkeep("vacuum"),
    )
    return len(gone)


def _drop_days(table: DeltaTable, before: str) -> int:
    if not any(str(part["day"]) < before for part in table.partitions()):
        return 0
    metrics = table.delete(f"day < {literal(before)}", commit_properties=_upkeep("drop_old_pages"))
    return int(metrics["num_deleted_rows"] or 0)


def _upkeep(what: str) -> CommitProperties:
    return CommitProperties(custom_metadata={"upkeep": what})
