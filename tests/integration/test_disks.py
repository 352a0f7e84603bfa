"""A full disk and a read-only lake: one sentence, exit code 5, and no half hour."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.support.commandline import run
from tests.support.hours import HOUR, contents, jobs_for
from tests.support.mounts import make_read_only, small_disk

WORDS = ("run-hour", "--hour", str(HOUR), "--source", "sample", "--lake")


def _whole_or_absent(lake: Path, undisturbed: dict[str, list[dict[str, object]]]) -> None:
    """Every place of the hour is there whole or not at all, in every table."""
    found = contents(lake)
    for table, rows in found.items():
        for place, kept in itertools.groupby(rows, key=lambda row: row.get("place")):
            wanted = [row for row in undisturbed[table] if row.get("place") == place]
            assert table != "tweets" or list(kept) == wanted
    ids = {row["tweet_id"] for row in found["tweets"]}
    assert {row["tweet_id"] for row in found["analyses"]} <= ids
    summarised = [
        row for row in found["trends"] if row["summarised_at" if "summarised_at" in row else "model"]
    ]
    assert len(summarised) in (0, len(found["trends"]))


@pytest.mark.slow
@pytest.mark.parametrize("size_kib", [16, 128, 256, 512])
def test_a_full_disk_is_one_sentence_and_no_half_hour(tmp_path: Path, size_kib: int) -> None:
    jobs_for(tmp_path / "undisturbed").run_hour(HOUR)
    undisturbed = contents(tmp_path / "undisturbed")
    with small_disk(tmp_path / "disk", size_kib) as disk:
        done = run(*WORDS, str(disk / "lake"), folder=tmp_path)
        assert done.returncode == 5, done.stderr
        told = [line for line in done.stderr.splitlines() if line.startswith("trendlark: ")]
        assert len(told) == 1
        assert "free" in told[0].lower()
        assert "Traceback" not in done.stderr
        _whole_or_absent(disk / "lake", undisturbed)


def test_a_read_only_lake_is_one_sentence_and_stays_as_it_was(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        jobs_for(disk / "lake").run_hour(HOUR)
        before = contents(disk / "lake")
        make_read_only(disk)
        reading = run(
            "query", "SELECT count(*) AS n FROM tweets", "--lake", str(disk / "lake"), folder=tmp_path
        )
        assert reading.returncode == 0, reading.stderr
        done = run(*WORDS[:2], str(HOUR + 1), *WORDS[3:], str(disk / "lake"), folder=tmp_path)
        assert done.returncode == 5
        told = [line for line in done.stderr.splitlines() if line.startswith("trendlark: ")]
        assert len(told) == 1
        assert "read-only" in told[0] or "written" in told[0]
        assert "Traceback" not in done.stderr
        assert contents(disk / "lake") == before
