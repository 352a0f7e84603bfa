"""Ten thousand hostile texts through analysis and import, in each file format: none lost, none crashes."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.commandline import run
from tests.support.tiny_model import make_tiny_artifact
from trendlark.hours import Hour
from trendlark.jobs.files import analyze_file
from trendlark.lake import open_lake
from trendlark.nlu.analyzer import load
from trendlark.records import clean_text

COUNT = 10_000
HOUR = Hour.parse("2026-11-20T09")
_PIECES = (
    "", " ", "\x00", "\ud83d", "\udc00\ud800", "\u202e", "\u200f\u200e", "\u2066", "\x1b[31m", "\r\n", "\t", "\u2028",
    "😀", "👩‍👩‍👧‍👦", "🇵🇪", "👍🏽", "é", "e\u0301\u0301\u0301", "ñ", "漢字", "مرحبا", "नमस्ते", "\ufeff", "\uffff",
    "=1+1", "@SUM(A1:A9)", "+49", "-x", "'", '"', '""', ",", ";", "|", "<script>alert(1)</script>", "&amp;amp;",
    "\\u2019", "\\n", "#" * 50, "@" * 50, "http://" * 9, "https://t.co/abc", "#JuegoDeTronos", "@user", "Madrid",
    "{{", "%s", "../../etc/passwd", "NULL", "None", "nan", "1e999", "DROP TABLE tweets;", "a" * 300,
)  # fmt: skip


def hostile_texts(count: int) -> list[str]:
    """Texts put together from nasty pieces; some are 100 kB, the same in every run."""
    chance = random.Random(7)
    texts = ["".join(chance.choices(_PIECES, k=chance.randint(0, 6))) for _ in range(count - 6)]
    large = [
        "x" * 100_000,
        "😀" * 25_000,
        "#" * 100_000,
        "&amp;" * 20_000,
        "\ud83d" * 33_000,
        "@a " * 33_000,
    ]
    return texts + large


def _write(folder: Path, shape: str, texts: list[str]) -> Path:
    path = folder / f"in.{shape}"
    if shape == "jsonl":
        path.write_text("".join(json.dumps({"id": n, "text": t}) + "\n" for n, t in enumerate(texts)))
    elif shape == "csv":
        # As a program writes that does not care: lone surrogates and foreign bytes end up as invalid UTF-8.
        with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "text"])
            writer.writerows([str(n), t] for n, t in enumerate(texts))
    else:
        columns = {"id": list(range(len(texts))), "text": [clean_text(t) for t in texts]}
        pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["jsonl", "csv", "parquet"])
def test_analysis_loses_none_and_its_offsets_are_right(tmp_path: Path, shape: str) -> None:
    texts = hostile_texts(COUNT)
    analyzer = load(str(make_tiny_artifact(tmp_path / "model")))
    outcome = analyze_file(_write(tmp_path, shape, texts), tmp_path / "out.jsonl", analyzer)
    analyzer.close()
    blank = sum(not clean_text(text).strip() for text in texts)
    assert (outcome.rows, outcome.refused) == (COUNT, blank)
    assert blank > 100
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().split(b"\n") if line]
    assert [int(row["input"]["id"]) for row in rows] == list(range(COUNT))
    entities = 0
    for text, row in zip(texts, rows, strict=True):
        found = row["input"]["text"]
        # In JSON, two lone surrogates that meet are one character.
        expected = clean_text(json.loads(json.dumps(text)) if shape == "jsonl" else text)
        assert found == expected or (shape == "csv" and "\ufffd" in found)
        assert (row["analysis"] is None) == (row["error"] is not None) == (not found.strip())
        for entity in row["analysis"]["entities"] if row["analysis"] else ():
            entities += 1
            assert found[entity["start"] : entity["end"]] == entity["text"] != ""
    assert entities > 100


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["jsonl", "csv"])
def test_import_and_the_hour_lose_none(tmp_path: Path, shape: str) -> None:
    texts = hostile_texts(COUNT)
    words = ("--to", "mine", "--place", "es", "--trend", "=cmd|'<b>", "--hour", str(HOUR))
    done = run("import", str(_write(tmp_path, shape, texts)), *words, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    taken = _lines(tmp_path / "mine" / "tweets")
    refused = _lines(tmp_path / "mine" / "refused")
    assert len(taken) + len(refused) == COUNT
    assert all("text" in note["reason"] for note in refused)
    assert len(taken) >= sum(1 for text in texts if text.strip())
    environment = {"TRENDLARK_SOURCE": "replay", "TRENDLARK_REPLAY_FOLDER": "mine", "TRENDLARK_PLACES": "es"}
    hour = run("run-hour", "--hour", str(HOUR), folder=tmp_path, environment=environment)
    assert hour.returncode == 0, hour.stderr
    lake = open_lake(str(tmp_path / "lake"))
    assert sum(1 for _ in lake.tweets(HOUR)) == len(taken)
    assert sum(1 for _ in lake.analyses(HOUR)) == len(taken)
    assert [row.trend.name for row in lake.trend_hours(hour=HOUR)] == ["=cmd|'<b>"]


def _lines(folder: Path) -> list[dict[str, Any]]:
    return [
        json.loads(line) for path in folder.glob("*.jsonl") for line in path.read_bytes().split(b"\n") if line
    ]
