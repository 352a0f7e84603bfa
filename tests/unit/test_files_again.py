"""Files that are hard to give back: numbers that JSON lacks, columns named like results, rows of many kinds."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trendlark.errors import InputError
from trendlark.jobs.files import FileOutcome, analyze_file, flatten
from trendlark.nlu.analyzer import load


def _analyze(source: Path, out: Path, shape: str) -> FileOutcome:
    analyzer = load("fake")
    try:
        return analyze_file(source, out, analyzer, shape=shape)
    finally:
        analyzer.close()


def _strict(path: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line, parse_constant=pytest.fail) for line in path.read_text("utf-8").split("\n") if line
    ]


def test_numbers_that_json_does_not_have_are_null_in_json_lines(tmp_path: Path) -> None:
    scores = [math.nan, math.inf, -math.inf, 1.5]
    columns = {"text": ["a", "b", "c", "d"], "score": scores, "many": [[score] for score in scores]}
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    _analyze(tmp_path / "in.parquet", tmp_path / "out.jsonl", "jsonl")
    inputs = [row["input"] for row in _strict(tmp_path / "out.jsonl")]
    assert [row["score"] for row in inputs] == [None, None, None, 1.5]
    assert [row["many"] for row in inputs] == [[None], [None], [None], [1.5]]


def test_python_s_own_json_with_nan_is_read_and_given_back_as_json(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a", "deep": {"x": [NaN, Infinity, 2]}}\n')
    _analyze(tmp_path / "in.jsonl", tmp_path / "out.jsonl", "jsonl")
    (row,) = _strict(tmp_path / "out.jsonl")
    assert row["input"]["deep"] == {"x": [None, None, 2]}


@pytest.mark.parametrize("shape", ["csv", "parquet"])
def test_what_was_analysed_before_can_be_analysed_again(tmp_path: Path, shape: str) -> None:
    lines = [{"row": "x", "text": "hola"}, {"row": "y", "text": None}, {"row": "z", "text": "adiós"}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    once, twice = tmp_path / f"once.{shape}", tmp_path / f"twice.{shape}"
    assert _analyze(tmp_path / "in.jsonl", once, shape) == FileOutcome(3, 1, 0)
    # CSV has no null: there the text is empty now, which is a text.
    assert _analyze(once, twice, shape) == FileOutcome(3, int(shape == "parquet"), 0)
    first, second = _rows(once), _rows(twice)
    assert [row["input_row"] for row in first] == ["x", "y", "z"]
    assert [row["text"] or "" for row in second] == ["hola", "", "adiós"]
    for old, new in ((first[0], second[0]), (first[2], second[2])):
        assert new["nlu_sentiment"] == old["nlu_sentiment"] == new["input_nlu_sentiment"]
    assert not first[1]["nlu_sentiment"]
    assert second[1]["input_nlu_error"] == first[1]["nlu_error"] == "no text in column 'text'"


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_an_output_may_not_be_the_input_by_whatever_name(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "a"}\n')
    (tmp_path / "hard.jsonl").hardlink_to(source)
    for name in ("in.jsonl", "hard.jsonl"):
        with pytest.raises(InputError, match="Name another --out"):
            _analyze(source, tmp_path / name, "jsonl")
    assert source.read_text() == '{"text": "a"}\n'


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(["text", "a", "b", "row", "nlu_lang"]), VALUES), max_size=6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=ROWS)
@pytest.mark.parametrize("shape", ["jsonl", "csv", "parquet"])
def test_rows_of_any_values_keep_their_number_and_order_in_every_format(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], shape: str
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    source, out = folder / "in.jsonl", folder / f"out.{shape}"
    rows = [{"text": "first"}, *rows]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = _analyze(source, out, shape)
    assert outcome.rows == len(rows)
    assert outcome.refused == sum(not isinstance(row.get("text"), str) for row in rows)
    found = _strict(out) if shape == "jsonl" else _rows(out)
    assert [int(row["row"]) for row in found] == list(range(1, len(rows) + 1))
    errors = [row["error"] if shape == "jsonl" else row["nlu_error"] for row in found]
    assert [bool(error) for error in errors] == [not isinstance(row.get("text"), str) for row in rows]


def test_a_flat_row_of_a_refused_one_has_its_reason_and_no_analysis() -> None:
    flat = flatten({"row": 3, "input": {"nlu_error": "old", "a": 1}, "analysis": None, "error": "no text"})
    assert flat == {"row": 3, "input_nlu_error": "old", "a": 1, "nlu_error": "no text"}
