"""Commands that judge a model and tell of the data: evaluate, card, data-report; they need the extra [train]."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from trendlark.cli.options import JsonFlag
from trendlark.cli.train import PANEL, need_extra
from trendlark.errors import InputError

JudgedModel = Annotated[str, typer.Option(help="default, a folder, an s3:// address, or a checkpoint (.pt).")]
ThreadsOption = Annotated[int, typer.Option(min=0, help="Threads for the model; 0 takes one for each core.")]


def register(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command("evaluate", rich_help_panel=PANEL)(evaluate)
    app.command("card", rich_help_panel=PANEL)(card)
    app.command("data-report", rich_help_panel=PANEL)(data_report)


def evaluate(
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of sets, or of one set, as docs/training.md describes it.", show_default=False
        ),
    ] = None,
    model: JudgedModel = "default",
    against: Annotated[
        list[str] | None,
        typer.Option(help="Another model to compare with, on the same draws; may be repeated."),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(help="majority, svm (TF-IDF, trained on each set) or vader; may be repeated; or all."),
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="A set or a task; may be repeated.")] = None,
    split: Annotated[str, typer.Option(help="The files to judge on: val, test, train.")] = "val",
    limit: Annotated[
        int | None, typer.Option(min=1, help="First rows of each set only, for a quick look.")
    ] = None,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Also with typos, other case, no accents, no emoji, slang.")
    ] = False,
    behaviour: Annotated[
        bool, typer.Option("--behaviour", help="Also the behavioural test suite, which needs no data.")
    ] = False,
    draws: Annotated[int, typer.Option(min=1, help="Resamplings for the intervals.")] = 1000,
    threads: ThreadsOption = 0,
    html: Annotated[
        Path | None, typer.Option(help="Also write the report with its plots to this file.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Judge a model through the public API: scores with intervals by set, task, language and slice, against others."""
    need_extra()
    from trendlark.cli.bars import Bars
    from trendlark.cli.tables import print_rows, screen, to_json
    from trendlark.training.evaluate import Options, judge
    from trendlark.training.evaluation.page import render_page
    from trendlark.training.evaluation.report import tables
    from trendlark.training.evaluation.rivals import RIVALS

    baselines = tuple(RIVALS) if "all" in (baseline or ()) else tuple(baseline or ())
    kept = tuple(only or ())
    options = Options(split, kept, limit, baselines, robustness, behaviour, draws=draws, threads=threads)
    with closing(Bars()) as bars:
        found = judge(model, data, options, against or (), bars)
    # Printed first: what took hours is not lost where the file cannot be written.
    if as_json:
        print(to_json(found), file=screen())
    for title, rows in () if as_json else tables(found):
        print(f"\n{title}", file=screen())
        print_rows(rows, "table")
    if html is not None:
        with _written(html):
            html.write_text(render_page(found), encoding="utf-8")
        typer.echo(f"The report is in {html}.", err=True)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"Found that {path} cannot be written ({error.strerror or error}); name one that can."
        ) from error


def card(
    results: Annotated[
        Path, typer.Argument(help="What `trendlark evaluate DATA --model FOLDER --json` printed.")
    ],
    model: Annotated[Path, typer.Option(help="The folder of the artefact whose card is written anew.")],
) -> None:
    """Write what an evaluation found into an artefact: its manifest, its model card and its reliability diagrams."""
    need_extra()
    from trendlark.training.card import add_evaluation

    try:
        found = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"Could not read the results in {results}: {error}. They are the JSON of `trendlark evaluate --json`. "
            "Make them again."
        ) from error
    typer.echo(f"The card is {add_evaluation(model, found)}.", err=True)


def data_report(
    data: Annotated[Path, typer.Argument(help="Folder of sets, as docs/training.md describes it.")],
    out: Annotated[Path | None, typer.Option(help="Also write data.json and data.md to this folder.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell what is in a folder of training data: sizes, labels, repetitions, leaks, languages, lengths."""
    need_extra()
    from trendlark.cli.tables import screen, to_json
    from trendlark.training.data_report import make_report, render_text, save_report

    found = make_report(data)
    print(to_json(found) if as_json else render_text(found), file=screen())
    if out is not None:
        with _written(out):
            save_report(found, out)
