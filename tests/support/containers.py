"""Containers for the longer tests: podman, and the image of the services on a base made of Debian's packages.

Started as compose and Kubernetes start them: root read-only, no capability, the user of the image, 1 GiB, one CPU.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from trendlark import __version__

ROOT = Path(__file__).parents[2]
BASE = os.environ.get("BASE_IMAGE", "localhost/python:3.11")
IMAGE = f"localhost/trendlark/service:{__version__}"
LIMITS = ("--memory", "1g", "--cpus", "1")
LOCKED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
LONGEST_SECONDS = 240.0
# Where raising limits is not allowed, or cgroups of both versions are mounted, podman's own choices do not start.
_CONFIGURATIONS = (
    "",
    '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n',
    '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]\n[engine]\nruntime = "runc"\n',
)


class MissingError(Exception):
    """What the tests of containers need is not on this machine; the text says what."""


def until(true: Callable[[], object], what: str) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited in vain for: {what}")
        time.sleep(0.05)


@dataclass(frozen=True)
class Engine:
    """podman with a configuration by which containers start here."""

    environment: Mapping[str, str]

    def attempt(self, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run podman with these words."""
        return subprocess.run(
            ["podman", *words],
            env=dict(self.environment),
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )

    def ask(self, *words: str, given: str | None = None) -> str:
        """What podman prints; fails with its words where it fails."""
        done = self.attempt(*words, given=given)
        assert done.returncode == 0, f"podman {' '.join(words)}: {done.stderr[-2000:]}"
        return done.stdout.strip()

    def inspect(self, name: str) -> dict[str, Any]:
        """All that podman knows of a container, an image or a volume."""
        (found,) = json.loads(self.ask("inspect", name))
        known: dict[str, Any] = found
        return known


@dataclass
class Container:
    """A container that was started."""

    engine: Engine
    name: str
    _dropped: bool = field(default=False)

    def pid(self) -> int:
        """The process, as this machine numbers it; 0 when it does not run."""
        return int(self.engine.inspect(self.name)["State"]["Pid"])

    def kill(self) -> None:
        """End it as a power cut would."""
        self.engine.ask("kill", "--signal", "KILL", self.name)
        self.engine.ask("wait", self.name)

    def start(self) -> None:
        """Start it again."""
        self.engine.ask("start", self.name)

    def stop(self, seconds: int = 60) -> int:
        """Ask it to end, as Kubernetes does, and return its exit code; 137 where it had to be killed."""
        self.engine.ask("stop", "--time", str(seconds), self.name)
        return self.exit_code()

    def exit_code(self) -> int:
        """What it ended with."""
        return int(self.engine.inspect(self.name)["State"]["ExitCode"])

    def logs(self) -> str:
        """Both streams."""
        done = self.engine.attempt("logs", self.name)
        return done.stdout + done.stderr

    def memory_mib(self) -> tuple[float, float]:
        """Resident memory of the process in MiB: now, and at most until now."""
        lines = Path(f"/proc/{self.pid()}/status").read_text(encoding="ascii").splitlines()
        found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
        return int(found["VmRSS"]) / 1024, int(found["VmHWM"]) / 1024

    def healthy(self) -> bool:
        """What the health check of the image says."""
        return self.engine.attempt("healthcheck", "run", self.name).returncode == 0

    def drop(self) -> None:
        """Take it away."""
        self.engine.attempt("rm", "--force", "--time", "0", self.name)


def find_engine(folder: Path) -> Engine:
    """podman as it works on this machine; raises MissingError with the reason."""
    for program in ("podman", "mmdebstrap"):
        if shutil.which(program) is None:
            raise MissingError(f"{program} is not installed")
    if os.geteuid() != 0:
        raise MissingError("making the base image and limiting memory need root")
    refused = ""
    for number, text in enumerate(_CONFIGURATIONS):
        environment = os.environ | {"BUILDAH_FORMAT": "docker"}
        if text:
            configuration = folder / f"containers-{number}.conf"
            configuration.write_text(text, encoding="utf-8")
            environment["CONTAINERS_CONF"] = str(configuration)
        engine = Engine(environment)
        _make_base(engine)
        tried = engine.attempt("run", "--rm", "--network", "none", *LIMITS, BASE, "python3", "--version")
        if tried.returncode == 0:
            return engine
        refused = tried.stderr.strip()[-500:]
    raise MissingError(f"podman starts no container here: {refused}")


def _make_base(engine: Engine) -> None:
    if engine.attempt("image", "exists", BASE).returncode:
        _run(engine, [str(ROOT / "tools" / "make_base_image.sh"), BASE])


def make_image(engine: Engine) -> None:
    """``make images`` for the services; what did not change is taken from the last time."""
    asked = ["TARGETS=service", "ENGINE=podman", f"BASE_IMAGE={BASE}", "BUILD_FLAGS=--layers --network=host"]
    _run(engine, ["make", "--silent", "--directory", str(ROOT), "images", *asked])


def _run(engine: Engine, words: Sequence[str]) -> None:
    done = subprocess.run(words, env=dict(engine.environment), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {(done.stdout + done.stderr)[-3000:]}"


@contextmanager
def volume(engine: Engine, name: str) -> Iterator[Path]:
    """A new volume; the folder in which it lies."""
    engine.attempt("volume", "rm", "--force", name)
    engine.ask("volume", "create", name)
    try:
        yield Path(engine.inspect(name)["Mountpoint"])
    finally:
        engine.attempt("volume", "rm", "--force", name)


@contextmanager
def container(
    engine: Engine,
    name: str,
    words: Sequence[str],
    *,
    lake: str,
    shell: Path,
    settings: Mapping[str, str],
    image: str = IMAGE,
) -> Iterator[Container]:
    """A service in a container on a volume, on this machine's network; ``shell`` lies over the image's own."""
    variables = [word for key, value in settings.items() for word in ("--env", f"{key}={value}")]
    mounts = ["--volume", f"{lake}:/data", "--volume", f"{shell}:/usr/bin/dash:ro"]
    made = Container(engine, name)
    made.drop()
    flags = ["--detach", "--network", "host", *LOCKED, *LIMITS, *variables, *mounts]
    engine.ask("run", "--name", name, *flags, image, *words)
    try:
        yield made
    finally:
        made.drop()


@contextmanager
def free_port() -> Iterator[int]:
    """A port of this machine's loopback that nobody listens on, and that nobody else is given inside the block."""
    with socket.socket() as holder:
        # Bound, it is given to no one who asks for any port; and with this option, as long as it does not listen, who
        # asks for this very port may have it, too.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port


def answer(address: str, token: str | None = None) -> dict[str, Any] | None:
    """The JSON of an address; None while nothing well answers there, or not to the end."""
    request = urllib.request.Request(address)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as got:
            found: dict[str, Any] = json.load(got)
            return found
    except (urllib.error.URLError, ConnectionError, TimeoutError, HTTPException):
        return None
