"""Data files that are missing, cut off or damaged: a fault of the lake, not of the question; services outlive it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import boto3
import pytest

from tests.support.hours import jobs_for
from tests.support.lake_records import HOUR, analyzed, page, run, trend_hour, tweet
from tests.support.s3_server import running_s3
from trendlark.errors import LakeError, QueryError
from trendlark.hours import Hour
from trendlark.jobs.hourly import Jobs
from trendlark.jobs.services import Pulse, keep_analyzing, keep_collecting
from trendlark.lake import Lake, open_lake
from trendlark.lake.kept import KeptLake
from trendlark.lake.limited import Limits, ask
from trendlark.records import PLACES, Refusal
from trendlark.reports.backlog import Backlog, backlog, waiting_hours
from trendlark.reports.listing import list_tweets

Harm = Callable[[Path], None]


def _missing(file: Path) -> None:
    file.unlink()


def _cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:50])


def _damaged(file: Path) -> None:
    # What is in it stays listed at its end, whose length is before the last four bytes; the columns are other bytes.
    whole = file.read_bytes()
    end = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    file.write_bytes(whole[:4] + bytes(byte ^ 0x5A for byte in whole[4:end]) + whole[end:])


@contextmanager
def _harmed(lake: Lake, table: str, harm: Harm) -> Iterator[None]:
    """A lake some of whose files are harmed for a while."""
    files = {file: file.read_bytes() for file in (Path(lake.uri) / table).rglob("*.parquet")}
    assert files
    for file in files:
        harm(file)
    yield
    for file, whole in files.items():
        file.write_bytes(whole)


def _filled(lake: Lake) -> Lake:
    """A lake with something in each of its tables."""
    tweets, refused = [tweet("1"), tweet("2")], [Refusal("it has no text", "{}")]
    lake.commit_collection(HOUR, "x", "es", tweets, [trend_hour(sampled=2)], refused, "run")
    lake.insert_analyses(HOUR, [analyzed("1")], "run")
    lake.add_page(HOUR, "x", "es", page("trends"))
    lake.add_run(run("1"))
    return lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return _filled(open_lake(str(tmp_path / "lake")))


@pytest.fixture(params=[_missing, _cut_off, _damaged])
def harm(request: pytest.FixtureRequest) -> Harm:
    chosen: Harm = request.param
    return chosen


def test_a_file_that_cannot_be_read_is_a_fault_of_the_lake(lake: Lake, harm: Harm) -> None:
    query = "SELECT source, tweet_id, text FROM tweets ORDER BY text"
    before = lake.sql(query).read_all()
    with _harmed(lake, "tweets", harm), pytest.raises(LakeError, match=r"Found the lake .* not readable"):
        lake.sql(query).read_all()
    assert lake.sql(query).read_all() == before


@pytest.mark.parametrize(
    ("table", "question"),
    [
        ("trends", lambda lake: waiting_hours(lake, HOUR)),
        ("tweets", lambda lake: lake.sql("SELECT count(DISTINCT text) FROM tweets").read_all()),
        ("tweets", lambda lake: list_tweets(lake, HOUR, limit=5)),
        ("analyses", lambda lake: list_tweets(lake, HOUR, limit=5)),
    ],
)
def test_so_it_is_for_questions_of_our_own(
    lake: Lake, table: str, question: Callable[[Lake], object], harm: Harm
) -> None:
    with _harmed(lake, table, harm), pytest.raises(LakeError):
        question(lake)
    assert question(lake)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT CAST('Parquet error: ' || text AS INT) FROM tweets",
        "SELECT CAST('Object Store error: not found' AS INT)",
        'SELECT 1 / (sampled - 2) AS "Parquet error: " FROM trends',
        'SELECT "Parquet error: " FROM tweets',
        'SELECT text FROM "External error: Object Store error: "',
    ],
)
def test_a_question_that_is_wrong_is_called_so_whatever_words_are_in_it(lake: Lake, query: str) -> None:
    with pytest.raises(QueryError, match=r"Found SQL that the lake cannot answer: .* Correct the query"):
        lake.sql(query).read_all()


def test_a_stranger_is_told_that_it_is_the_lake(lake: Lake, harm: Harm) -> None:
    with _harmed(lake, "tweets", harm), pytest.raises(LakeError, match="not readable"):
        ask(lake.uri, "SELECT text FROM tweets", Limits(5, 60, 768))


def test_a_store_that_is_away_between_two_questions_is_a_fault_of_the_lake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    with running_s3() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        client = boto3.client("s3")
        client.create_bucket(Bucket="trendlark-test")
        client.close()
        # Its clock stands still, so it does not look for commits again: what fails is reading the files.
        patience = {"max_retries": "1", "retry_timeout": "2s"}
        _filled(Lake("s3://trendlark-test/lake"))
        lake = KeptLake("s3://trendlark-test/lake", patience, clock=lambda: 0.0)
        assert waiting_hours(lake, HOUR) == {HOUR: {"x"}}
        assert lake.sql("SELECT text FROM tweets").read_all().num_rows == 2
    answer = lake.sql("SELECT text FROM tweets")
    with pytest.raises(LakeError, match="Found nobody answering for the lake"):
        answer.read_all()
    with pytest.raises(LakeError, match="Found nobody answering for the lake"):
        waiting_hours(lake, HOUR)


class Nights(Pulse):
    """A pulse that, instead of sleeping, does what belongs between two rounds; after the last it says to stop."""

    __slots__ = ("_between", "waits")
    waits: list[float]
    _between: list[Callable[[], object]]

    def __init__(self, *between: Callable[[], object]) -> None:
        super().__init__()
        object.__setattr__(self, "_between", list(between))
        object.__setattr__(self, "waits", [])

    def sleep(self, seconds: float, stop: threading.Event) -> None:
        self.waits.append(seconds)
        if not self._between:
            stop.set()
            return
        self._between.pop(0)()


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    now = Hour.now()
    monkeypatch.setattr(Hour, "now", staticmethod(lambda: now))
    return jobs_for(tmp_path / "jobs", places="es")


@pytest.mark.parametrize("table", ["trends", "tweets"])
def test_the_analyzer_outlives_files_that_cannot_be_read_for_a_moment(
    jobs: Jobs, table: str, harm: Harm
) -> None:
    last = Hour.last_complete()
    jobs.collect(last)
    away = ExitStack()
    away.enter_context(_harmed(jobs.lake, table, harm))
    nights = Nights(away.close)
    keep_analyzing(jobs.lake, jobs.analyzer, threading.Event(), nights, poll_seconds=0.5)
    assert nights.waits == [60.0, 0.5]
    assert waiting_hours(jobs.lake, last) == {}
    assert backlog(jobs.lake) == Backlog(0, 0)


def test_the_collector_outlives_files_that_cannot_be_read_for_a_moment(jobs: Jobs, harm: Harm) -> None:
    last = Hour.last_complete()
    begun = last - 3
    jobs.lake.add_page(begun, "sample", "es", jobs.source.trends(PLACES["es"], begun))
    away = ExitStack()
    away.enter_context(_harmed(jobs.lake, "pages", harm))
    nights = Nights(away.close)
    keep_collecting(jobs, threading.Event(), nights)
    assert nights.waits[0] <= 60
    assert jobs.lake.hours() == [begun, last]


def test_so_does_up(jobs: Jobs, harm: Harm) -> None:
    last = Hour.last_complete()
    jobs.collect(last - 3)
    away = ExitStack()
    away.enter_context(_harmed(jobs.lake, "trends", harm))

    waits: list[float | None] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            away.close()
            waits.append(timeout)
            if len(waits) > 1:
                self.set()
            return self.is_set()

    jobs.keep_running(Stop())
    assert waits[0] is not None
    assert waits[0] <= 300
    assert waiting_hours(jobs.lake, last - 3) == {}
    assert jobs.lake.hours() == [last - 3, last]
