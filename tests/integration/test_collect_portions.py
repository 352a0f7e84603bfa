"""An hour of any size is collected with the bodies of a few trends in memory, and comes out the same."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from tests.support.hours import HOUR, contents, settings_for
from tests.support.recordings import recorded, recording
from trendlark.errors import UnavailableError
from trendlark.hours import Hour
from trendlark.jobs import collect
from trendlark.jobs.collect import collect_hour
from trendlark.lake import Lake, open_lake
from trendlark.records import PLACES, Page, Run
from trendlark.sources.replay import PAGE_TWEETS, ReplaySource

# From a trend of one answer to one of three; the last has a tweet of each of the others once more.
SIZES = {"#a": PAGE_TWEETS * 2 + 1, "#b": 40, "#c": 30, "#d": PAGE_TWEETS + 5}
ANSWERS = 3 + 1 + 1 + 2


class Watched:
    """What is read of the answers in the lake, and what is there of them in the memory of a collector."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads: list[list[Page]] = []
        self.known: list[Page] = []
        pages, keep = Lake.pages, collect._Collection._keep

        def watched(
            lake: Lake, hour: Hour, source: str, place: str, requests: Collection[str] | None = None
        ) -> list[Page]:
            found = pages(lake, hour, source, place, requests)
            self.reads.append(found)
            return found

        def kept(collection: collect._Collection, page: Page) -> None:
            keep(collection, page)
            self.known = list(collection.known.values())

        monkeypatch.setattr(Lake, "pages", watched)
        monkeypatch.setattr(collect._Collection, "_keep", kept)

    def trends_at_once(self) -> set[frozenset[str]]:
        """The trends about which answers were read together."""
        found = ({page.trend for page in read if page.trend is not None} for read in self.reads)
        return {frozenset(names) for names in found if names}


@pytest.fixture
def source(tmp_path: Path) -> ReplaySource:
    lines = [
        recorded(f"{trend}{number}", trend, text=f"tweet {number} of {trend} 😀")
        for trend, size in SIZES.items()
        for number in range(size)
    ]
    lines += [recorded("#a1", "#d"), recorded("#a1", "#d"), recorded("#b1", "#d")]
    return ReplaySource(recording(tmp_path / "recorded", lines))


def _collect(lake: Lake, source: ReplaySource) -> Run:
    return collect_hour(lake, source, PLACES["es"], HOUR, settings_for(lake.uri, places="es"))


def test_a_large_hour_is_read_portion_by_portion_and_is_the_same(
    tmp_path: Path, source: ReplaySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, lake = (open_lake(str(tmp_path / name)) for name in ("whole", "lake"))
    _collect(whole, source)
    monkeypatch.setattr(collect, "HELD_CHARACTERS", 10_000)
    watched = Watched(monkeypatch)
    run = _collect(lake, source)
    # The two small ones fit together, the others are more than there is room for.
    assert watched.trends_at_once() == {frozenset({"#a"}), frozenset({"#b", "#c"}), frozenset({"#d"})}
    # The list, the plan and the answers: all are known, none is held.
    assert len(watched.known) == ANSWERS + 2
    assert {page.body for page in watched.known} == {""}
    assert contents(lake) == contents(whole)
    assert {row.trend.name: row.sampled for row in lake.trend_hours(hour=HOUR)} == SIZES | {
        "#d": SIZES["#d"] + 2
    }
    assert run.counts["tweets"] == sum(SIZES.values()) + 2


def test_an_hour_that_fits_is_read_once(
    tmp_path: Path, source: ReplaySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(monkeypatch)
    _collect(open_lake(str(tmp_path / "lake")), source)
    assert watched.trends_at_once() == {frozenset(SIZES)}
    assert sum(any(page.trend for page in read) for read in watched.reads) == 1


@pytest.mark.parametrize("held", [1, collect.USUAL_CHARACTERS * 4, collect.HELD_CHARACTERS])
def test_a_run_that_comes_back_reads_what_is_there_in_portions_and_asks_for_the_rest(
    tmp_path: Path, source: ReplaySource, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    whole, lake = (open_lake(str(tmp_path / name)) for name in ("whole", "lake"))
    _collect(whole, source)
    monkeypatch.setattr(collect, "HELD_CHARACTERS", held)
    with monkeypatch.context() as cut_off:
        _fail_after(cut_off, 2 + ANSWERS - 1)
        with pytest.raises(UnavailableError):
            _collect(lake, source)
    watched = Watched(monkeypatch)
    assert _collect(lake, source).requests == 1
    assert contents(lake) == contents(whole)
    # Before they are read, answers are taken for longer than these are.
    assert all(len(names) == 1 for names in watched.trends_at_once()) == (held == 1)


def _fail_after(patch: pytest.MonkeyPatch, stored: int) -> None:
    keep = collect._Collection._keep

    def failing(collection: collect._Collection, page: Page) -> None:
        if len(collection.known) == stored:
            raise UnavailableError("Found the source down; wait, then run the hour again.")
        keep(collection, page)

    patch.setattr(collect._Collection, "_keep", failing)
