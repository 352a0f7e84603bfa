"""Which hours `up` and the collector owe, by a clock that only work and pauses move: none is lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.hours import jobs_for
from trendlark.errors import (
    CreditsError,
    LakeError,
    NotFoundError,
    RateLimitError,
    TrendlarkError,
    UnavailableError,
)
from trendlark.hours import Hour, parse_moment
from trendlark.jobs import hourly
from trendlark.jobs.hourly import HourOutcome, Jobs, Owed
from trendlark.jobs.services import Pulse, keep_collecting
from trendlark.lake import Lake, open_lake
from trendlark.records import PLACES, Page, Place, Trend
from trendlark.reports.backlog import LOOK_BACK_HOURS
from trendlark.sources import SAMPLE
from trendlark.sources.replay import ReplaySource

DAY = "2026-11-20"


def hour(number: int) -> Hour:
    """An hour of the day on which all of this happens, or of one near it."""
    return Hour.parse(f"{DAY}T00") + number


@dataclass
class World:
    """A clock, what the source does at the hours asked of it, and what the service did."""

    now: datetime
    # By hour, what asking for its trends raises, one after the other; then it answers.
    faults: dict[Hour, list[Exception]] = field(default_factory=dict)
    # By hour, how long it takes to answer, also with a fault.
    seconds: dict[Hour, float] = field(default_factory=dict)
    # As X, which tells what trends now: an hour can be asked for until the next one is over.
    only_now: bool = False
    asked: list[tuple[str, Hour]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def at(self, clock: str) -> None:
        """Set the clock, to a time of the day."""
        self.now = parse_moment(f"{DAY}T{clock}Z")

    def pass_by(self, seconds: float) -> None:
        """Let time go."""
        self.now += timedelta(seconds=seconds)


class Timed(ReplaySource):
    """The sample, in a world where answering takes time and may fail."""

    def __init__(self, world: World) -> None:
        super().__init__(SAMPLE, name="sample", loop=True)
        self.world = world

    def trends(self, place: Place, hour: Hour) -> Page:
        world = self.world
        world.asked.append((f"{world.now:%H:%M:%S}", hour))
        newest = Hour.of(world.now) - 1
        world.pass_by(world.seconds.get(hour, 0))
        if world.only_now and hour < newest:
            raise NotFoundError(f"Found {hour}; the newest can be collected. Import it.")
        if faults := world.faults.get(hour):
            raise faults.pop(0)
        return super().trends(place, hour)


class Waiting(threading.Event):
    """What tells a service to stop, before its n-th pause; each pause before moves the clock."""

    def __init__(self, world: World, pauses: int) -> None:
        super().__init__()
        self.world, self.left = world, pauses

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.world.pauses.append(timeout)
        self.world.pass_by(timeout)
        self.left -= 1
        if self.left <= 0:
            self.set()
        return self.is_set()


class Still(Pulse):
    """A pulse whose sleep is the clock's."""

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        stop.wait(seconds)


Service = Callable[[Jobs, int], None]


def up(jobs: Jobs, pauses: int) -> None:
    """`trendlark up` until its n-th pause."""
    jobs.keep_running(Waiting(world_of(jobs), pauses))


def collector(jobs: Jobs, pauses: int) -> None:
    """`trendlark collector` until its n-th pause."""
    keep_collecting(jobs, Waiting(world_of(jobs), pauses), Still())


def world_of(jobs: Jobs) -> World:
    assert isinstance(jobs.source, Timed)
    return jobs.source.world


class Diary:
    """What ``Owed`` is asked with: notes each hour that it is given, which may take time or fail, and collects none."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hours: list[int] = []
        self.error: TrendlarkError | None = None

    def __call__(self, asked: Hour) -> HourOutcome:
        self.hours.append(asked.index - hour(0).index)
        self.world.pass_by(self.world.seconds.get(asked, 0))
        return HourOutcome(asked, (), () if self.error is None else (self.error,))

    def of(self, owed: Owed) -> list[int]:
        """The hours of one round."""
        self.hours.clear()
        owed.collect(self, threading.Event())
        return list(self.hours)


@pytest.fixture(params=[up, collector], ids=["up", "collector"])
def service(request: pytest.FixtureRequest) -> Service:
    chosen: Service = request.param
    return chosen


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(parse_moment(f"{DAY}T10:20:00Z"))
    monkeypatch.setattr(Hour, "now", staticmethod(lambda: Hour.of(world.now)))
    monkeypatch.setattr(hourly, "seconds_until", lambda moment: max(0, (moment - world.now).total_seconds()))
    # The scatter of two collectors is looked at where they are; here it would only blur the times.
    monkeypatch.setattr("trendlark.jobs.services._SCATTER_SECONDS", 0.0)
    return world


@pytest.fixture
def jobs(tmp_path: Path, world: World) -> Jobs:
    return replace(jobs_for(tmp_path / "lake", places="es"), source=Timed(world))


def begin(jobs: Jobs, begun: Hour) -> None:
    """Leave an hour as a killed service does: an answer in ``pages``, and no rows."""
    page = ReplaySource(SAMPLE, name="sample", loop=True).trends(PLACES["es"], begun)
    jobs.lake.add_page(begun, jobs.source.name, "es", page)


def down() -> TrendlarkError:
    return UnavailableError("Found the source down; wait, then run the hour again.")


def no_credits() -> TrendlarkError:
    return CreditsError("Found no credits; buy some, then run the hour again.")


def test_each_hour_is_asked_for_two_minutes_after_its_end(jobs: Jobs, world: World, service: Service) -> None:
    service(jobs, 3)
    assert world.asked == [("10:20:00", hour(9)), ("11:02:00", hour(10)), ("12:02:00", hour(11))]
    assert world.pauses == [42 * 60, 3600, 3600]
    assert jobs.lake.hours() == [hour(9), hour(10), hour(11)]


def test_an_hour_that_ends_while_another_is_collected_is_not_passed_over(
    jobs: Jobs, world: World, service: Service
) -> None:
    world.at("10:59:00")
    world.seconds[hour(9)] = 70
    service(jobs, 2)
    assert world.asked == [("10:59:00", hour(9)), ("11:02:00", hour(10))]
    assert world.pauses == [110, 3600]


def test_a_second_try_that_goes_on_into_the_next_hour_does_not_cost_that_hour(
    jobs: Jobs, world: World, service: Service
) -> None:
    world.at("10:50:40")
    world.faults[hour(9)] = [down()]
    world.seconds[hour(9)] = 140
    service(jobs, 3)
    assert world.asked == [("10:50:40", hour(9)), ("10:58:00", hour(9)), ("11:02:00", hour(10))]
    assert world.pauses == [300, 100, 3600]
    assert jobs.lake.hours() == [hour(9), hour(10)]


def test_a_second_try_just_after_an_hour_leaves_that_hour_its_two_minutes(
    jobs: Jobs, world: World, service: Service
) -> None:
    world.at("10:56:00")
    world.faults[hour(9)] = [down()]
    service(jobs, 3)
    assert world.asked == [("10:56:00", hour(9)), ("11:01:00", hour(9)), ("11:02:00", hour(10))]


@pytest.mark.parametrize("fault", [RateLimitError("Found too many requests; wait."), no_credits()])
def test_an_hour_that_failed_until_the_next_one_came_is_collected_after_it(
    jobs: Jobs, world: World, service: Service, fault: Exception
) -> None:
    world.at("10:58:00")
    world.faults[hour(9)] = [fault]
    service(jobs, 2)
    assert world.asked == [("10:58:00", hour(9)), ("11:02:00", hour(10)), ("11:02:00", hour(9))]
    assert jobs.lake.hours() == [hour(9), hour(10)]


def test_an_hour_that_failed_on_the_way_is_finished_though_its_trends_are_told_no_more(
    jobs: Jobs, world: World, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.only_now = True
    spent = [no_credits()]
    reading = Timed.pages

    def pages(
        self: Timed, trend: Trend, wanted: int, windows: int, known: Mapping[str, Page]
    ) -> Iterator[Page]:
        if spent:
            raise spent.pop()
        return reading(self, trend, wanted, windows, known)

    monkeypatch.setattr(Timed, "pages", pages)
    service(jobs, 2)
    # Its trends were paid for in time, and are not asked for again.
    assert world.asked == [("10:20:00", hour(9)), ("11:02:00", hour(10))]
    assert jobs.lake.hours() == [hour(9), hour(10)]


def test_an_hour_that_the_source_has_no_longer_is_given_up(
    jobs: Jobs, world: World, service: Service
) -> None:
    world.only_now = True
    world.at("10:58:00")
    world.faults[hour(9)] = [down()]
    service(jobs, 4)
    assert [asked for _, asked in world.asked] == [hour(number) for number in (9, 10, 9, 11, 12)]


def test_a_start_after_the_end_of_an_hour_goes_on_with_it_and_begins_no_other(
    jobs: Jobs, world: World, service: Service
) -> None:
    world.at("10:40:00")
    begin(jobs, hour(8))
    service(jobs, 1)
    assert world.asked == [("10:40:00", hour(9))]
    assert jobs.lake.hours() == [hour(8), hour(9)]


def test_a_lake_that_was_away_while_an_hour_ended_costs_no_hour(
    jobs: Jobs, world: World, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.at("10:57:30")
    rows, away = type(jobs.lake).rows, ["once"]

    def asked(self: object, *args: object, **options: object) -> object:
        if away:
            away.clear()
            world.pass_by(200)
            raise LakeError("Found nobody answering; the store must be reachable. Check the network.")
        return rows(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(type(jobs.lake), "rows", asked)
    service(jobs, 3)
    assert jobs.lake.hours()[:2] == [hour(9), hour(10)]
    # It is 11:00:50 by then; `up` tries again with the hour that settles at 11:02, the collector after a minute.
    assert world.pauses[0] == (70 if service is up else 60)


def test_up_finishes_the_newest_hour_first_and_then_what_it_owed(jobs: Jobs, world: World) -> None:
    begin(jobs, hour(7))
    jobs.collect(hour(5))
    finished: list[Hour] = []

    class Watching(Jobs):
        def _finish(self, hour: Hour) -> list[object]:  # type: ignore[override]
            finished.append(hour)
            return list(super()._finish(hour))

    up(Watching(jobs.lake, jobs.source, jobs.analyzer, jobs.settings), 1)
    assert finished == [hour(9), hour(7), hour(5)]
    assert all(row.summary for row in jobs.lake.trend_hours())


def test_up_leaves_a_finished_hour_to_the_model_that_finished_it(jobs: Jobs, world: World) -> None:
    jobs.run_hour(hour(8))
    before = jobs.lake.runs()
    up(jobs, 1)
    assert [run.hour for run in jobs.lake.runs() if run not in before] == [hour(9)] * 3


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return open_lake(str(tmp_path / "lake"))


def test_hours_that_ended_during_a_very_long_one_are_made_up_for_without_a_pause(
    lake: Lake, world: World
) -> None:
    world.seconds[hour(9)] = 3 * 3600
    owed = Owed(lake)
    assert Diary(world).of(owed) == [9, 12, 11, 10]
    assert owed.pause_seconds(again=False) == 42 * 60


def test_no_pause_is_made_where_an_hour_settled_at_the_very_end(lake: Lake, world: World) -> None:
    owed, diary = Owed(lake), Diary(world)
    assert diary.of(owed) == [9]
    world.at("11:03:00")
    assert (owed.pause_seconds(again=False), owed.pause_seconds(again=True, scatter_seconds=7)) == (0, 7)
    assert diary.of(owed) == [10]


def test_the_newest_hour_goes_before_older_ones_also_when_it_came_meanwhile(lake: Lake, world: World) -> None:
    world.seconds[hour(7)] = 50 * 60
    assert Diary(world).of(Owed(lake, past_hours=5)) == [9, 8, 7, 10, 6, 5]


def test_what_trying_soon_does_not_mend_is_tried_with_the_next_hour(lake: Lake, world: World) -> None:
    owed, diary = Owed(lake), Diary(world)
    for error, soon in ((no_credits(), False), (down(), True)):
        diary.error = error
        assert owed.collect(diary, threading.Event()) is soon
        assert owed.pause_seconds(soon) == (300 if soon else 42 * 60)
    world.at("11:02:00")
    diary.error = None
    assert diary.of(owed) == [10, 9]
    assert diary.of(owed) == []


def test_an_hour_is_owed_for_two_days(lake: Lake, world: World) -> None:
    owed, diary = Owed(lake), Diary(world)
    diary.error = no_credits()
    rounds = 0
    while 9 in diary.of(owed):
        rounds += 1
        world.pass_by(3600)
    assert rounds == LOOK_BACK_HOURS
    assert diary.hours == list(range(9 + LOOK_BACK_HOURS, 9, -1))


def test_what_is_older_than_two_days_is_not_gone_on_with(lake: Lake, world: World) -> None:
    oldest = hour(9) - LOOK_BACK_HOURS + 1
    for begun in (oldest - 1, oldest, hour(3)):
        lake.add_page(begun, "x", "es", Page("trends", "{}", begun.end))
    assert Diary(world).of(Owed(lake)) == [9, 3, 9 - LOOK_BACK_HOURS + 1]


def test_a_machine_that_slept_owes_the_hours_it_slept_through(lake: Lake, world: World) -> None:
    world.seconds[hour(9)] = 60 * 3600
    assert Diary(world).of(Owed(lake)) == [9, *range(9 + 60, 9 + 60 - LOOK_BACK_HOURS, -1)]


def test_a_clock_that_was_ahead_and_is_put_right_loses_no_hour(lake: Lake, world: World) -> None:
    world.at("23:30:00")
    owed, diary = Owed(lake), Diary(world)
    diary.error = down()
    assert diary.of(owed) == [22]
    world.at("10:58:00")
    # Nor is an hour asked for that is still to come.
    assert diary.of(owed) == []
    assert owed.pause_seconds(again=False) == 4 * 60
    world.at("11:02:00")
    assert diary.of(owed) == [10]


def test_an_hour_begun_is_looked_for_until_the_lake_has_told(lake: Lake, world: World) -> None:
    lake.add_page(hour(8), "x", "es", Page("trends", "{}", hour(8).end))
    (file,) = Path(lake.uri).rglob("*.parquet")
    whole = file.read_bytes()
    file.write_bytes(whole[:50])
    owed, diary = Owed(lake), Diary(world)
    with pytest.raises(LakeError):
        owed.collect(diary, threading.Event())
    file.write_bytes(whole)
    assert diary.of(owed) == [9, 8]
