"""The runbook: its commands run where they say so, and it tells of every alert that there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.support.manifests import of_kind
from tests.support.tiny_model import make_tiny_artifact

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"(?:<!-- (.*?) -->\n)?```console\n(.*?)```", re.S)


def blocks() -> list[tuple[str, list[str]]]:
    """What stands above each block of commands, and the commands."""
    return [
        (mark, [line.removeprefix("$ ") for line in text.splitlines()])
        for mark, text in _BLOCK.findall(RUNBOOK)
    ]


def test_every_block_was_run_or_says_why_not() -> None:
    assert len(blocks()) > 10
    for mark, commands in blocks():
        assert mark == "run" or re.match(r"not run( here| on a cluster)?[:;] .{15}", mark), commands


def test_what_is_scaled_is_named_and_nothing_starts_it_again() -> None:
    """kubectl refuses to scale without a name, and KEDA has what was scaled to nothing at its least number at once."""
    scaled = re.findall(r"kubectl [^`\n]*\bscale\b[^`\n]*", RUNBOOK)
    assert [re.findall(r"trendlark-\w+", one) for one in scaled] == [
        ["trendlark-collector", "trendlark-analyzer"]
    ]
    (paused,) = re.findall(r"annotate scaledobject (\S+) autoscaling\.keda\.sh/paused-replicas=0", RUNBOOK)
    assert paused in of_kind("keda", "ScaledObject")


def test_a_token_is_rotated_where_it_is_kept() -> None:
    """A patch of a Secret that External Secrets writes is undone; what it reads is in Secrets Manager."""
    page = RUNBOOK.split("\n## Rotate a token\n")[1].split("\n## ")[0]
    (followed,) = re.findall(r"annotate externalsecret (\S+) force-sync=", page)
    code = (ROOT / "deploy/terraform/modules/workloads/manifest.tf").read_text(encoding="utf-8")
    made = re.findall(r'kind += "ExternalSecret"\n +metadata += \{ name = "([\w-]+)"', code)
    assert made == [followed]
    assert "aws.md#5-the-tokens" in page


def test_every_alert_is_told_and_no_other() -> None:
    path = ROOT / "deploy/kubernetes/overlays/monitoring/alerts.yaml"
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]["groups"]
    alerts = [rule["alert"] for group in rules for rule in group["rules"]]
    assert re.findall(r"^\| (Trendlark\w+) \|", RUNBOOK, flags=re.M) == alerts


@pytest.mark.skipif(find_spec("kubernetes") is None, reason="needs trendlark[pipeline]")
def test_the_commands_that_were_run_run(tmp_path: Path) -> None:
    from trendlark.training.steps.shelf import open_shelf

    shelf = open_shelf(str(tmp_path / "models"))
    first, second = (
        shelf.publish(make_tiny_artifact(tmp_path / name, name=name), {}) for name in ("one", "two")
    )
    shelf.set_current(first)
    shelf.set_current(second)
    commands = [line for mark, lines in blocks() if mark == "run" for line in lines]
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TRENDLARK_MODEL": "fake",
        "TRENDLARK_LAKE": "lake",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(commands)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"in service: {first}" in done.stdout
    assert shelf.read()["current"] == first
    # The analyses that were deleted are there again, one for each tweet.
    counted = re.search(r"analyses\D+(\d+)", done.stdout[done.stdout.rindex("analyses") :])
    assert counted is not None
    assert int(counted[1]) > 0
