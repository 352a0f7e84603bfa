"""A model on S3: fetched once, whole, and answering as the folder it came from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

import trendlark
from tests.support.s3_server import running_s3
from tests.support.tiny_model import make_tiny_artifact
from trendlark.errors import ModelError

BUCKET = "models"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_s3() as url:
        yield url


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    return BUCKET


def _put(folder: Path, prefix: str) -> str:
    for path in folder.iterdir():
        boto3.client("s3").upload_file(str(path), BUCKET, f"{prefix}/{path.name}")
    return f"s3://{BUCKET}/{prefix}"


def _cached(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache/trendlark/models").iterdir())


def test_it_answers_as_its_folder_does_and_is_fetched_once(bucket: str, tmp_path: Path) -> None:
    folder = make_tiny_artifact(tmp_path / "model")
    address = _put(folder, "one")
    texts = ["Madrid, qué bien", "bad"]
    with trendlark.load(folder) as here, trendlark.load(address + "/") as there:
        assert there.analyze(texts) == here.analyze(texts)
        assert there.name == here.name
    [copy] = _cached(tmp_path)
    for path in folder.iterdir():
        if path.suffix == ".onnx":
            boto3.client("s3").delete_object(Bucket=bucket, Key=f"one/{path.name}")
    trendlark.load(address).close()
    assert _cached(tmp_path) == [copy]


def test_a_model_that_changes_is_fetched_anew(bucket: str, tmp_path: Path) -> None:
    address = _put(make_tiny_artifact(tmp_path / "model"), "two")
    first = trendlark.load(address)
    _put(make_tiny_artifact(tmp_path / "other", seed=8), "two")
    second = trendlark.load(address)
    assert first.name != second.name
    assert len(_cached(tmp_path)) == 2
    first.close()
    second.close()


def test_what_cannot_be_fetched_is_one_sentence_and_leaves_nothing(bucket: str, tmp_path: Path) -> None:
    folder = make_tiny_artifact(tmp_path / "model")
    address = _put(folder, "three")
    boto3.client("s3").delete_object(Bucket=bucket, Key="three/model.onnx")
    for wrong in (address, f"s3://{bucket}/none", "s3://no-such-bucket/x"):
        with pytest.raises(ModelError, match="Found no model that can be fetched at s3://") as caught:
            trendlark.load(wrong)
        assert "\n" not in str(caught.value)
    assert _cached(tmp_path) == []


@pytest.mark.parametrize("name", ["../evil", "a/b", "/etc/passwd"])
def test_a_manifest_cannot_write_outside_the_cache(bucket: str, tmp_path: Path, name: str) -> None:
    folder = make_tiny_artifact(tmp_path / "model")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="outside the folder"):
        trendlark.load(_put(folder, "four"))


def test_a_damaged_copy_is_not_run(bucket: str, tmp_path: Path) -> None:
    folder = make_tiny_artifact(tmp_path / "model")
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError):
        trendlark.load(_put(folder, "five"))


@pytest.mark.parametrize("name", ["model.onnx", "manifest.json"])
@pytest.mark.parametrize("keep", [100, None])
def test_a_copy_that_was_damaged_since_is_fetched_anew(
    bucket: str, tmp_path: Path, name: str, keep: int | None
) -> None:
    address = _put(make_tiny_artifact(tmp_path / "model"), "six")
    trendlark.load(address).close()
    [copy] = _cached(tmp_path)
    whole = (copy / name).read_bytes()
    if keep is None:
        (copy / name).unlink()
    else:
        (copy / name).write_bytes(whole[:keep])
    trendlark.load(address).close()
    assert (copy / name).read_bytes() == whole
    assert _cached(tmp_path) == [copy]
