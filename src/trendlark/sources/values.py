"""Reading single values of foreign JSON and CSV: what is absent or unusable is ``None``, never zero."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from trendlark.errors import InputError
from trendlark.hours import Hour, parse_moment
from trendlark.records import clean_text

_SLUG = re.compile(r"[a-z0-9-]+")
_LARGEST = 2**63 - 1
LARGEST_RANK = 2**31 - 1  # the lake's column has 32 bits
# Far beyond what sources send. What is read here is written again elsewhere, where Python has less room left.
_DEEPEST = 200
# Old ISO 639 codes that X still sends, and its codes for posts without words (docs.x.com, operator lang:).
_OLD_LANGUAGES = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro", "sh": "sr"}
_NO_LANGUAGE = {"und", "zxx", "mul", "mis", "art", "qam", "qct", "qht", "qme", "qst"}
# The words of a time as mail has it. Python passes over others, though 7:05 PM, GMT+0100 and CET are another time.
_MAIL_WORD = re.compile(
    r"(mon|tue|wed|thu|fri|sat|sun)[a-z]*,?|\d{1,4},?|\d{1,2}:\d{2}(:\d{2})?|[+-]\d{4}|utc?|gmt|z|[ecmp][sd]t"
    r"|(\d{1,2}-)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*,?(-\d{2,4})?",
    re.IGNORECASE,
)
_NAMED_UTC = re.compile(r" ?(UTC|GMT)$")
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def read_json(text: str) -> object:
    """Decode JSON from anywhere; raises ValueError also for nesting and numbers beyond all measure.

    Control characters inside strings are let through: tweets have them.
    """
    try:
        value: object = json.loads(text, strict=False)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if text.count("[") + text.count("{") > _DEEPEST and _is_deep(value):
        raise ValueError("nested too deeply")
    return value


def _is_deep(value: object) -> bool:
    layer = [value]
    for _ in range(_DEEPEST):
        layer = [inner for outer in layer for inner in _inside(outer)]
        if not layer:
            return False
    return any(isinstance(inner, dict | list) for inner in layer)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def as_text(value: object) -> str | None:
    """A string as it is, lone surrogates apart; anything else is None."""
    return clean_text(value) if isinstance(value, str) else None


def as_name(value: object) -> str | None:
    """A string or whole number as a trimmed, non-empty string."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) <= _LARGEST else None
    text = as_text(value)
    return (text.strip() or None) if text is not None else None


def as_slug(name: str) -> str | None:
    """A place as the settings name it: a-z, digits and hyphens; capitals are made small."""
    slug = name.strip().lower()
    return slug if _SLUG.fullmatch(slug) else None


def as_count(value: object) -> int | None:
    """A whole number from zero to 2**63 - 1, also when written ``"12"`` or ``12.0``."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else None
    if isinstance(value, str):
        text = value.strip().removesuffix(".0")
        value = int(text) if text.isdecimal() and len(text) <= 19 else None
    return value if isinstance(value, int) and 0 <= value <= _LARGEST else None


def as_rank(value: object) -> int | None:
    """A whole number from 1 to 2**31 - 1, written as :func:`as_count` reads it."""
    rank = as_count(value)
    return rank if rank and rank <= LARGEST_RANK else None


def as_moment(value: object) -> datetime | None:
    """A time from ISO 8601, Twitter's old form, or seconds or milliseconds since 1970; UTC when not said."""
    if isinstance(value, datetime):
        moment = value.replace(tzinfo=UTC) if value.tzinfo is None else value
        return moment.astimezone(UTC) if _EARLIEST <= moment <= _LATEST else None
    if isinstance(value, str) and 0 < len(value) <= 64:
        return _moment_of_text(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _moment_of_number(value)
    return None


@lru_cache(maxsize=4096)
def _moment_of_text(text: str) -> datetime | None:
    if text.replace(".", "", 1).isdecimal() and text.isascii() and len(text) >= 9:
        return _moment_of_number(float(text))
    try:
        return as_moment(parse_moment(_NAMED_UTC.sub("+00:00", text)))
    except (InputError, OverflowError):
        pass
    try:
        return as_moment(datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y"))
    except (ValueError, OverflowError):
        pass
    if not all(map(_MAIL_WORD.fullmatch, text.split())):
        return None
    try:
        return as_moment(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _moment_of_number(number: float) -> datetime | None:
    if not 0 < number <= _LATEST.timestamp() * 1000:  # JSON has whole numbers that no division can take
        return None
    seconds = number / 1000 if number > _LATEST.timestamp() else number
    if not _EARLIEST.timestamp() <= seconds <= _LATEST.timestamp():
        return None
    return datetime.fromtimestamp(seconds, UTC)


def as_hour(value: object) -> Hour | None:
    """An hour written ``2026-11-23T07``, or the hour of any time that :func:`as_moment` reads."""
    return _hour_of_text(value) if isinstance(value, str) else _hour_of(as_moment(value))


@lru_cache(maxsize=4096)
def _hour_of_text(text: str) -> Hour | None:
    try:
        return Hour.parse(text)
    except (InputError, OverflowError):
        return _hour_of(as_moment(text))


def _hour_of(moment: datetime | None) -> Hour | None:
    return None if moment is None else Hour.of(moment)


def as_language(value: object) -> str | None:
    """An ISO 639 code in lower case without its region; codes that mean "no language" are None."""
    text = as_text(value)
    if text is None:
        return None
    code = text.strip().lower().replace("_", "-").split("-")[0]
    if not (code.isascii() and code.isalpha() and 2 <= len(code) <= 3) or code in _NO_LANGUAGE:
        return None
    return _OLD_LANGUAGES.get(code, code)
