"""The model runs without leaving anything behind or reporting anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support.tiny_model import make_tiny_artifact

ROOT = Path(__file__).parents[2]
_CODE = "import sys, trendlark\nwith trendlark.load(sys.argv[1]) as nlu: print(nlu('hola').sentiment.label)"


def _left_behind(folder: Path, model: Path, **environment: str) -> list[str]:
    home, scratch = folder / "home", folder / "scratch"
    home.mkdir(parents=True)
    scratch.mkdir()
    around = {"HOME": str(home), "TMPDIR": str(scratch), "XDG_CACHE_HOME": str(home / ".cache")} | environment
    subprocess.run([sys.executable, "-c", _CODE, str(model)], cwd=folder, env=os.environ | around, check=True)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    model = make_tiny_artifact(tmp_path / "model")
    assert _left_behind(tmp_path / "run", model) == []


def test_only_one_place_imports_the_runtime() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if "\nimport onnxruntime" in path.read_text(encoding="utf-8")
        or "\nfrom onnxruntime" in path.read_text(encoding="utf-8")
    ]
    assert users == ["src/trendlark/nlu/runtime.py"]
