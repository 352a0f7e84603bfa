"""The answers of a source in the lake: all of them, some of them, their index, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.lake_records import HOUR, MOMENT, page
from trendlark.lake import Lake, open_lake
from trendlark.records import Page

LATER = MOMENT + timedelta(minutes=1)
# Names of trends come from anybody, and stand in requests.
STRANGE = (
    "it's",
    'say "a" OR 1=1',
    "x' OR 'x'='x",
    "a\x00b",
    "back\\slash",
    "tab\tand\nline",
    "-- no",
    "%_",
    "😀",
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return open_lake(str(tmp_path / "lake"))


def _ask(number: int, body: str = "{}", minutes: int = 0, cost: float = 0.005) -> Page:
    moment = MOMENT + timedelta(minutes=minutes)
    return Page(f"request {number}", body, moment, cost, f"#trend{number % 2}", "a/b")


def test_some_answers_come_in_the_order_received_and_of_two_the_first(lake: Lake) -> None:
    first, second, again, third = _ask(1, "a", 3), _ask(2, "b", 1), _ask(2, "c", 2), _ask(3, "d", 0)
    for kept in (first, again, second, third):
        lake.add_page(HOUR, "x", "es", kept)
    lake.add_page(HOUR, "x", "us", _ask(1, "elsewhere"))
    lake.add_page(HOUR + 1, "x", "es", _ask(1, "another hour"))
    assert lake.pages(HOUR, "x", "es") == [third, second, first]
    assert lake.pages(HOUR, "x", "es", ["request 1", "request 2"]) == [second, first]
    assert lake.pages(HOUR, "x", "es", ["request 2", "not there"]) == [second]
    assert lake.pages(HOUR, "x", "es", []) == []
    assert lake.pages(HOUR, "x", "es", ["not there"]) == []


def test_the_index_names_the_same_answers_without_what_they_say(lake: Lake) -> None:
    assert lake.page_index(HOUR, "x", "es") == []
    for number in (1, 2, 2, 3):
        lake.add_page(HOUR, "x", "es", _ask(number, "b" * number, minutes=5 - number))
    whole, index = lake.pages(HOUR, "x", "es"), lake.page_index(HOUR, "x", "es")
    assert [kept.request for kept in index] == ["request 3", "request 2", "request 1"]
    assert [kept.request for kept in whole] == [kept.request for kept in index]
    for kept, known in zip(whole, index, strict=True):
        assert known == Page(kept.request, "", kept.fetched_at, kept.cost, kept.trend, kept.window)
        assert kept.body


def test_requests_of_any_name_are_found_alone(lake: Lake) -> None:
    for name in STRANGE:
        lake.add_page(HOUR, "x", "es", Page(f"x {name}", f"about {name}", MOMENT, trend=name))
    for name in STRANGE:
        (found,) = lake.pages(HOUR, "x", "es", [f"x {name}"])
        assert (found.body, found.trend) == (f"about {name}", name)
    assert len(lake.pages(HOUR, "x", "es", [f"x {name}" for name in STRANGE])) == len(STRANGE)


def test_what_an_hour_cost_on_a_day_is_told_by_place(lake: Lake) -> None:
    assert lake.spent_by_place(HOUR.day, "x", HOUR) == {}
    tomorrow = MOMENT + timedelta(days=1)
    for hour, source, place, kept in (
        (HOUR, "x", "es", page("a", fetched_at=MOMENT, cost=0.01)),
        (HOUR, "x", "es", page("b", fetched_at=LATER, cost=0.05)),
        (HOUR, "x", "us", page("a", fetched_at=MOMENT, cost=0.02)),
        (HOUR, "x", "us", page("b", fetched_at=tomorrow, cost=4.0)),
        (HOUR + 1, "x", "es", page("a", fetched_at=MOMENT, cost=2.0)),
        (HOUR, "other", "es", page("a", fetched_at=MOMENT, cost=1.0)),
    ):
        lake.add_page(hour, source, place, kept)
    spent = lake.spent_by_place(HOUR.day, "x", HOUR)
    assert spent == {"es": pytest.approx(0.06), "us": pytest.approx(0.02)}
    assert lake.spent_by_place((HOUR + 24).day, "x", HOUR) == {"us": pytest.approx(4.0)}
    assert lake.spent(HOUR.day, "x") == pytest.approx(sum(spent.values()) + 2.0)
