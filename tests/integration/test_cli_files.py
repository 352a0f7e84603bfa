"""`analyze` on files, streams and disks: nothing dropped, one head, one writer, one sentence where it ends."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.commandline import run
from tests.support.hours import command
from tests.support.inside import call
from tests.support.mounts import small_disk
from trendlark.jobs.forms import MORE, flatten
from trendlark.nlu.analyzer import load
from trendlark.sources.rows import ENDINGS, Rows

SLICE = 1024


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TRENDLARK_MODEL", "fake")


def _jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.split("\n") if line]


def test_csv_on_standard_output_has_one_head_and_every_row(tmp_path: Path) -> None:
    rows: list[Any] = [{"id": n, "text": f"text {n}"} for n in range(2 * SLICE + 5)]
    rows[3] = {"id": 3, "text": None}
    rows[SLICE + 1] = {"id": SLICE + 1, "text": "late", "more": {"x": 1}}
    path = _jsonl(tmp_path / "in.jsonl", rows)
    path.write_text(path.read_text() + "{broken\n")
    found = _csv(call("analyze", "in.jsonl", "--format", "csv").out)
    assert [int(row["row"]) for row in found] == list(range(1, len(rows) + 2))
    assert [row["id"] for row in found[:-1]] == [str(n) for n in range(len(rows))]
    assert found[3]["nlu_error"] == "no text in column 'text'"
    assert json.loads(found[SLICE + 1][MORE]) == {"more": {"x": 1}}
    assert json.loads(found[-1][MORE]) == {"as_found": "{broken"}
    analysis = load("fake").analyze(["late"])[0].to_dict()
    flat = flatten({"row": 1, "input": {}, "analysis": analysis, "error": None})
    assert set(flat) <= set(found[0])
    assert found[SLICE + 1]["nlu_sentiment"] == flat["nlu_sentiment"]


def test_a_table_has_one_head_and_shows_what_was_refused(tmp_path: Path) -> None:
    rows = [{"id": n, "text": f"text {n}" if n % 500 else " "} for n in range(2 * SLICE + 5)]
    _jsonl(tmp_path / "in.jsonl", rows)
    lines = call("analyze", "in.jsonl", "--format", "table").out.splitlines()
    assert [line for line in lines if "sentiment" in line] == lines[:1]
    assert len(lines) == len(rows) + 1
    assert sum("is not analysed: no text in column 'text'" in line for line in lines) == 5
    start = lines[0].index("lang")
    assert {line[start - 1] for line in lines} == {" "}
    assert " " not in {line[start] for line in lines[2:400]}


@pytest.mark.slow
def test_standard_input_of_many_slices_is_analysed_as_it_comes(tmp_path: Path) -> None:
    stdin = "".join(f"text {n}\n" for n in range(2 * SLICE)).encode() + b"last \xff"
    rows = _objects(run("analyze", "-", folder=tmp_path, stdin=stdin).stdout)
    assert [row["row"] for row in rows] == list(range(1, 2 * SLICE + 2))
    assert rows[-1]["input"]["text"] == "last \ufffd"
    assert len(_csv(run("analyze", "-", "--format", "csv", folder=tmp_path, stdin=stdin).stdout)) == len(rows)
    assert run("analyze", "-", "--out", "o.parquet", folder=tmp_path, stdin=stdin).returncode == 0
    assert pq.read_table(tmp_path / "o.parquet").num_rows == len(rows)


def test_the_first_slice_is_given_before_standard_input_ends(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("analyze", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"TRENDLARK_MODEL": "fake"},
        cwd=tmp_path,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdin, process.stdout:
        process.stdin.write(b"".join(b"text %d\n" % n for n in range(SLICE)))
        process.stdin.flush()
        first = [json.loads(process.stdout.readline()) for _ in range(SLICE)]
        assert [row["row"] for row in first] == list(range(1, SLICE + 1))
        assert process.poll() is None
        process.stdin.write(b"one more")
        process.stdin.close()
        (last,) = _objects(process.stdout.read().decode())
    assert (last["row"], last["input"]["text"]) == (SLICE + 1, "one more")


def test_an_empty_standard_input_is_no_error(tmp_path: Path) -> None:
    done = run("analyze", "-", folder=tmp_path, stdin=b"")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(tmp_path: Path) -> None:
    _jsonl(tmp_path / "in.jsonl", [{"text": f"text {n}"} for n in range(4 * SLICE)])
    whole = run("analyze", "in.jsonl", "--out", "whole.jsonl", folder=tmp_path)
    assert whole.returncode == 0, whole.stderr
    size = (tmp_path / "whole.jsonl").stat().st_size
    with small_disk(tmp_path / "disk", 2 * size // 1024) as disk:
        (disk / "filler").write_bytes(bytes(2 * size - size * 5 // 8))
        done = run("analyze", "in.jsonl", "--out", "disk/out.jsonl", folder=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        assert "Make room and run the same command again" in done.stderr
        assert not (disk / "out.jsonl").exists()
        (disk / "filler").unlink()
        again = run("analyze", "in.jsonl", "--out", "disk/out.jsonl", folder=tmp_path)
        assert again.returncode == 0, again.stderr
        assert f"{4 * SLICE} rows analysed" in again.stderr
        assert f", {2 * SLICE} of them by an earlier run" in again.stderr
        assert (disk / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
        assert [path.name for path in disk.iterdir()] == ["out.jsonl"]


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["csv", "parquet"])
def test_a_disk_without_room_for_the_last_form_keeps_the_journal(tmp_path: Path, shape: str) -> None:
    _jsonl(tmp_path / "in.jsonl", [{"text": f"text {os.urandom(300).hex()}"} for n in range(SLICE)])
    assert run("analyze", "in.jsonl", "--out", "whole.jsonl", folder=tmp_path).returncode == 0
    size = (tmp_path / "whole.jsonl").stat().st_size
    with small_disk(tmp_path / "disk", 3 * size // 1024) as disk:
        (disk / "filler").write_bytes(bytes(2 * size - size // 4))
        done = run("analyze", "in.jsonl", "--out", f"disk/out.{shape}", folder=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
        names = {"filler", f"out.{shape}.part", f"out.{shape}.part.json"}
        assert {path.name for path in disk.iterdir()} == names
        (disk / "filler").unlink()
        again = run("analyze", "in.jsonl", "--out", f"disk/out.{shape}", folder=tmp_path)
        assert f"{SLICE} of them by an earlier run" in again.stderr
        assert [path.name for path in disk.iterdir()] == [f"out.{shape}"]


@pytest.mark.parametrize("words", [("analyze", "in.jsonl"), ("analyze", "hola"), ("query", "SELECT 1 AS a")])
def test_an_output_has_one_writer_at_a_time(tmp_path: Path, words: tuple[str, ...]) -> None:
    _jsonl(tmp_path / "in.jsonl", [{"text": "a"}])
    part = tmp_path / "out.jsonl.part"
    with part.open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b"what the other wrote\n")
        other.flush()
        said = call(*words, "--out", "out.jsonl")
        assert (said.code, said.err.count("\n")) == (2, 1)
        assert "Found another run that is writing out.jsonl" in said.err
        assert part.read_bytes() == b"what the other wrote\n"
    assert call(*words, "--out", "out.jsonl").code == 0
    assert not part.exists()
    assert len(_objects((tmp_path / "out.jsonl").read_text())) == 1


@pytest.mark.slow
def test_of_two_runs_at_once_none_breaks_and_the_output_is_whole(tmp_path: Path) -> None:
    _jsonl(tmp_path / "in.jsonl", [{"text": f"text {n}"} for n in range(5 * SLICE)])
    words = command("analyze", "in.jsonl", "--out", "out.csv")
    environment = os.environ | {"TRENDLARK_MODEL": "fake"}
    runs = [
        subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [process.communicate()[1] for process in runs]
    assert {process.returncode for process in runs} <= {0, 2}
    assert 0 in {process.returncode for process in runs}
    for process, said in zip(runs, told, strict=True):
        assert ("Found another run" if process.returncode else "rows analysed") in said
    rows = _csv((tmp_path / "out.csv").read_text())
    assert [int(row["row"]) for row in rows] == list(range(1, 5 * SLICE + 1))
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "out.csv"}


@pytest.mark.parametrize(
    "words", [("a.csv", "b.csv"), ("hola", "there"), ("hola", "b.PQ"), ("x.json", "y"), ("t.tsv.gz", "y")]
)
def test_several_files_are_not_taken_for_texts(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "there").write_text("text\nx\n")
    said = call("analyze", *words)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "one file at a time" in said.err


def test_texts_may_end_like_a_file_in_more_words_and_may_be_empty() -> None:
    said = call("analyze", "look into data.csv", "", "--format", "jsonl")
    assert [row["analysis"] is not None for row in _objects(said.out)] == [True, True]


def test_a_blank_cell_is_no_text_and_its_row_stays(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('id,text\n1,hola\n2,\n3,"  "\n4,adiós\n')
    said = call("analyze", "in.csv", "--out", "out.jsonl")
    assert "4 rows analysed" in said.err
    assert "2 without a text are kept with their reason" in said.err
    rows = _objects((tmp_path / "out.jsonl").read_text())
    assert [(row["row"], bool(row["error"])) for row in rows] == [
        (2, False),
        (3, True),
        (4, True),
        (5, False),
    ]


def test_the_fullest_text_of_each_row_is_analysed(tmp_path: Path) -> None:
    rows = [{"text": "short", "note_tweet": {"text": "a long one"}}, {"text": "only this"}]
    _jsonl(tmp_path / "in.jsonl", rows)
    table = call("analyze", "in.jsonl", "--format", "table").out
    assert "a long one" in table
    assert "only this" in table


def _on_a_terminal(folder: Path, *words: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*words),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        env=os.environ | {"TRENDLARK_MODEL": "fake", "TERM": "dumb", "NO_COLOR": "1"},
        cwd=folder,
    )
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:  # how a terminal ends
        pass
    os.close(ours)
    assert process.wait() == 0
    return said.decode()


@pytest.mark.parametrize("shape", ["jsonl", "csv"])
def test_nothing_steers_a_terminal_but_pipes_are_exact(tmp_path: Path, shape: str) -> None:
    text = "\x1b[31mred \x9b2J \u202eback \u2066isolated ñ 😀"
    shown = _on_a_terminal(tmp_path, "analyze", text, "--format", shape)
    assert not any(sign in shown for sign in "\x1b\x9b\u202e\u2066")
    assert "ñ 😀" in shown
    piped = run("analyze", text, "--format", shape, folder=tmp_path).stdout
    found = _csv(piped)[0]["text"] if shape == "csv" else _objects(piped)[0]["input"]["text"]
    assert found == text


NUMBERS = "SELECT value AS n FROM (SELECT unnest(range(0, 12000)) AS value)"


def test_a_query_gives_all_rows_but_to_a_table(tmp_path: Path) -> None:
    assert len(_objects(call("query", NUMBERS, "--format", "jsonl").out)) == 12_000
    assert call("query", NUMBERS, "--out", "n.parquet").err == ""
    assert pq.read_table(tmp_path / "n.parquet").num_rows == 12_000
    said = call("query", NUMBERS)
    assert len(said.out.splitlines()) == 1001
    assert "Only the first 1,000 rows are shown" in said.err
    assert "--out FILE" in said.err
    assert call("query", NUMBERS, "--limit", "1500").err == ""
    assert len(call("query", NUMBERS, "--format", "csv", "--limit", "7").out.splitlines()) == 8


def test_a_query_without_rows_says_so(tmp_path: Path) -> None:
    for words in ((), ("--format", "jsonl"), ("--out", "none.csv")):
        said = call("query", "SELECT * FROM tweets", *words)
        assert (said.code, said.err) == (0, "No rows.\n")
    assert (tmp_path / "none.csv").read_text().startswith("hour,")


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_ending_that_is_read_is_written_in_its_own_form(tmp_path: Path, ending: str) -> None:
    for words in (("analyze", "a,b\tc"), ("query", "SELECT 'a,b\tc' AS text, 1 AS n")):
        assert call(*words, "--out", f"o{ending}").code == 0
        (row,) = Rows(tmp_path / f"o{ending}")
        assert (row.get("text") or row.get("input.text")) == "a,b\tc"
    assert call("analyze", f"missing{ending}").code == 2
    if ENDINGS[ending] == "csv":
        comma = b"n" in (tmp_path / f"o{ending}").read_bytes().split(b"\r\n")[0].split(b",")
        assert comma == (ending == ".csv")


@pytest.mark.parametrize("words", [("hola",), ("hola", "adios"), ("-",)])
def test_a_column_of_no_file_is_refused_not_left_out(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run("analyze", *words, "--column", "text", folder=tmp_path, stdin=b"id,text\n1,hola\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--column 'text' and no file" in done.stderr


def test_a_folder_or_a_pipe_is_not_taken_for_a_text(tmp_path: Path) -> None:
    (tmp_path / "tweets").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("tweets", "tweets/", ".", "pipe", "/dev/stdin"):
        done = run("analyze", name, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert "which is a folder" in done.stderr
    assert run("analyze", "", folder=tmp_path).returncode == 0
    assert run("analyze", "tweets of today", folder=tmp_path).returncode == 0
