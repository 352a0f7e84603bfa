"""CSV that no spreadsheet runs: names and texts come from strangers."""

from __future__ import annotations

import json

# Spreadsheets run a cell that begins with one of these as a formula; a leading apostrophe makes it text.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: object) -> object:
    """A value as a cell: lists and objects as JSON, an apostrophe before a text that a spreadsheet would run."""
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, str):
        text = value.replace("\x00", "\ufffd")  # CSV readers stop at NUL
        return "'" + text if _is_formula(text) else text
    return value


def _is_formula(text: str) -> bool:
    if text.startswith(("\t", "\r")):
        return True
    # A spreadsheet may trim what comes before the sign: blanks, line ends, marks that are not seen.
    start = next(
        (place for place, sign in enumerate(text) if sign.isprintable() and not sign.isspace()), None
    )
    return start is not None and text[start] in _FORMULA and not _is_number(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii()
