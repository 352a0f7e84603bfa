"""The Dockerfile: what it installs is locked, what it runs is ours, and nobody is root."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.asked import accept_command, accept_environment
from tests.support.containers import free_port
from tests.support.dockerfile import chain, environment_of, exec_form, instructions_of, last, stages_of

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"
DOCKERFILE = DOCKER / "Dockerfile"
STAGES = stages_of(DOCKERFILE)
IMAGES = ("service", "train")
LOCKS = sorted(path.name for path in DOCKER.glob("requirements-*.txt"))


def pins_of(name: str) -> dict[str, str]:
    """The pinned version of every package of a lock file; each must carry a hash."""
    text = re.sub(r"\\\n\s*", " ", (DOCKER / name).read_text(encoding="utf-8"))
    pins: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        requirement, *hashes = line.split(" --hash=sha256:")
        assert hashes, f"{line[:60]} has no hash"
        assert all(re.fullmatch(r"[0-9a-f]{64}\s*", found) for found in hashes), line[:60]
        parsed = Requirement(requirement)
        (specifier,) = parsed.specifier
        assert specifier.operator == "==", line[:60]
        pins[canonicalize_name(parsed.name)] = specifier.version
    return pins


def wanted(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def test_the_base_is_an_argument_with_a_default() -> None:
    first = next(instructions_of(DOCKERFILE))
    assert first == ("ARG", "BASE_IMAGE=python:3.11-slim-bookworm")
    bases = {stage.base for stage in STAGES.values()}
    assert bases - set(STAGES) == {"${BASE_IMAGE}"}


def test_both_targets_are_there_and_the_service_comes_before_anything_of_training() -> None:
    assert set(IMAGES) <= set(STAGES)
    order = list(STAGES)
    assert all(order.index(name) > order.index("service") for name in order if "train" in name)


@pytest.mark.parametrize("image", IMAGES)
def test_nobody_is_root_and_no_shell_stands_between(image: str) -> None:
    assert last(STAGES, image, "USER") == "10001:10001"
    after = chain(STAGES, image)
    begin = max(number for number, (word, _) in enumerate(after) if word == "USER")
    assert "RUN" not in {word for word, _ in after[begin:]}
    assert exec_form(last(STAGES, image, "ENTRYPOINT")) == ["trendlark"]
    accept_command_or_help(exec_form(last(STAGES, image, "CMD")))
    assert last(STAGES, image, "STOPSIGNAL") == "SIGTERM"


def accept_command_or_help(words: list[str]) -> None:
    """Fail where the command line would refuse the words; --help ends it before they are read."""
    with suppress(typer.Exit):
        accept_command(words)


@pytest.mark.parametrize("image", IMAGES)
def test_variables_are_settings_and_the_lake_lies_on_the_volume(image: str) -> None:
    environment = environment_of(STAGES, image)
    assert accept_environment(environment).lake == "/data/lake"
    assert environment["HOME"] == "/tmp"
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"
    assert environment["PATH"].split(":")[0] == "/opt/venv/bin"


@pytest.mark.parametrize("image", IMAGES)
def test_labels_say_what_it_is(image: str) -> None:
    labels = last(STAGES, image, "LABEL")
    for name in ("title", "description", "source", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels


def test_every_package_is_locked_with_a_hash() -> None:
    installs = [rest for word, rest in instructions_of(DOCKERFILE) if word == "RUN" and "pip" in rest]
    installs = [rest for rest in installs if " install " in rest or " wheel " in rest]
    assert len(installs) == 5
    for line in installs:
        assert "--require-hashes" in line or "--no-deps" in line, line
        for lock in re.findall(r"/locks/(\S+)", line):
            assert lock in LOCKS


def test_the_locks_hold_what_the_project_asks_for() -> None:
    for name, asked in (
        ("requirements-service.txt", wanted()),
        ("requirements-train.txt", wanted("train", "pipeline", "notebook")),
        ("requirements-build.txt", [Requirement("hatchling>=1.25"), Requirement("setuptools>=75")]),
    ):
        pins = pins_of(name)
        for requirement in asked:
            version = pins.get(canonicalize_name(requirement.name))
            assert version is not None, f"{requirement} is not in {name}: run `make lock`"
            assert requirement.specifier.contains(version), f"{name} has {requirement.name} {version}"


def test_training_has_the_packages_of_serving_in_the_same_versions() -> None:
    service, train = pins_of("requirements-service.txt"), pins_of("requirements-train.txt")
    assert {name: train.get(name) for name in service} == service
    assert "torch" in train
    assert "torch" not in service


def test_the_makefile_writes_every_lock_that_there_is() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert set(re.findall(r"requirements-\w+\.txt", makefile)) == set(LOCKS)
    assert "--generate-hashes" in makefile


def _sent(path: str) -> bool:
    """Whether the builder gets a file: the last line of .dockerignore that fits decides."""
    sent = True
    parts = [path, *(str(parent) for parent in Path(path).parents if str(parent) != ".")]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!").removeprefix("**/")
            if any(fnmatch.fnmatch(part, pattern) for part in (*parts, Path(path).name)):
                sent = line.startswith("!")
    return sent


def test_the_builder_gets_what_is_copied_and_little_else() -> None:
    copied = []
    for word, rest in instructions_of(DOCKERFILE):
        if word == "COPY" and not rest.startswith("--from"):
            copied += rest.split()[:-1]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert _sent(name), name
    assert _sent("src/trendlark/cli/hour.py")
    for name in (
        "tests/conftest.py",
        ".git/config",
        "lake/tweets/x",
        "src/trendlark/__pycache__/x.pyc",
        ".env",
    ):
        assert not _sent(name), name


def healthcheck() -> list[str]:
    """The words of the health check, Python by its path here."""
    words = exec_form(last(STAGES, "service", "HEALTHCHECK"))
    assert words[:2] == ["python", "-c"]
    return [sys.executable, *words[1:]]


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server on a free port that answers with one status."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/live" else 404)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _checked(beat: Path, port: int) -> int:
    words = healthcheck()
    words[-1] = words[-1].replace("'/tmp/heartbeat'", json.dumps(str(beat)))
    environment = os.environ | {"TRENDLARK_PORT": str(port)}
    return subprocess.run(words, capture_output=True, check=False, timeout=60, env=environment).returncode


def test_the_health_check_asks_the_heartbeat_or_the_server(tmp_path: Path) -> None:
    beat = tmp_path / "heartbeat"
    with answering(200) as port:
        assert _checked(beat, port) == 0
        beat.touch()
        assert _checked(beat, 1) == 0
        os.utime(beat, (1, 1))
        assert _checked(beat, port) == 1
        beat.unlink()
    # Not the port of before: another server may have been given it meanwhile.
    with free_port() as port:
        assert _checked(beat, port) == 1
    with answering(503) as port:
        assert _checked(beat, port) == 1
