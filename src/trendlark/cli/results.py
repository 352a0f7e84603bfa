"""An Arrow table on standard output or in a file."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from trendlark.cli.options import Format
from trendlark.cli.tables import print_rows, screen, to_json
from trendlark.errors import InputError
from trendlark.jobs.files import fresh_part
from trendlark.jobs.forms import CsvRows, delimiter_of
from trendlark.lake.query import rows_of


def write_results(
    rows: pa.RecordBatchReader, shape: Format, out: Path | None, shown: int | None = None
) -> int:
    """Write rows in one of the four formats as they come; a table shows the first ``shown``.

    Returns how many came.
    """
    if out is None and shape == "table":
        table = rows.read_all()
        print_rows(rows_of(table.slice(0, shown)), "table")
        return int(table.num_rows)
    if out is None:
        return _write_text(rows, shape, screen(), ",")
    part = out.with_name(out.name + ".part")
    with fresh_part(out):
        try:
            given = _write_part(rows, shape, part, delimiter_of(out))
            part.replace(out)
        except BaseException as error:
            with suppress(OSError):
                part.unlink()
            if isinstance(error, OSError):
                raise InputError(
                    f"Found that {out} cannot be written ({error.strerror or error}); name another file."
                ) from error
            if isinstance(error, pa.ArrowInvalid):
                raise InputError(
                    f"Found a value that {shape} cannot hold ({error}); leave it out, or ask for it as a number by "
                    "CAST(... AS BIGINT)."
                ) from error
            raise
    return given


def _write_part(rows: pa.RecordBatchReader, shape: Format, part: Path, delimiter: str) -> int:
    if shape != "parquet":
        with part.open("w", encoding="utf-8", newline="") as stream:
            return _write_text(rows, shape, stream, delimiter)
    given = 0
    with pq.ParquetWriter(part, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)
            given += batch.num_rows
    return given


def _write_text(rows: pa.RecordBatchReader, shape: Format, stream: IO[str], delimiter: str) -> int:
    csv_rows = CsvRows(stream, rows.schema.names, delimiter) if shape == "csv" else None
    given = 0
    for batch in rows:
        given += batch.num_rows
        for row in rows_of(batch):
            if csv_rows is not None:
                csv_rows.write(row)
            else:
                stream.write(to_json(row) + "\n")
    return given
