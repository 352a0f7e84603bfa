"""A Dockerfile as its stages and instructions, enough to hold it against our rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stage:
    """One build stage: its name, what it starts from, and its instructions as (word, rest)."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def rests(self, word: str) -> list[str]:
        """What follows an instruction, each time that it occurs."""
        return [rest for found, rest in self.instructions if found == word]


def instructions_of(path: Path) -> Iterator[tuple[str, str]]:
    """(WORD, rest) of every instruction, continued lines joined, comments left out."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for line in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


def stages_of(path: Path) -> dict[str, Stage]:
    """The stages by name, in order; instructions before the first FROM are left out."""
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for word, rest in instructions_of(path):
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            stage = stages[name] = Stage(name, base)
        elif stage is not None:
            stage.instructions.append((word, rest))
    return stages


def chain(stages: dict[str, Stage], name: str) -> list[tuple[str, str]]:
    """All instructions that make an image, those of the stages below it first."""
    stage = stages[name]
    below = chain(stages, stage.base) if stage.base in stages else []
    return below + stage.instructions


def last(stages: dict[str, Stage], name: str, word: str) -> str:
    """What the last such instruction of an image says."""
    return [rest for found, rest in chain(stages, name) if found == word][-1]


def exec_form(rest: str) -> list[str]:
    """The words of an instruction in exec form; fails for the shell form."""
    words = json.loads(rest[rest.index("[") :])
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise TypeError(f"{rest!r} is not in exec form")
    return words


def environment_of(stages: dict[str, Stage], name: str) -> dict[str, str]:
    """The variables that an image sets."""
    pairs = [pair for word, rest in chain(stages, name) if word == "ENV" for pair in rest.split()]
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
