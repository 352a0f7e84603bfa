"""What stands beside the package: the Makefile, the scripts of the checks, the benchmark on real posts."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for path in (ROOT / ".ci").iterdir() if path.is_file())
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")


def _make(
    folder: Path, *words: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run make with the project's Makefile in a folder that has nothing else of it."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=folder,
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _python_that_says(path: Path, version: Sequence[int]) -> Path:
    """An interpreter that is this one but for the version that it tells; making an environment is only noted."""
    return _script(
        path,
        "#!/bin/sh\n"
        f'if [ "$1" = -m ]; then echo "$@" >>"{path}.asked"; exit 1; fi\n'
        f'shift; exec "{sys.executable}" -c "import sys; sys.version_info = {tuple(version)}\n$1"\n',
    )


@needs_make
def test_make_alone_prints_every_target_with_its_line(tmp_path: Path) -> None:
    done = _make(tmp_path)
    assert done.returncode == 0, done.stderr
    told = dict(line.split(None, 1) for line in done.stdout.splitlines())
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.M)
    assert phony is not None
    assert set(told) == set(phony.group(1).split()) >= {"up", "test", "check", "clean"}
    assert _make(tmp_path, "help").stdout == done.stdout


@needs_make
@pytest.mark.parametrize("version", [(3, 8), (3, 9, 2), (3, 10, 14)])
@pytest.mark.parametrize("target", ["up", "test"])
def test_a_python_that_is_too_old_is_told_which_one_is_needed(
    tmp_path: Path, version: tuple[int, ...], target: str
) -> None:
    old = _python_that_says(tmp_path / "bin" / "python3", version)
    path = f"{old.parent}:{os.environ['PATH']}"
    done = _make(tmp_path, target, environment={"PATH": path})
    assert done.returncode != 0
    found = f"Found Python {version[0]}.{version[1]}; Trendlark needs 3.11 or newer."
    assert f"{found} Name one: make PYTHON=python3.12 up" in done.stderr
    assert not (tmp_path / ".venv").exists()
    assert not (tmp_path / "bin" / "python3.asked").exists()


@needs_make
@pytest.mark.parametrize("version", [(3, 11, 0), (3, 14, 2)])
def test_a_python_that_is_new_enough_is_asked_for_an_environment(
    tmp_path: Path, version: tuple[int, ...]
) -> None:
    python = _python_that_says(tmp_path / "bin" / "mine", version)
    done = _make(tmp_path, f"PYTHON={python}", "up")
    assert done.returncode != 0
    assert "Found Python" not in done.stderr
    # The one that is asked here cannot make any, so nothing is installed into it.
    assert Path(f"{python}.asked").read_text().splitlines()[0] == "-m venv .venv"
    assert "Installing" not in done.stdout


@needs_make
def test_what_is_installed_is_not_installed_again_until_its_settings_change(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    for name in ("python", "pip", "trendlark"):
        _script(tmp_path / ".venv" / "bin" / name, f'#!/bin/sh\necho {name} "$@" >>"{asked}"\n')
    python = f"PYTHON={sys.executable}"
    first = _make(tmp_path, python, "up")
    assert first.returncode == 0, first.stderr
    assert re.fullmatch(r"pip install .* -e \.\ntrendlark up\n", asked.read_text())
    asked.unlink()
    os.utime(tmp_path / ".venv" / ".trendlark-run", (2e9, 2e9))
    assert _make(tmp_path, python, "up").returncode == 0
    assert asked.read_text() == "trendlark up\n"
    asked.unlink()
    os.utime(tmp_path / ".venv" / ".trendlark-run", (1e9, 1e9))
    assert _make(tmp_path, python, "up").returncode == 0
    assert asked.read_text().count("pip install") == 1


@needs_make
def test_clean_takes_the_caches_and_leaves_the_lake(tmp_path: Path) -> None:
    for name in (".venv", ".mypy_cache", ".hypothesis", "lake", "replay"):
        (tmp_path / name).mkdir()
    assert _make(tmp_path, "clean").returncode == 0
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {"lake", "replay"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_bash_that_can_be_read_and_stop_at_the_first_fault(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -euo pipefail\n" in text
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_there_is_a_script_for_the_checks() -> None:
    assert {path.name for path in SCRIPTS} >= {"run", "fresh-up"}
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.M))
    for path in SCRIPTS:
        assert set(re.findall(r"^make ([a-z-]+)", path.read_text(), flags=re.M)) <= known


def _benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def real_hour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.chdir(tmp_path)
    module = _benchmark("real_hour")
    # The limit is for a process of its own; this one holds the whole test run.
    monkeypatch.setattr(module, "MEMORY_LIMIT_MIB", 1_000_000)
    arguments = ["real_hour.py", "--data", str(tmp_path / "data"), "--model", "fake"]
    monkeypatch.setattr(sys, "argv", arguments)
    return module


def _posts(folder: Path, rows: Sequence[Mapping[str, str]]) -> None:
    folder.mkdir()
    with gzip.open(folder / "train.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


POSTS = [{"text": f"¡Qué partido! {number // 2} ⚽", "label": f"event {number % 3}"} for number in range(40)]


def test_the_benchmark_counts_every_post(
    real_hour: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _posts(tmp_path / "data", POSTS)
    assert real_hour.main() == 0
    said = capsys.readouterr().out
    assert "40 posts (20 different texts) of 3 trends" in said
    assert re.search(r"rows in analyses +40 of 40", said)
    assert "second run: nothing to do, nothing to do, nothing to do" in said
    assert "WRONG" not in said


@pytest.mark.parametrize(
    ("lost", "wrong"),
    [
        ("tweets", {"rows in tweets", "distinct tweets", "rows in analyses", "distinct analyses"}),
        ("analyses", {"rows in analyses", "distinct analyses"}),
    ],
)
def test_the_benchmark_fails_where_rows_are_missing(
    real_hour: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
    wrong: set[str],
) -> None:
    _posts(tmp_path / "data", POSTS)
    if lost == "tweets":
        parse = real_hour.ReplaySource._tweet

        def refuse_some(self: object, record: Mapping[str, object], *rest: object) -> object:
            return parse(self, {**record, "text": None} if record["id"] == "000007" else record, *rest)

        monkeypatch.setattr(real_hour.ReplaySource, "_tweet", refuse_some)
    else:
        insert = real_hour.Lake.insert_analyses

        def drop_one(self: object, hour: object, rows: Sequence[object], run_id: str) -> object:
            return insert(self, hour, rows[1:], run_id)

        monkeypatch.setattr(real_hour.Lake, "insert_analyses", drop_one)
    assert real_hour.main() == 1
    told = set(re.findall(r"^WRONG: (.+)$", capsys.readouterr().out, flags=re.M))
    assert told >= wrong
    assert "distinct tweets" in told or lost == "analyses"


def test_the_benchmark_fails_where_memory_is_beyond_the_limit(
    real_hour: ModuleType,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _posts(tmp_path / "data", POSTS[:3])
    monkeypatch.setattr(real_hour, "MEMORY_LIMIT_MIB", 1)
    assert real_hour.main() == 1
    assert "WRONG: peak memory" in capsys.readouterr().out


def test_the_benchmark_as_a_command_says_what_it_needs() -> None:
    words = [sys.executable, str(ROOT / "benchmarks" / "real_hour.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--data" in done.stderr


def test_the_house_numbers_name_what_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("numbers_of_the_house", ROOT / "tests" / "house_numbers.py")
    assert spec is not None
    assert spec.loader is not None
    numbers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(numbers)
    monkeypatch.setattr(numbers, "ROOT", tmp_path)
    path = tmp_path / "src" / "wide.py"
    path.parent.mkdir()
    body = "    x = 1\n" * 61
    path.write_text(
        f"def long():\n{body}\n\ndef f():\n    try:\n        assert f\n    except Exception:\n        pass\n"
        + "\n" * 400
    )
    told = "\n".join(numbers.problems_of(path))
    for part in (
        "lines; 400 are allowed",
        "long() has 62 lines",
        "catches everything",
        "validates with assert",
    ):
        assert part in told
    path.write_text("try:\n    x = 1\nexcept BaseException:\n    x = 2\n    raise\n")
    assert numbers.problems_of(path) == []
