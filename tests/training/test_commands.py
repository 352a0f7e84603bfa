"""The training room from the command line: each module runs by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.training.tiny import tiny_checkpoint
from trendlark.nlu.artifact import load_artifact


def _run(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"trendlark.training.{module}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


@pytest.mark.slow
@pytest.mark.parametrize("module", ["train", "baseline"])
def test_help_answers(module: str) -> None:
    done = _run(module, "--help")
    assert done.returncode == 0
    assert "--data" in done.stdout


@pytest.mark.slow
def test_train_evaluate_export(data: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text('name = "tiny"\nsteps = 2\ntokens_per_batch = 64\n', encoding="utf-8")
    start, out = tmp_path / "start.pt", tmp_path / "out"
    tiny_checkpoint().save(start)
    done = _run("train", "--data", data, "--out", out, "--recipe", recipe, "--from-checkpoint", start)
    assert done.returncode == 0, done.stderr
    # Every choice that the run makes by itself is said with its reason.
    assert (
        "device: cpu, because PyTorch sees no GPU" in done.stderr
        or "because PyTorch sees a GPU" in done.stderr
    )
    assert "no training file, left out" in done.stderr
    assert "% of the examples drawn" in done.stderr
    assert "step 2" in done.stderr
    done = _run("export", "--checkpoint", out / "last.pt", "--data", data, "--out", tmp_path / "artefact")
    assert done.returncode == 0, done.stderr
    assert "lost by 8 bits" in done.stderr
    assert load_artifact(tmp_path / "artefact").manifest.recipe["name"] == "tiny"
    scores = tmp_path / "scores.json"
    done = _run("evaluate", data, "--model", tmp_path / "artefact", "--json", scores)
    assert done.returncode == 0, done.stderr
    assert "tweeteval_hate" in json.loads(scores.read_text(encoding="utf-8"))["sets"]
