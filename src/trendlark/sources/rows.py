"""Reading the rows of a CSV, JSONL or Parquet file of anybody's, one at a time, whatever is in it.

A row that cannot be read comes with its trouble and as it was found; nothing here loads a whole file.
Gzipped CSV and JSONL files are unpacked as they are read.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Container, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trendlark.errors import InputError
from trendlark.sources.values import as_name, read_json

FORMATS = ("csv", "jsonl", "parquet")
ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_DELIMITERS = ",;\t|"
_PEEKED_ROWS = 100
_PEEKED_LINES = 40
_DEEPEST_COLUMN = 3
_BATCH_ROWS = 1000
# What Arrow raises for nanoseconds, years beyond 9999, unknown time zones and texts that are not UTF-8.
_NO_PYTHON_VALUE = (ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its values by column, or ``trouble`` and the text as found; ``number`` is that of its first line."""

    number: int
    values: Mapping[str, Any]
    trouble: str | None = None
    raw: str = ""

    def get(self, column: str) -> Any:
        """The value of a column; ``a.b`` reaches into objects; None if absent."""
        if column in self.values:
            return self.values[column]
        value: Any = self.values
        for part in column.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def as_found(self) -> str:
        """The row as text, for keeping where it is refused."""
        return self.raw or json.dumps(self.values, ensure_ascii=False, default=str)


class Rows:
    """A file opened for reading rows: ``columns`` are known at once, the rest while it is iterated.

    ``share_read`` goes from 0 to 1; ``invalid_utf8`` counts lines (of Parquet: values) that hold bytes which
    are not UTF-8 and came as U+FFFD. Raises InputError where the file is missing, empty or not of its format.
    """

    def __init__(self, path: Path, file_format: str | None = None) -> None:
        self.path = path
        self.file_format = file_format or _format_of(path)
        if self.file_format not in FORMATS:
            raise InputError(
                f"Found {file_format!r} as a file format; known are {', '.join(FORMATS)}. Choose one of them."
            )
        self.invalid_utf8 = 0
        self.share_read = 0.0
        self._delimiter = ","
        with self._troubles_told():
            self.columns = self._peek()
        if not self.columns:
            raise InputError(
                f"Found no rows in {path}; a CSV file starts with its column names, a JSONL file has one "
                "JSON object on each line. Check the file."
            )

    @property
    def top_columns(self) -> list[str]:
        """The columns without those inside objects (``a.b`` beside ``a``)."""
        if self.file_format == "csv":
            return list(self.columns)
        known = set(self.columns)
        return [name for name in self.columns if not _is_inside(name, known)]

    def __iter__(self) -> Iterator[Row]:
        self.invalid_utf8 = 0
        readers = {"csv": self._csv_rows, "jsonl": self._json_rows, "parquet": self._parquet_rows}
        with self._troubles_told():
            yield from readers[self.file_format]()
        self.share_read = 1.0

    @contextmanager
    def _troubles_told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, UnicodeDecodeError, zlib.error, pa.ArrowException) as error:
            said = (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
            raise InputError(
                f"Found that {self.path} cannot be read as {self.file_format} ({said}); "
                f"known formats are {', '.join(FORMATS)}. Give a whole, readable file."
            ) from error

    def _peek(self) -> tuple[str, ...]:
        if self.file_format == "parquet":
            return tuple(_names_of_schema(pq.read_schema(self.path)))
        if self.file_format == "csv":
            with closing(self._lines()) as opened:
                lines = list(islice(opened, _PEEKED_LINES))
            self._delimiter = _delimiter_of(lines)
            return tuple(_header(lines, self._delimiter))
        names: dict[str, None] = {}
        with closing(self._json_rows()) as rows:
            for row in islice(rows, _PEEKED_ROWS):
                names.update(dict.fromkeys(_names_of(row.values)))
        return tuple(names)

    def _lines(self) -> Generator[str, None, None]:
        size = max(1, self.path.stat().st_size)
        with self.path.open("rb") as opened:
            packed = opened.peek(2)[:2] == b"\x1f\x8b"
            with gzip.open(opened) if packed else opened as stream, closing(self._decoded(stream)) as lines:
                for number, line in enumerate(lines):
                    if number % 256 == 0:
                        self.share_read = opened.tell() / size
                    yield line.removeprefix("\ufeff") if number == 0 else line

    def _decoded(self, stream: gzip.GzipFile | io.BufferedReader) -> Generator[str, None, None]:
        start = stream.peek(1 << 16)
        if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:  # what spreadsheets call "Unicode text"
            with io.TextIOWrapper(stream, "utf-16", errors="replace", newline="\n") as texts:
                yield from texts
        elif b"\n" not in start and b"\r" in start:  # line ends of old spreadsheets
            with io.TextIOWrapper(stream, "utf-8", errors="replace", newline="\r") as texts:
                yield from texts
        else:
            for line in stream:
                text = line.decode("utf-8", errors="replace")
                self.invalid_utf8 += "\ufffd" in text and _is_invalid(line)
                yield text

    def _csv_rows(self) -> Generator[Row, None, None]:
        taken: list[str] = []
        with closing(self._lines()) as lines:
            reader = csv.reader(_noting(lines, taken), delimiter=self._delimiter)
            header = True
            while True:
                taken.clear()
                number = reader.line_num + 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield Row(number, {}, f"the row is not CSV ({error})", "".join(taken))
                    continue
                if cells and not header:
                    yield self._row_of_cells(number, cells, "".join(taken))
                header = header and not cells

    def _row_of_cells(self, number: int, cells: list[str], raw: str) -> Row:
        if len(cells) > len(self.columns):
            trouble = (
                f"the row has {len(cells)} cells, the file has {len(self.columns)} columns; "
                "is a text not quoted?"
            )
            return Row(number, {}, trouble, raw)
        return Row(number, dict(zip(self.columns, cells, strict=False)), raw=raw)

    def _json_rows(self) -> Generator[Row, None, None]:
        with closing(self._lines()) as lines:
            for number, line in enumerate(lines, start=1):
                text = line.strip()
                if not text:
                    continue
                try:
                    value = read_json(text)
                except ValueError as error:
                    yield Row(number, {}, f"the line is not JSON ({error})", text)
                    continue
                if isinstance(value, str):
                    value = {"text": value}
                if not isinstance(value, dict):
                    yield Row(number, {}, "the line is not a JSON object", text)
                    continue
                yield from (Row(number, values, raw=text) for values in _unwrapped(value))

    def _parquet_rows(self) -> Iterator[Row]:
        with pq.ParquetFile(self.path) as file:
            number, total = 0, max(1, file.metadata.num_rows)
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                columns = [self._values(batch.column(index)) for index in range(batch.num_columns)]
                for cells in zip(*columns, strict=True):
                    number += 1
                    yield Row(number, dict(zip(batch.schema.names, cells, strict=True)))
                self.share_read = number / total

    def _values(self, column: Any) -> list[Any]:
        if not _is_text(column.type):
            try:
                values: list[Any] = column.to_pylist()
            except _NO_PYTHON_VALUE:
                values = [self._value(cell) for cell in column]
            return values
        found: list[Any] = []  # Arrow does not check UTF-8 when it reads
        for value in column.cast(pa.large_binary()).to_pylist():
            self.invalid_utf8 += value is not None and _is_invalid(value)
            found.append(None if value is None else value.decode("utf-8", errors="replace"))
        return found

    def _value(self, cell: Any) -> Any:
        """A cell, as much of it as Python can hold: one that it cannot must not cost the others."""
        try:
            return cell.as_py()
        except _NO_PYTHON_VALUE:
            kind = cell.type
        if pa.types.is_dictionary(kind) or isinstance(kind, pa.BaseExtensionType):
            return self._value(cell.value)
        if _is_text(kind):
            self.invalid_utf8 += 1
            return cell.as_buffer().to_pybytes().decode("utf-8", errors="replace")
        return self._parts(cell) if pa.types.is_nested(kind) else _cut(cell)

    def _parts(self, cell: Any) -> dict[str, Any] | list[Any]:
        kind = cell.type
        if pa.types.is_struct(kind):
            return {kind.field(at).name: self._value(cell[at]) for at in range(kind.num_fields)}
        items = [self._value(item) for item in cell.values]
        return [tuple(pair.values()) for pair in items] if pa.types.is_map(kind) else items


def _format_of(path: Path) -> str:
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    if ending in ENDINGS:
        return ENDINGS[ending]
    raise InputError(
        f"Found {path.name}, whose ending does not tell its format; known are {', '.join(ENDINGS)}. "
        f"Rename it, or name the format ({', '.join(FORMATS)}) where the command takes --format."
    )


def _is_text(kind: Any) -> bool:
    return any(
        is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _cut(cell: Any) -> Any:
    """A time to the microsecond, in UTC where nobody knows its zone; None where Python has no such time."""
    kind = cell.type
    forms = []
    if pa.types.is_timestamp(kind):
        unit = "us" if kind.unit == "ns" else kind.unit  # coarser ones would overflow without a word
        forms = [pa.timestamp(unit, kind.tz), pa.timestamp(unit, kind.tz and "UTC")]
    elif pa.types.is_time64(kind):
        forms = [pa.time64("us")]
    elif pa.types.is_duration(kind) and kind.unit == "ns":
        forms = [pa.duration("us")]
    for form in forms:
        with suppress(*_NO_PYTHON_VALUE):
            return cell.cast(form, safe=False).as_py()
    return None


def _is_invalid(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _noting(lines: Iterator[str], taken: list[str]) -> Iterator[str]:
    for line in lines:
        taken.append(line)
        yield line


def _delimiter_of(lines: list[str]) -> str:
    def score(delimiter: str) -> tuple[int, int]:
        widths = [len(cells) for cells in _cells(lines, delimiter)]
        width = widths[0] if widths else 0
        return (sum(other == width for other in widths) if width > 1 else 0, width)

    return max(_DELIMITERS, key=score)


def _cells(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        yield from (cells for cells in reader if cells)
    except csv.Error:
        return


def _header(lines: list[str], delimiter: str) -> list[str]:
    names: dict[str, None] = {}
    for position, cell in enumerate(next(_cells(lines, delimiter), []), start=1):
        name = cell.strip() or f"column_{position}"
        names[name if name not in names else f"{name}_{position}"] = None
    return list(names)


def _names_of(values: Mapping[str, Any], depth: int = 1) -> Iterator[str]:
    for name, value in values.items():
        yield name
        if isinstance(value, dict) and depth < _DEEPEST_COLUMN:
            yield from (f"{name}.{inner}" for inner in _names_of(value, depth + 1))


def _is_inside(name: str, known: Container[str]) -> bool:
    return any(c == "." and name[:place] in known for place, c in enumerate(name))


def _names_of_schema(schema: Any) -> list[str]:
    names = []
    for field in schema:
        names.append(field.name)
        if pa.types.is_struct(field.type):
            names += [f"{field.name}.{inner}" for inner in _names_of_schema(field.type)]
    return names


def _unwrapped(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A line may be a tweet, or an answer of the X API v2 that holds one or many."""
    data = value.get("data")
    items: list[Any] = data if isinstance(data, list) else [data]
    if "text" in value or not items or not all(isinstance(item, dict) and "id" in item for item in items):
        yield value
        return
    includes = value.get("includes")
    users = includes.get("users") if isinstance(includes, dict) else None
    listed: list[Any] = users if isinstance(users, list) else []
    by_id = {as_name(user.get("id")): user for user in listed if isinstance(user, dict)}
    by_id.pop(None, None)
    for item in items:
        author = by_id.get(as_name(item.get("author_id")))
        yield {"author": author, **item} if author else item
