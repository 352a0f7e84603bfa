"""Addresses, options, conditions, the spool and the sentences for faults, each alone."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake.exceptions import CommitFailedError, DeltaError, DeltaProtocolError
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import LakeConflictError, LakeError, LakeFullError, LakeReadOnlyError
from trendlark.lake.faults import as_lake_error, brief, told
from trendlark.lake.query import all_of, literal, one_of
from trendlark.lake.spool import Spool
from trendlark.lake.store import _storage_options, local_folder
from trendlark.lake.tables import TABLES

_SCHEMA = pa.schema([("n", pa.int64()), ("text", pa.string())])


def _batch(first: int, text: str = "") -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"n": first, "text": text}, {"n": first + 1, "text": text}], _SCHEMA)


def test_local_addresses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_folder("lake") == tmp_path / "lake"
    assert local_folder("a/../b") == tmp_path / "b"
    assert local_folder("file:///data/lake") == Path("/data/lake")
    assert local_folder("s3://bucket/prefix") is None


def test_plain_http_is_allowed_only_where_the_endpoint_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _storage_options(None) == {}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    assert _storage_options(None) == {"allow_http": "true", "aws_endpoint_url": "http://127.0.0.1:9000"}
    assert _storage_options({"AWS_ALLOW_HTTP": "false"})["AWS_ALLOW_HTTP"] == "false"
    assert "allow_http" not in _storage_options({"AWS_ALLOW_HTTP": "false"})
    assert "allow_http" not in _storage_options({"aws_endpoint_url": "https://minio.example"})
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example")
    assert _storage_options(None) == {"aws_endpoint_url": "https://s3.example"}


@given(st.text())
def test_a_literal_ends_where_its_text_ends(text: str) -> None:
    quoted = literal(text)
    assert quoted[0] == quoted[-1] == "'"
    assert quoted[1:-1].replace("''", "") == text.replace("'", "")
    assert quoted[1:-1].count("'") == 2 * text.count("'")


def test_conditions() -> None:
    assert all_of(hour="h", place=None, trend="O'Neil") == "hour = 'h' AND trend = 'O''Neil'"
    assert all_of(hour=None) == "TRUE"
    assert one_of("place", ["es", "us"]) == "place IN ('es', 'us')"


def test_a_spool_is_read_as_often_as_wanted() -> None:
    with Spool(_SCHEMA, [_batch(0), _batch(2)]) as spool:
        assert spool.rows == 4
        assert spool.size_bytes > 0
        for _ in range(2):
            assert spool.reader().read_all().column("n").to_pylist() == [0, 1, 2, 3]


def test_a_spool_of_nothing_still_has_its_schema() -> None:
    with Spool(_SCHEMA, []) as spool:
        assert spool.rows == 0
        assert spool.reader().schema == _SCHEMA


def test_a_spool_passes_on_what_its_rows_raise() -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield _batch(0)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        Spool(_SCHEMA, broken())


def test_a_full_temporary_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write_batch(self, _: pa.RecordBatch) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            return None

    def new_stream(*_: Any, **__: Any) -> Full:
        return Full()

    monkeypatch.setattr(pa.ipc, "new_stream", new_stream)
    with pytest.raises(LakeFullError, match=r"temporary folder .*No space left on device"):
        Spool(_SCHEMA, [_batch(0)])


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (DeltaError("Unable to copy data: No space left on device (os error 28)"), LakeFullError, "no space"),
        (CommitFailedError("Disk quota exceeded (os error 122)"), LakeFullError, "no space"),
        (DeltaError("Unable to open: Read-only file system (os error 30)"), LakeReadOnlyError, "read-only"),
        (OSError("Generic S3 error\n <Code>AccessDenied</Code>"), LakeReadOnlyError, "no permission"),
        (OSError("404 Not Found <Code>NoSuchBucket</Code>"), LakeError, "no bucket"),
        (OSError("<Code>InvalidAccessKeyId</Code>"), LakeError, "no valid credentials"),
        (OSError("tcp connect error: Connection refused (os error 111)"), LakeError, "nobody answering"),
        (CommitFailedError("a concurrent transaction added new data"), LakeConflictError, "other writers"),
        (DeltaProtocolError("reader version 9 {x}"), LakeError, "features"),
        (pa.ArrowInvalid("\x1b[31m↳\x1b[0m odd\n {thing}"), LakeError, "odd {thing}"),
    ],
)
def test_each_fault_has_its_error_and_one_sentence(
    fault: Exception, kind: type[LakeError], words: str
) -> None:
    error = as_lake_error(fault, "/data/{lake}", writing=True)
    assert type(error) is kind
    assert words in str(error)
    assert str(error).startswith("Found ")
    assert "/data/{lake}" in str(error)
    assert "\n" not in str(error)


def test_missing_rights_to_read_are_not_called_read_only() -> None:
    error = as_lake_error(OSError("Permission denied (os error 13)"), "/data", writing=False)
    assert type(error) is LakeError
    assert "no permission to read" in str(error)


def test_a_lost_race_stays_what_it_is_and_other_errors_pass() -> None:
    with pytest.raises(CommitFailedError), told("/data", writing=True):
        raise CommitFailedError("a concurrent transaction")
    with pytest.raises(KeyError), told("/data", writing=True):
        raise KeyError("mine")
    with pytest.raises(LakeError) as caught, told("/data", writing=True):
        raise DeltaError("odd")
    assert isinstance(caught.value.__cause__, DeltaError)


def test_long_messages_are_cut() -> None:
    assert brief("a\n  b ↳ c.") == "a b c"
    assert len(brief("x" * 1000)) == 240


def test_no_id_author_or_text_is_measured_and_every_column_is_described() -> None:
    private = {"tweet_id", "author_id", "author_handle", "text", "raw", "url", "body", "request", "examples"}
    for spec in TABLES.values():
        assert not private & set(spec.measured)
        assert set(spec.measured) <= set(spec.schema.names)
        assert set(spec.key) <= set(spec.schema.names)
        assert spec.partition in spec.schema.names
        assert all(text.endswith(".") for text in spec.descriptions.values())
        assert len(spec.descriptions) == len(spec.columns)
