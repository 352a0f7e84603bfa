"""The hour on S3 (moto's real server): the same rows as on a disk, also by racers, cut-offs and the command line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import boto3
import pytest

from tests.support.commandline import run
from tests.support.hours import HOUR, command, contents, jobs_for
from tests.support.recordings import listed, recorded, recording
from tests.support.s3_server import running_s3
from trendlark.errors import LakeError
from trendlark.lake import open_lake

TWEETS = [recorded(str(number), "#t1", text=f"{number} 😀 \u202e ¡Ay!") for number in range(12)]
TWEETS += [recorded("1", "#t2", place="us", text="1 😀 \u202e ¡Ay!")]
TRENDS = [listed("#silent", 1), listed("#t1", 2)]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_s3() as at:
        yield at


@pytest.fixture
def bucket(address: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket; the environment says where it is."""
    for name, value in _environment(address).items():
        monkeypatch.setenv(name, value)
    name = f"lark-{abs(hash(request.node.name)):x}"
    client = boto3.client("s3")
    client.create_bucket(Bucket=name)
    client.close()
    return name


def _environment(address: str) -> Mapping[str, str]:
    keys = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "testing")
    return {**keys, "AWS_ENDPOINT_URL": address, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording(tmp_path_factory.mktemp("recorded") / "replay", TWEETS, TRENDS)


@pytest.fixture(scope="module")
def on_disk(folder: Path) -> dict[str, list[dict[str, object]]]:
    jobs = jobs_for(folder.parent / "disk", source="replay", replay_folder=str(folder))
    jobs.run_hour(HOUR)
    return contents(jobs.lake)


def test_an_hour_on_s3_is_the_hour_on_a_disk(
    bucket: str, folder: Path, on_disk: dict[str, list[dict[str, object]]]
) -> None:
    jobs = jobs_for(f"s3://{bucket}/deep/er/lake", source="replay", replay_folder=str(folder))
    assert not jobs.run_hour(HOUR).failed
    assert contents(jobs.lake) == on_disk
    again = jobs_for(f"s3://{bucket}/deep/er/lake/", source="replay", replay_folder=str(folder))
    assert again.run_hour(HOUR).nothing


def _racer(uri: str, folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"TRENDLARK_LAKE": uri, "TRENDLARK_MODEL": "fake"}
    words = ("run-hour", "--hour", str(HOUR), "--source", "replay", "--replay-folder", str(folder))
    return subprocess.Popen(command(*words), env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_two_racers_on_s3_leave_what_one_would(
    bucket: str, folder: Path, on_disk: dict[str, list[dict[str, object]]]
) -> None:
    uri = f"s3://{bucket}/raced"
    racers = [_racer(uri, folder) for _ in range(2)]
    said = [racer.communicate(timeout=120)[1] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], said
    assert "Traceback" not in "".join(said)
    assert contents(uri) == on_disk
    jobs = jobs_for(uri, source="replay", replay_folder=str(folder))
    assert jobs.run_hour(HOUR).nothing


@pytest.mark.slow
def test_killed_on_s3_the_next_goes_on(
    bucket: str, folder: Path, on_disk: dict[str, list[dict[str, object]]]
) -> None:
    uri = f"s3://{bucket}/killed"
    racer = _racer(uri, folder)
    lake = open_lake(uri)
    while racer.poll() is None and not lake.pages(HOUR, "replay", "es"):
        pass
    racer.kill()
    racer.communicate()
    jobs_for(uri, source="replay", replay_folder=str(folder)).run_hour(HOUR)
    assert contents(uri) == on_disk


def test_two_lakes_in_one_bucket_do_not_meet(bucket: str, folder: Path) -> None:
    first = jobs_for(f"s3://{bucket}/one", source="replay", replay_folder=str(folder), places="es")
    second = jobs_for(f"s3://{bucket}/one-more", source="replay", replay_folder=str(folder), places="us")
    first.run_hour(HOUR)
    second.collect(HOUR)
    assert {row["place"] for row in contents(first.lake)["trends"]} == {"es"}
    assert {row["place"] for row in contents(second.lake)["trends"]} == {"us"}
    assert contents(second.lake)["analyses"] == []


def test_the_command_line_speaks_s3(bucket: str, folder: Path, tmp_path: Path) -> None:
    uri = f"s3://{bucket}/cli"
    words = ("--hour", str(HOUR), "--source", "replay", "--replay-folder", str(folder), "--lake", uri)
    done = run("run-hour", *words, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {json.loads(line)["status"] for line in done.stdout.splitlines()} == {"done"}
    asked = run(
        "query", "SELECT count(*) AS n FROM tweets", "--format", "csv", "--lake", uri, folder=tmp_path
    )
    assert asked.stdout.split() == ["n", str(len(TWEETS))]
    assert not (tmp_path / "s3:").exists()
    missing = run("runs", "--lake", "s3://no-such-bucket-here/lake", folder=tmp_path)
    assert (missing.returncode, missing.stderr.count("\n")) == (5, 1)
    assert "Create the bucket" in missing.stderr


def test_a_bucket_that_goes_away_between_two_jobs_is_one_sentence(bucket: str, folder: Path) -> None:
    uri = f"s3://{bucket}/gone"
    jobs = jobs_for(uri, source="replay", replay_folder=str(folder))
    jobs.collect(HOUR)
    store = boto3.resource("s3")
    store.Bucket(bucket).objects.all().delete()
    store.Bucket(bucket).delete()
    store.meta.client.close()
    with pytest.raises(LakeError, match="Create the bucket") as caught:
        jobs.run_hour(HOUR)
    assert "\n" not in str(caught.value)
