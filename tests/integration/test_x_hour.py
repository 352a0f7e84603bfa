"""An hour collected from X (a stand-in for it): rows, resumption, failures, money and secrets."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commandline import run
from tests.support.fake_x import NO_CREDITS, TOKEN, UNAUTHORIZED, FakeX, Reply
from tests.support.hours import command
from trendlark.hours import Hour, seconds_until
from trendlark.lake import open_lake
from trendlark.records import PLACES
from trendlark.sources.x_parse import query_of

NAMES = ("#Gol", "Lía Montero", "metro")


# More than the processes of one test take on a busy machine.
_ROOM_SECONDS = 120.0


@pytest.fixture
def server() -> Iterator[FakeX]:
    # X has tweets of the hour that was last when it was set up, and the processes ask for the one that is last when
    # they start: where an hour would end in between, the next one is waited for.
    left = seconds_until(Hour.now().end)
    if left < _ROOM_SECONDS:
        time.sleep(left + 1)
    with FakeX() as fake:
        fake.trend(PLACES["es"].woeid or 0, *((name, 900) for name in NAMES), "fourth")
        for name in NAMES:
            fake.posts(query_of(name) or "", Hour.last_complete(), 80)
        yield fake


def _environment(server: FakeX, **more: str) -> dict[str, str]:
    return {
        "TRENDLARK_X_BEARER_TOKEN": TOKEN,
        "TRENDLARK_X_BASE_URL": server.url,
        "TRENDLARK_PLACES": "es",
        "TRENDLARK_TRENDS_PER_PLACE": "3",
        "TRENDLARK_BUDGET_USD_PER_DAY": "1000",
        "TRENDLARK_MAX_WAIT_SECONDS": "0",
        **more,
    }


def test_an_hour_of_x_goes_through_the_three_jobs(tmp_path: Path, server: FakeX) -> None:
    done = run("run-hour", "--json", folder=tmp_path, environment=_environment(server))
    assert done.returncode == 0, done.stderr
    asked = len(server.asked)
    again = run("run-hour", folder=tmp_path, environment=_environment(server))
    assert "Nothing to do" in again.stderr
    assert len(server.asked) == asked
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [entry["job"] for entry in runs] == ["collect", "analyze", "summarise"]
    lake = open_lake(str(tmp_path / "lake"))
    rows = lake.trend_hours(hour=Hour.parse(runs[0]["hour"]))
    assert [row.trend.rank for row in rows] == [1, 2, 3]
    assert all(row.summary and row.summary.analysed == row.sampled > 0 for row in rows)
    assert sum(row.cost for row in rows) + 0.01 == pytest.approx(runs[0]["cost"])
    assert TOKEN not in done.stdout + done.stderr


def test_what_fails_is_one_sentence_and_the_next_run_asks_only_for_the_rest(
    tmp_path: Path, server: FakeX
) -> None:
    environment = _environment(server)
    server.script(*[NO_CREDITS] * 9, path="/2/tweets/search/recent")
    broke = run("run-hour", folder=tmp_path, environment=environment)
    assert broke.returncode == 4
    assert broke.stderr.count("trendlark: ") == 1
    assert "Traceback" not in broke.stderr
    server._script.clear()
    before = len(server.asked)
    done = run("run-hour", folder=tmp_path, environment=environment)
    assert done.returncode == 0, done.stderr
    paths = [asked.path for asked in server.asked[before:]]
    assert not any("trends" in path for path in paths)
    runs = open_lake(str(tmp_path / "lake")).runs()
    assert [entry.status for entry in reversed(runs) if entry.job == "collect"] == ["failed", "done"]


def test_a_token_that_x_does_not_accept_is_told_and_not_shown(tmp_path: Path, server: FakeX) -> None:
    server.script(UNAUTHORIZED, path="/2/trends")
    done = run("run-hour", folder=tmp_path, environment=_environment(server))
    assert done.returncode == 4
    assert TOKEN not in done.stdout + done.stderr
    assert "x_bearer_token" in done.stderr.lower()


def test_answers_that_are_cut_off_are_asked_for_again(tmp_path: Path, server: FakeX) -> None:
    server.script(Reply(200, b'{"data": ['), path="/2/trends")
    done = run("run-hour", folder=tmp_path, environment=_environment(server))
    assert done.returncode == 0, done.stderr


def test_the_past_cannot_be_collected_from_x(tmp_path: Path, server: FakeX) -> None:
    environment = _environment(server)
    done = run("run-hour", "--hour", str(Hour.last_complete() - 30), folder=tmp_path, environment=environment)
    assert done.returncode == 3
    assert server.asked == []
    assert "tells only what trends now" in done.stderr


@pytest.mark.slow
def test_two_collectors_at_once_leave_one_hour_and_a_ledger_of_what_both_paid(
    tmp_path: Path, server: FakeX
) -> None:
    environment = os.environ | {"TRENDLARK_MODEL": "fake"} | _environment(server)
    racers = [
        subprocess.Popen(
            command("run-hour", "--json"),
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [racer.communicate(timeout=120) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], said
    lake = open_lake(str(tmp_path / "lake"))
    rows = lake.trend_hours()
    assert [row.trend.name for row in rows] == list(NAMES)
    tweets = list(lake.tweets(rows[0].trend.hour))
    for row in rows:
        ids = [tweet.tweet_id for tweet in tweets if tweet.trend == row.trend.name]
        assert len(ids) == len(set(ids)) == row.sampled > 0
        assert row.summary is not None
        assert row.summary.analysed == row.sampled
    collected = [entry for entry in lake.runs() if entry.job == "collect"]
    paid = sum(json.loads(line)["cost"] for out, _ in said for line in out.splitlines())
    # Whoever came too late has paid all the same: the ledger and the records know.
    assert lake.spent(Hour.now().day, "x") == pytest.approx(paid) == sum(entry.cost for entry in collected)
    assert len(server.asked) <= 2 * (1 + len(rows) * 2)


def test_a_budget_of_nothing_asks_for_nothing(tmp_path: Path, server: FakeX) -> None:
    environment = _environment(server, TRENDLARK_BUDGET_USD_PER_DAY="0")
    done = run("run-hour", folder=tmp_path, environment=environment)
    assert server.asked == []
    assert done.returncode == 4
    assert "budget" in done.stderr
