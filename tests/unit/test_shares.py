"""Workers that only see what is done leave nothing undone and do little twice."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.jobs.shares import LEAST, MOST, next_portion, portion_of


def test_a_portion_is_a_part_of_what_waits_within_bounds() -> None:
    assert portion_of(0) == LEAST
    assert portion_of(LEAST * 16 + 16) == LEAST + 1
    assert portion_of(10_000_000) == MOST


def test_a_worker_goes_on_where_it_is() -> None:
    assert next_portion([True] * 100, 30, 20) == range(30, 50)


def test_it_stops_where_another_has_been() -> None:
    waiting = [True] * 40 + [False] * 10 + [True] * 50
    assert next_portion(waiting, 30, 20) == range(30, 40)


def test_behind_what_another_did_it_starts_in_the_middle_of_the_longest_stretch() -> None:
    waiting = [True] * 60 + [False] * 10 + [True] * 200 + [False] * 30
    assert next_portion(waiting, 60, 20) == range(170, 190)
    assert next_portion(waiting, None, 20) == range(170, 190)
    assert next_portion(waiting, len(waiting), 20) == range(170, 190)


def test_a_short_rest_is_taken_from_its_begin() -> None:
    waiting = [False] * 5 + [True] * (2 * LEAST) + [False] * 5
    assert next_portion(waiting, None, LEAST) == range(5, 5 + LEAST)


def test_nothing_waits() -> None:
    assert not next_portion([], None, 5)
    assert not next_portion([False] * 5, 2, 5)


@given(st.lists(st.booleans(), max_size=300), st.none() | st.integers(0, 320), st.integers(1, 64))
def test_only_waiting_places_are_taken_and_always_some(
    waiting: list[bool], after: int | None, size: int
) -> None:
    places = next_portion(waiting, after, size)
    assert all(waiting[place] for place in places)
    assert len(places) <= size
    assert bool(places) == any(waiting)


def _simulate(tweets: int, workers: int, seed: int) -> tuple[int, int]:
    """Workers of uneven speed, each seeing the others' commits only between two portions; work done, rows left."""
    chance = random.Random(seed)
    waiting = [True] * tweets
    after: list[int | None] = [chance.randrange(tweets) for _ in range(workers)]
    busy: list[range | None] = [None] * workers
    worked = 0
    while any(waiting) or any(busy):
        who = chance.randrange(workers)
        places = busy[who]
        if places is None:
            busy[who] = next_portion(waiting, after[who], portion_of(sum(waiting))) or None
            continue
        worked += len(places)
        collided = not all(waiting[place] for place in places)
        for place in places:
            waiting[place] = False
        after[who] = chance.randrange(tweets) if collided else places.stop
        busy[who] = None
    return worked, sum(waiting)


def _twice(tweets: int, workers: int) -> float:
    """The part of the tweets that was analysed twice, in percent, mean of 50 runs; none may be left."""
    done = [_simulate(tweets, workers, seed) for seed in range(50)]
    assert {left for _, left in done} == {0}
    return 100 * (sum(worked for worked, _ in done) / len(done) / tweets - 1)


def test_one_alone_does_nothing_twice() -> None:
    assert _twice(400, 1) == _twice(5000, 1) == 0


def test_as_little_is_done_twice_as_the_page_says() -> None:
    page = (Path(__file__).parents[2] / "docs/decisions/0011-services.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\d,]+) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \|$", page, re.M)
    assert [row[0] for row in rows] == ["400", "5,000"]
    for tweets, *told in rows:
        for workers, part in zip((2, 4, 8), told, strict=True):
            exact = 0.06 if "." in part else 0.5
            assert _twice(int(tweets.replace(",", "")), workers) == pytest.approx(float(part), abs=exact)
