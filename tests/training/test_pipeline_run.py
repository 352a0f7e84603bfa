"""Whole pipelines on this machine: a killed training step goes on, both branches of the gate, past days again.

python -m pytest -m pipeline tests/training/test_pipeline_run.py
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("kfp", reason="needs trendlark[pipeline]")

from tests.support.fake_cluster import FakeCluster, deployment, running
from tests.support.hours import command
from tests.training.tiny import tiny_checkpoint
from trendlark.lake import open_lake
from trendlark.nlu.artifact import load_artifact
from trendlark.training import checkpoint

pytestmark = [pytest.mark.pipeline, pytest.mark.timeout(1800)]

_STEPS = 10
_RECIPE = f"""
name = "tiny"
steps = {_STEPS}
tokens_per_batch = 64
checkpoint_minutes = 0.0
average_every = 1
"""


def _command(work: Path, which: str, **parameters: object) -> list[str]:
    words = ["pipeline", "run", which, "--local", "--work", str(work)]
    return command(
        *words, *(word for name, value in parameters.items() for word in ("--set", f"{name}={value}"))
    )


def _run(work: Path, which: str, **parameters: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        _command(work, which, **parameters), capture_output=True, text=True, check=False, cwd=work.parent
    )
    (work / f"{which}.out").write_text(done.stdout + done.stderr, encoding="utf-8")
    return done


# Every Python of the run that is to be killed loads this: whoever has written a third checkpoint dies of it before it
# is in its place. Killed from outside, at a moment of the clock, a training as small as this might be at its end.
_DEADLY = """
import itertools, os, signal
replace, written = os.replace, itertools.count(1)
def deadly(source, target, **more):
    if os.path.basename(target) == "last.pt" and next(written) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target, **more)
os.replace = deadly
"""


def _artifacts(work: Path, name: str) -> list[Path]:
    return sorted(
        (work / "steps").glob(f"trendlark-train-*/**/{name}"), key=lambda path: path.stat().st_mtime
    )


def test_train_killed_resumed_passed_and_then_held_back(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, kubeconfig = tmp_path / "work", tmp_path / "kubeconfig"
    work.mkdir()
    (tmp_path / "tiny.toml").write_text(_RECIPE, encoding="utf-8")
    tiny_checkpoint().save(tmp_path / "start.pt")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    asked = {
        "data": data,
        "recipe": tmp_path / "tiny.toml",
        "base": tmp_path / "start.pt",
        "tolerance": 0.05,
        "targets": "deployment/trendlark-web",
    }
    cluster = FakeCluster({"deployments/trendlark-web": deployment("trendlark-web")})
    with running(cluster, kubeconfig):
        _is_killed(work, asked, monkeypatch)
        passed = _run(work, "train", service="none", **asked)
        assert passed.returncode == 0, passed.stderr[-3000:]
        [version] = _check_passed(work, passed.stdout, cluster)
        # The same data and plan against the model in the package: nothing is trained again, and it is held back.
        held = _run(work, "train", service="default", **asked)
    assert held.returncode == 0, held.stderr[-3000:]
    assert "held back tiny-seed0-" in held.stdout.splitlines()[-1]
    assert "the mean of tasks gains -" in held.stdout.splitlines()[-1]
    assert json.loads((work / "claim/models/models.json").read_bytes())["current"] == version
    log = "".join(path.read_text(encoding="utf-8") for path in (work / "claim/logs").iterdir())
    assert log.count("publish: ") == 1
    assert "keep-service" in log
    assert len(_artifacts(work, "export-model")) == 1
    assert (
        _artifacts(work, "gate-model/comparison")[-1]
        .read_text(encoding="utf-8")
        .startswith("# Held back: tiny")
    )


def _is_killed(work: Path, asked: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """The training step ends as by a power cut, and its second checkpoint is what is kept."""
    folder = work.parent / "deadly"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_DEADLY, encoding="utf-8")
    with monkeypatch.context() as deadly:
        deadly.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        killed = _run(work, "train", service="none", **asked)
    assert killed.returncode == 1, (killed.stdout + killed.stderr)[-3000:]
    assert "trendlark: The pipeline train did not finish" in killed.stderr
    [run] = (work / "claim/runs").iterdir()
    assert checkpoint.load(run / "last.pt").more["step"] == 2
    assert not (work / "claim/models").exists()


def _check_passed(work: Path, told: str, cluster: FakeCluster) -> list[str]:
    claim = work / "claim"
    shelf = json.loads((claim / "models/models.json").read_bytes())
    version = shelf["current"]
    assert told.splitlines()[-1] == f"in service: {version} (deployment/trendlark-web)"
    assert cluster.model_of("trendlark-web") == str(claim / "models" / version)
    assert load_artifact(claim / "models" / version).name == version
    assert shelf["models"][0]["gate"] == "nothing is in service"
    [run] = (claim / "runs").iterdir()
    assert checkpoint.load(run / "last.pt").more["step"] == _STEPS
    log = "".join(path.read_text(encoding="utf-8") for path in (claim / "logs").iterdir())
    assert "resume: at step " in log
    resumed = int(log.split("resume: at step ")[1].split(",")[0])
    assert resumed == 2
    # What the dashboard shows.
    assert "| tweeteval_irony/train |" in _artifacts(work, "report-data/report")[-1].read_text(
        encoding="utf-8"
    )
    assert "<svg" in _artifacts(work, "evaluate-model/by_language")[-1].read_text(encoding="utf-8")
    assert "| irony |" in _artifacts(work, "export-model/check")[-1].read_text(encoding="utf-8")
    shown = json.loads(_artifacts(work, "evaluate-model/executor_output.json")[-1].read_bytes())["artifacts"]
    assert "confusionMatrix" in shown["sentiment"]["artifacts"][0]["metadata"]
    assert "confidenceMetrics" in shown["irony"]["artifacts"][0]["metadata"]
    assert 0 <= shown["scores"]["artifacts"][0]["metadata"]["mean_of_tasks"] <= 1
    return [version]


def test_past_days_are_analysed_again_by_another_model(tmp_path: Path) -> None:
    lake, work = tmp_path / "lake", tmp_path / "work"
    work.mkdir()
    environment = os.environ | {"TRENDLARK_MODEL": "fake", "TRENDLARK_LAKE": str(lake)}
    words = command("run-hour", "--places", "es")
    made = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    [hour] = open_lake(str(lake)).hours()
    before = open_lake(str(lake)).analysed_models(hour)
    done = _run(work, "reanalyze", lake=lake, first_day=hour.day, last_day=hour.day, model="default")
    assert done.returncode == 0, done.stderr[-3000:]
    after = open_lake(str(lake)).analysed_models(hour)
    assert done.stdout.splitlines()[-1] == f"{sum(before.values())} tweets of 1 days were analysed again"
    assert set(after) == {load_artifact("default").name} != set(before)
    assert sum(after.values()) == sum(before.values()) > 0
    rows = open_lake(str(lake)).trend_hours(hour=hour)
    assert {row.summary.model for row in rows if row.summary and row.sampled} == set(after)
