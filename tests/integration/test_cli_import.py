"""`import` at the command line: what it says of rows that it cannot take, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.inside import call
from trendlark.lake import open_lake

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


@pytest.mark.parametrize("places", ["buenos-aires", "buenos-aires:468739"])
def test_a_place_that_x_need_not_know_is_imported_and_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: str
) -> None:
    (tmp_path / "t.csv").write_text("text\nuno\ndos\n")
    assert call(*WORDS, "--place", "buenos-aires").code == 0
    for name, value in (("SOURCE", "replay"), ("REPLAY_FOLDER", "f"), ("PLACES", places), ("MODEL", "fake")):
        monkeypatch.setenv(f"TRENDLARK_{name}", value)
    said = call("run-hour", "--hour", "2026-11-23T07")
    assert said.code == 0, said.err
    assert "Found nothing recorded" not in said.err
    (row,) = open_lake(str(tmp_path / "lake")).trend_hours()
    assert (row.trend.place, row.sampled) == ("buenos-aires", 2)
    monkeypatch.setenv("TRENDLARK_PLACES", "es")
    said = call("run-hour", "--hour", "2026-11-23T07")
    assert "Found nothing recorded for es" in said.err
