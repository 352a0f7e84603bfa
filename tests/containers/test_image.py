"""The image of the services: how large it is, what it holds, and that it takes what the manifests tell it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.support.containers import IMAGE, ROOT, Engine

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]

MOST_MB = 700
FOLDER = ROOT / "tests" / "deploy" / "rendered"


def _run(engine: Engine, *words: str, **variables: str) -> tuple[int, str]:
    given = [word for key, value in variables.items() for word in ("--env", f"{key}={value}")]
    done = engine.attempt("run", "--rm", "--network", "none", "--read-only", *given, IMAGE, *words)
    return done.returncode, done.stdout + done.stderr


def _containers() -> list[dict[str, Any]]:
    """The containers of ours in all overlays, each kind of words and variables once."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            spec = manifest.get("spec") or {}
            pod = spec.get("predictor") or (spec.get("template") or {}).get("spec") or {}
            for container in pod.get("containers", ()):
                told = json.dumps([container["args"], [v["name"] for v in container.get("env", ())]])
                found.setdefault(told, container)
    return list(found.values())


CONTAINERS = _containers()


def test_it_is_small_and_has_nothing_of_training(engine: Engine) -> None:
    size = engine.inspect(IMAGE)["Size"]
    assert size <= MOST_MB * 1_000_000, f"{size / 1e6:.0f} MB"
    code = "import importlib.util as u; print([n for n in ('torch', 'pip', 'sklearn') if u.find_spec(n)])"
    done = engine.ask("run", "--rm", "--network", "none", "--entrypoint", "python", IMAGE, "-c", code)
    assert done == "[]"


def test_it_says_what_it_is_and_nobody_is_root(engine: Engine) -> None:
    config = engine.inspect(IMAGE)["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["trendlark"]
    assert config["StopSignal"] in {"SIGTERM", "15"}
    assert config["Labels"]["org.opencontainers.image.title"] == "Trendlark"
    version = config["Labels"]["org.opencontainers.image.version"]
    assert version in _run(engine, "--version")[1].split()


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda found: f"{found['name']}")
def test_it_takes_the_words_of_the_manifests(engine: Engine, container: dict[str, Any]) -> None:
    # Unknown words are refused before --help is heard.
    code, told = _run(engine, *container["args"], "--help")
    assert code == 0, told
    assert "Usage" in told
    variables = {v["name"]: str(v.get("value", "b2f0c4d6e8a1")) for v in container.get("env", ())}
    code, told = _run(engine, "config", "--json", **variables)
    assert code == 0, told


def test_it_refuses_other_words(engine: Engine) -> None:
    code, told = _run(engine, "collector", "--heart", "/tmp/x", "--help")
    assert code == 2
    assert "No such option" in told
    code, told = _run(engine, "config", TRENDLARK_LAEK="/data/lake")
    assert code != 0
    assert "did you mean lake" in told
