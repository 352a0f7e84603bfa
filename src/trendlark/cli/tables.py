"""Rows on standard output or in a file: table, JSON, JSON lines, CSV, Parquet."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from trendlark.records import finite

_PIPED_WIDTH = 1000

Shape = Literal["table", "json", "jsonl"]


def print_rows(rows: Sequence[Mapping[str, Any]], shape: Shape) -> None:
    """Print rows that are alike."""
    if shape == "jsonl":
        for row in rows:
            print(to_json(row))
    elif shape == "json":
        print(to_json(list(rows)))
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


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows[0]:
        table.add_column(Text(_cell(name)), overflow="fold")
    for row in rows:
        # Text, not str: a tweet with [brackets] is no markup, and control characters stay out of the terminal.
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console = Console()
    if not console.is_terminal:
        console.width = _PIPED_WIDTH  # a pipe has no edge at which to fold
    console.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    text = to_json(value) if isinstance(value, list | dict) else str(value)
    return "".join(c if c.isprintable() else " " for c in text)
