"""Rows of CSV, JSON lines and Parquet files, one at a time: nothing is lost, nothing is held.

A row that cannot be read keeps its place and says why. Bytes that are not UTF-8 become U+FFFD.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trendlark.errors import InputError
from trendlark.sources.values import read_json

Format = Literal["csv", "jsonl", "parquet"]

_ENDINGS: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
# One stray quote must not swallow the rest of a file, and a tweet's row is far below this.
_LONGEST_LINE_BYTES = 32 * 1024 * 1024
_LONGEST_FIELD = 8 * 1024 * 1024
_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row of a file: its number from 1, its values by column, and why it cannot be read, if so."""

    number: int
    values: Mapping[str, Any]
    problem: str | None = None


def format_of(path: Path) -> Format:
    """The format that a file's ending tells; raises InputError where it tells none."""
    name = path.name.lower().removesuffix(".gz")
    for ending, found in _ENDINGS.items():
        if name.endswith(ending):
            return found
    raise InputError(
        f"Found the file {path.name}, whose ending tells no format; .csv, .tsv, .jsonl, .ndjson and .parquet "
        "are read (text formats also as .gz). Rename it."
    )


def read_rows(path: Path, shape: Format | None = None) -> Iterator[RawRow]:
    """The rows of a file in order; raises InputError where the file cannot be read at all."""
    shape = shape or format_of(path)
    try:
        yield from {"csv": _csv_rows, "jsonl": _json_rows, "parquet": _parquet_rows}[shape](path)
    except (OSError, EOFError, zlib.error) as error:
        told = getattr(error, "strerror", None) or error
        raise InputError(
            f"Found that {path} cannot be read ({told}); give a whole, readable file."
        ) from error


def _open(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else io.BufferedReader(io.FileIO(path))


def _csv_rows(path: Path) -> Iterator[RawRow]:
    csv.field_size_limit(_LONGEST_FIELD)
    with _open(path) as binary, io.TextIOWrapper(binary, "utf-8-sig", "replace", newline="") as stream:
        head = stream.readline(_LONGEST_FIELD)
        stream.seek(0)
        rows = csv.reader(stream, delimiter=_delimiter(head))
        columns = _columns(_next(rows))
        number = 0
        while (row := _next(rows)) is not None:
            if row == []:
                continue  # an empty line is no row
            number += 1
            yield _csv_row(number, row, columns)


def _next(rows: Iterator[list[str]]) -> list[str] | str | None:
    try:
        return next(rows, None)
    except csv.Error as error:
        return f"not CSV: {error}"


def _columns(header: list[str] | str | None) -> list[str]:
    if isinstance(header, str):
        raise InputError(f"Found a first line that is {header}; the first line names the columns. Mend it.")
    names: dict[str, None] = {}
    for position, name in enumerate(header or [], start=1):
        wanted = name.strip() or f"column_{position}"
        names[wanted if wanted not in names else f"{wanted}_{position}"] = None
    return list(names)


def _csv_row(number: int, row: list[str] | str, columns: list[str]) -> RawRow:
    if isinstance(row, str):
        return RawRow(number, {}, row)
    values: dict[str, Any] = dict(zip(columns, row, strict=False))
    if len(row) > len(columns):
        # More cells than columns: kept, so that an unquoted comma in a text loses nothing.
        values["column_extra"] = row[len(columns) :]
        return RawRow(number, values, f"{len(row)} cells for {len(columns)} columns; is a text not quoted?")
    return RawRow(number, values)


def _delimiter(head: str) -> str:
    bare = "".join(head.split('"')[::2])
    return max(",;\t|", key=bare.count)


def _json_rows(path: Path) -> Iterator[RawRow]:
    number = 0
    with _open(path) as stream:
        while line := stream.readline(_LONGEST_LINE_BYTES):
            text = line.decode("utf-8-sig" if number == 0 else "utf-8", "replace").strip()
            if text:
                number += 1
                yield _json_row(number, text)


def _json_row(number: int, text: str) -> RawRow:
    try:
        value = read_json(text)
    except ValueError as error:
        return RawRow(number, {"line": text[:_SHOWN]}, f"not JSON: {error}")
    if isinstance(value, str):
        return RawRow(number, {"text": value})
    if not isinstance(value, dict):
        return RawRow(number, {"line": text[:_SHOWN]}, "neither a JSON object nor a string")
    return RawRow(number, value)


def _parquet_rows(path: Path) -> Iterator[RawRow]:
    import pyarrow as pa  # noqa: PLC0415 - only this format needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for values in batch.to_pylist():
                    number += 1
                    yield RawRow(number, values)
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"Found {path}, which is not Parquet ({reason}); give a whole Parquet file."
        ) from error
