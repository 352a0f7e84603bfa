"""The forms of results: JSON lines, CSV that no spreadsheet runs, and Parquet with typed columns."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

from trendlark.nlu.tasks import TASKS
from trendlark.records import clean_text, finite
from trendlark.reports.sheets import cell

_FLAGS = ("irony", "hate", "offensive")
_FOUND = ("entities", "hashtags", "mentions", "urls", "keyphrases")
MORE = "input_more"


def line(result: Mapping[str, Any]) -> bytes:
    """A result as a line of JSON in UTF-8."""
    return clean_text(to_json(result)).encode() + b"\n"


def to_json(result: Mapping[str, Any]) -> str:
    """A result as a line of JSON, without its end."""
    try:
        return json.dumps(result, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # NaN, of which Parquet files are full
        return json.dumps(finite(result), ensure_ascii=False, default=str)


def publish(part: Path, out: Path, shape: str, state: Path) -> None:
    """Turn a journal of JSON lines into the output in one rename; the journal and its state are gone then.

    Raises OSError, and leaves the journal as it is, where there is no room.
    """
    if shape == "jsonl":
        state.unlink(missing_ok=True)
        part.replace(out)
        return
    done = out.with_name(out.name + ".new")
    try:
        if shape == "csv":
            _write_csv(part, done, delimiter_of(out))
        else:
            _write_parquet(part, done)
        done.replace(out)
    finally:
        with suppress(OSError):
            done.unlink()
    state.unlink(missing_ok=True)
    part.unlink()


def delimiter_of(out: Path) -> str:
    """What parts the cells of a CSV file of this name."""
    return "\t" if out.suffix.lower() == ".tsv" else ","


def flatten(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result as one flat row: the input's columns as they are, then the analysis under ``nlu_``.

    Columns of the input with such a name, as a file has that was analysed before, go under ``input_``.
    """
    flat: dict[str, Any] = {"row": result["row"]}
    flat |= {_named(name): value for name, value in result["input"].items()}
    analysis = result["analysis"]
    if analysis is not None:
        flat |= {"nlu_lang": analysis["lang"], "nlu_sentiment": analysis["sentiment"]["label"]}
        flat |= {f"nlu_sentiment_{k}": v for k, v in analysis["sentiment"]["probabilities"].items()}
        flat |= {f"nlu_emotion_{k}": v for k, v in analysis["emotions"].items()}
        flat["nlu_emotions"] = " ".join(analysis["emotions_present"])
        for name in _FLAGS:
            flat[f"nlu_{name}"] = analysis[name]["value"]
            flat[f"nlu_{name}_probability"] = analysis[name]["probability"]
        flat["nlu_topics"] = " ".join(topic["label"] for topic in analysis["topics"])
        flat |= {f"nlu_{k}": _compact(analysis[k]) for k in _FOUND}
        flat |= {"nlu_truncated": analysis["truncated"], "nlu_model": analysis["model"]}
    flat["nlu_error"] = result["error"]
    return flat


def _named(name: str) -> str:
    return f"input_{name}" if name == "row" or name.startswith("nlu_") else name


def stream_columns(inputs: Sequence[str]) -> list[str]:
    """The columns of :func:`flatten` for rows that are still to come.

    Fields that only later rows have, and rows that could not be read, go to ``input_more`` as JSON.
    """
    names = ["row", *map(_named, inputs), MORE, "nlu_lang", "nlu_sentiment"]
    names += [f"nlu_sentiment_{label}" for label in TASKS["sentiment"].labels]
    names += [f"nlu_emotion_{label}" for label in TASKS["emotions"].labels]
    names.append("nlu_emotions")
    names += [name for flag in _FLAGS for name in (f"nlu_{flag}", f"nlu_{flag}_probability")]
    names += ["nlu_topics", *(f"nlu_{name}" for name in _FOUND), "nlu_truncated", "nlu_model", "nlu_error"]
    return list(dict.fromkeys(names))


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _journal_rows(journal: Path) -> Iterator[dict[str, Any]]:
    with journal.open(encoding="utf-8", newline="\n") as stream:
        for line in stream:
            yield flatten(json.loads(line))


class CsvRows:
    """Writes rows as CSV that a spreadsheet can open without running a cell as a formula."""

    def __init__(self, stream: IO[str], columns: Sequence[str], delimiter: str = ",") -> None:
        self._columns = list(columns)
        self._known = frozenset(columns)
        self._writer = csv.writer(stream, delimiter=delimiter)
        self._writer.writerow([cell(name) for name in self._columns])

    def write(self, row: Mapping[str, Any]) -> None:
        """Write one row; columns that it lacks stay empty, what has no column goes to ``input_more``."""
        if MORE in self._known and not self._known.issuperset(row):
            more = {name: value for name, value in row.items() if name not in self._known}
            row = {**row, MORE: more}
        self._writer.writerow([cell(row.get(name)) for name in self._columns])


def _write_csv(journal: Path, out: Path, delimiter: str) -> None:
    with out.open("w", encoding="utf-8", newline="") as stream:
        rows = CsvRows(stream, list(_column_kinds(journal)), delimiter)
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
