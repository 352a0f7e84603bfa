"""Collector and analyzers as processes on S3 (moto's real server): no volume is shared, the rows are the same."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import boto3
import pytest

from tests.support.hours import command, contents, jobs_for
from tests.support.s3_server import running_s3
from trendlark.lake import open_lake
from trendlark.reports.backlog import waiting_hours

_LONGEST_SECONDS = 200.0
_LAKE = "s3://services/lake"


def _environment(address: str) -> Mapping[str, str]:
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    return {**keys, "AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}


def _summed_up() -> bool:
    hours = open_lake(_LAKE).hours()
    return bool(hours) and not waiting_hours(open_lake(_LAKE), hours[0])


@pytest.mark.slow
def test_services_share_a_lake_on_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_s3() as address, ExitStack() as running:
        for name, value in _environment(address).items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="services")
        client.close()
        settings = {
            "TRENDLARK_LAKE": _LAKE,
            "TRENDLARK_MODEL": "fake",
            "TRENDLARK_SAMPLE_HOURS": "1",
            "TRENDLARK_PLACES": "es",
        }
        services = [
            running.enter_context(
                subprocess.Popen(
                    command(*words),
                    cwd=tmp_path,
                    env=os.environ | settings,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for words in (["collector"], *(["analyzer", "--poll-seconds", "0.5"],) * 2)
        ]
        for service in services:
            running.callback(service.kill)
        deadline = time.monotonic() + _LONGEST_SECONDS
        while not _summed_up():
            assert time.monotonic() < deadline, "the hour was not summed up"
            time.sleep(0.3)
        for service in services:
            service.send_signal(signal.SIGTERM)
            told = service.communicate(timeout=_LONGEST_SECONDS)[1]
            assert service.returncode == 0, told
            assert "Stopped." in told
            assert "Traceback" not in told
        on_disk = jobs_for(tmp_path / "disk", places="es")
        on_disk.backfill(open_lake(_LAKE).hours())
        assert contents(_LAKE) == contents(on_disk.lake)
