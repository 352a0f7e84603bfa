"""Analyse a file of any size: CSV, JSON lines or Parquet in, JSON lines, CSV or Parquet out.

Results go to a journal beside the output (``OUT.part``, JSON lines) slice by slice, and a small state file says how
far it is trustworthy. A run that is killed goes on there. When the last row is analysed the journal becomes the
output in one rename, so an output file that exists is whole.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from trendlark.errors import InputError
from trendlark.jobs.engines import Engine
from trendlark.jobs.progress import SILENT, Progress
from trendlark.records import Analysis, clean_text, finite
from trendlark.sources.rows import Row, Rows

_SLICE = 1024
# How far a file is read is known by its bytes, not its rows; the bar counts thousandths.
_PARTS = 1000
_TEXT_COLUMNS = ("text", "tweet", "full_text", "content", "message", "texto", "body")
# Spreadsheets run a cell that begins with one of these as a formula; a leading apostrophe makes it text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file: rows read, rows without a usable text, rows that an earlier run had done."""

    rows: int
    refused: int
    resumed: int


@dataclass(frozen=True, slots=True)
class Result:
    """A row of the input with its analysis, or with the reason why it has none."""

    row: int
    input: Mapping[str, Any]
    analysis: Analysis | None
    error: str | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON lines form."""
        analysis = self.analysis.to_dict() if self.analysis else None
        return {"row": self.row, "input": dict(self.input), "analysis": analysis, "error": self.error}


def open_rows(path: Path, column: str | None) -> tuple[Rows, str]:
    """A file and the column that holds its texts; raises InputError where there is no such column."""
    rows = Rows(path)
    if column is not None:
        if column in rows.columns:
            return rows, column
        raise InputError(
            f"Found no column {column!r} in {path}; it has {_listed(rows.columns)}. Name one of these with --column."
        )
    lowered = {name.lower(): name for name in rows.columns}
    for usual in _TEXT_COLUMNS:
        if usual in lowered:
            return rows, lowered[usual]
    if len(rows.columns) == 1:
        return rows, rows.columns[0]
    raise InputError(
        f"Found the columns {_listed(rows.columns)} in {path}, and none is named like a text "
        f"({', '.join(_TEXT_COLUMNS)}). Name the one to analyse with --column."
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:20])) + (" and more" if len(names) > 20 else "")


def analyze_rows(rows: Iterable[Row], analyzer: Engine, column: str) -> Iterator[list[Result]]:
    """Analyse rows slice by slice, in order; a row without a usable text keeps its place with a reason."""
    rows = iter(rows)
    while batch := list(islice(rows, _SLICE)):
        texts = [_text_of(row, column) for row in batch]
        analyses = iter(analyzer.analyze([text for text in texts if text is not None]))
        yield [_result(row, text, analyses, column) for row, text in zip(batch, texts, strict=True)]


def _result(row: Row, text: str | None, analyses: Iterator[Analysis], column: str) -> Result:
    if text is not None:
        return Result(row.number, row.values, next(analyses), None)
    if row.trouble:
        return Result(row.number, {"as_found": row.as_found()}, None, row.trouble)
    return Result(row.number, row.values, None, f"no text in column {column!r}")


def _text_of(row: Row, column: str) -> str | None:
    value = None if row.trouble else row.get(column)
    return clean_text(value) if isinstance(value, str) else None


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
    journal = _Journal.open(source, out, {"column": chosen, "model": analyzer.name})
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
    outcome = FileOutcome(journal.rows, journal.refused, resumed)
    journal.finish(out, shape)
    return outcome


@dataclass(slots=True)
class _Journal:
    """Results so far; ``state`` is written after the bytes that it vouches for are on disk."""

    part: Path
    state: Path
    key: dict[str, Any]
    stream: IO[bytes]
    rows: int = 0
    refused: int = 0

    @classmethod
    def open(cls, source: Path, out: Path, options: dict[str, Any]) -> _Journal:
        try:
            seen = source.stat()
        except OSError as error:
            raise InputError(
                f"Found that {source} cannot be read ({error.strerror}); name a readable file."
            ) from error
        part, state = out.with_name(out.name + ".part"), out.with_name(out.name + ".part.json")
        key = {"input": str(source.resolve()), "bytes": seen.st_size, "changed": seen.st_mtime_ns, **options}
        before = _read_state(state, part, key)
        try:
            stream = part.open("r+b" if before else "wb")
        except OSError as error:
            raise InputError(
                f"Found that {part} cannot be written ({error.strerror}); name another --out."
            ) from error
        journal = cls(part, state, key, stream)
        if before:
            stream.truncate(before["length"])
            stream.seek(0, os.SEEK_END)
            journal.rows, journal.refused = before["rows"], before["refused"]
        return journal

    def append(self, results: Sequence[Result]) -> None:
        for result in results:
            self.stream.write(_line(result.to_dict()))
        self.rows += len(results)
        self.refused += sum(result.error is not None for result in results)
        self.stream.flush()
        os.fsync(self.stream.fileno())
        state = {"key": self.key, "length": self.stream.tell(), "rows": self.rows, "refused": self.refused}
        fresh = self.state.with_name(self.state.name + ".new")
        fresh.write_text(json.dumps(state), encoding="utf-8")
        fresh.replace(self.state)

    def finish(self, out: Path, shape: str) -> None:
        _publish(self.part, out, shape)
        self.state.unlink(missing_ok=True)


def _read_state(state: Path, part: Path, key: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        found = json.loads(state.read_text(encoding="utf-8"))
        usable = found["key"] == key and part.stat().st_size >= found["length"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(found) if usable else None


def write_rows(results: Iterable[Mapping[str, Any]], out: Path, shape: str) -> None:
    """Write results that are at hand (``Result.to_dict``) to a file."""
    part = out.with_name(out.name + ".part")
    try:
        with part.open("wb") as stream:
            for result in results:
                stream.write(_line(result))
        _publish(part, out, shape)
    except OSError as error:
        raise InputError(
            f"Found that {out} cannot be written ({error.strerror}); name another --out."
        ) from error


def _line(result: Mapping[str, Any]) -> bytes:
    return clean_text(to_json(result)).encode() + b"\n"


def to_json(result: Mapping[str, Any]) -> str:
    """A result as a line of JSON, without its end."""
    try:
        return json.dumps(result, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # NaN, of which Parquet files are full
        return json.dumps(finite(result), ensure_ascii=False, default=str)


def _publish(part: Path, out: Path, shape: str) -> None:
    if shape == "jsonl":
        part.replace(out)
        return
    done = out.with_name(out.name + ".new")
    (_write_csv if shape == "csv" else _write_parquet)(part, done)
    done.replace(out)
    part.unlink()


def flatten(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as one flat row: the input's columns as they are, then the analysis under ``nlu_``.

    Columns of the input with such a name, as a file has that was analysed before, go under ``input_``.
    """
    flat: dict[str, Any] = {"row": result["row"]}
    flat |= {
        f"input_{name}" if name == "row" or name.startswith("nlu_") else name: value
        for name, value in result["input"].items()
    }
    analysis = result["analysis"]
    if analysis is not None:
        flat |= {"nlu_lang": analysis["lang"], "nlu_sentiment": analysis["sentiment"]["label"]}
        flat |= {f"nlu_sentiment_{k}": v for k, v in analysis["sentiment"]["probabilities"].items()}
        flat |= {f"nlu_emotion_{k}": v for k, v in analysis["emotions"].items()}
        flat["nlu_emotions"] = " ".join(analysis["emotions_present"])
        for name in ("irony", "hate", "offensive"):
            flat[f"nlu_{name}"] = analysis[name]["value"]
            flat[f"nlu_{name}_probability"] = analysis[name]["probability"]
        flat["nlu_topics"] = " ".join(topic["label"] for topic in analysis["topics"])
        flat |= {
            f"nlu_{k}": _compact(analysis[k])
            for k in ("entities", "hashtags", "mentions", "urls", "keyphrases")
        }
        flat |= {"nlu_truncated": analysis["truncated"], "nlu_model": analysis["model"]}
    flat["nlu_error"] = result["error"]
    return flat


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _journal_rows(journal: Path) -> Iterator[dict[str, Any]]:
    with journal.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield flatten(json.loads(line))


class CsvRows:
    """Writes rows as CSV that a spreadsheet can open without running a cell as a formula."""

    def __init__(self, stream: IO[str], columns: Sequence[str]) -> None:
        self._columns = list(columns)
        self._writer = csv.writer(stream)
        self._writer.writerow([_cell(name) for name in self._columns])

    def write(self, row: Mapping[str, Any]) -> None:
        """Write one row; columns that it lacks stay empty."""
        self._writer.writerow([_cell(row.get(name)) for name in self._columns])


def _cell(value: object) -> object:
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str):
        text = value.replace("\x00", "\ufffd")  # CSV readers stop at NUL
        return "'" + text if text.startswith(_FORMULA) else text
    return value


def _write_csv(journal: Path, out: Path) -> None:
    with out.open("w", encoding="utf-8", newline="") as stream:
        rows = CsvRows(stream, list(_column_kinds(journal)))
        for row in _journal_rows(journal):
            rows.write(row)


def _write_parquet(journal: Path, out: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only this format needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    kinds = _column_kinds(journal)
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "str": pa.string()}
    schema = pa.schema([(name, types[kind]) for name, kind in kinds.items()])
    rows = _journal_rows(journal)
    with pq.ParquetWriter(out, schema) as writer:
        while batch := [_typed(row, kinds) for row in islice(rows, 8192)]:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def _column_kinds(journal: Path) -> dict[str, str]:
    """The columns in order of first appearance, each with the one kind that holds all its values."""
    kinds: dict[str, str | None] = {}
    for row in _journal_rows(journal):
        for name, value in row.items():
            kinds[name] = _joined(kinds.get(name), value)
    last = kinds.pop("nlu_error", None)
    return {name: kind or "str" for name, kind in (*kinds.items(), ("nlu_error", last))}


def _joined(kind: str | None, value: object) -> str | None:
    if value is None:
        return kind
    new = type(value).__name__
    if new not in {"bool", "int", "float"} or (new == "int" and abs(int(str(value))) >= 2**63):
        new = "str"
    if kind in (None, new):
        return new
    return "float" if {kind, new} == {"int", "float"} else "str"


def _typed(row: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    casts: dict[str, Callable[[Any], Any]] = {"bool": bool, "int": int, "float": float, "str": _as_text}
    return {name: None if row.get(name) is None else casts[kind](row[name]) for name, kind in kinds.items()}


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
