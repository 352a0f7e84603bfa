"""The forms of results: columns that are settled beforehand, cells that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.jobs.files import analyze_file
from trendlark.jobs.forms import MORE, CsvRows, flatten, stream_columns
from trendlark.nlu.analyzer import load

FAKE = load("fake")


def _written(columns: list[str], *rows: dict[str, Any]) -> list[dict[str, str]]:
    stream = io.StringIO(newline="")
    writer = CsvRows(stream, columns)
    for row in rows:
        writer.write(row)
    return list(csv.DictReader(io.StringIO(stream.getvalue(), newline="")))


def test_the_columns_of_a_stream_are_those_of_a_flat_row_in_its_order() -> None:
    analysis = FAKE.analyze(["Madrid #x"])[0].to_dict()
    flat = flatten({"row": 1, "input": {"id": 1, "nlu_x": 2}, "analysis": analysis, "error": None})
    assert [name for name in stream_columns(["id", "nlu_x"]) if name != MORE] == list(flat)


def test_what_has_no_column_in_a_stream_is_kept_as_json() -> None:
    late = {"row": 2, "id": 7, "late": "x", "deep": {"a": [1]}, "nlu_error": None}
    found = _written(stream_columns(["id"]), {"row": 1, "id": 6}, late)
    assert found[0][MORE] == ""
    assert json.loads(found[1][MORE]) == {"late": "x", "deep": {"a": [1]}}
    assert found[1]["id"] == "7"


SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize("before", ["", " ", "\n", "\r\n", "\t", "\u3000", "\u200e", "\ufeff", " \n\t "])
@pytest.mark.parametrize("sign", SIGNS)
def test_a_formula_is_text_whatever_comes_before_its_sign(before: str, sign: str) -> None:
    text = f"{before}{sign}cmd|' /C calc'!A0"
    assert _written(["a"], {"a": text})[0]["a"] == "'" + text


@pytest.mark.parametrize("text", ["-0.5", "+3", "-1e9", " -2", "-0", "a=1", "1-2", "", " ", "#x @y", "'=1"])
def test_numbers_and_other_words_stay_as_they_are(text: str) -> None:
    assert _written(["a", "b"], {"a": text, "b": "x"})[0]["a"] == text


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_cell_begins_with_a_formula_and_none_is_lost(text: str) -> None:
    cell = _written(["a", "b"], {"a": text, "b": "x"})[0]["a"]
    assert cell.removeprefix("'") == text.replace("\x00", "\ufffd").removeprefix("'")
    if cell.strip()[:1] in tuple(SIGNS):
        assert float(cell) == float(text)


def test_a_file_named_tsv_is_parted_by_tabs(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"id": 1, "text": "a\\tb"}\n{"id": 2, "text": "c,d"}\n')
    analyze_file(tmp_path / "in.jsonl", tmp_path / "out.tsv", FAKE, shape="csv")
    with (tmp_path / "out.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert [(row["id"], row["text"]) for row in rows] == [("1", "a\tb"), ("2", "c,d")]
    again = analyze_file(tmp_path / "out.tsv", tmp_path / "again.jsonl", FAKE)
    assert (again.rows, again.refused) == (2, 0)
