"""Rows on standard output or in a file: table, JSON, JSON lines, CSV, Parquet."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from trendlark.records import finite

if TYPE_CHECKING:
    from rich.text import Text

_PIPED_WIDTH = 1000

Shape = Literal["table", "json", "jsonl"]


def print_rows(rows: Sequence[Mapping[str, Any]], shape: Shape) -> None:
    """Print rows that are alike."""
    if shape == "jsonl":
        for row in rows:
            print(to_json(row), file=screen())
    elif shape == "json":
        print(to_json(list(rows)), file=screen())
    elif rows:
        _print_table(rows)


def to_json(value: Any) -> str:
    """Compact JSON; times as ISO 8601, numbers that JSON does not have (NaN, infinity) as null."""
    try:
        return json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def printable(text: str) -> str:
    """A text of which nothing steers a terminal or hides what is there: no control characters, no bidi marks."""
    return "".join(c if c.isprintable() else " " for c in text)


class _Screen:
    """Standard output where it is a terminal: lines go through :func:`printable`."""

    def write(self, text: str) -> int:
        lines = text.replace("\r\n", "\n").split("\n")
        sys.stdout.write("\n".join(map(printable, lines)))
        return len(text)

    def flush(self) -> None:
        sys.stdout.flush()


def screen() -> IO[str]:
    """Where rows are printed: exact into a pipe or a file, harmless on a terminal."""
    return cast("IO[str]", _Screen()) if sys.stdout.isatty() else sys.stdout


class TableRows:
    """Prints rows as one table, slice by slice; the first slice settles how wide the columns are."""

    def __init__(self) -> None:
        self._widths: list[int] = []

    def write(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Print a slice; the names of the columns stand above the first."""
        if rows:
            self._widths = _print_table(rows, self._widths)


def _print_table(rows: Sequence[Mapping[str, Any]], widths: Sequence[int] = ()) -> list[int]:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH  # a pipe has no edge at which to fold
    names = [_cell(name) for name in rows[0]]
    # Text, not str: a tweet with [brackets] is no markup, and control characters stay out of the terminal.
    cells = [[Text(_cell(value)) for value in row.values()] for row in rows]
    fitting = list(widths) or _fitting([[Text(name) for name in names], *cells], console.width)
    table = Table(box=None, header_style="bold", pad_edge=False, show_header=not widths)
    for name, width in zip(names, fitting, strict=True):
        table.add_column(Text(name), overflow="fold", width=width)
    for row in cells:
        table.add_row(*row)
    console.print(table)
    return fitting


def _fitting(rows: Sequence[Sequence[Text]], room: int) -> list[int]:
    """How wide each column is: as wide as its widest cell, the widest ones narrower until all fit."""
    room -= len(rows[0]) - 1
    widths = [min(room, max(1, *(cell.cell_len for cell in column))) for column in zip(*rows, strict=True)]
    while sum(widths) > room and max(widths) > 1:
        widths[widths.index(max(widths))] -= 1
    return widths


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    return printable(to_json(value) if isinstance(value, list | dict) else str(value))
