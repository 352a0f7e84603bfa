"""Several writers at once: threads and processes, at one hour and at several; readers in between."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError

from tests.support.lake_records import HOUR, analyzed, page, summary, trend_hour, tweet
from trendlark.errors import LakeConflictError
from trendlark.lake import Lake, TableSpec, open_lake, store
from trendlark.lake.findings import analysis_row
from trendlark.lake.rows import batches
from trendlark.lake.spool import Spool
from trendlark.lake.tables import ANALYSES, REFUSALS, TRENDS, TWEETS
from trendlark.lake.write import _insert_missing, _properties
from trendlark.records import AnalyzedTweet, Refusal, TrendHour


class RacingLake(Lake):
    """Waits for the other writer once it has opened a table, so that both start from the same version."""

    def __init__(self, uri: str, barrier: Barrier) -> None:
        super().__init__(uri)
        self._barrier = barrier
        self._met: set[str] = set()

    def _table_to_write(self, spec: TableSpec) -> DeltaTable:
        table = super()._table_to_write(spec)
        if spec.name not in self._met:
            self._met.add(spec.name)
            self._barrier.wait(30)
        return table


def _together(*calls: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(60) for future in [pool.submit(call) for call in calls]]


def _collect(lake: Lake, run: str, names: Iterable[str], hour_plus: int = 0) -> None:
    hour = HOUR + hour_plus
    lake.commit_collection(
        hour,
        "x",
        "es",
        [tweet(f"{run}-{name}", hour=hour) for name in names],
        [trend_hour(f"#{run}", hour=hour)],
        [Refusal(run, "{}")],
        run,
    )


def _runs_seen(lake: Lake) -> set[str]:
    ids = {t.tweet_id.split("-")[0] for t in lake.tweets(HOUR)}
    return ids | {t.trend.name[1:] for t in lake.trend_hours(HOUR)} | {r.reason for r in lake.refused(HOUR)}


@pytest.mark.parametrize("already_there", [[], [analyzed("0")]], ids=["new", "old"])
def test_delta_itself_sees_the_race_of_two_inserts(
    tmp_path: Path, already_there: list[AnalyzedTweet]
) -> None:
    lake = open_lake(str(tmp_path))
    lake._table_to_write(ANALYSES)
    lake.insert_analyses(HOUR, already_there, "run")
    first, second = (DeltaTable(tmp_path / "analyses") for _ in range(2))
    commit = _properties({}, 1)
    with Spool(ANALYSES.schema, batches([analyzed("1")], analysis_row, ANALYSES)) as spool:
        assert _insert_missing(first, HOUR, spool, commit) == 1
        with pytest.raises(CommitFailedError):
            _insert_missing(second, HOUR, spool, commit)


def test_two_inserts_of_the_same_rows_leave_one_of_each(tmp_path: Path) -> None:
    barrier = Barrier(2)
    lakes = [RacingLake(str(tmp_path / "lake"), barrier) for _ in range(2)]
    rows = [analyzed(str(number)) for number in range(20)]
    added = _together(*(lambda lake=lake: lake.insert_analyses(HOUR, rows, "run") for lake in lakes))
    assert sorted(added) == [0, 20]
    assert sorted(a.tweet_id for a in lakes[0].analyses(HOUR)) == sorted(str(n) for n in range(20))


def test_two_collections_of_the_same_hour_leave_one_whole(tmp_path: Path) -> None:
    barrier = Barrier(2)
    lakes = [RacingLake(str(tmp_path / "lake"), barrier) for _ in range(2)]
    _together(
        lambda: _collect(lakes[0], "a", "123"),
        lambda: _collect(lakes[1], "b", "4567"),
    )
    (winner,) = _runs_seen(lakes[0])
    assert len(list(lakes[0].tweets(HOUR))) == {"a": 3, "b": 4}[winner]


@pytest.mark.parametrize("at", [REFUSALS, TWEETS, TRENDS], ids=lambda spec: str(spec.name))
def test_a_run_that_is_overtaken_between_its_tables_writes_them_again(tmp_path: Path, at: TableSpec) -> None:
    class Overtaken(Lake):
        waiting = True

        def _replace(self, spec: TableSpec, *rest: Any) -> int:
            version = super()._replace(spec, *rest)
            if self.waiting and spec is at:
                self.waiting = False
                _collect(open_lake(self.uri), "b", "4567")
            return version

    lake = Overtaken(str(tmp_path))
    _collect(lake, "a", "123")
    assert len(_runs_seen(lake)) == 1


def test_a_run_that_is_overtaken_for_ever_gives_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hopeless(Lake):
        def _overtaken(self, *_: Any) -> bool:
            return True

    monkeypatch.setattr("trendlark.lake.write.pause", lambda _: None)
    with pytest.raises(LakeConflictError, match="other runs"):
        _collect(Hopeless(str(tmp_path)), "a", "1")


def test_a_race_lost_again_and_again_is_a_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = open_lake(str(tmp_path))
    tried = []

    def lose(table: DeltaTable) -> None:
        tried.append(table.version())
        raise CommitFailedError("a concurrent transaction added new data")

    monkeypatch.setattr(store, "pause", lambda _: None)
    with pytest.raises(LakeConflictError, match="run again"):
        lake._commit(ANALYSES, lose)
    assert len(tried) == store.COMMIT_ATTEMPTS


def test_different_hours_and_places_all_commit(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "lake"))
    _together(*(lambda plus=plus: _collect(lake, "a", "12", plus) for plus in range(4)))
    assert lake.hours() == [HOUR + plus for plus in range(4)]
    _together(
        *(
            lambda place=place: lake.commit_collection(
                HOUR, "x", place, [tweet(place, place=place)], [trend_hour(place=place)], [], place
            )
            for place in ("mx", "us", "pe")
        )
    )
    assert sorted(t.tweet_id for t in lake.tweets(HOUR)) == ["a-1", "a-2", "mx", "pe", "us"]


def test_many_threads_make_the_tables_and_lose_no_page(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "lake"))

    def add(name: str) -> None:
        for number in range(5):
            lake.add_page(HOUR, "x", "es", page(f"{name}-{number}"))

    _together(*(partial(add, name) for name in "abcd"))
    assert {p.request for p in lake.pages(HOUR, "x", "es")} == {f"{a}-{n}" for a in "abcd" for n in range(5)}


def test_readers_see_the_old_model_or_the_new_one(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    models = ["lark-1", "lark-2"]
    reading, done = Event(), Event()

    def write() -> None:
        try:
            # A thread that comes up late must not find all written.
            assert reading.wait(30)
            for number in range(12):
                model = models[number % 2]
                lake.replace_analyses(HOUR, [[analyzed(str(n), model=model) for n in range(30)]], "run")
        finally:
            done.set()

    def read() -> list[dict[str, int]]:
        seen = []
        while not done.is_set():
            seen.append(lake.analysed_models(HOUR))
            reading.set()
        return seen

    lake.replace_analyses(HOUR, [[analyzed(str(n)) for n in range(30)]], "run")
    _, seen = _together(write, read)
    assert seen
    assert all(counts in ({"lark-1": 30}, {"lark-2": 30}) for counts in seen)


_OLD = [trend_hour("#old"), trend_hour("#older", rank=2)]


@pytest.mark.parametrize(
    "landed",
    [[*_OLD, trend_hour("#new", rank=3)], _OLD[:1], [trend_hour("#old", sampled=1), _OLD[1]], []],
    ids=["one more", "one gone", "fewer tweets", "none"],
)
def test_a_summary_and_a_collection_at_once_leave_the_collection(
    tmp_path: Path, landed: list[TrendHour]
) -> None:
    barrier = Barrier(2)
    lake = open_lake(str(tmp_path / "lake"))
    lake.commit_collection(HOUR, "x", "es", [], _OLD, [], "run")
    racing = RacingLake(lake.uri, barrier)
    summarised = [replace(row, summary=summary()) for row in _OLD]

    class Between(RacingLake):
        def _table_to_write(self, spec: TableSpec) -> DeltaTable:
            return super()._table_to_write(spec) if spec is TRENDS else Lake._table_to_write(self, spec)

    def summarise() -> None:
        # Where it came first, the collection has replaced it.
        with suppress(LakeConflictError):
            racing.commit_summaries(HOUR, "x", summarised, "run")

    _together(
        summarise,
        lambda: Between(lake.uri, barrier).commit_collection(HOUR, "x", "es", [], landed, [], "run"),
    )
    assert lake.trend_hours(HOUR) == landed


_WRITER = """
import sys
from tests.support.lake_records import HOUR, analyzed, trend_hour, tweet
from trendlark.lake import open_lake
lake, run = open_lake(sys.argv[1]), sys.argv[2]
sys.stdin.readline()
for start in range(0, 20, 5):
    lake.insert_analyses(HOUR, [analyzed(str(n)) for n in range(start, start + 10)], run)
lake.commit_collection(HOUR, "x", "es", [tweet(f"{run}-{n}") for n in range(9)], [trend_hour(f"#{run}")], [], run)
"""


@pytest.mark.slow
def test_two_processes_leave_what_one_would(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path / "lake")]
    writers = [
        subprocess.Popen([*command, run], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for run in ("a", "b")
    ]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.communicate(timeout=120)[1] for writer in writers] == ["", ""]
    lake = open_lake(str(tmp_path / "lake"))
    assert sorted(int(a.tweet_id) for a in lake.analyses(HOUR)) == list(range(25))
    assert len(list(lake.tweets(HOUR))) == 9
    assert len(_runs_seen(lake)) == 1
