"""The error tree: drawn in its docstring, and whole."""

from __future__ import annotations

import inspect
import re

import pytest

from trendlark import errors
from trendlark.errors import OverloadError, TrendlarkError


def _classes() -> list[type[TrendlarkError]]:
    return [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, TrendlarkError)
    ]


def test_the_docstring_draws_every_class_at_its_depth() -> None:
    drawn: dict[str, int] = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"^ {4}([│├└─ ]*)(\w+Error)\b", line):
            drawn[match.group(2)] = len(match.group(1)) // 4
    depths = {cls.__name__: len(cls.__mro__) - len(TrendlarkError.__mro__) for cls in _classes()}
    assert drawn == depths


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: cls.__name__)
def test_every_class_says_when_it_happens_and_how_it_ends(cls: type[TrendlarkError]) -> None:
    assert cls.__doc__
    assert 1 <= cls.exit_code <= 125
    assert 400 <= cls.http_status <= 599


def test_bad_input_is_the_callers_and_a_broken_lake_is_not() -> None:
    assert errors.InputError.http_status == 400
    assert errors.QueryError.http_status == 400
    assert errors.NotFoundError.http_status == 404
    assert errors.LakeFullError.http_status == 503
    assert errors.LakeFullError.exit_code == errors.LakeError.exit_code == 5
    assert errors.CreditsError.exit_code == errors.SourceError.exit_code == 4


def test_overload_says_when_to_come_back() -> None:
    assert OverloadError("full", 7).retry_after_seconds == 7
    assert OverloadError("full").retry_after_seconds == 1
    assert OverloadError.http_status == 429
