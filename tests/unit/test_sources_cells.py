"""Cells of Parquet files that Python cannot hold as they are: each costs itself at most, never its file."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.sources.imports import import_file
from trendlark.sources.rows import Rows

NANOS = 1795417509123456789
CUT = datetime(2026, 11, 23, 7, 5, 9, 123456)  # noqa: DTZ001 - files have such times
FAR = 2**62


def invalid(kind: pa.DataType | None = None) -> pa.Array:
    """A column of one text whose bytes are Latin-1."""
    large = kind == pa.large_string()
    stored = pa.array([b"ni\xf1o"], pa.large_binary() if large else pa.binary())
    return pa.Array.from_buffers(kind or pa.string(), 1, stored.buffers())


def read(path: Path, column: pa.Array) -> tuple[list[Any], int]:
    """The cells of a column that was written to a Parquet file, and how many texts were not UTF-8."""
    table = pa.table({"text": [f"text {number}" for number in range(len(column))], "odd": column})
    pq.write_table(table, path)
    rows = Rows(path)
    found = list(rows)
    assert [row.get("text") for row in found] == table["text"].to_pylist()
    assert all(row.as_found() and row.trouble is None for row in found)
    return [row.get("odd") for row in found], rows.invalid_utf8


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (pa.timestamp("ns"), NANOS, CUT),
        (pa.timestamp("ns"), -1, datetime(1970, 1, 1)),  # noqa: DTZ001
        (pa.timestamp("ns", "UTC"), NANOS, CUT.replace(tzinfo=UTC)),
        (pa.timestamp("us"), FAR, None),
        (pa.timestamp("us"), -FAR, None),
        (pa.timestamp("us", "UTC"), FAR, None),
        (pa.timestamp("ms"), FAR, None),
        (pa.timestamp("s"), 10**12, None),
        (pa.timestamp("us", "Nowhere/Land"), NANOS // 1000, CUT.replace(tzinfo=UTC)),
        (pa.timestamp("ns", "GMT+02:00"), NANOS, CUT.replace(tzinfo=UTC)),
        (pa.timestamp("us", "Nowhere/Land"), FAR, None),
        (
            pa.timestamp("us", "Asia/Tokyo"),
            253402300799000000,
            datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        ),
        (pa.date32(), 2**30, None),
        (pa.date32(), -(2**30), None),
        (pa.date64(), 86_400_000 * 2**30, None),
        (pa.time64("ns"), 1_234_567, time(0, 0, 0, 1234)),
        (pa.time64("us"), FAR, None),
        (pa.duration("ns"), 1_234_567, timedelta(microseconds=1234)),
        (pa.duration("s"), FAR, None),
        (pa.duration("ms"), 2**63 - 1, None),
    ],
    ids=str,
)
def test_a_time_that_python_does_not_have_is_cut_or_absent(
    tmp_path: Path, kind: pa.DataType, value: int, expected: object
) -> None:
    usual = 1 if pa.types.is_date(kind) else 0
    column = pa.array([usual, value, None, usual], kind)
    (first, odd, missing, last), _ = read(tmp_path / "a.parquet", column)
    assert odd == expected
    assert missing is None
    assert first is not None
    assert first == last


def test_a_zone_that_is_known_is_kept_when_nanoseconds_are_cut(tmp_path: Path) -> None:
    (found,), _ = read(tmp_path / "a.parquet", pa.array([NANOS], pa.timestamp("ns", "Europe/Madrid")))
    assert found == CUT.replace(tzinfo=UTC)
    assert found.tzinfo == ZoneInfo("Europe/Madrid")


@pytest.mark.parametrize(
    ("column", "expected", "texts"),
    [
        (invalid(pa.large_string()), "ni\ufffdo", 1),
        (
            pa.StructArray.from_arrays([invalid(), pa.array([7])], ["name", "n"]),
            {"name": "ni\ufffdo", "n": 7},
            1,
        ),
        (pa.ListArray.from_arrays([0, 1], invalid()), ["ni\ufffdo"], 1),
        (pa.LargeListArray.from_arrays([0, 1], invalid()), ["ni\ufffdo"], 1),
        (pa.FixedSizeListArray.from_arrays(invalid(), 1), ["ni\ufffdo"], 1),
        (pa.MapArray.from_arrays([0, 1], invalid(), pa.array([7])), [("ni\ufffdo", 7)], 1),
        (pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), invalid()), "ni\ufffdo", 1),
        (
            pa.StructArray.from_arrays(
                [
                    pa.ListArray.from_arrays([0, 1], pa.StructArray.from_arrays([invalid()], ["b"])),
                    pa.array([FAR], pa.timestamp("us")),
                    pa.array([2**30], pa.date32()),
                    pa.array([NANOS], pa.timestamp("ns")),
                    pa.array([None], pa.string()),
                ],
                ["a", "far", "day", "ns", "none"],
            ),
            {"a": [{"b": "ni\ufffdo"}], "far": None, "day": None, "ns": CUT, "none": None},
            1,
        ),
        (pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]), {"a": 2}, 0),
    ],
    ids=["large", "struct", "list", "large list", "fixed list", "map", "dictionary", "all", "two of a name"],
)
def test_a_text_that_is_not_utf_8_is_mended_wherever_it_lies(
    tmp_path: Path, column: pa.Array, expected: object, texts: int
) -> None:
    assert read(tmp_path / "a.parquet", column) == ([expected], texts)


def test_dictionaries_of_several_batches_keep_what_is_good(tmp_path: Path) -> None:
    words = pa.concat_arrays([invalid(), pa.array(["real \ufffd", "lluvia"])])
    column = pa.DictionaryArray.from_arrays(pa.array([2, 1, None, 0, 2] * 700, pa.int32()), words)
    found, texts = read(tmp_path / "a.parquet", column)
    assert found == ["lluvia", "real \ufffd", None, "ni\ufffdo", "lluvia"] * 700
    assert texts == 700


def test_a_column_whose_name_is_not_utf_8_is_one_sentence(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("text", pa.string()), pa.field(b"ni\xf1o", pa.string())])
    pq.write_table(pa.Table.from_arrays([pa.array(["x"])] * 2, schema=schema), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="cannot be read as parquet") as caught:
        Rows(tmp_path / "a.parquet")
    assert "\n" not in str(caught.value)


def test_an_import_takes_nanoseconds_and_refuses_only_the_rows_whose_time_is_none(tmp_path: Path) -> None:
    table = pa.table(
        {
            "id": ["1", "2", "3"],
            "text": ["good", "beyond", "also good"],
            "created_at": pa.array([NANOS // 1000, FAR, NANOS // 1000], pa.timestamp("us")),
            "seen": pa.array([NANOS] * 3, pa.timestamp("ns")),
            "day": pa.array([2**30] * 3, pa.date32()),
            "user": pa.StructArray.from_arrays([pa.concat_arrays([invalid()] * 3)], ["screen_name"]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    counts = import_file(tmp_path / "a.parquet", tmp_path / "f", place="es", trend="#x")
    assert (counts.rows, counts.taken, counts.refused, counts.invalid_utf8) == (3, 2, 1, 3)
    assert counts.file is not None
    assert counts.refused_file is not None
    taken = [json.loads(line) for line in counts.file.read_text().splitlines()]
    assert [(t["id"], t["author_handle"]) for t in taken] == [("1", "ni\ufffdo"), ("3", "ni\ufffdo")]
    assert {t["created_at"] for t in taken} == {CUT.replace(tzinfo=UTC).isoformat()}
    (note,) = [json.loads(line) for line in counts.refused_file.read_text().splitlines()]
    assert note["reason"] == "the row has no usable hour and no usable time"
    assert json.loads(note["raw"])["text"] == "beyond"

    pq.write_table(table.drop_columns(["created_at"]), tmp_path / "b.parquet")
    counts = import_file(
        tmp_path / "b.parquet", tmp_path / "f", place="es", trend="#x", columns={"created_at": "seen"}
    )
    assert (counts.taken, counts.refused) == (3, 0)
    hours = {json.loads(line)["hour"] for line in (counts.file or tmp_path).read_text().splitlines()}
    assert hours == {str(Hour.of(CUT.replace(tzinfo=UTC)))}


def test_dates_and_times_that_python_has_come_as_before(tmp_path: Path) -> None:
    found, _ = read(tmp_path / "a.parquet", pa.array([date(2026, 11, 23), date(9999, 12, 31)]))
    assert found == [date(2026, 11, 23), date(9999, 12, 31)]
