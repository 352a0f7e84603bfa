"""What the address of a page chooses: an hour, read with a sentence where it is not one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from trendlark.errors import InputError, NotFoundError
from trendlark.hours import Hour
from trendlark.web.formats import hour_label
from trendlark.web.messages import Words

Choice = Annotated[str, Query(max_length=200)]


def read_hour(words: Words, hour: str) -> Hour | None:
    """The hour that a parameter names; None where it is empty."""
    try:
        return Hour.parse(hour) if hour else None
    except InputError:
        raise InputError(words("hour_wrong", hour=hour[:40])) from None


def missing_hour(words: Words, hour: Hour, hours: Sequence[Hour]) -> NotFoundError:
    """What is said of an hour that is not among those that there are, which come newest first."""
    asked, first, last = (hour_label(one, words.lang) for one in (hour, hours[-1], hours[0]))
    return NotFoundError(words("hour_missing", hour=asked, first=first, last=last))
