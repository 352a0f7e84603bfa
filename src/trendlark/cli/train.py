"""Commands that need the extra [train]: train, evaluate."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

import typer

from trendlark.cli.options import JsonFlag
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
    out: Annotated[Path, typer.Option(help="Folder for checkpoints; the artefact goes to OUT/artefact.")],
    recipe: Annotated[str, typer.Option(help="Name of a recipe in the package, or a TOML file.")] = "default",
    minutes: Annotated[
        float | None, typer.Option(help="Time for training on all tasks; else the recipe's.")
    ] = None,
) -> None:
    """Train a model, calibrate it and export it; the same command goes on where it was cut off."""
    _need_extra()
    from trendlark.cli.bars import Bars
    from trendlark.training import export
    from trendlark.training.train import run

    bars = Bars()
    shown = 0

    def _advance(share: float) -> None:
        nonlocal shown
        if not shown:
            bars.start(f"train {recipe}", 1000)
        bars.advance(int(share * 1000) - shown)
        shown = int(share * 1000)

    try:
        checkpoint = run(data, out, recipe, minutes, progress=_advance)
    finally:
        bars.close()
    typer.echo(f"The artefact is in {export.run(checkpoint, data, out / 'artefact')}.", err=True)


def evaluate(
    data: Data,
    model: Annotated[
        str, typer.Option(help="default, the folder of an artefact, or a checkpoint.")
    ] = "default",
    baseline: Annotated[
        bool, typer.Option("--baseline", help="Train a TF-IDF SVM on each set beside it.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="First rows of each set only, for a quick look.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Score a model on the validation data, set by set, by the metric of each benchmark."""
    _need_extra()
    from trendlark.cli.tables import print_rows
    from trendlark.training import baseline as svm
    from trendlark.training.evaluate import run
    from trendlark.training.scoring import main_metric
    from trendlark.training.sets import SETS

    scores = run(model, data, limit)
    others = svm.run(data) if baseline else {}
    rows = [
        {
            "set": name,
            "metric": SETS[name].metric,
            "model": main_metric(SETS[name], found),
            "svm": others.get(name),
        }
        for name, found in scores.items()
    ]
    print_rows(
        rows if baseline else [{k: row[k] for k in ("set", "metric", "model")} for row in rows],
        _shape(as_json),
    )


def _shape(as_json: bool) -> Literal["json", "table"]:
    return "json" if as_json else "table"


def _need_extra() -> None:
    missing = [name for name in ("torch", "sklearn", "onnx") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Found no {', '.join(missing)}; training needs the extra [train]. "
            "Install it: pip install 'trendlark[train]' (or `make train-deps` in a clone)."
        )
    logging.getLogger("trendlark").setLevel(logging.INFO)
