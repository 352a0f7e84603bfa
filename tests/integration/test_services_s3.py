"""The services of compose.s3.yaml as processes on S3 (moto): no volume is shared, the rows are the same."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import ExitStack
from pathlib import Path

import boto3
import pytest

from tests.support.compose import read, variables
from tests.support.containers import answer, until
from tests.support.hours import command, contents, jobs_for
from tests.support.s3_server import running_s3
from trendlark.lake import open_lake
from trendlark.reports.backlog import waiting_hours

_LONGEST_SECONDS = 200.0
_FILES = ("compose.yaml", "compose.s3.yaml")
_LAKE = variables("web", *_FILES)["TRENDLARK_LAKE"]
_SMALL = {"TRENDLARK_MODEL": "fake", "TRENDLARK_SAMPLE_HOURS": "1", "TRENDLARK_PLACES": "es"}


def _environment(service: str, **own: str) -> dict[str, str]:
    """What the compose files give a service, but for where the store is."""
    return variables(service, *_FILES) | _SMALL | own


def _words(service: str, folder: Path, number: int) -> list[str]:
    """The command of a service, with a heartbeat of its own."""
    words = read("compose.yaml")["services"][service]["command"]
    return [str(folder / f"heartbeat-{number}") if word == "/tmp/heartbeat" else word for word in words]


def _summed_up() -> bool:
    hours = open_lake(_LAKE).hours()
    return bool(hours) and not waiting_hours(open_lake(_LAKE), hours[0])


def _told_address(web: subprocess.Popen[str]) -> str:
    """Where the web server listens: it says so, and nobody can take its port before it."""
    assert web.stderr is not None
    said = ""
    for line in web.stderr:
        said += line
        if found := re.search(r"http://\S+", line):
            return found[0]
    raise AssertionError(said)


def _end(service: subprocess.Popen[str]) -> None:
    service.send_signal(signal.SIGTERM)
    told = service.communicate(timeout=_LONGEST_SECONDS)[1]
    assert service.returncode == 0, told
    assert "Stop" in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_services_share_a_lake_on_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3() as store, ExitStack() as running:
        own = {"AWS_ENDPOINT_URL": store, "AWS_DEFAULT_REGION": "us-east-1", "TRENDLARK_PORT": "0"}
        for name, value in _environment("web", **own).items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        # The bucket is made once the store answers, by the name that the compose file has.
        bucket = read("compose.s3.yaml")["services"]["bucket"]["entrypoint"][-1].removeprefix("store/")
        client = boto3.client("s3")
        client.create_bucket(Bucket=bucket)
        client.close()
        services = [
            running.enter_context(
                subprocess.Popen(
                    command(*_words(name, tmp_path, number)),
                    cwd=tmp_path,
                    env=os.environ | _environment(name, **own),
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for number, name in enumerate(("collector", "analyzer", "analyzer", "web"))
        ]
        for service in services:
            running.callback(service.kill)
        collector, *_, web = services
        address = _told_address(web)
        # A service beats once it listens for signals; others may do the work before a slow one is up.
        until(lambda: all((tmp_path / f"heartbeat-{n}").exists() for n in range(3)), "all services to be up")
        until(_summed_up, "the hour to be summed up")
        # The collector first: until it has ended, it may bring an hour that is over just now.
        _end(collector)
        until(_summed_up, "what was collected last to be summed up")
        until(lambda: answer(f"{address}/ready"), "the web server")
        trends = answer(f"{address}/v1/trends?place=es")
        assert trends is not None
        assert trends["items"][0]["summary"]["sentiment"]
        for service in services[1:]:
            _end(service)
        on_disk = jobs_for(tmp_path / "disk", places="es")
        on_disk.backfill(open_lake(_LAKE).hours())
        assert contents(_LAKE) == contents(on_disk.lake)
