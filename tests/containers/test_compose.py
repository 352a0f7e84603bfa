"""compose.yaml brought up as it stands: the three services on one volume, the dashboard on this machine only."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from tests.support.containers import ROOT, Engine, answer, free_port, until

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        importlib.util.find_spec("podman_compose") is None, reason="podman-compose is not installed"
    ),
]

PROJECT = "trendlark-test"


def _compose(engine: Engine, port: int, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "podman_compose", "--in-pod=false", "-p", PROJECT, *words],
        cwd=ROOT,
        env=dict(engine.environment) | {"TRENDLARK_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_one_command_brings_all_three_up(engine: Engine) -> None:
    port = free_port()
    try:
        _compose(engine, port, "up", "--detach", "--no-build")
        until(lambda: answer(f"http://127.0.0.1:{port}/ready"), "the web server")

        def _summed_up() -> bool:
            found = answer(f"http://127.0.0.1:{port}/v1/trends?place=es")
            return bool(found and found["items"] and found["items"][0]["summary"])

        until(_summed_up, "an hour that is summed up")
        for service in ("collector", "analyzer", "web"):
            found = engine.inspect(f"{PROJECT}_{service}_1")
            assert found["HostConfig"]["ReadonlyRootfs"] is True
            assert found["HostConfig"]["Memory"] == 2**30
            assert found["EffectiveCaps"] in (None, [])
            assert found["Config"]["User"] == "10001:10001"
    finally:
        _compose(engine, port, "down", "--volumes")
