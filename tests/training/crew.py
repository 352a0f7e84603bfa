"""Real processes that train together: torchrun starts a function of a test module in each."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.cut import cut_off_after
from trendlark.training import train
from trendlark.training.team import Team

_ROOT = Path(__file__).parents[2]
_SCRIPT = (
    "import sys\nfrom pathlib import Path\nfrom {module} import {name}\n{name}(*map(Path, sys.argv[1:]))\n"
)
_RECIPE = """
name = "tiny"
steps = 8
tokens_per_batch = 96
average_every = {every}
encoder_rate = 1e-3
checkpoint_minutes = 0
validate_minutes = 60
validate_rows = 2
"""


def launch(folder: Path, module: str, name: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Call a module's function with the paths in two processes; return how both ended."""
    script = folder / f"{name}.py"
    script.write_text(_SCRIPT.format(module=module, name=name), encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    command += ["--standalone", str(script), *map(str, paths)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(_ROOT)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=240, cwd=_ROOT
    )


def write_recipe(folder: Path, every: int) -> Path:
    """Write the recipe of eight steps whose processes meet after so many of them."""
    path = folder / f"every-{every}.toml"
    path.write_text(_RECIPE.format(every=every), encoding="utf-8")
    return path


def run_to_its_end(data: Path, out: Path, recipe: Path, start: Path) -> None:
    """Train in this process of a team, and write the sum of its weights at each meeting."""
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
    average, seen = Team.average, []

    def watched(self: Team, network: torch.nn.Module) -> None:
        average(self, network)  # type: ignore[arg-type]
        seen.append(float(sum(one.double().sum() for one in network.parameters())))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Team, "average", watched)
        train.run(data, out, str(recipe), start=start)
    (out / f"seen-{os.environ['RANK']}.txt").write_text("\n".join(map(repr, seen)), encoding="utf-8")


def run_until_cut_off(data: Path, out: Path, recipe: Path, start: Path) -> None:
    """Train in this process of a team until the fifth step, which no process outlives."""
    train.run(data, out, str(recipe), start=start, progress=cut_off_after(0.6))


def train_both(folder: Path, name: str, data: Path, out: Path, recipe: Path, start: Path) -> str:
    """Train in two processes by the function of this module that is named; return what they logged."""
    out.mkdir(exist_ok=True)
    done = launch(folder, __name__, name, data, out, recipe, start)
    assert (done.returncode == 0) == (name == "run_to_its_end"), done.stderr[-2000:]
    return done.stderr


def sums_seen(out: Path) -> list[list[str]]:
    """Return by process the sums of weights that ``run_to_its_end`` wrote."""
    return [(out / f"seen-{rank}.txt").read_text(encoding="utf-8").split() for rank in (0, 1)]


def differences(one: Any, other: Any, name: str = "") -> list[str]:
    """Return where two values, made of dicts, lists and tensors, are not the same to the last bit."""
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [name]
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in differences(one[key], other[key], f"{name}.{key}")]
    if isinstance(one, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for at, (a, b) in pairs for found in differences(a, b, f"{name}.{at}")]
    return [] if one == other else [name]
