"""Killed anywhere, an hour ends as if nothing had happened; run by two at once, it is there once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.hours import HOUR, command, contents, jobs_for
from trendlark.lake import open_lake

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, object]]]:
    lake = tmp_path_factory.mktemp("undisturbed") / "lake"
    jobs_for(lake).run_hour(HOUR)
    return contents(lake)


def _run_to_step(lake: Path, step: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.support.killed", str(lake), str(HOUR), str(step)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_killed_in_any_job_the_rerun_ends_as_undisturbed(
    tmp_path: Path, undisturbed: dict[str, list[dict[str, object]]]
) -> None:
    survived = _run_to_step(tmp_path / "whole", 10_000)
    steps = int(survived.stdout)
    assert survived.returncode == 0
    assert contents(tmp_path / "whole") == undisturbed
    chosen = sorted({1, 2, steps, steps - 1, *range(3, steps, max(1, steps // 14))})
    for step in chosen:
        lake = tmp_path / f"killed-{step}"
        assert _run_to_step(lake, step).returncode == -signal.SIGKILL, f"step {step} of {steps}"
        jobs_for(lake).run_hour(HOUR)
        assert contents(lake) == undisturbed, f"killed at step {step} of {steps}"


@pytest.mark.slow
def test_killed_again_and_again_it_still_ends_as_undisturbed(
    tmp_path: Path, undisturbed: dict[str, list[dict[str, object]]]
) -> None:
    lake = tmp_path / "lake"
    killed = 0
    for _ in range(40):
        # Each run gets three steps further than where its work is done already.
        killed += _run_to_step(lake, 9).returncode == -signal.SIGKILL
        if open_lake(str(lake)).trend_hours(hour=HOUR) and killed > 4:
            break
    jobs_for(lake).run_hour(HOUR)
    assert killed > 4
    assert contents(lake) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("files", [1, 4, 9, 13, 15, 17, 19])
def test_killed_within_a_commit(
    tmp_path: Path, files: int, undisturbed: dict[str, list[dict[str, object]]]
) -> None:
    lake = tmp_path / "lake"
    assert _run_to_step(lake, -files).returncode == -signal.SIGKILL
    jobs_for(lake).run_hour(HOUR)
    assert contents(lake) == undisturbed


@pytest.mark.slow
@pytest.mark.parametrize("delay_seconds", [0.6, 0.9, 1.2])
def test_killed_at_any_moment(
    tmp_path: Path, delay_seconds: float, undisturbed: dict[str, list[dict[str, object]]]
) -> None:
    lake = tmp_path / "lake"
    environment = os.environ | {"TRENDLARK_LAKE": str(lake), "TRENDLARK_MODEL": "fake"}
    words = command("run-hour", "--hour", str(HOUR), "--source", "sample")
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    time.sleep(delay_seconds)
    process.kill()
    process.wait()
    jobs_for(lake).run_hour(HOUR)
    assert contents(lake) == undisturbed


@pytest.mark.slow
def test_two_at_once_leave_one_result(
    tmp_path: Path, undisturbed: dict[str, list[dict[str, object]]]
) -> None:
    lake = tmp_path / "lake"
    environment = os.environ | {"TRENDLARK_LAKE": str(lake), "TRENDLARK_MODEL": "fake"}
    words = command("run-hour", "--hour", str(HOUR), "--source", "sample")
    racers = [
        subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [racer.communicate()[1] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0], said
    assert not any("Traceback" in text for text in said), said
    assert contents(lake) == undisturbed
