"""What a container is told to run, held against the command line and the table of settings, without running it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
import typer.main

from trendlark.cli import app
from trendlark.settings import PREFIX, Settings, load_settings


def accept_command(words: Sequence[str]) -> dict[str, object]:
    """The arguments that the command line reads from these words; raises a usage error where it would refuse."""
    group: Any = typer.main.get_command(app)  # a class of click's own or of typer's copy, by typer's version
    context = typer.Context(group)
    name, command, rest = group.resolve_command(context, list(words))
    return dict(command.make_context(name, rest, parent=context).params)


def accept_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that these variables make; raises SettingsError where one is unknown or bad."""
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    return load_settings({}, ours, Path("/nonexistent")).settings
