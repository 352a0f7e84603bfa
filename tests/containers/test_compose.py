"""compose.yaml and compose.s3.yaml brought up as they stand: three services, the dashboard on this machine only.

MinIO's images are replaced by moto's server in the base image, with the packages of this environment.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest

from tests.support.containers import BASE, ROOT, Engine, answer, free_port, until

pytestmark = [
    pytest.mark.containers,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        importlib.util.find_spec("podman_compose") is None, reason="podman-compose is not installed"
    ),
]

PROJECT = "trendlark-test"


# In place of MinIO and its client, which no registry brings here: what they run, not how the services reach them. One
# hour is enough: the stand-in, one process of Python, is the slowest part of all.
_STAND_IN = """
services:
  collector:
    environment: {{TRENDLARK_SAMPLE_HOURS: "1"}}
  store:
    image: {image}
    entrypoint: [python3, -m, moto.server, -H, 0.0.0.0, -p, "9000"]
    command: []
    environment: {{PYTHONPATH: /site}}
    volumes: ["{site}:/site:ro"]
  bucket:
    image: {image}
    entrypoint: [python3, -c, "{script}"]
    environment: {{PYTHONPATH: /site}}
    volumes: ["{site}:/site:ro"]
"""
_MAKE = (
    "import boto3; boto3.client('s3', endpoint_url='http://store:9000', region_name='us-east-1', "
    "aws_access_key_id='trendlark', aws_secret_access_key='trendlark').create_bucket(Bucket='trendlark')"
)


def _compose(engine: Engine, port: int, *words: str, files: Sequence[str] = ("compose.yaml",)) -> str:
    named = [word for file in files for word in ("-f", file)]
    done = subprocess.run(
        [sys.executable, "-m", "podman_compose", "--in-pod=false", "-p", PROJECT, *named, *words],
        cwd=ROOT,
        env=dict(engine.environment) | {"TRENDLARK_PORT": str(port), "S3_PASSWORD": "of-the-test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@contextmanager
def _brought_up(engine: Engine, port: int, files: Sequence[str] = ("compose.yaml",)) -> Iterator[None]:
    """The services of ``files`` are up inside the block; what fails in it tells what they said."""
    try:
        _compose(engine, port, "up", "--detach", "--no-build", files=files)
        yield
    except Exception as failed:
        names = engine.ask(
            "ps", "--all", "--filter", f"label=io.podman.compose.project={PROJECT}", "--format={{.Names}}"
        )
        for name in names.split():
            said = engine.attempt("logs", "--tail", "30", name)
            failed.add_note(f"{name} {engine.inspect(name)['State']}:\n{said.stdout}{said.stderr}")
        raise
    finally:
        _compose(engine, port, "down", "--volumes", files=files)


def _is_summed_up(port: int) -> bool:
    found = answer(f"http://127.0.0.1:{port}/v1/trends?place=es")
    return bool(found and found["items"] and found["items"][0]["summary"])


@pytest.fixture
def port() -> Iterator[int]:
    with free_port() as free:
        yield free


def test_one_command_brings_all_three_up(engine: Engine, port: int) -> None:
    with _brought_up(engine, port):
        until(lambda: answer(f"http://127.0.0.1:{port}/ready"), "the web server")
        until(lambda: _is_summed_up(port), "an hour that is summed up")
        for service in ("collector", "analyzer", "web"):
            found = engine.inspect(f"{PROJECT}_{service}_1")
            assert found["HostConfig"]["ReadonlyRootfs"] is True
            assert found["HostConfig"]["Memory"] == 2**30
            assert found["EffectiveCaps"] in (None, [])
            assert found["Config"]["User"] == "10001:10001"


@pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="the base image has Python 3.11, as its packages must"
)
def test_with_a_store_the_lake_is_in_its_bucket(engine: Engine, port: int, tmp_path: Path) -> None:
    stand_in = tmp_path / "stand-in.yaml"
    site = Path(boto3.__file__).parents[1]
    stand_in.write_text(_STAND_IN.format(image=BASE, site=site, script=_MAKE), encoding="utf-8")
    files = ("compose.yaml", "compose.s3.yaml", str(stand_in))
    with _brought_up(engine, port, files):
        until(lambda: _is_summed_up(port), "an hour that is summed up")
        store = boto3.client(
            "s3",
            endpoint_url="http://127.0.0.1:9000",
            region_name="us-east-1",
            aws_access_key_id="trendlark",
            aws_secret_access_key="of-the-test",
        )
        kept = store.list_objects_v2(Bucket="trendlark", Prefix="lake/trends/")["Contents"]
        assert any(found["Key"].endswith(".parquet") for found in kept)
        volume = Path(engine.inspect(f"{PROJECT}_lake")["Mountpoint"])
        assert list(volume.iterdir()) == [], "nothing is on the volume"
