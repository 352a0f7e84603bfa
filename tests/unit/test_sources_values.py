"""Single values of foreign files: read where they can be, None where not, never an error, never a made-up zero."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.hours import Hour
from trendlark.nlu import language
from trendlark.sources import values
from trendlark.sources.values import (
    as_count,
    as_hour,
    as_language,
    as_moment,
    as_name,
    as_rank,
    as_text,
    read_json,
)

MOMENT = datetime(2026, 11, 23, 7, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T07:05:09Z",
        "2026-11-23T07:05:09.000Z",
        "2026-11-23 08:05:09+01:00",
        "2026-11-23 07:05:09",
        "Mon Nov 23 07:05:09 +0000 2026",
        "2026-11-23 07:05:09 UTC",
        "2026-11-23T07:05:09.000 GMT",
        "Mon, 23 Nov 2026 07:05:09 GMT",
        "Mon, 23-Nov-2026 02:05:09 EST",
        "23 November 2026 08:05:09 +0100",
        "Nov 23, 2026 07:05:09",
        1795417509,
        1795417509.0,
        1795417509000,
        "1795417509",
        " 1795417509000 ",
        datetime(2026, 11, 23, 7, 5, 9),  # noqa: DTZ001 - files have such times
        datetime(2026, 11, 23, 2, 5, 9, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_moments(value: object) -> None:
    assert as_moment(value) == MOMENT
    assert as_hour(value) == Hour.of(MOMENT)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", "soon", "0", 0, -5, 1e300, float("nan"), float("inf"), [], {}, "9" * 60),
        "0001-01-01T00:00:00+23:00",
        # Of these Python's reader of mail takes the hour and leaves out what makes it another one.
        "Nov 23, 2026 7:05 PM",
        "Nov 23, 2026 7:05PM",
        "Mon Nov 23 2026 07:05:09 GMT+0100 (Central European Standard Time)",
        "Mon Nov 23 07:05:09 CET 2026",
        "2026-11-23 07:05:09 CET",
        *(10**308, 10**309, 10**4000, -(10**400)),  # whole numbers in JSON may be larger than any float
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_moment(value: object) -> None:
    assert as_moment(value) is None
    assert as_hour(value) is None


def test_hours_may_be_written_short() -> None:
    assert as_hour("2026-11-23T07") == Hour.of(MOMENT)
    assert as_hour("2026-11-23") == Hour.parse("2026-11-23T00")


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (0, 0),
        (7, 7),
        ("7", 7),
        (" 7.0 ", 7),
        (7.0, 7),
        (7.5, None),
        (-1, None),
        (True, None),
        ("many", None),
        ("", None),
        (None, None),
        (2**63, None),
        (10**400, None),
        ("9" * 400, None),
        (float("inf"), None),
        ([], None),
    ],
)
def test_counts(value: object, count: int | None) -> None:
    assert as_count(value) == count


@pytest.mark.parametrize(
    ("value", "rank"),
    [
        (1, 1),
        ("2", 2),
        (3.0, 3),
        (2**31 - 1, 2**31 - 1),
        (2**31, None),
        (2**63 - 1, None),
        (10**400, None),
        (0, None),
        (-1, None),
        (True, None),
        (None, None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_ranks(value: object, rank: int | None) -> None:
    assert as_rank(value) == rank


@pytest.mark.parametrize(
    ("value", "language"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("pt-BR", "pt"),
        ("zh_Hant", "zh"),
        ("in", "id"),
        ("iw", "he"),
        ("und", None),
        ("zxx", None),
        ("qme", None),
        ("spanish", None),
        ("", None),
        (5, None),
    ],
)
def test_languages(value: object, language: str | None) -> None:
    assert as_language(value) == language


def test_texts_and_names() -> None:
    assert as_text("a\ud83d") == "a\ufffd"
    assert as_text("") == ""
    assert as_text(5) is None
    assert as_name(" ana ") == "ana"
    assert as_name(17) == "17"
    assert [as_name(value) for value in ("  ", True, 1.5, None, 10**30)] == [None] * 5


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 5000, "nul"])
def test_bad_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_has_one_limit_however_deep_the_caller_is(opening: str, closing: str) -> None:
    def called(depth: int, text: str) -> object:
        return called(depth - 1, text) if depth else read_json(text)

    fine, deep = (opening * levels + "7" + closing * levels for levels in (200, 201))
    for depth in (0, 400):
        assert json.dumps(called(depth, fine), separators=(",", ":")) == fine
        with pytest.raises(ValueError, match="nested too deeply"):
            called(depth, deep)


def test_many_brackets_side_by_side_or_in_a_text_are_not_deep() -> None:
    assert read_json("[" + "[]," * 5000 + "{}]") == [*([[]] * 5000), {}]
    assert read_json(json.dumps({"text": "[{" * 5000})) == {"text": "[{" * 5000}


def test_control_characters_inside_strings_are_read() -> None:
    assert read_json('"a\x00\tb"') == "a\x00\tb"


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
    | st.builds(pow, st.sampled_from([10, -10]), st.integers(18, 4000))
)
def test_nothing_makes_them_raise(value: Any) -> None:
    for read in (as_count, as_hour, as_language, as_moment, as_name, as_rank, as_text):
        assert read(value) is None or read(value) == read(value)


def test_old_codes_of_languages_are_the_same_when_read_and_when_found() -> None:
    # The two rooms may not import each other, so each has the table.
    assert values._OLD_LANGUAGES == language._OLD_CODES
