"""The three services as real processes on one lake, one of them killed: the rows are those of ``run-hour``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support.commandline import run
from tests.support.hours import command, contents, jobs_for
from trendlark.hours import Hour
from trendlark.lake import Lake, open_lake
from trendlark.reports.backlog import waiting_hours

ROOT = Path(__file__).parents[2]
_LONGEST_SECONDS = 200.0
_HOURS = 2
# What each of the services says once it listens for signals.
_UP = re.compile("^(Collecting|Analysing|The dashboard is) ", re.M)


def _until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"waited in vain for: {what}"
        time.sleep(0.1)


@contextmanager
def _service(lake: Path, log: Path, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | {
        "TRENDLARK_LAKE": str(lake),
        "TRENDLARK_MODEL": "fake",
        "TRENDLARK_SAMPLE_HOURS": str(_HOURS),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("wb") as told, subprocess.Popen(words, cwd=ROOT, env=environment, stderr=told) as process:
        try:
            yield process
        finally:
            process.kill()


def _end(process: subprocess.Popen[bytes], log: Path) -> str:
    # Others may do the work before this one has come up, and a signal before it listens for any just kills it.
    _until(lambda: _UP.search(log.read_text()), f"{log.stem} to be up")
    process.send_signal(signal.SIGTERM)
    assert process.wait(_LONGEST_SECONDS) == 0, log.read_text()
    text = log.read_text()
    assert "Traceback" not in text
    return text


def _finished(lake: Lake) -> bool:
    hours = lake.hours()
    return len(hours) >= _HOURS and not waiting_hours(lake, hours[0])


def _answer(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=30) as answer:
        found: dict[str, object] = json.load(answer)
        return found


@pytest.mark.slow
def test_services_with_one_killed_leave_the_rows_of_run_hour(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    logs = {name: tmp_path / f"{name}.log" for name in ("collector", "doomed", "first", "second", "web")}
    analyzer = ["analyzer", "--poll-seconds", "0.2"]
    with ExitStack() as services:
        killed = [sys.executable, "-m", "tests.support.killed_service", "9", *analyzer]
        doomed = services.enter_context(_service(lake, logs["doomed"], killed))
        collector = services.enter_context(_service(lake, logs["collector"], command("collector")))
        assert doomed.wait(_LONGEST_SECONDS) == -signal.SIGKILL, logs["doomed"].read_text()
        assert not _finished(open_lake(str(lake)))
        first, second, web = (
            services.enter_context(_service(lake, logs[name], words))
            for name, words in (
                ("first", command(*analyzer)),
                ("second", command(*analyzer)),
                ("web", command("serve", "--port", "0")),
            )
        )
        _until(lambda: _finished(open_lake(str(lake))), "all hours to be summed up")
        _until(lambda: "http://" in logs["web"].read_text(), "the web server's address")
        address = re.search(r"http://\S+", logs["web"].read_text())
        assert address is not None
        assert _answer(f"{address[0]}/ready")["status"] == "ready"
        assert _answer(f"{address[0]}/v1/trends?place=es")["items"]
        # The collector first: until it has ended, it may bring another place, or an hour that is over just now.
        assert "Stopped." in _end(collector, logs["collector"])
        _until(lambda: _finished(open_lake(str(lake))), "what was collected last to be summed up")
        for process, name in ((first, "first"), (second, "second")):
            assert "Stopped." in _end(process, logs[name])
        _end(web, logs["web"])
    undisturbed = jobs_for(tmp_path / "undisturbed")
    undisturbed.backfill(open_lake(str(lake)).hours())
    assert contents(lake) == contents(undisturbed.lake)


@pytest.mark.slow
def test_two_collectors_by_mistake_leave_one_result(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    with ExitStack() as services:
        pair = [services.enter_context(_service(lake, log, command("collector"))) for log in logs]
        _until(lambda: len(open_lake(str(lake)).hours()) >= _HOURS, "both hours to be collected")
        for process, log in zip(pair, logs, strict=True):
            _end(process, log)
    hours = open_lake(str(lake)).hours()
    once = jobs_for(tmp_path / "once")
    for hour in hours:
        once.collect(hour)
    assert contents(lake) == contents(once.lake)


def test_the_heartbeat_tells_whether_a_service_is_well(tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    missing = run("alive", str(beat), folder=tmp_path)
    assert missing.returncode == 3
    assert "Found no heartbeat file" in missing.stderr
    beat.touch()
    assert run("alive", str(beat), folder=tmp_path).returncode == 0
    os.utime(beat, (1, 1))
    old = run("alive", str(beat), "--within-seconds", "60", folder=tmp_path)
    assert old.returncode == 3
    assert "a last beat" in old.stderr
    assert "at least every 60 seconds" in old.stderr


def test_a_heartbeat_without_a_place_is_refused_at_the_start(tmp_path: Path) -> None:
    for service in ("collector", "analyzer"):
        done = run(service, "--heartbeat", str(tmp_path / "no" / "beat"), folder=tmp_path)
        assert done.returncode == 2
        assert "cannot be touched" in done.stderr
        assert "Traceback" not in done.stderr
    assert Hour.last_complete() not in open_lake(str(tmp_path / "lake")).hours()
