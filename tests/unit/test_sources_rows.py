"""Reading anybody's files: every row comes, as values or with its trouble, whatever the bytes are."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import InputError
from trendlark.sources.rows import Row, Rows

TEXTS = st.lists(st.text(max_size=60), max_size=12)
DEPTHS = (1, 199, 200, *range(900, 1000))


def made(path: Path, data: bytes | str) -> Path:
    """Write a file."""
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def texts(path: Path) -> list[object]:
    """The column text of every row."""
    return [row.get("text") for row in Rows(path)]


@given(texts_in=TEXTS)
def test_csv_gives_back_every_text(tmp_path_factory: pytest.TempPathFactory, texts_in: list[str]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([["id", "text"], *([str(n), text] for n, text in enumerate(texts_in))])
    data = written.getvalue().encode("utf-8", "replace")
    path = made(tmp_path_factory.mktemp("csv") / "a.csv", data)
    assert texts(path) == [text.encode("utf-8", "replace").decode() for text in texts_in]


@given(texts_in=TEXTS)
def test_jsonl_gives_back_every_text(tmp_path_factory: pytest.TempPathFactory, texts_in: list[str]) -> None:
    data = "".join(json.dumps({"text": text}) + "\n" for text in ["first", *texts_in])
    assert texts(made(tmp_path_factory.mktemp("jsonl") / "a.jsonl", data)) == ["first", *texts_in]


@given(data=st.binary(max_size=400), name=st.sampled_from(["a.csv", "a.jsonl"]))
def test_no_bytes_break_it(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    path = made(tmp_path_factory.mktemp("bytes") / name, data)
    try:
        rows = Rows(path)
    except InputError:
        return
    found = list(rows)
    assert [row.number for row in found] == sorted(row.number for row in found)
    assert all(row.trouble is None or row.as_found() for row in found)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    data = f'id{delimiter}text{delimiter}"a,b;c"\n1{delimiter}"x, y; z"{delimiter}3\n'
    assert texts(made(tmp_path / "a.csv", data)) == ["x, y; z"]


def test_one_column_may_hold_any_delimiter(tmp_path: Path) -> None:
    path = made(tmp_path / "a.csv", 'text\n"a, b"\nc; d\n""\n')
    assert texts(path) == ["a, b", "c; d", ""]


@pytest.mark.parametrize(
    "data",
    [
        "text,n\nniño ☔️,1\n".encode("utf-8-sig"),
        "text;n\nniño ☔️;1\n".encode("utf-16"),
        "text,n\rniño ☔️,1\r".encode(),
        "text,n\r\nniño ☔️,1\r\n".encode(),
        gzip.compress("text,n\nniño ☔️,1".encode()),
        "\n\ntext,n\n\nniño ☔️,1".encode(),
    ],
    ids=["bom", "utf-16", "cr", "crlf", "gzip", "blank lines"],
)
def test_forms_of_csv(tmp_path: Path, data: bytes) -> None:
    rows = Rows(made(tmp_path / "a.csv", data))
    assert rows.columns == ("text", "n")
    assert [dict(row.values) for row in rows] == [{"text": "niño ☔️", "n": "1"}]
    assert rows.invalid_utf8 == 0


def test_invalid_utf8_is_replaced_and_counted_by_line(tmp_path: Path) -> None:
    rows = Rows(made(tmp_path / "a.csv", b"text\nni\xf1o \xe9\nreal \xef\xbf\xbd\nb\x00c\n"))
    assert [row.get("text") for row in rows] == ["ni\ufffdo \ufffd", "real \ufffd", "b\x00c"]
    assert rows.invalid_utf8 == 1


def test_rows_that_do_not_fit_keep_all_they_had(tmp_path: Path) -> None:
    data = "id,text\n1,hello, world\n2\n3," + "x" * 200_000 + "\n4,fine\n"
    first, second, third, fourth = Rows(made(tmp_path / "a.csv", data))
    assert first.trouble == "the row has 3 cells, the file has 2 columns; is a text not quoted?"
    assert first.as_found() == "1,hello, world\n"
    assert (second.get("id"), second.get("text"), second.trouble) == ("2", None, None)
    assert "field larger than field limit" in (third.trouble or "")
    assert len(third.as_found()) > 200_000
    assert (fourth.number, fourth.get("text")) == (5, "fine")


def test_a_text_of_100_kb_is_a_text(tmp_path: Path) -> None:
    assert texts(made(tmp_path / "a.csv", "text\n" + "y" * 100_000)) == ["y" * 100_000]


def test_columns_without_a_name_or_named_twice_are_told_apart(tmp_path: Path) -> None:
    (row,) = Rows(made(tmp_path / "a.csv", "text,,text\na,b,c\n"))
    assert row.values == {"text": "a", "column_2": "b", "text_3": "c"}


def test_lines_that_are_no_objects_keep_their_place(tmp_path: Path) -> None:
    data = '{"text": "a"}\n{"text"\n\n[1]\n"plain"\n' + "[" * 100_000 + "\n"
    rows = list(Rows(made(tmp_path / "a.jsonl", data)))
    assert [(row.number, row.trouble is None) for row in rows] == [
        (1, True),
        (2, False),
        (4, False),
        (5, True),
        (6, False),
    ]
    assert rows[1].as_found() == '{"text"'
    assert rows[3].values == {"text": "plain"}


def test_answers_of_the_x_api_are_unwrapped(tmp_path: Path) -> None:
    answer = {
        "data": [{"id": "1", "text": "a", "author_id": "7"}, {"id": "2", "text": "b"}],
        "includes": {"users": [{"id": "7", "username": "ana"}]},
    }
    single = {"data": {"id": "3", "text": "c"}}
    other = {"data": [1, 2], "id": "4"}
    path = made(tmp_path / "a.jsonl", "\n".join(json.dumps(line) for line in (answer, single, other)))
    rows = list(Rows(path))
    assert [row.get("id") for row in rows] == ["1", "2", "3", "4"]
    assert rows[0].get("author.username") == "ana"
    assert rows[1].get("author.username") is None
    assert "author.username" in Rows(path).columns


@pytest.mark.parametrize(
    ("author_id", "users"),
    [
        ([], [{"id": "7", "username": "ana"}]),
        ({"a": 1}, [{"id": "7", "username": "ana"}]),
        ("7", [{"id": {"odd": True}}, {"id": ["7"]}, "odd", {"username": "nobody"}]),
        (None, [{"username": "nobody"}]),
        ("7", 5),
        ("7", {"id": "7"}),
    ],
)
def test_odd_authors_in_an_answer_of_the_x_api_cost_only_the_author(
    tmp_path: Path, author_id: object, users: object
) -> None:
    posts = [{"id": "1", "text": "odd", "author_id": author_id}, {"id": "2", "text": "next"}]
    line = json.dumps({"data": posts, "includes": {"users": users}})
    rows = list(Rows(made(tmp_path / "a.jsonl", f'{line}\n{{"id": "3", "text": "last"}}\n')))
    assert [row.get("text") for row in rows] == ["odd", "next", "last"]
    assert [row.get("author.username") for row in rows] == [None] * 3
    assert rows[0].get("author_id") == author_id


def test_an_author_is_found_whether_his_id_is_a_text_or_a_number(tmp_path: Path) -> None:
    answer = {
        "data": {"id": "1", "text": "a", "author_id": 7},
        "includes": {"users": [{"id": [], "username": "odd"}, {"id": "7", "username": "ana"}]},
    }
    (row,) = Rows(made(tmp_path / "a.jsonl", json.dumps(answer)))
    assert row.get("author.username") == "ana"


def test_a_line_that_is_nested_too_deeply_is_refused_whatever_is_done_with_the_others(tmp_path: Path) -> None:
    # At each of these depths reading works; writing the row again, a few calls further in, may not.
    lines = [
        json.dumps({"text": str(depth)})[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
        for depth in DEPTHS
    ]
    rows = list(Rows(made(tmp_path / "a.jsonl", "\n".join(lines))))
    assert [row.trouble for row in rows] == [
        None if depth < 200 else "the line is not JSON (nested too deeply)" for depth in DEPTHS
    ]
    assert [row.as_found() for row in rows] == lines


def test_dotted_columns_reach_into_objects() -> None:
    row = Row(1, {"a": {"b": {"c": 1}}, "a.b": "own name", "d": 2})
    assert (row.get("a.b"), row.get("a.b.c"), row.get("d.e"), row.get("z")) == ("own name", 1, None, None)


def test_parquet_comes_in_batches_with_its_invalid_strings(tmp_path: Path) -> None:
    bad = pa.Array.from_buffers(pa.string(), 1, pa.array([b"ni\xf1o"], pa.binary()).buffers())
    table = pa.table({"text": pa.concat_arrays([bad, pa.array(["a", None] * 1500)])})
    table = table.append_column("user", pa.array([{"name": "x"}] * 3001))
    pq.write_table(table, tmp_path / "a.parquet")
    rows = Rows(tmp_path / "a.parquet")
    found = list(rows)
    assert rows.columns == ("text", "user", "user.name")
    assert (len(found), found[0].get("text"), found[2].get("text")) == (3001, "ni\ufffdo", None)
    assert found[3000].get("user.name") == "x"
    assert (rows.invalid_utf8, rows.share_read) == (1, 1.0)


def test_the_share_read_grows_to_one(tmp_path: Path) -> None:
    rows = Rows(made(tmp_path / "a.csv", "text\n" + "some words\n" * 50_000))
    shares = [rows.share_read for _ in rows]
    assert shares == sorted(shares)
    assert 0.4 < shares[25_000] < 0.6
    assert rows.share_read == 1.0


def test_files_that_cannot_be_read_are_told_in_one_sentence(tmp_path: Path) -> None:
    made(tmp_path / "a.parquet", b"PAR1 not really")
    made(tmp_path / "cut.csv.gz", gzip.compress(b"text\nhola\n" * 500)[:40])
    made(tmp_path / "empty.csv", b"")
    made(tmp_path / "empty.jsonl", b"\n\n")
    (tmp_path / "folder.csv").mkdir()
    for name in ("a.parquet", "cut.csv.gz", "empty.csv", "empty.jsonl", "none.csv", "a.xls", "folder.csv"):
        with pytest.raises(InputError) as caught:
            list(Rows(tmp_path / name))
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="csv, jsonl, parquet"):
        Rows(tmp_path / "a.xls", "excel")


@pytest.mark.parametrize(
    ("name", "file_format"),
    [("A.CSV", "csv"), ("a.tsv", "csv"), ("a.NDJSON.gz", "jsonl"), ("a.json", "jsonl")],
)
def test_the_ending_tells_the_format(tmp_path: Path, name: str, file_format: str) -> None:
    assert Rows(made(tmp_path / name, '{"text": "x"}\n')).file_format == file_format
    assert Rows(made(tmp_path / "a.dat", "text\nx\n"), "csv").columns == ("text",)
