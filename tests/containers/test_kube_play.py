"""The rendered overlay for one node, played by podman as it stands: the hours are collected, analysed and served."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.containers import ROOT, Engine, answer, until
from trendlark.lake import open_lake
from trendlark.reports.backlog import waiting_hours

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]

MANIFESTS = ROOT / "tests" / "deploy" / "rendered" / "local.yaml"
TOKEN = "b2f0c4d6e8a1-played"
# The default of the setting sample_hours, which the overlay leaves as it is.
HOURS = 6


def _container(service: str) -> str:
    return f"trendlark-{service}-pod-0-{service}"


@pytest.fixture
def played(engine: Engine, tmp_path: Path) -> Iterator[Path]:
    """The overlay at work; the folder of its claim."""
    _down(engine)
    secret = tmp_path / "secret.json"
    secret.write_text(json.dumps({"api-token": base64.b64encode(TOKEN.encode()).decode()}), encoding="utf-8")
    engine.ask("secret", "create", "trendlark-secrets", str(secret))
    try:
        engine.ask("kube", "play", str(MANIFESTS))
        yield Path(engine.inspect("trendlark-lake")["Mountpoint"])
    finally:
        _down(engine)


def _down(engine: Engine) -> None:
    engine.attempt("kube", "down", str(MANIFESTS))
    engine.attempt("volume", "rm", "--force", "trendlark-lake", "tmp")
    engine.attempt("secret", "rm", "trendlark-secrets")


def _finished(folder: Path) -> bool:
    lake = open_lake(str(folder / "lake"))
    hours = lake.hours()
    return len(hours) >= HOURS and not waiting_hours(lake, hours[0])


def _is_summed_up(address: str) -> bool:
    found = answer(f"{address}/v1/trends?place=es", TOKEN)
    return bool(found and found["items"] and (found["items"][0]["summary"] or {}).get("sentiment"))


def test_the_local_overlay_runs_the_hours(engine: Engine, played: Path) -> None:
    until(lambda: _finished(played), "all hours to be summed up")
    pod = engine.inspect(_container("web"))["Pod"]
    infra = engine.inspect(engine.inspect(pod)["InfraContainerID"])
    (network,) = infra["NetworkSettings"]["Networks"].values()
    address = f"http://{network['IPAddress']}:8600"
    until(lambda: answer(f"{address}/ready"), "the web server")
    assert answer(f"{address}/v2/health/ready") == {"ready": True}
    assert answer(f"{address}/v1/trends?place=es") is None, "without the token of the secret"
    until(lambda: _is_summed_up(address), "an hour that is summed up, where another has ended meanwhile")
    for service in ("collector", "analyzer", "web"):
        found = engine.inspect(_container(service))
        assert found["Config"]["User"].split(":")[0] == "10001"
        assert found["HostConfig"]["ReadonlyRootfs"] is True
        assert found["EffectiveCaps"] in (None, [])
        assert found["HostConfig"]["Memory"] > 0
        assert found["RestartCount"] == 0
    for service in ("collector", "analyzer"):
        assert engine.attempt("healthcheck", "run", _container(service)).returncode == 0
    engine.ask("pod", "stop", "--time", "60", pod)
    assert engine.inspect(_container("web"))["State"]["ExitCode"] == 0
