"""What the address of a page chooses: an hour, read with a sentence where it is not one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.web.messages import Words

Choice = Annotated[str, Query(max_length=200)]


def read_hour(words: Words, hour: str) -> Hour | None:
    """The hour that a parameter names; None where it is empty."""
    try:
        return Hour.parse(hour) if hour else None
    except InputError:
        raise InputError(words("hour_wrong", hour=hour[:40])) from None
