"""Analysing files: every row has its result or its reason, also when the run is cut off."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.commandline import run
from trendlark.errors import InputError, ModelError
from trendlark.jobs import files
from trendlark.jobs.files import analyze_file
from trendlark.jobs.forms import flatten
from trendlark.nlu.analyzer import load
from trendlark.records import Analysis

FAKE = load("fake")


def _write(path: Path, texts: Sequence[object]) -> Path:
    path.write_text("".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts)))
    return path


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


class Failing:
    """The fake model, failing at the n-th slice."""

    name = FAKE.name

    def __init__(self, after: int) -> None:
        self.after = after
        self.texts = 0

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        if self.after == 0:
            raise ModelError("Found the model broken; load another.")
        self.after -= 1
        self.texts += len(texts)
        return FAKE.analyze(texts, langs)

    def close(self) -> None:
        """Nothing to let go of."""


@given(texts=st.lists(st.text(max_size=50), min_size=1, max_size=20))
def test_json_lines_keep_every_row_in_order(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    outcome = analyze_file(_write(folder / "in.jsonl", texts), folder / "out.jsonl", FAKE)
    rows = _read(folder / "out.jsonl")
    assert outcome == files.FileOutcome(len(texts), sum(not text.strip() for text in texts), 0)
    assert [row["input"]["text"] for row in rows] == texts
    for text, row in zip(texts, rows, strict=True):
        if text.strip():
            assert row["analysis"] == json.loads(json.dumps(FAKE.analyze([text])[0].to_dict()))
        else:
            assert (row["analysis"], row["error"]) == (None, "no text in column 'text'")


def test_a_row_without_a_text_keeps_its_place_with_its_reason(tmp_path: Path) -> None:
    path = _write(tmp_path / "in.jsonl", ["a", None, 3, "b"])
    path.write_text(path.read_text() + "{broken\n")
    outcome = analyze_file(path, tmp_path / "out.jsonl", FAKE)
    rows = _read(tmp_path / "out.jsonl")
    assert (outcome.rows, outcome.refused) == (5, 3)
    assert [row["error"] is None for row in rows] == [True, False, False, True, False]
    assert rows[1]["error"] == "no text in column 'text'"
    assert rows[4]["input"] == {"as_found": "{broken"}


def test_the_column_is_guessed_or_named_or_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,Full_Text\n1,hola\n")
    assert analyze_file(path, tmp_path / "out.jsonl", FAKE).rows == 1
    path.write_text("id,words\n1,hola\n")
    assert analyze_file(path, tmp_path / "out.jsonl", FAKE, column="words").refused == 0
    with pytest.raises(InputError, match=r"'id', 'words'.*--column"):
        analyze_file(path, tmp_path / "out.jsonl", FAKE)
    with pytest.raises(InputError, match="no column 'text'"):
        analyze_file(path, tmp_path / "out.jsonl", FAKE, column="text")


def test_a_run_that_was_cut_off_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_SLICE", 10)
    path = _write(tmp_path / "in.jsonl", [f"text {n}" for n in range(95)])
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    analyze_file(path, whole, FAKE)
    with pytest.raises(ModelError):
        analyze_file(path, out, Failing(4))
    assert not out.exists()
    # What the state does not vouch for is done again: here, half a line.
    with (tmp_path / "out.jsonl.part").open("ab") as stream:
        stream.write(b'{"row": 41, "inp')
    second = Failing(99)
    outcome = analyze_file(path, out, second)
    assert (outcome.rows, outcome.resumed, second.texts) == (95, 40, 55)
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl", "whole.jsonl"]


def test_another_input_model_or_column_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_SLICE", 1)
    out = tmp_path / "out.jsonl"
    path = _write(tmp_path / "in.jsonl", ["a", "b", "c"])
    with pytest.raises(ModelError):
        analyze_file(path, out, Failing(2))
    os.utime(path, (1, 1))
    assert analyze_file(path, out, FAKE).resumed == 0


@pytest.mark.slow
def test_killed_while_it_works_it_goes_on(tmp_path: Path) -> None:
    path = _write(tmp_path / "in.jsonl", [f"text {n} {'word ' * (n % 7)}" for n in range(20_000)])
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from trendlark.jobs import files; from trendlark.nlu.analyzer import load\n"
        "append = files._Journal.append\n"
        "def cut(self, results):\n"
        "    append(self, results)\n"
        "    if self.rows > 9000: os.kill(os.getpid(), signal.SIGKILL)\n"
        "files._Journal.append = cut\n"
        "files.analyze_file(Path(sys.argv[1]), Path(sys.argv[2]), load('fake'))"
    )
    out = tmp_path / "out.jsonl"
    killed = subprocess.run([sys.executable, "-c", code, str(path), str(out)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    outcome = analyze_file(path, out, FAKE)
    assert outcome.resumed > 9000
    assert [row["row"] for row in _read(out)] == list(range(1, 20_001))


def test_csv_keeps_columns_and_disarms_formulas(tmp_path: Path) -> None:
    texts = ["=1+1", "+cmd", "-x", "@SUM(A1)", 'a,b\n"c"', "\tx", "plain\x00nul"]
    outcome = analyze_file(_write(tmp_path / "in.jsonl", texts), tmp_path / "out.csv", FAKE, shape="csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert outcome.rows == len(rows) == len(texts)
    assert [row["text"].removeprefix("'") for row in rows] == [*texts[:-1], "plain\ufffdnul"]
    assert not any(row["text"].startswith(("=", "+", "-", "@", "\t")) for row in rows)
    assert [row["id"] for row in rows] == [str(n) for n in range(len(texts))]
    assert {row["nlu_sentiment"] for row in rows} <= {"negative", "neutral", "positive"}


def test_parquet_has_typed_columns_whatever_the_rows_hold(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    rows = [
        {"text": "a", "n": 1, "mixed": 1},
        {"text": "b", "n": 2.5, "mixed": "x", "more": {"k": [1]}},
        {"text": "c"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    analyze_file(path, tmp_path / "out.parquet", FAKE, shape="parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("n").to_pylist() == [1.0, 2.5, None]
    assert table.column("mixed").to_pylist() == ["1", "x", None]
    assert table.column("more").to_pylist() == [None, '{"k": [1]}', None]
    assert str(table.schema.field("nlu_irony").type) == "bool"
    assert table.column_names[-1] == "nlu_error"


def test_flat_rows_hold_the_whole_analysis() -> None:
    analysis = FAKE.analyze(["Madrid #x @y https://t.co/a"])[0].to_dict()
    flat = flatten({"row": 1, "input": {"text": "t"}, "analysis": analysis, "error": None})
    assert flat["nlu_sentiment"] == analysis["sentiment"]["label"]
    assert json.loads(flat["nlu_hashtags"]) == ["x"]
    assert {f"nlu_emotion_{name}" for name in analysis["emotions"]} <= set(flat)


def test_the_command_reads_files_and_standard_input(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "in.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write("id,text\n1,¡hola! 😀\n2,adiós\n")
    done = run("analyze", "in.csv.gz", "--out", "out.parquet", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 rows analysed" in done.stderr
    assert pq.read_table(tmp_path / "out.parquet").column("text").to_pylist() == ["¡hola! 😀", "adiós"]
    shown = run("analyze", "in.csv.gz", folder=tmp_path)
    assert [json.loads(line)["input"]["id"] for line in shown.stdout.splitlines()] == ["1", "2"]
    piped = run("analyze", "-", folder=tmp_path, stdin=b"uno\ndos\xff\n")
    assert [json.loads(line)["input"]["text"] for line in piped.stdout.splitlines()] == ["uno", "dos\ufffd"]
    table = run("analyze", "[bold]uno[/bold]", "dos", folder=tmp_path)
    assert "[bold]uno[/bold]" in table.stdout
    csv_out = run("analyze", "=1+1", "--format", "csv", folder=tmp_path)
    assert "'=1+1" in csv_out.stdout
    saved = run("analyze", "uno", "dos", "--out", "texts.jsonl", folder=tmp_path)
    assert saved.returncode == 0
    assert [row["input"]["text"] for row in _read(tmp_path / "texts.jsonl")] == ["uno", "dos"]


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    _write(tmp_path / "in.jsonl", ["a"])
    done = run("analyze", "in.jsonl", "--out", "none/out.jsonl", folder=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "cannot be written" in done.stderr
