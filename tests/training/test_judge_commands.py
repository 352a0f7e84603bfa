"""The commands that judge: what they print, write and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trendlark.cli import app
from trendlark.errors import InputError

QUICK = ("--model", "fake", "--draws", "20", "--threads", "1")


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def test_evaluate_prints_tables(data: Path) -> None:
    told = _run("evaluate", data, *QUICK, "--baseline", "majority", "--only", "sentiment")
    assert told.exit_code == 0, told.output
    for words in ("By set", "By task and language", "umsab_es", "macro-recall", "majority", "mean of tasks"):
        assert words in told.stdout
    assert "tweeteval_irony" not in told.stdout
    assert "Behaviour" not in told.stdout


def test_evaluate_for_programs_and_as_a_page(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    told = _run("evaluate", data, *QUICK, "--baseline", "all", "--against", "fake", "--html", page, "--json")
    assert told.exit_code == 0, told.output
    found = json.loads(told.stdout)
    # Another model of the same name is told apart.
    other, *baselines = found["rivals"]
    assert other == f"{found['model']} (2)"
    assert baselines == ["majority", "svm", "vader"]
    same = found["sets"]["umsab_es"]["rivals"][other]["difference"]
    assert same == {"value": 0, "low": 0, "high": 0}
    assert set(found["sets"]["tweeteval_sentiment"]["rivals"]) == {other, *baselines}
    assert "<svg" in page.read_text(encoding="utf-8")


def test_evaluate_one_set_and_the_suite(data: Path) -> None:
    told = _run("evaluate", data / "tweeteval_irony", *QUICK, "--behaviour", "--json")
    found = json.loads(told.stdout)
    assert list(found["sets"]) == ["tweeteval_irony"]
    assert found["behaviour"]["cases"] == sum(one["cases"] for one in found["behaviour"]["capabilities"])


def test_the_suite_alone(data: Path) -> None:
    told = _run("evaluate", "--behaviour", *QUICK)
    assert told.exit_code == 0
    assert "sarcasm with emoji" in told.stdout
    assert "By set" not in told.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("evaluate", *QUICK), "no folder of data"),
        (("evaluate", "DATA", *QUICK, "--baseline", "luck"), "allowed are majority, svm, vader"),
        (("evaluate", "DATA", *QUICK, "--split", "night"), r"night\.jsonl\.gz"),
        (("evaluate", "DATA", *QUICK, "--only", "umsab_fr"), "no set of umsab_fr"),
    ],
)
def test_what_cannot_be_judged_is_said(data: Path, words: tuple[str, ...], sentence: str) -> None:
    told = _run(*(data if word == "DATA" else word for word in words))
    assert isinstance(told.exception, InputError)
    with pytest.raises(InputError, match=sentence):
        raise told.exception


def test_a_card_needs_results(tmp_path: Path) -> None:
    wrong = tmp_path / "results.json"
    wrong.write_text("{", encoding="utf-8")
    for path in (wrong, tmp_path / "none.json"):
        told = _run("card", path, "--model", tmp_path)
        assert isinstance(told.exception, InputError)
        assert "Could not read the results" in str(told.exception)


def test_a_report_that_cannot_be_written_costs_nobody_the_results(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept")
    for words in (("evaluate", data, *QUICK, "--html"), ("data-report", data, "--out")):
        told = _run(*words, file / "report", "--json")
        assert json.loads(told.stdout)
        assert isinstance(told.exception, InputError)
        assert "file/report cannot be written" in str(told.exception)
