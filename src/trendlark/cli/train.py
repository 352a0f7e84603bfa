"""Commands that need the extra [train]: train, evaluate."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from trendlark.errors import MissingExtraError

_PANEL = "The model"
Data = Annotated[
    Path, typer.Option("--data", help="Folder of training data, as docs/training.md describes it.")
]


def register(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command("train", rich_help_panel=_PANEL)(train)
    app.command("evaluate", rich_help_panel=_PANEL)(evaluate)


def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and the finished artefact.")],
    recipe: Annotated[str, typer.Option(help="Name of a recipe in the package, or a TOML file.")] = "first",
    minutes: Annotated[float | None, typer.Option(help="Time that training may take.")] = None,
) -> None:
    """Train a model, calibrate it and export it as an artefact."""
    _need_extra()
    from trendlark.training.train import run

    run(data=data, out=out, recipe=recipe, minutes=minutes)


def evaluate(
    data: Data,
    model: Annotated[str, typer.Option(help="default, or the folder of an artefact.")] = "default",
) -> None:
    """Score a model on the validation data, set by set."""
    _need_extra()
    from trendlark.training.evaluate import run

    run(data=data, model=model)


def _need_extra() -> None:
    missing = [name for name in ("torch", "sklearn", "onnx") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Found no {', '.join(missing)}; training needs the extra [train]. "
            "Install it: pip install 'trendlark[train]' (or `make train-deps` in a clone)."
        )
    logging.getLogger("trendlark").setLevel(logging.INFO)
