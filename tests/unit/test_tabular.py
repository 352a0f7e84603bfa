"""Reading files of rows: every row has its place, whatever is in it."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import InputError
from trendlark.sources.tabular import format_of, read_rows

TEXTS = st.lists(st.text(max_size=60), max_size=12)


def _values(path: Path) -> list[object]:
    return [row.values.get("text") for row in read_rows(path)]


@given(texts=TEXTS)
def test_csv_gives_back_every_text(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "text"])
        writer.writerows([str(number), text] for number, text in enumerate(texts))
    assert _values(path) == texts


@given(texts=TEXTS)
def test_json_lines_give_back_every_text(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    assert _values(path) == texts


@given(data=st.binary(max_size=400))
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_no_bytes_break_it(tmp_path_factory: pytest.TempPathFactory, name: str, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(data)
    rows = list(read_rows(path))
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    if name == "a.jsonl":
        lines = [
            line
            for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            if line.decode("utf-8", "replace").strip()
        ]
        assert len(rows) == len(lines)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f'id{delimiter}text{delimiter}"a,b;c"\n1{delimiter}"x, y; z"{delimiter}3\n')
    assert _values(path) == ["x, y; z"]


def test_a_byte_order_mark_nul_and_foreign_bytes_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbftext\na\x00b\nni\xf1o\n")
    assert _values(path) == ["a\x00b", "ni\ufffdo"]


def test_a_row_with_too_many_cells_keeps_them_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,hello, world\n2,fine\n")
    first, second = read_rows(path)
    assert first.problem == "3 cells for 2 columns; is a text not quoted?"
    assert first.values == {"id": "1", "text": "hello", "column_extra": [" world"]}
    assert (second.problem, second.values["text"]) == (None, "fine")


def test_columns_without_a_name_or_named_twice_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,,text\na,b,c\n")
    assert next(read_rows(path)).values == {"text": "a", "column_2": "b", "text_3": "c"}


def test_lines_that_are_no_objects_keep_their_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n{"text"\n\n[1]\n"plain"\n' + "[" * 100_000 + "\n")
    rows = list(read_rows(path))
    assert [row.problem is None for row in rows] == [True, False, False, True, False]
    assert rows[3].values == {"text": "plain"}
    assert rows[1].values == {"line": '{"text"'}


def test_gzip_and_parquet_are_read(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a.csv.gz", "wt") as stream:
        stream.write("text\nhola\n")
    pq.write_table(pa.table({"text": ["hola", None], "n": [1, 2]}), tmp_path / "a.parquet")
    assert _values(tmp_path / "a.csv.gz") == ["hola"]
    assert [row.values for row in read_rows(tmp_path / "a.parquet")] == [
        {"text": "hola", "n": 1},
        {"text": None, "n": 2},
    ]


def test_what_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "a.jsonl.gz").write_bytes(b"not gzip")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"text\nhola\n" * 500)[:40])
    for name in ("a.parquet", "a.jsonl.gz", "cut.csv.gz", "none.csv", "a.xls"):
        with pytest.raises(InputError) as caught:
            list(read_rows(tmp_path / name))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("A.CSV", "csv"), ("a.tsv", "csv"), ("a.ndjson.gz", "jsonl"), ("a.parquet", "parquet")],
)
def test_the_ending_tells_the_format(name: str, shape: str) -> None:
    assert format_of(Path(name)) == shape


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    for name in ("a.csv", "a.jsonl"):
        (tmp_path / name).write_bytes(b"")
        assert list(read_rows(tmp_path / name)) == []
