"""The data report: counted by hand, and right on a folder of invented sets."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.training.tiny import write_rows
from trendlark.cli import app
from trendlark.errors import InputError
from trendlark.training.data_report import compact, make_report, render_markdown, render_text, write_report


def _row(text: str, label: str) -> dict[str, Any]:
    return {"text": text, "label": label}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    train = [_row(f"esta es la frase número {at} de la prueba", "neutral") for at in range(20)]
    train += [
        _row("Hoy es un DÍA muy bonito @ana https://t.co/a1", "positive"),
        _row("hoy es un dia muy bonito!!", "negative"),
        _row("la misma frase otra vez", "positive"),
        _row("la misma frase otra vez", "positive"),
        _row(" ", "neutral"),
        _row("muy largo " * 80, "negative"),
    ]
    write_rows(data / "umsab_es" / "train.jsonl.gz", train)
    val = [_row("hoy es un día muy bonito", "positive"), _row("otra cosa distinta de todo", "neutral")]
    write_rows(data / "umsab_es" / "val.jsonl.gz", val)
    write_rows(data / "other" / "train.jsonl.gz", [_row("OTRA cosa distinta de todo", "x"), _row("ok", "y")])
    write_rows(data / "other" / "test.jsonl.gz", [_row("ok", "y")])
    words = {"tokens": ["Ana", "Paz", "vive", "en", "Lima"], "tags": ["B-PER", "I-PER", "O", "O", "B-LOC"]}
    write_rows(data / "ner_xlime_es" / "train.jsonl.gz", [words, {"tokens": ["hola"], "tags": ["O"]}])
    write_rows(data / "strange" / "train.jsonl.gz", [{"message": "no such form"}])
    for name, lines in (
        ("parallel_en_es/train.tsv.gz", "a\tb\nc\td\n"),
        ("unlabeled/es.txt.gz", "uno\ndos\ntres\n"),
    ):
        (data / name).parent.mkdir()
        with gzip.open(data / name, "wt", encoding="utf-8") as file:
            file.write(lines)
    return data


@pytest.fixture(scope="module")
def report(folder: Path) -> dict[str, Any]:
    return make_report(folder)


def test_texts_are_the_same_whose_letters_are() -> None:
    assert compact("RT @ana: ¡Qué DÍA! https://t.co/a1") == compact("rt que dia") == "rtquedia"
    assert compact("USER hola {{URL}} &amp; 2") == "hola2"
    assert compact("東京 タワー") == "東京タワー"


def test_every_file_is_counted(report: dict[str, Any]) -> None:
    assert list(report["files"]) == [
        "ner_xlime_es/train",
        "other/test",
        "other/train",
        "umsab_es/train",
        "umsab_es/val",
    ]
    one = report["files"]["umsab_es/train"]
    assert (one["use"], one["rows"], one["empty"]) == ("sentiment", 26, 1)
    # Two pairs repeat a text, and one of them has two verdicts.
    assert (one["twice"], one["two_verdicts"]) == (2, 1)
    assert one["labels"] == {"neutral": 0.8077, "positive": 0.1154, "negative": 0.0769}
    assert one["characters"]["most"] == 800
    assert one["tokens"]["most"] > 96
    assert one["cut"] == pytest.approx(1 / 26)
    assert next(iter(one["languages"])) == "es"
    assert report["files"]["other/train"]["use"] == "none"


def test_entities_are_shared_by_type(report: dict[str, Any]) -> None:
    assert report["files"]["ner_xlime_es/train"]["labels"] == {"PER": 0.5, "LOC": 0.5}


def test_leaks_are_texts_of_files_that_are_scored_on(report: dict[str, Any]) -> None:
    # Very short texts ("ok") are no leak.
    assert {(one["scored"], one["in"], one["texts"]) for one in report["leaks"]} == {
        ("umsab_es/val", "umsab_es/train", 1),
        ("umsab_es/val", "other/train", 1),
    }


def test_what_is_no_set_is_counted_by_lines(report: dict[str, Any]) -> None:
    assert report["other"] == {"parallel_en_es/train.tsv.gz": 2, "unlabeled/es.txt.gz": 3}


def test_warnings_say_what_to_look_at(report: dict[str, Any]) -> None:
    assert report["warnings"] == [
        "other/train holds 1 texts of umsab_es/val (50.0% of what is scored there)",
        "umsab_es/train holds 1 texts of umsab_es/val (50.0% of what is scored there)",
        "umsab_es/train: 1 rows have no text",
        "umsab_es/train: 2 of 26 rows repeat a text",
        "umsab_es/train: 1 texts have two verdicts",
        "umsab_es/train: about 4% of the texts are longer than the 96 tokens that are read",
    ]


def test_another_language_than_stated_and_small_leaks(tmp_path: Path) -> None:
    rows = [
        _row(f"this is the plain English sentence number {at} of the test", "neutral") for at in range(400)
    ]
    write_rows(tmp_path / "umsab_es" / "train.jsonl.gz", rows[:1])
    write_rows(tmp_path / "umsab_es" / "val.jsonl.gz", rows)
    assert make_report(tmp_path)["warnings"] == [
        "files share 1 more texts with files that are scored on, under 0.5% of any",
        "umsab_es/train: stated as es, reads as en",
    ]


def test_text_and_markdown_tell_it(report: dict[str, Any]) -> None:
    text = render_text(report)
    assert "umsab_es/train" in text
    assert "neutral 81%, positive 12%, negative 8%" in text
    assert "warning: umsab_es/train: 1 rows have no text" in text
    page = render_markdown(report)
    assert "| umsab_es/train | sentiment | 26 | 2 | 1 |" in page
    assert "| unlabeled/es.txt.gz | 3 |" in page
    assert "- umsab_es/train: 1 rows have no text" in page
    # Every row of the table has as many cells as its head.
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert {line.count(" | ") for line in rows if "/train |" in line or "/val |" in line} == {9}


def test_labels_stay_in_their_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [_row("esta es una frase", "a|b"), _row("esta es otra frase", "<img src=x>\n| c |")]
    write_rows(tmp_path / "mine" / "val.jsonl.gz", rows)
    monkeypatch.chdir(tmp_path)
    page = render_markdown(make_report(Path()))
    assert page.startswith(f"# Data in {tmp_path.name}\n")
    header, _, row = page.splitlines()[2:5]
    assert row.count("|") == header.count("|")
    assert "a&#124;b 50%, &lt;img src=x&gt; &#124; c &#124; 50%" in row


def test_a_run_logs_and_keeps_it(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, report: dict[str, Any]
) -> None:
    caplog.set_level("INFO")
    assert write_report(folder, tmp_path / "out") == report
    assert json.loads((tmp_path / "out" / "data.json").read_text(encoding="utf-8")) == report
    assert (tmp_path / "out" / "data.md").read_text(encoding="utf-8") == render_markdown(report)
    assert "warning: umsab_es/train: 1 rows have no text" in caplog.messages
    assert any("strange/train.jsonl.gz: left out" in message for message in caplog.messages)


def test_the_command_prints_it(folder: Path, tmp_path: Path, report: dict[str, Any]) -> None:
    told = CliRunner().invoke(app, ["data-report", str(folder), "--out", str(tmp_path)])
    assert told.exit_code == 0
    assert told.stdout == render_text(report) + "\n"
    assert (tmp_path / "data.md").exists()
    told = CliRunner().invoke(app, ["data-report", str(folder), "--json"])
    assert json.loads(told.stdout) == report


def test_nothing_to_tell_of_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no set"):
        make_report(tmp_path)
