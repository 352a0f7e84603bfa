"""What the pages show of rows: order, previews, movement, bars, gaps, and the cursors of the API."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.web_lake import FIRST, interval, summary_of
from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.records import Refusal, Share, Trend, TrendHour
from trendlark.web import drawing, views
from trendlark.web.reading import key_of, read_cursor, write_cursor


def row(
    name: str,
    rank: int = 1,
    *,
    hour: Hour = FIRST,
    place: str = "es",
    mood: tuple[float, float] | None = (0.2, 0.5),
    n: int = 40,
) -> TrendHour:
    """A row, summed up unless it has no mood."""
    summary = summary_of(hour, mood, {"joy": 0.4, "love": 0.2, "fear": 0.1}, (), n) if mood else None
    return TrendHour(Trend(hour, "x", place, name, rank, 100), n, 1, 0.0, None, summary)


def test_tables_come_in_the_order_of_the_places_and_ranks() -> None:
    rows = [row("b", 2), row("a", 1), row("c", 1, place="us")]
    tables = views.place_tables(rows, [], ["us", "es", "mx"])
    assert [table.place for table in tables] == ["us", "es", "mx"]
    assert [one.data.trend.name for one in tables[1].rows] == ["a", "b"]
    assert tables[1].sampled == 80
    assert tables[2].rows == ()


def test_movement_is_told_against_the_hour_before() -> None:
    before = [row("up", 3, mood=(0.5, 0.2)), row("same", 2), row("gone", 1)]
    now = [row("up", 1, mood=(0.05, 0.9)), row("same", 2), row("fresh", 3)]
    up, same, fresh = views.place_tables(now, before, ["es"])[0].rows
    assert up.move
    assert up.move.climbed == 2
    assert up.mood_change
    assert up.mood_change.value == pytest.approx(1.15)
    assert up.mood_change.clear
    assert same.mood_change
    assert same.mood_change.value == pytest.approx(0)
    assert not same.mood_change.clear
    assert fresh.move
    assert fresh.move.new
    assert fresh.mood_change is None


def test_without_an_hour_before_nothing_is_called_new() -> None:
    only = views.place_tables([row("a")], [row("a", place="us")], ["es"])[0].rows[0]
    assert only.move is None


def test_leading_emotions_are_few_and_noticeable() -> None:
    assert [name for name, _ in views.leading_emotions(row("a").summary)] == ["joy", "love"]
    assert views.leading_emotions(None) == ()
    summary = row("a").summary
    assert summary
    faint = replace(summary, emotions={"joy": Share(0.01, 0, 0.1)})
    assert views.leading_emotions(faint) == ()
    assert views.leading_emotions(replace(summary, analysed=0, emotions={})) == ()


@given(st.dictionaries(st.sampled_from(["joy", "love", "fear"]), st.floats(0, 1), min_size=1))
def test_bars_and_whiskers_stay_on_their_axis(shares: dict[str, float]) -> None:
    given_shares = {name: interval(share, 20) for name, share in shares.items()}
    for bar in drawing.bars(given_shares, ["joy", "love", "fear"], by_size=True):
        assert 0 <= bar.low <= bar.width + 1e-9
        assert bar.width <= bar.high + 1e-9
        assert bar.high <= 100 + 1e-9


def test_refusals_are_counted_and_a_few_reasons_named() -> None:
    refusals = [Refusal("no text", "{}", "a")] * 3 + [Refusal("no id", "{}", "a")]
    refusals += [Refusal(f"reason {number}", "{}", "b") for number in range(4)] + [Refusal("cut off", "")] * 2
    found = views.refused(refusals, "a")
    assert (found.of_trend, found.of_place) == (4, 10)
    assert found.reasons[:3] == (("no text", 3), ("no id", 1), ("cut off", 2))
    assert len(found.reasons) == 5
    assert sum(count for _, count in found.reasons) + found.unnamed == 10
    assert views.refused([], "a") == views.Refused(0, 0, (), 0)
    long = views.refused([Refusal("x" * 100_000, "")], "a").reasons[0][0]
    assert len(long) == 201


keys = st.tuples(
    st.integers(-(10**6), -(10**5)),
    st.text(max_size=8),
    st.text(max_size=8),
    st.integers(0, 50),
    st.text(max_size=80),
)


@given(keys)
def test_a_cursor_comes_back_as_it_went(key: tuple[int, str, str, int, str]) -> None:
    assert read_cursor(write_cursor(key)) == key


@given(st.text(max_size=60))
def test_a_strange_cursor_is_refused_in_one_sentence(text: str) -> None:
    with suppress(InputError):
        key = read_cursor(text)
        assert read_cursor(write_cursor(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "e30",
        "WzEsMiwzLDQsNV0",
        "é",
        "W1tbW1tb",
        "bnVsbA",
        write_cursor((-(10**12), "x", "es", 1, "a")),
        write_cursor((1, "x", "es", 1, "a")),
    ],
)
def test_cursors_that_are_not_ours_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        read_cursor(text)


def test_newest_hours_sort_first() -> None:
    assert key_of(row("a", hour=FIRST + 1)) < key_of(row("a", hour=FIRST))
    assert key_of(row("b", 1)) < key_of(row("a", 2))
