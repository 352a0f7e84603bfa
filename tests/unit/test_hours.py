"""The hour: parsing, arithmetic, windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import InputError
from trendlark.hours import Hour, parse_moment, seconds_until, utc_now

MOMENTS = st.integers(0, 2**33).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
HOURS = MOMENTS.map(Hour.of)


def test_an_hour_is_written_as_it_is_read() -> None:
    hour = Hour.parse("2026-11-23T07")
    assert str(hour) == "2026-11-23T07"
    assert hour.start == datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert hour.end == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert hour.day == "2026-11-23"


@pytest.mark.parametrize(
    "text", ["2026-11-23T07:00:00Z", "2026-11-23T07:59", " 2026-11-23T07 ", "2026-11-23T07:00:00+00:00"]
)
def test_longer_times_in_utc_are_read_too(text: str) -> None:
    assert str(Hour.parse(text)) == "2026-11-23T07"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T24",
        "2026-13-01T00",
        "2026-11-23T07:00:00+02:00",
        "T07",
        "2026-11-23T07xx",
    ],
)
def test_what_is_no_hour_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"an hour is written like 2026-11-23T07") as caught:
        Hour.parse(text)
    assert "\n" not in str(caught.value)


def test_the_first_and_the_last_hour_are_read() -> None:
    assert Hour.parse("1970-01-01T00").index == 0
    assert str(Hour.parse("2999-12-31T23").end) == "3000-01-01 00:00:00+00:00"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match="without a time zone"):
        Hour.of(datetime(2026, 11, 23, 7))  # noqa: DTZ001 - the fault under test


def test_another_zone_is_taken_to_utc() -> None:
    lima = timezone(timedelta(hours=-5))
    assert str(Hour.of(datetime(2026, 11, 23, 7, 30, tzinfo=lima))) == "2026-11-23T12"


@given(HOURS)
def test_text_and_hour_are_one_to_one(hour: Hour) -> None:
    assert Hour.parse(str(hour)) == hour


@given(MOMENTS)
def test_a_moment_lies_in_its_hour_only(moment: datetime) -> None:
    hour = Hour.of(moment)
    assert moment in hour
    assert moment not in hour - 1
    assert moment not in hour + 1


@given(HOURS, HOURS)
def test_order_is_the_order_of_time_and_of_text(a: Hour, b: Hour) -> None:
    assert (a < b) == (a.start < b.start) == (str(a) < str(b))


@given(HOURS, st.integers(min_value=1, max_value=60))
def test_windows_tile_the_hour(hour: Hour, count: int) -> None:
    windows = hour.windows(count)
    assert len(windows) == count
    assert windows[0].start == hour.start
    assert windows[-1].end == hour.end
    assert all(a.end == b.start for a, b in pairwise(windows))
    assert all(w.start < w.end for w in windows)


def test_a_window_holds_its_start_and_not_its_end() -> None:
    first, second = Hour.parse("2026-11-23T07").windows(2)
    assert first.end not in first
    assert first.end in second
    assert str(first) == "2026-11-23T07:00:00Z/2026-11-23T07:30:00Z"


def test_a_range_includes_both_ends() -> None:
    first = Hour.parse("2026-11-22T23")
    assert [str(hour) for hour in first.until(first + 2)] == [
        "2026-11-22T23",
        "2026-11-23T00",
        "2026-11-23T01",
    ]
    assert list(first.until(first - 1)) == []


def test_the_last_complete_hour_is_the_one_before_now() -> None:
    assert Hour.last_complete() + 1 in (Hour.now(), Hour.now() + 1)
    assert utc_now() in Hour.now() or utc_now() in Hour.now() + 1


def test_seconds_until_is_never_negative() -> None:
    assert seconds_until(utc_now() - timedelta(days=1)) == 0.0
    assert 0 < seconds_until(utc_now() + timedelta(hours=1)) <= 3600


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T07:05:00Z", datetime(2026, 11, 23, 7, 5, tzinfo=UTC)),
        ("2026-11-23T07:05:00.123Z", datetime(2026, 11, 23, 7, 5, 0, 123000, tzinfo=UTC)),
        ("2026-11-23 07:05:00", datetime(2026, 11, 23, 7, 5, tzinfo=UTC)),
        ("2026-11-23T07:05:00-05:00", datetime(2026, 11, 23, 12, 5, tzinfo=UTC)),
    ],
)
def test_moments_are_read_as_utc(text: str, expected: datetime) -> None:
    assert parse_moment(text) == expected


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(InputError, match="times are ISO 8601"):
        parse_moment("yesterday")
