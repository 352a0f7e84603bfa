"""What stands in a lake's way, each told in one clear sentence, and nothing half-written after it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from tests.support.lake_records import HOUR, analyzed, page, trend_hour, tweet
from tests.support.s3_server import running_s3
from trendlark.errors import LakeError, LakeFullError, LakeReadOnlyError
from trendlark.lake import Lake, open_lake
from trendlark.lake.store import Store
from trendlark.lake.tables import SCHEMA_KEY, TRENDS, TableSpec
from trendlark.records import Tweet


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a small disk here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)  # a reader may close its last file a moment later


def _remount_read_only(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)


def _fill_up(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        while shutil.disk_usage(ballast.parent).free:
            file.write(bytes(4096))


def _one_sentence_and_no_library_talk(error: BaseException) -> None:
    text = str(error)
    assert text.startswith("Found ")
    assert "\n" not in text
    assert "os error" not in text
    assert "Generic" not in text


def _noise(count: int) -> Iterator[Tweet]:
    return (tweet(str(number), text=os.urandom(1000).hex()) for number in range(count))


def _collect(lake: Lake, count: int) -> None:
    lake.commit_collection(HOUR, "x", "es", _noise(count), [trend_hour(sampled=count)], [], "run")


def _nothing_changed(lake: Lake) -> None:
    assert [t.sampled for t in lake.trend_hours(HOUR)] == [20]
    assert sorted(int(t.tweet_id) for t in lake.tweets(HOUR)) == list(range(20))
    assert lake.analysed_models(HOUR) == {"lark-1": 1}


@pytest.fixture
def lake_on_small_disk(small_disk: Path) -> Lake:
    lake = open_lake(str(small_disk / "lake"))
    _collect(lake, 20)
    lake.insert_analyses(HOUR, [analyzed("0")], "run")
    return lake


@pytest.mark.parametrize("foreseen", [True, False], ids=["foreseen", "unforeseen"])
def test_a_full_disk_leaves_the_hour_as_it_was(
    lake_on_small_disk: Lake, foreseen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_on_small_disk
    if not foreseen:
        monkeypatch.setattr(Store, "_check_space", lambda *_: None)
    with pytest.raises(LakeFullError, match=r"free|space left") as caught:
        _collect(lake, 2000)
    _one_sentence_and_no_library_talk(caught.value)
    _nothing_changed(lake)


def test_a_disk_full_to_the_last_byte_takes_no_page_and_no_analysis(
    lake_on_small_disk: Lake, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_on_small_disk
    monkeypatch.setattr(Store, "_check_space", lambda *_: None)
    _fill_up(small_disk / "ballast")
    for write in (
        lambda: lake.add_page(HOUR, "x", "es", page("trends")),
        lambda: lake.insert_analyses(HOUR, [analyzed("1")], "run"),
        lambda: lake.replace_analyses(HOUR, [[analyzed("1", model="lark-2")]], "run"),
    ):
        with pytest.raises(LakeFullError) as caught:
            write()
        _one_sentence_and_no_library_talk(caught.value)
    _nothing_changed(lake)
    assert lake.pages(HOUR, "x", "es") == []
    (small_disk / "ballast").unlink()
    lake.add_page(HOUR, "x", "es", page("trends"))
    assert len(lake.pages(HOUR, "x", "es")) == 1


def test_a_read_only_lake_is_read_and_not_written(lake_on_small_disk: Lake, small_disk: Path) -> None:
    lake = lake_on_small_disk
    _remount_read_only(small_disk)
    for write in (
        lambda: _collect(lake, 3),
        lambda: lake.add_page(HOUR, "x", "es", page("trends")),
        lambda: lake.insert_analyses(HOUR, [analyzed("1")], "run"),
        lambda: lake.replace_analyses(HOUR, [], "run"),
        lambda: lake.vacuum(0),
    ):
        with pytest.raises(LakeReadOnlyError, match=r"read-only; it can be read") as caught:
            write()
        _one_sentence_and_no_library_talk(caught.value)
    _nothing_changed(open_lake(lake.uri))
    assert lake.sql("SELECT count(*) AS n FROM tweets").read_all().to_pylist() == [{"n": 20}]


def test_an_error_among_the_rows_leaves_the_tables_as_they_were(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    _collect(lake, 20)
    lake.insert_analyses(HOUR, [analyzed("0")], "run")
    before = lake.info()

    def broken() -> Iterator[Tweet]:
        yield from _noise(3000)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lake.commit_collection(HOUR, "x", "es", broken(), [trend_hour()], [], "run")
    with pytest.raises(ZeroDivisionError):
        lake.replace_analyses(HOUR, ([analyzed(str(1 // (1 - n)))] for n in range(2)), "run")
    assert lake.info() == before
    _nothing_changed(lake)


def test_no_permission(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    lake = open_lake(str(tmp_path / "lake"))
    _collect(lake, 20)
    code = """
import os, sys
import pyarrow, deltalake, deltalake.query
from tests.support.lake_records import HOUR, page, trend_hour
from trendlark.errors import TrendlarkError
from trendlark.lake import open_lake
uri = sys.argv[1]
open_lake(uri).add_page(HOUR, "x", "es", page("all modules are loaded now"))
os.chmod(uri, int(sys.argv[2], 8))
os.setgid(65534); os.setuid(65534)
for call in (lambda: open_lake(uri).hours(), lambda: open_lake(uri).add_page(HOUR, "x", "es", page("1"))):
    try:
        print(call())
    except TrendlarkError as error:
        print(type(error).__name__, error)
"""
    for parent in [tmp_path, *tmp_path.parents]:
        if parent.stat().st_uid == 0 and "pytest" in str(parent):
            parent.chmod(0o755)

    def as_nobody(mode: str) -> list[str]:
        command = [sys.executable, "-c", code, lake.uri, mode]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=60
        ).stdout.splitlines()

    first, second = as_nobody("755")
    assert "Hour(index" in first
    assert second.startswith("LakeReadOnlyError Found no permission to write")
    first, second = as_nobody("700")
    assert first.startswith("LakeError Found no permission to read")
    assert second.startswith("LakeError Found no permission to read")


def test_addresses_that_cannot_be_a_lake(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text("x")
    strangers = tmp_path / "photos"
    (strangers / "2026").mkdir(parents=True)
    for uri, match in (
        ("", "empty lake address"),
        (str(file), "Found the file"),
        (str(file / "lake"), "Found the file"),
        (str(strangers), "Found 2026 in .* and no table"),
        ("ftp://host/lake", "a folder or s3://"),
        ("s3:///prefix", "a folder or s3://"),
        (str(tmp_path / "a#b"), "Found '#' in the lake's address"),
        (str(tmp_path / "100%[x]"), r"Found '%' '\[' '\]' in"),
    ):
        with pytest.raises(LakeError, match=match) as caught:
            open_lake(uri)
        _one_sentence_and_no_library_talk(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.txt", "photos"]
    lake = Lake(str(strangers))
    with pytest.raises(LakeError, match="no table"):
        lake.add_page(HOUR, "x", "es", page("1"))


def test_addresses_that_can(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".hidden").touch()
    for uri in ("lake", "~/lake", (tmp_path / "lake").as_uri(), f"{tmp_path}/lake/"):
        lake = open_lake(uri)
        lake.add_page(HOUR, "x", "es", page(uri))
        assert lake.uri == str(tmp_path / "lake")
    assert len(open_lake("lake").pages(HOUR, "x", "es")) == 4


def test_tables_of_others_and_of_a_newer_form(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    write_deltalake(tmp_path / "tweets", pa.table({"a": [1]}))
    with pytest.raises(LakeError, match=r"tweets .* that Trendlark did not make"):
        list(lake.tweets(HOUR))
    with pytest.raises(LakeError, match="did not make"):
        _collect(lake, 1)
    DeltaTable.create(
        tmp_path / "trends", TRENDS.schema, configuration={SCHEMA_KEY: "2"}, raise_if_key_not_exists=False
    )
    with pytest.raises(LakeError, match=r"form 2, made by a newer Trendlark; .* Update trendlark"):
        lake.trend_hours()


def test_a_damaged_log_is_told_in_one_sentence(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    _collect(lake, 1)
    log = tmp_path / "trends" / "_delta_log" / f"{0:020}.json"
    log.write_text("{")
    with pytest.raises(LakeError, match=r"Found the lake .* not readable") as caught:
        lake.trend_hours()
    assert "\n" not in str(caught.value)
    shutil.rmtree(tmp_path / "tweets" / f"hour={HOUR}")
    with pytest.raises(LakeError, match="not readable"):
        list(lake.tweets(HOUR))


def test_s3_without_its_bucket_or_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with running_s3() as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        with pytest.raises(LakeError, match="Found no bucket") as caught:
            open_lake("s3://missing/lake")
        _one_sentence_and_no_library_talk(caught.value)
        with pytest.raises(LakeError, match="Found no bucket"):
            Lake("s3://missing/lake").add_page(HOUR, "x", "es", page("1"))
    with pytest.raises(LakeError, match="Found nobody answering"):
        open_lake("s3://missing/lake", {"max_retries": "1", "retry_timeout": "2s"})


@pytest.mark.parametrize("after", ["refusals", "tweets", "trends"])
def test_a_run_cut_off_between_its_tables_is_made_good_by_the_next(tmp_path: Path, after: str) -> None:
    class CutOff(Lake):
        def _replace(self, spec: TableSpec, *rest: Any) -> int:
            version = super()._replace(spec, *rest)
            if spec.name == after:
                raise KeyboardInterrupt
            return version

    with pytest.raises(KeyboardInterrupt):
        _collect(CutOff(str(tmp_path)), 7)
    lake = open_lake(str(tmp_path))
    assert lake.collected(HOUR, "x", "es") is (after == "trends")
    _collect(lake, 20)
    lake.insert_analyses(HOUR, [analyzed("0")], "run")
    _nothing_changed(lake)
