"""The compose files as data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
OURS = ("collector", "analyzer", "web")


def read(name: str) -> dict[str, Any]:
    """A compose file; variables take their default, required ones a stand-in."""
    text = (ROOT / name).read_text(encoding="utf-8")
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    text = re.sub(r"\$\{\w+:\?[^}]*\}", "given-password", text)
    assert "${" not in text
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def variables(service: str, *names: str) -> dict[str, str]:
    """The variables of a service where these files are given, each laid over the one before."""
    found: dict[str, str] = {}
    for name in names:
        given = read(name)["services"][service]["environment"]
        found |= {key: str(value or "") for key, value in given.items()}
    return found
