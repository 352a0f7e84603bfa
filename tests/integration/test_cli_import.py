"""`import` at the command line: what it says of rows that it cannot take, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.inside import call

WORDS = ("import", "t.csv", "--to", "f", "--trend", "#Lluvia", "--hour", "2026-11-23T07")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_refused_rows_are_told_with_the_file_that_keeps_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('text\nuno\n""\n')
    said = call(*WORDS, "--place", "ES")
    assert said.code == 0, said.err
    (refused, tweets) = _files(tmp_path / "f")
    assert f"1 could not be taken and lie in f/{refused} with their reason" in said.err
    assert refused.removeprefix("refused/") == tweets.removeprefix("tweets/")
    assert '"place": "es"' in (tmp_path / "f" / tweets).read_text()


def test_an_import_that_takes_nothing_is_an_error_and_writes_no_tweets(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('text\n""\n" "\n')
    said = call(*WORDS, "--place", "es")
    assert (said.code, said.err.count("\n")) == (2, 1)
    (refused,) = _files(tmp_path / "f")
    assert f"f/{refused} says of each row what it lacks" in said.err
    assert "2 rows" in said.err


def test_a_file_without_rows_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text\n")
    said = call(*WORDS, "--place", "es")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "Found no row in t.csv" in said.err
    assert _files(tmp_path / "f") == []


def test_a_place_that_is_no_slug_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text\nuno\n")
    said = call(*WORDS, "--place", "Ciudad de México")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "letters a-z, digits and hyphens" in said.err
    assert not (tmp_path / "f").exists()
