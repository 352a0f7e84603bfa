"""Server-sent events: a listener is told of each hour that is finished, and of those that it missed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import FIRST, LAST, STORIES, fill
from trendlark.lake import Lake
from trendlark.web import events
from trendlark.web.app import create_app
from trendlark.web.metrics import Metrics
from trendlark.web.serve import WebServer


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.5)


@contextmanager
def listening(client: httpx.Client, **headers: str) -> Iterator[Iterator[str]]:
    """The lines of a stream that has begun."""
    with client.stream("GET", "/v1/events", headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.iter_lines()
        assert next(lines) == "retry: 5000"
        assert next(lines) == ""
        yield lines


def event(lines: Iterator[str]) -> tuple[str, dict[str, Any]]:
    """The next event's id and data, past the signs of life."""
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if not line and fields:
            break
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
    assert fields["event"] == "hour"
    return fields["id"], json.loads(fields["data"])


def test_finished_hours_are_announced_as_they_come_and_unfinished_ones_are_not(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    fill(lake, "x", STORIES[:1])
    with client_of(lake) as client, listening(client) as lines:
        fill(lake, "mastodon", STORIES[:1], summarised=False)
        fill(lake, "sample", STORIES[:3])
        found = [event(lines)[1] for _ in range(6)]
        assert {one["hour"] for one in found} == {str(FIRST + step) for step in range(6)}
        assert {(one["source"], one["place"]) for one in found} == {("sample", "es")}
        assert [one["trends"] for one in found if one["hour"] == str(LAST)] == [3]


def test_what_was_missed_comes_after_a_reconnection(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    fill(lake, "x", STORIES[:1])
    last = (LAST.end.replace(minute=4)).isoformat()
    before = ((LAST - 1).end.replace(minute=4)).isoformat()
    with client_of(lake) as client:
        with listening(client, **{"Last-Event-ID": before}) as lines:
            found = [event(lines) for _ in range(2)]
            assert [one[1]["hour"] for one in found] == [str(LAST - 1), str(LAST)]
            assert found[1][0] == last
        with listening(client, **{"Last-Event-ID": last}) as lines:
            assert event(lines)[1]["hour"] == str(LAST)


def test_two_who_come_first_at_once_both_hear_of_the_next_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = events.Finished("2026-11-23T08:04:00+00:00", str(LAST), "x", "es", 3)
    found = chain([("1", frozenset())], repeat(("2", frozenset({new}))))
    announcer = events.Announcer(empty_lake(tmp_path), Metrics())
    monkeypatch.setattr(announcer, "_read", lambda _: next(found))

    async def hear() -> bytes:
        messages = await announcer.listen("", lambda: False)
        async for message in messages:
            if message.startswith(b"event"):
                return message
        raise AssertionError

    async def both() -> set[bytes]:
        return set(await asyncio.wait_for(asyncio.gather(hear(), hear()), 30))

    assert asyncio.run(both()) == {new.message()}


def test_a_quiet_stream_gives_signs_of_life_and_ends_with_the_server(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    app = create_app(lake=lake, analyzer=None, settings=settings_for(lake.uri))
    server = WebServer(app, "127.0.0.1", 0, app.state.drain)
    with (
        httpx.Client(base_url=server.start(), trust_env=False, timeout=30) as client,
        listening(client) as lines,
    ):
        assert next(lines) == ": still here"
        assert app.state.room.metrics.registry.get_sample_value("trendlark_event_listeners") == 1
        server.stop()
        assert set(lines) <= {"", ": still here"}
    assert server.join(30)
    assert app.state.room.metrics.registry.get_sample_value("trendlark_event_listeners") == 0


def test_too_many_listeners_are_sent_away_and_those_who_leave_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "MOST_LISTENERS", 1)
    lake: Lake = empty_lake(tmp_path)
    with client_of(lake) as client:
        with listening(client):
            refused = client.get("/v1/events")
            assert refused.status_code == 429
            assert refused.headers["retry-after"] == "60"
        while client.get("/metrics").text.count("trendlark_event_listeners 1.0"):
            pass
        with listening(client):
            pass
