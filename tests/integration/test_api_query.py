"""SQL over HTTP: read-only, and limited in rows, time, memory and size, each limit reached for real."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import Any

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import STORIES, fill
from trendlark.errors import LakeError, TrendlarkError
from trendlark.lake import Lake
from trendlark.lake import limited as module
from trendlark.lake.limited import Limits, ask
from trendlark.web.routes import sql

PATIENCE = 60.0
ENDLESS = "SELECT sum(a.value % 7) FROM generate_series(1, 1000000000000000) a"
GREEDY = (
    "SELECT count(DISTINCT x), array_length(array_agg(x)) FROM "
    "(SELECT repeat(cast(a.value AS text), 40) AS x FROM generate_series(1, 20000000) a)"
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with a trend over six hours."""
    lake = empty_lake(tmp_path_factory.mktemp("query"))
    fill(lake, "x", STORIES[:1])
    return lake


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server that gives queries time on a slow machine."""
    with client_of(lake, settings=settings_for(lake.uri, query_seconds=60, query_rows=5)) as client:
        client.timeout = httpx.Timeout(120)
        yield client


def run(client: httpx.Client, query: str, **more: int) -> tuple[int, dict[str, Any]]:
    """Status and body of a query's answer."""
    answer = client.post("/v1/query", json={"sql": query, **more})
    body: dict[str, Any] = answer.json()
    return answer.status_code, body


def test_a_query_is_answered_with_columns_and_rows(client: httpx.Client) -> None:
    query = "SELECT hour, count(*) AS n, max(created_at) AS last, NULL AS none FROM tweets GROUP BY hour ORDER BY hour"
    status, body = run(client, query, limit=2)
    assert status == 200
    assert body["columns"] == ["hour", "n", "last", "none"]
    assert body["rows"][0] == ["2026-11-23T02", 3, "2026-11-23T02:14:00+00:00", None]
    assert len(body["rows"]) == 2
    assert body["truncated"] is True
    assert run(client, "SELECT 1/0.0 AS a")[1]["rows"] == [[None]]


def test_no_more_rows_are_given_than_the_setting_allows(client: httpx.Client) -> None:
    for more in ({}, {"limit": 1_000_000}):
        _, body = run(client, "SELECT * FROM tweets", **more)
        assert len(body["rows"]) == 5
        assert body["truncated"] is True
    _, body = run(client, "SELECT DISTINCT place FROM tweets")
    assert (body["rows"], body["truncated"]) == ([["es"]], False)


def test_what_time_it_is_may_be_asked(client: httpx.Client) -> None:
    query = "SELECT now() AS a, to_timestamp('2026-11-23T07:00:00.123456789') AS b, current_time AS c, [now()] AS d"
    status, body = run(client, query)
    assert (status, body.get("columns")) == (200, ["a", "b", "c", "d"])
    assert body["rows"][0][1] == "2026-11-23T07:00:00.123456"


@pytest.mark.parametrize(
    "value", ["arrow_cast(-10000000, 'Date32')", "arrow_cast(9223372036854775807, 'Timestamp(Second, None)')"]
)
def test_a_value_that_cannot_be_written_is_not_called_a_lack_of_memory(
    client: httpx.Client, value: str
) -> None:
    status, body = run(client, f"SELECT {value}")
    assert status == 400
    assert body["type"] == "urn:trendlark:query"
    assert "times are of the years 1 to 9999" in body["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM tweets",
        "SELECT 1; DROP TABLE tweets",
        "COPY tweets TO '/tmp/out.csv'",
        "CREATE EXTERNAL TABLE a STORED AS CSV LOCATION '/etc/passwd'",
        "SELECT * FROM '/etc/passwd'",
        "SET datafusion.runtime.memory_limit = '1G'",
        "SELECT nothing FROM tweets",
    ],
)
def test_what_is_not_one_select_over_the_lake_is_refused(client: httpx.Client, query: str) -> None:
    status, body = run(client, query)
    assert status == 400
    assert body["type"] == "urn:trendlark:query"
    assert "Found SQL that the lake cannot answer" in body["detail"]


def test_a_query_without_end_is_ended(lake: Lake) -> None:
    with client_of(lake, settings=settings_for(lake.uri, query_seconds=3)) as client:
        status, body = run(client, ENDLESS)
        assert status == 400
        assert "not answered in 3 seconds" in body["detail"]
        assert client.get("/live").status_code == 200


def test_a_query_that_wants_too_much_memory_is_ended_and_the_server_lives(lake: Lake) -> None:
    settings = settings_for(lake.uri, query_seconds=60, query_memory_mb=300)
    with client_of(lake, settings=settings) as client:
        client.timeout = httpx.Timeout(120)
        status, body = run(client, GREEDY)
        assert status == 400
        assert "more than 300 MB of memory" in body["detail"]
        assert run(client, "SELECT count(*) FROM tweets")[1]["rows"] == [[18]]


def test_an_answer_of_too_many_characters_is_refused(lake: Lake) -> None:
    query = "SELECT repeat('x', 1000000) FROM generate_series(1, 12)"
    with client_of(lake, settings=settings_for(lake.uri, query_seconds=60)) as client:
        client.timeout = httpx.Timeout(120)
        status, body = run(client, query)
    assert status == 400
    assert "10,000,000 characters" in body["detail"]


def test_more_queries_than_may_run_at_once_are_sent_away(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Event()

    def held(uri: str, query: str, limits: Limits) -> bytes:
        assert refused.wait(PATIENCE)
        return ask(uri, query, limits)

    # None comes to its end before one more than may run has met all the others, however late that one comes.
    monkeypatch.setattr(sql, "ask", held)
    with (
        client_of(lake, settings=settings_for(lake.uri, query_seconds=1)) as client,
        ThreadPoolExecutor(sql.AT_ONCE + 1) as pool,
    ):
        client.timeout = httpx.Timeout(120)
        asked = [pool.submit(client.post, "/v1/query", json={"sql": ENDLESS}) for _ in range(sql.AT_ONCE + 1)]
        first = next(as_completed(asked, PATIENCE)).result()
        refused.set()
        answers = [one.result() for one in asked]
    assert first.status_code == 429
    assert int(first.headers["retry-after"]) >= 1
    assert sorted(answer.status_code for answer in answers) == [*[400] * sql.AT_ONCE, 429]


@pytest.mark.parametrize(
    "body", [{}, {"sql": ""}, {"sql": "x" * 20_001}, {"sql": "SELECT 1", "limit": 0}, []]
)
def test_requests_that_are_not_valid_are_told(client: httpx.Client, body: object) -> None:
    assert client.post("/v1/query", json=body).status_code == 422


def test_a_lake_that_cannot_be_read_is_not_called_a_bad_query(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("none")
    (folder / "lake").write_text("a file")
    with pytest.raises(LakeError):
        ask(str(folder / "lake"), "SELECT count(*) FROM tweets", Limits(1, 60, 768))
    assert module.MOST_BYTES == 10_000_000


def test_programs_in_the_folder_of_the_server_are_not_run(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("random", "json", "trendlark"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    answer = json.loads(ask(lake.uri, "SELECT 1 AS a", Limits(1, PATIENCE, 768)))
    assert answer == {"columns": ["a"], "rows": [[1]], "truncated": False}


def test_a_process_that_fails_by_itself_is_told_and_logged_without_what_it_said(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "python"
    broken.write_text(
        "#!/bin/sh\necho '  File \"a.py\", line 3' >&2\necho 'ValueError: private words' >&2\nexit 1\n"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(TrendlarkError, match="no fault of the query") as caught:
        ask(lake.uri, "SELECT 1", Limits(1, PATIENCE, 768))
    assert caught.value.http_status == 500
    assert "a.py" in caplog.text
    assert "private" not in caplog.text
