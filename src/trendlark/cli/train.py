"""The command that trains; it needs the extra [train]."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from trendlark.errors import MissingExtraError

PANEL = "The model"
Data = Annotated[
    Path, typer.Option("--data", help="Folder of training data, as docs/training.md describes it.")
]


def register(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command("train", rich_help_panel=PANEL)(train)
    app.command("teach", rich_help_panel=PANEL)(teach)


def train(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for checkpoints; the artefact goes to OUT/artefact.")],
    recipe: Annotated[str, typer.Option(help="Name of a recipe in the package, or a TOML file.")] = "default",
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Time for training on all tasks; else the recipe's.")
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            help="What to begin from, instead of the base: a checkpoint (.pt), default, or a model's folder."
        ),
    ] = None,
    soft: Annotated[
        Path | None, typer.Option(help="A file of `trendlark teach`, mixed in as the recipe says.")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="Encoder to begin from, in place of the recipe's: e5, or a folder of BERT or MPNet as Hugging Face's "
            "libraries save it."
        ),
    ] = None,
) -> None:
    """Train a model, calibrate it and export it; the same command goes on where it was cut off."""
    need_extra()
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
        checkpoint = run(data, out, recipe, minutes, start, progress=_advance, soft=soft, base=base)
    finally:
        bars.close()
    typer.echo(f"The artefact is in {export.run(checkpoint, data, out / 'artefact')}.", err=True)


def teach(
    data: Data,
    model: Annotated[
        list[Path],
        typer.Option(
            help="The folder of a trained model or a checkpoint (.pt); repeat it for each that teaches."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The file to write, such as soft.jsonl.gz.")],
    texts: Annotated[
        int | None,
        typer.Option(min=1, help="How many to label, drawn from all; two cores do some 150 a second."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws others.")] = 0,
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="The folder of an English BERT or MPNet encoder: what it makes of a text teaches, too."
        ),
    ] = None,
) -> None:
    """Let models label tweets together, for the next model to learn from (`trendlark train --soft`)."""
    need_extra()
    from trendlark.cli.bars import Bars
    from trendlark.training.teachers import run

    bars = Bars()
    shown = 0

    def _advance(done: int, total: int) -> None:
        nonlocal shown
        if not shown:
            bars.start("teach", total)
        bars.advance(done - shown)
        shown = done

    # Before what takes an hour, not after.
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        run(data, out, model, seed, _advance, texts, encoder)
    finally:
        bars.close()
    typer.echo(f"{shown:,} tweets are labelled in {out}.", err=True)


def need_extra() -> None:
    """Raise MissingExtraError where what training needs is not installed."""
    missing = [name for name in ("torch", "sklearn", "onnx") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Found no {', '.join(missing)}; training needs the extra [train]. "
            "Install it: pip install 'trendlark[train]' (or `make train-deps` in a clone)."
        )
    logging.getLogger("trendlark").setLevel(logging.INFO)
