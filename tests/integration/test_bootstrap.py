"""A Python without pip and ensurepip still gets a virtual environment with pip."""

from __future__ import annotations

import ensurepip
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "bootstrap_pip.py"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Path]:
    """A package index that has pip; the folder's ``url`` file tells its address."""
    wheel = next((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"), None)
    if wheel is None:
        pytest.skip("this Python brings no wheel of pip")
    folder = tmp_path / "simple" / "pip"
    folder.mkdir(parents=True)
    (folder / wheel.name).write_bytes(wheel.read_bytes())
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    older = {"filename": "pip-1.0-py3-none-any.whl", "url": "none.whl", "hashes": {"sha256": "0"}}
    newest = {"filename": wheel.name, "url": wheel.name, "hashes": {"sha256": digest}, "yanked": False}
    bad = {
        "filename": "pip-9999-py3-none-any.whl",
        "url": "none.whl",
        "hashes": {"sha256": "0"},
        "yanked": "broken",
    }
    (folder / "index.html").write_text(
        json.dumps({"files": [older, newest, bad, {"filename": "pip-2.tar.gz"}]})
    )
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    (tmp_path / "url").write_text(f"http://127.0.0.1:{server.server_address[1]}/simple")
    yield tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


def _bootstrap(folder: Path) -> subprocess.CompletedProcess[str]:
    python = folder / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    environment = os.environ | {"PIP_INDEX_URL": (folder / "url").read_text()}
    return subprocess.run(
        [str(python), str(SCRIPT)], env=environment, capture_output=True, text=True, check=False
    )


def test_pip_is_put_into_the_environment(index: Path) -> None:
    done = _bootstrap(index)
    assert done.returncode == 0, done.stderr
    version = subprocess.run(
        [str(index / "venv/bin/pip"), "--version"], capture_output=True, text=True, check=True
    )
    assert str(index / "venv") in version.stdout


def test_a_damaged_wheel_is_not_run(index: Path) -> None:
    wheel = next((index / "simple/pip").glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"x")
    done = _bootstrap(index)
    assert done.returncode == 1
    assert "checksum differs" in done.stderr
    assert not (index / "venv/bin/pip").exists()


def test_an_index_without_pip_is_told(index: Path) -> None:
    (index / "simple/pip/index.html").write_text('{"files": []}')
    done = _bootstrap(index)
    assert done.returncode == 1
    assert "PIP_INDEX_URL" in done.stderr
