"""Rows on their way into a commit: gathered once, readable many times.

Whoever makes the rows may fail halfway, and a commit that lost a race is tried again. So the rows are
gathered before the lake is touched: up to a few megabytes in memory, beyond that in a temporary file.
"""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile, gettempdir
from types import TracebackType
from typing import Self

import pyarrow as pa

from trendlark.errors import LakeFullError

_MEMORY_BYTES = 16 * 1024 * 1024


class Spool:
    """Arrow batches of one schema, compressed; ``rows`` counts them, ``size_bytes`` is what they take."""

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        self._file = SpooledTemporaryFile(max_size=_MEMORY_BYTES, prefix="trendlark-")  # noqa: SIM115 - closed in __exit__
        self.rows = 0
        try:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.ipc.new_stream(self._file, schema, options=options) as writer:
                for batch in batches:
                    self._add(writer, batch)
            self.size_bytes = self._file.tell()
        except BaseException:
            self._file.close()
            raise

    def _add(self, writer: pa.RecordBatchWriter, batch: pa.RecordBatch) -> None:
        try:
            writer.write_batch(batch)
        except OSError as fault:
            raise LakeFullError(
                f"Found no room in the temporary folder {gettempdir()} ({fault.strerror or fault}); rows are "
                "gathered there before they are committed, and none were. Free some space or set TMPDIR, "
                "then run again."
            ) from fault
        self.rows += batch.num_rows

    def reader(self) -> pa.RecordBatchReader:
        """The batches from the first on; one reader at a time."""
        self._file.seek(0)
        return pa.ipc.open_stream(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
