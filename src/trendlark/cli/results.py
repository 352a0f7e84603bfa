"""An Arrow table on standard output or in a file."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from trendlark.cli.options import Format
from trendlark.cli.tables import print_rows, to_json
from trendlark.errors import InputError
from trendlark.jobs.files import CsvRows


def write_results(rows: pa.RecordBatchReader, shape: Format, out: Path | None) -> None:
    """Write rows in one of the four formats as they come."""
    if out is None:
        if shape == "table":
            print_rows(rows.read_all().to_pylist(), "table")
        else:
            _write_text(rows, shape, sys.stdout)
        return
    part = out.with_name(out.name + ".part")
    try:
        if shape == "parquet":
            with pq.ParquetWriter(part, rows.schema) as writer:
                for batch in rows:
                    writer.write_batch(batch)
        else:
            with part.open("w", encoding="utf-8", newline="") as stream:
                _write_text(rows, shape, stream)
        part.replace(out)
    except OSError as error:
        raise InputError(
            f"Found that {out} cannot be written ({error.strerror}); name another file."
        ) from error
    finally:
        with suppress(OSError):
            part.unlink()


def _write_text(rows: pa.RecordBatchReader, shape: Format, stream: IO[str]) -> None:
    csv_rows = CsvRows(stream, rows.schema.names) if shape == "csv" else None
    for batch in rows:
        for row in batch.to_pylist():
            if csv_rows is not None:
                csv_rows.write(row)
            else:
                stream.write(to_json(row) + "\n")
