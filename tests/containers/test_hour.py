"""Collector, analyzer and web in containers on one volume; each is killed, one is replaced, and no row is lost."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.containers import Container, Engine, answer, container, free_port, until, volume
from tests.support.hours import contents
from trendlark.lake import Lake, open_lake
from trendlark.reports.backlog import waiting_hours

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]

HOURS = 8
AT_REST_MIB = 512
NAMES = ("collector", "analyzer", "web")


class Stand:
    """The three services on one volume."""

    def __init__(self, engine: Engine, no_shell: Path, stack: ExitStack) -> None:
        self.engine, self._shell, self._stack = engine, no_shell, stack
        self.folder = stack.enter_context(volume(engine, "trendlark-test-lake"))
        self.port = stack.enter_context(free_port())

    def start(self, name: str, *words: str, lake: str = "trendlark-test-lake") -> Container:
        """A service, or any other command, in a container."""
        settings = {"TRENDLARK_SAMPLE_HOURS": str(HOURS), "TRENDLARK_PORT": str(self.port)}
        made = container(
            self.engine,
            f"trendlark-test-{name}",
            words,
            lake=lake,
            shell=self._shell,
            settings=settings | {"TRENDLARK_THREADS": "1"},
        )
        return self._stack.enter_context(made)

    def lake(self) -> Lake:
        """The lake as it is now."""
        return open_lake(str(self.folder / "lake"))

    def analysed(self) -> int:
        """How many analyses are there."""
        (row,) = self.lake().sql("SELECT count(*) AS n FROM analyses").read_all().to_pylist()
        return int(row["n"])

    def finished(self) -> bool:
        """Whether every hour is collected and summed up."""
        hours = self.lake().hours()
        return len(hours) >= HOURS and not waiting_hours(self.lake(), hours[0])

    def undisturbed(self) -> Path:
        """Another lake, in which one container ran the same hours without a pause."""
        name = "trendlark-test-undisturbed"
        folder = self._stack.enter_context(volume(self.engine, name))
        hours = self.lake().hours()
        done = self.start("alone", "backfill", str(hours[0]), str(hours[-1]), lake=name)
        self.engine.ask("wait", done.name)
        assert done.exit_code() == 0, done.logs()
        return folder / "lake"

    def web(self, path: str) -> dict[str, object] | None:
        """What the web server answers."""
        return answer(f"http://127.0.0.1:{self.port}{path}")


@pytest.fixture
def stand(engine: Engine, no_shell: Path) -> Iterator[Stand]:
    with ExitStack() as stack:
        yield Stand(engine, no_shell, stack)


def test_killed_in_turn_and_replaced_they_leave_the_rows_of_an_undisturbed_run(stand: Stand) -> None:
    collector = stand.start("collector", "collector", "--heartbeat", "/tmp/heartbeat")
    until(lambda: len(stand.lake().hours()) >= 2, "the first hours")
    collector.kill()
    assert len(stand.lake().hours()) < HOURS, "killed too late"
    words = ("analyzer", "--heartbeat", "/tmp/heartbeat", "--poll-seconds", "0.2")
    analyzer = stand.start("analyzer", *words)
    until(stand.analysed, "the first analyses")
    analyzer.kill()
    collector.start()
    web = stand.start("web", "serve")
    until(lambda: stand.web("/ready"), "the web server")
    web.kill()
    assert stand.web("/live") is None
    web.start()
    until(lambda: len(stand.lake().hours()) >= HOURS, "all hours")

    # A rolling update: the new one is there before the old one is asked to end, in the middle of its work.
    analyzer.start()
    before = stand.analysed()
    until(lambda: stand.analysed() > before, "more analyses")
    newer = stand.start("newer", *words)
    until(lambda: "Analysing" in newer.logs(), "the new analyzer")
    assert not stand.finished(), "replaced too late"
    assert analyzer.stop() == 0, analyzer.logs()
    assert "Stopped. What was analysed is kept" in analyzer.logs()
    until(stand.finished, "all hours to be summed up")
    until(lambda: stand.web("/ready"), "the web server again")
    trends = stand.web("/v1/trends?place=es")
    assert trends is not None
    assert trends["items"]

    for name, service in zip(NAMES, (collector, newer, web), strict=True):
        assert service.healthy(), name
        at_rest, _ = service.memory_mib()
        assert at_rest < AT_REST_MIB, f"{name} takes {at_rest:.0f} MiB at rest"
        assert service.stop() == 0, service.logs()
        assert "Traceback" not in service.logs()
    assert contents(stand.lake()) == contents(stand.undisturbed())


def test_a_request_that_has_begun_is_answered_before_the_server_ends(stand: Stand) -> None:
    web = stand.start("web", "serve")
    until(lambda: stand.web("/ready"), "the web server")
    body = json.dumps({"texts": ["what a night", "que noche"]}).encode()
    head = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", stand.port), timeout=60) as line:
        line.sendall(f"POST /v1/analyze HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode() + body[:10])
        codes: list[int] = []
        # Who came later is answered: by then the server has what was sent here, and is not stopped before.
        assert stand.web("/live") is not None
        stopping = threading.Thread(target=lambda: codes.append(web.stop()))
        stopping.start()
        until(lambda: "Stopping" in web.logs(), "the server to be told to stop")
        until(lambda: stand.web("/live") is None, "the server to take no more requests")
        assert not codes, "it ended before it had answered"
        line.sendall(body[10:])
        told = b"".join(iter(lambda: line.recv(65536), b""))
    stopping.join()
    assert told.startswith(b"HTTP/1.1 200 "), told[:300]
    assert told.count(b'"sentiment"') == 2
    assert codes == [0]
    assert "Traceback" not in web.logs()
