"""Pipelines whose steps are containers: on a stand-in for Docker, and in the image where an engine has it.

    python -m pytest -m pipeline tests/training/test_pipeline_docker.py

For the image: `make images TARGETS=train`, with a running Docker, or with podman and its socket in DOCKER_HOST, where
TEST_TRAIN_IMAGE is localhost/trendlark/train:VERSION.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("kfp", reason="needs trendlark[pipeline]")

from tests.support.fake_docker import FakeDocker, mounted, running
from tests.support.hours import command
from tests.training.tiny import tiny_checkpoint
from trendlark.lake import open_lake
from trendlark.nlu.artifact import load_artifact
from trendlark.training.pipeline.components import IMAGE

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(1800)]

_IMAGE = os.environ.get("TEST_TRAIN_IMAGE", IMAGE)
_RECIPE = 'name = "tiny"\nsteps = 2\ntokens_per_batch = 64\n'


@pytest.fixture(params=["stand-in", "image"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDocker | None]:
    """What runs the containers: the stand-in, or None for the engine of this machine with our image."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    if request.param == "stand-in":
        stand_in = FakeDocker(_IMAGE)
        with running(stand_in) as address:
            monkeypatch.setenv("DOCKER_HOST", address)
            yield stand_in
        return
    asked = [sys.executable, "-c", f"import docker; docker.from_env().images.get({_IMAGE!r})"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip(f"no engine answers here that has {_IMAGE}: make images TARGETS=train")
    yield None


def _run(folder: Path, which: str, **parameters: object) -> list[str]:
    words = ["pipeline", "run", which, "--local", "--runner", "docker", "--image", _IMAGE]
    given = (word for name, value in parameters.items() for word in ("--set", f"{name}={value}"))
    done = subprocess.run(
        command(*words, "--work", "work", *given), capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout.splitlines()


def _check(engine: FakeDocker | None, steps: int, *places: Path) -> None:
    if engine is None:
        return
    assert len(engine.made) == steps
    for body in engine.made:
        assert set(map(str, places)) <= set(mounted(body))
        assert body["User"] == f"{os.getuid()}:{os.getgid()}"
        assert body["Entrypoint"] == ["/usr/bin/env"]
        assert body["HostConfig"]["NetworkMode"] == "host"


def test_past_days_are_analysed_again_in_containers(engine: FakeDocker | None, tmp_path: Path) -> None:
    environment = os.environ | {"TRENDLARK_MODEL": "fake", "TRENDLARK_LAKE": str(tmp_path / "lake")}
    hour = command("run-hour", "--places", "es")
    made = subprocess.run(hour, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    [found] = open_lake(str(tmp_path / "lake")).hours()
    # Named from where the command stands, which no container does.
    told = _run(tmp_path, "reanalyze", lake="lake", first_day=found.day, last_day=found.day, model="default")
    after = open_lake(str(tmp_path / "lake")).analysed_models(found)
    assert set(after) == {load_artifact("default").name}
    assert told[-1] == f"{sum(after.values())} tweets of 1 days were analysed again"
    _check(engine, 3, tmp_path / "lake", tmp_path / "work/claim", tmp_path / "work/steps")


def test_a_model_is_trained_and_published_in_containers(
    engine: FakeDocker | None, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "tiny.toml").write_text(_RECIPE, encoding="utf-8")
    tiny_checkpoint().save(tmp_path / "start.pt")
    asked = {"data": data, "recipe": "tiny.toml", "base": "start.pt", "models": "shelf", "tolerance": 0.05}
    told = _run(tmp_path, "train", service="none", **asked)
    shelf = json.loads((tmp_path / "shelf/models.json").read_bytes())
    version = shelf["current"]
    assert told[-1] == f"in service: {version} (the shelf; no target was named)"
    assert load_artifact(tmp_path / "shelf" / version).name == version
    _check(engine, 11, data, *(tmp_path / one for one in ("tiny.toml", "start.pt", "shelf")))
