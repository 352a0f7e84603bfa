"""Real processes that train together: torchrun starts a function of a test module in each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

_ROOT = Path(__file__).parents[2]
_SCRIPT = (
    "import sys\nfrom pathlib import Path\nfrom {module} import {name}\n{name}(*map(Path, sys.argv[1:]))\n"
)


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
