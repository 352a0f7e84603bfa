"""Analyse a file of any size: CSV, JSON lines or Parquet in, JSON lines, CSV or Parquet out.

Results go to a journal beside the output (``OUT.part``, JSON lines) slice by slice, and a small state file says how
far it is trustworthy. A run that is killed goes on there. When the last row is analysed the journal becomes the
output in one rename, so an output file that exists is whole.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from trendlark.errors import InputError
from trendlark.jobs.engines import Engine
from trendlark.jobs.forms import line, publish
from trendlark.jobs.progress import SILENT, Progress
from trendlark.records import Analysis, clean_text
from trendlark.sources.imports import USUAL_NAMES, usual_columns
from trendlark.sources.rows import Row, Rows

_SLICE = 1024
# How far a file is read is known by its bytes, not its rows; the bar counts thousandths.
_PARTS = 1000


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file: rows read, rows without a usable text, rows that an earlier run had done."""

    rows: int
    refused: int
    resumed: int


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the input with its analysis, or with the reason why it has none.

    ``row`` counts what a reader of the input counts: the line of a CSV or JSON lines file, the row of a Parquet
    file, the place of a text among the texts given; all from 1.
    """

    row: int
    input: Mapping[str, Any]
    analysis: Analysis | None
    error: str | None
    text: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON lines form."""
        analysis = self.analysis.to_dict() if self.analysis else None
        return {"row": self.row, "input": dict(self.input), "analysis": analysis, "error": self.error}


@dataclass(frozen=True, slots=True)
class TextColumn:
    """Where a row's text is: the first of ``names`` that holds one; ``shown`` is the name told to people."""

    names: tuple[str, ...]
    shown: str
    blank_is_text: bool = False

    def of(self, row: Row) -> str | None:
        """The text of a row; None where there is none, or only blanks."""
        if row.trouble:
            return None
        for name in self.names:
            value = row.get(name)
            if isinstance(value, str) and (self.blank_is_text or value.strip()):
                return clean_text(value)
        return None


GIVEN = TextColumn(("text",), "text", blank_is_text=True)
"""Texts that were given one by one, where an empty one is meant."""


def open_rows(path: Path, column: str | None) -> tuple[Rows, TextColumn]:
    """A file and the column that holds its texts; raises InputError where there is no such column."""
    rows = Rows(path)
    if column is not None:
        if column in rows.columns:
            return rows, TextColumn((column,), column)
        raise InputError(
            f"Found no column {column!r} in {path}; it has {_listed(rows.columns)}. Name one of these with --column."
        )
    usual = usual_columns(rows, "text")
    if usual:
        return rows, TextColumn(usual, next(name for name in usual if name in rows.columns))
    if len(rows.columns) == 1:
        return rows, TextColumn(rows.columns, rows.columns[0])
    raise InputError(
        f"Found the columns {_listed(rows.columns)} in {path}, and none is named like a text "
        f"({', '.join(USUAL_NAMES['text'])}). Name the one to analyse with --column."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:20])) + (" and more" if len(names) > 20 else "")


def analyze_rows(rows: Iterable[Row], analyzer: Engine, column: TextColumn) -> Iterator[list[Result]]:
    """Analyse rows slice by slice, in order; a row without a usable text keeps its place with a reason."""
    rows = iter(rows)
    while batch := list(islice(rows, _SLICE)):
        texts = [column.of(row) for row in batch]
        analyses = iter(analyzer.analyze([text for text in texts if text is not None]))
        yield [_result(row, text, analyses, column) for row, text in zip(batch, texts, strict=True)]


def _result(row: Row, text: str | None, analyses: Iterator[Analysis], column: TextColumn) -> Result:
    if text is not None:
        return Result(row.number, row.values, next(analyses), None, text)
    if row.trouble:
        return Result(row.number, {"as_found": row.as_found()}, None, row.trouble, row.as_found())
    return Result(row.number, row.values, None, f"no text in column {column.shown!r}")


def analyze_file(
    source: Path,
    out: Path,
    analyzer: Engine,
    *,
    column: str | None = None,
    shape: str = "jsonl",
    progress: Progress = SILENT,
) -> FileOutcome:
    """Analyse a file into ``out``; an earlier run of the same that was cut off is continued."""
    if out.exists() and out.samefile(source):
        raise InputError(
            f"Found {out} as the input and as --out; an output takes the place of what is there. "
            "Name another --out."
        )
    rows, chosen = open_rows(source, column)
    journal = _Journal.open(source, out, {"column": list(chosen.names), "model": analyzer.name})
    resumed = journal.rows
    progress.start(f"analyze {source.name}", _PARTS)
    shown = 0
    with journal.stream:
        for results in analyze_rows(islice(rows, resumed, None), analyzer, chosen):
            journal.append(results)
            done = int(rows.share_read * _PARTS)
            progress.advance(done - shown)
            shown = done
        progress.advance(_PARTS - shown)
        journal.finish(out, shape)
    return FileOutcome(journal.rows, journal.refused, resumed)


def open_part(out: Path) -> IO[bytes]:
    """The file beside ``out`` that is written until it is whole, held by this run alone until it is closed.

    What it holds is left as it is. Raises InputError where another run holds it, or it cannot be written.
    """
    part = out.with_name(out.name + ".part")
    try:
        stream = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+b", buffering=0)
    except OSError as error:
        raise InputError(
            f"Found that {part} cannot be written ({error.strerror}); name another --out."
        ) from error
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A run that was just finishing may have given this very file its final name.
        if os.path.samestat(os.fstat(stream.fileno()), part.stat()):
            return stream
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        stream.close()
        raise InputError(
            f"Found that {part} cannot be locked ({error.strerror}); name an --out on another disk."
        ) from error
    stream.close()
    raise InputError(
        f"Found another run that is writing {out}; an output has one writer at a time. "
        "Wait until it is done, or name another --out."
    )


def fresh_part(out: Path) -> IO[bytes]:
    """As :func:`open_part`, but emptied: what an earlier run left there is forgotten."""
    stream = open_part(out)
    _state_of(out).unlink(missing_ok=True)
    stream.truncate(0)
    return stream


def _state_of(out: Path) -> Path:
    return out.with_name(out.name + ".part.json")


@dataclass(slots=True)
class _Journal:
    """Results so far; ``state`` is written after the bytes that it vouches for are on disk."""

    part: Path
    state: Path
    key: dict[str, Any]
    stream: IO[bytes]
    rows: int = 0
    refused: int = 0
    length: int = 0

    @classmethod
    def open(cls, source: Path, out: Path, options: dict[str, Any]) -> _Journal:
        try:
            seen = source.stat()
        except OSError as error:
            raise InputError(
                f"Found that {source} cannot be read ({error.strerror}); name a readable file."
            ) from error
        key = {"input": str(source.resolve()), "bytes": seen.st_size, "changed": seen.st_mtime_ns, **options}
        journal = cls(out.with_name(out.name + ".part"), _state_of(out), key, open_part(out))
        before = _read_state(journal.state, journal.part, key)
        if before:
            journal.length, journal.rows, journal.refused = (before[n] for n in ("length", "rows", "refused"))
        journal.stream.truncate(journal.length)
        journal.stream.seek(journal.length)
        return journal

    def append(self, results: Sequence[Result]) -> None:
        data = memoryview(b"".join(line(result.to_dict()) for result in results))
        rows, length = self.rows + len(results), self.length + len(data)
        refused = self.refused + sum(result.error is not None for result in results)
        fresh = self.state.with_name(self.state.name + ".new")
        try:
            while data:
                data = data[self.stream.write(data) :]
            os.fsync(self.stream.fileno())
            state = {"key": self.key, "length": length, "rows": rows, "refused": refused}
            fresh.write_text(json.dumps(state), encoding="utf-8")
            fresh.replace(self.state)
        except OSError as error:
            with suppress(OSError):
                self.stream.truncate(self.length)
                fresh.unlink(missing_ok=True)
            raise self._cannot_go_on(self.part, error) from error
        self.rows, self.refused, self.length = rows, refused, length

    def finish(self, out: Path, shape: str) -> None:
        try:
            publish(self.part, out, shape, self.state)
        except OSError as error:
            raise self._cannot_go_on(out, error) from error

    def _cannot_go_on(self, path: Path, error: OSError) -> InputError:
        return InputError(
            f"Found that {path} cannot be written ({error.strerror or error}); the {self.rows} rows analysed so far "
            "are kept beside it. Make room and run the same command again; it goes on there."
        )


def _read_state(state: Path, part: Path, key: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        found = json.loads(state.read_text(encoding="utf-8"))
        usable = found["key"] == key and part.stat().st_size >= found["length"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(found) if usable else None


def write_rows(results: Iterable[Mapping[str, Any]], out: Path, shape: str) -> None:
    """Write results (``Result.to_dict``) to a file as they come; the file is there once it is whole."""
    part = out.with_name(out.name + ".part")
    with fresh_part(out) as stream:
        try:
            for result in results:
                data = memoryview(line(result))
                while data:
                    data = data[stream.write(data) :]
            publish(part, out, shape, _state_of(out))
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise InputError(
                f"Found that {out} cannot be written ({error.strerror or error}); nothing was kept. "
                "Make room or name another --out."
            ) from error
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
