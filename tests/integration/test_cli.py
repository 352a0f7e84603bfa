"""The command line: what it prints, what it refuses, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support.commandline import run
from tests.support.hours import HOUR, command
from tests.support.web_lake import LAST, fill
from trendlark.lake import open_lake

TOKEN = "AAAA-very-secret-BBBB"


def test_help_names_every_command(tmp_path: Path) -> None:
    done = run("--help", folder=tmp_path)
    assert done.returncode == 0
    for name in ("up", "run-hour", "analyze", "import", "query", "serve", "plan", "config", "lake", "train"):
        assert re.search(rf"\b{name}\b", done.stdout)


def test_help_imports_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['trendlark', '--help']\n"
        "from trendlark.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pyarrow', 'deltalake', 'onnxruntime', 'tokenizers', 'numpy', 'fastapi', 'torch', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"


def test_import_is_light(tmp_path: Path) -> None:
    code = "import sys, trendlark; print(trendlark.__version__, len([m for m in sys.modules if 'trendlark' in m]))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[1] == "1"


def test_config_says_where_each_value_comes_from_and_keeps_secrets(tmp_path: Path) -> None:
    (tmp_path / "trendlark.toml").write_text("batch_size = 3\n")
    secret = {"TRENDLARK_X_BEARER_TOKEN": TOKEN, "TRENDLARK_PORT": "9"}
    shown = run("config", "--json", folder=tmp_path, environment=secret)
    rows = {row["setting"]: (row["value"], row["from"]) for row in json.loads(shown.stdout)}
    assert rows["batch_size"] == ("3", "trendlark.toml")
    assert rows["port"] == ("9", "environment")
    assert rows["x_bearer_token"] == ("(set, not shown)", "environment")
    assert rows["lake"] == ("lake", "default")
    table = run("config", folder=tmp_path, environment=secret)
    assert TOKEN not in shown.stdout + table.stdout + table.stderr


def test_bad_settings_are_one_message_and_exit_2(tmp_path: Path) -> None:
    done = run("run-hour", folder=tmp_path, environment={"TRENDLARK_PROT": "1", "TRENDLARK_BATCH_SIZE": "0"})
    assert done.returncode == 2
    assert done.stderr.startswith("trendlark: 2 settings are wrong:")
    assert "Traceback" not in done.stderr


def test_an_hour_then_nothing_to_do_then_sql(tmp_path: Path) -> None:
    first = run("run-hour", "--hour", str(HOUR), "--source", "sample", folder=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "summarise" in first.stderr
    again = run("run-hour", "--hour", str(HOUR), "--source", "sample", folder=tmp_path)
    assert "Nothing to do" in again.stderr
    query = "SELECT place, count(*) AS n FROM trends GROUP BY place ORDER BY place"
    rows = run("query", query, "--format", "jsonl", folder=tmp_path)
    assert [json.loads(line)["place"] for line in rows.stdout.splitlines()] == ["es", "us"]
    csv = run("query", query, "--format", "csv", folder=tmp_path)
    assert csv.stdout.splitlines()[0] == "place,n"
    table = run("query", "SELECT text FROM tweets", "--limit", "5", folder=tmp_path)
    assert table.returncode == 0
    runs = run("runs", "--json", folder=tmp_path)
    assert {json.loads(line)["job"] for line in runs.stdout.splitlines()} == {
        "collect",
        "analyze",
        "summarise",
    }
    info = run("lake", "info", "--json", folder=tmp_path)
    assert "tweets" in info.stdout


def test_jobs_one_by_one_are_the_hour(tmp_path: Path) -> None:
    for words in (("collect", "--source", "sample"), ("analyze-hour",), ("summarise", "--source", "sample")):
        done = run(*words, "--hour", str(HOUR), "--json", folder=tmp_path)
        assert done.returncode == 0, done.stderr
        assert {json.loads(line)["status"] for line in done.stdout.splitlines()} == {"done"}
    whole = run("run-hour", "--hour", str(HOUR), "--source", "sample", folder=tmp_path)
    assert "Nothing to do" in whole.stderr


def test_an_hour_is_summed_up_whoever_had_the_token_that_it_was_collected_with(tmp_path: Path) -> None:
    for source in ("sample", "x"):
        fill(open_lake(str(tmp_path / "lake")), source, summarised=False)
    done = run("summarise", "--hour", str(LAST), "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["source"], one["status"]) for one in runs] == [("sample", "done"), ("x", "done")]
    one = run("summarise", "--hour", str(LAST), "--source", "x", "--json", folder=tmp_path)
    assert [json.loads(line)["source"] for line in one.stdout.splitlines()] == ["x"]


def test_backfill_runs_a_range(tmp_path: Path) -> None:
    done = run("backfill", str(HOUR - 1), str(HOUR), "--source", "sample", "--json", folder=tmp_path)
    assert {json.loads(line)["hour"] for line in done.stdout.splitlines()} == {str(HOUR - 1), str(HOUR)}
    wrong = run("backfill", str(HOUR), str(HOUR - 1), folder=tmp_path)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (("run-hour", "--hour", "yesterday"), 2, "an hour is written like"),
        (("run-hour", "--hour", "2999-01-01T00"), 2, "which is not over"),
        (("query", "DROP TABLE tweets"), 2, "SELECT"),
        (("query", "SELECT nothing FROM tweets"), 2, "nothing"),
        (("query", "SELECT 1", "--format", "xml"), 2, "allowed are table, jsonl, csv, parquet"),
        (("query", "SELECT 1", "--format", "parquet"), 2, "--out"),
        (("analyze", "none.csv"), 2, "no file none.csv"),
        (("analyze", "hi", "--out", "x.xls"), 2, "ending"),
        (("analyze", "hi", "--model", "/nowhere"), 6, "/nowhere"),
        (("run-hour", "--source", "telepathy"), 2, "source"),
        (("import", "none.csv"), 2, "none.csv"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path: Path, words: tuple[str, ...], code: int, part: str) -> None:
    done = run(*words, folder=tmp_path)
    assert done.returncode == code, done.stderr
    assert part in done.stderr
    assert done.stderr.startswith("trendlark: ")
    assert "Traceback" not in done.stderr


def test_a_pipe_that_closes_early_is_no_error(tmp_path: Path) -> None:
    words = " ".join(["'" + word + "'" for word in command("analyze", "-", "--model", "fake")])
    script = f"yes hola | head -5000 | {words} | head -1"
    script += '; echo "${PIPESTATUS[2]}" >&2'
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["input"] == {"text": "hola"}
    assert done.stderr == "0\n"


def test_ctrl_c_is_told_in_a_sentence_with_its_code(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("analyze", "-", "--model", "fake"),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    # A whole slice, whose answers show that it is at work; then it waits for more.
    process.stdin.write("hola\n" * 5000)
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (
        130,
        "trendlark: stopped before it was done; run it again to go on.\n",
    )


@pytest.mark.parametrize("words", ["--version", "query 'SELECT 1'", "analyze hola", "config --json"])
def test_without_a_standard_output_nothing_is_told(tmp_path: Path, words: str) -> None:
    script = " ".join(f"'{word}'" for word in command()) + f" {words} >&-"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=os.environ | {"TRENDLARK_MODEL": "fake"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_plan_tells_what_a_budget_buys(tmp_path: Path) -> None:
    done = run(
        "plan", "--json", "--budget-usd-per-day", "24",
        folder=tmp_path, environment={"TRENDLARK_X_BEARER_TOKEN": TOKEN},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
    assert TOKEN not in done.stdout + done.stderr


def _start(folder: Path, *words: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        command(*words),
        cwd=folder,
        env=os.environ | {"TRENDLARK_MODEL": "fake", "TRENDLARK_PORT": "0", "TRENDLARK_SAMPLE_HOURS": "2"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    said = ""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.stderr is not None:
        line = process.stderr.readline()
        said += line
        if match := re.search(r"http://\S+:\d+", line):
            return process, match.group(0)
        if not line and process.poll() is not None:
            break
    process.kill()
    raise AssertionError(said)


@pytest.mark.slow
def test_up_fills_in_serves_and_ends_cleanly_and_goes_on(tmp_path: Path) -> None:
    for _ in range(2):
        process, address = _start(tmp_path, "up")
        with urllib.request.urlopen(address + "/v1/trends", timeout=30) as answer:
            items = json.load(answer)["items"]
        assert items
        assert all(item["invented"] for item in items)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "Stopped." in said
        assert "Traceback" not in said
    hours = run("query", "SELECT DISTINCT hour FROM trends", "--format", "jsonl", folder=tmp_path)
    assert 2 <= len(hours.stdout.splitlines()) <= 4


@pytest.mark.slow
def test_serve_alone_and_a_port_that_is_taken(tmp_path: Path) -> None:
    process, address = _start(tmp_path, "serve")
    with urllib.request.urlopen(address + "/live", timeout=30) as answer:
        assert answer.status == 200
    port = address.rsplit(":", 1)[1]
    second = run("serve", "--port", port, folder=tmp_path)
    assert second.returncode == 2
    assert port in second.stderr
    assert "Traceback" not in second.stderr
    os.killpg(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in said
