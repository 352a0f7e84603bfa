"""Commands that look at what there is: config, query, runs, lake."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trendlark.cli.options import JsonFlag, JsonLinesFlag, LakeFlag, in_force, open_lake_of, shape_of

_PANEL = "The lake and the settings"
_TABLE_ROWS = 1000


def register(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    app.command("query", rich_help_panel=_PANEL)(query)
    app.command("runs", rich_help_panel=_PANEL)(runs)
    app.command("config", rich_help_panel=_PANEL)(config)
    lake_app = typer.Typer(help="Look after the lake.", no_args_is_help=True)
    lake_app.command("info")(info)
    lake_app.command("compact")(compact)
    lake_app.command("vacuum")(vacuum)
    app.add_typer(lake_app, name="lake", rich_help_panel=_PANEL)


def query(
    sql: Annotated[
        str, typer.Argument(help="One SELECT over tweets, analyses, trends, refusals, runs, pages.")
    ],
    lake: LakeFlag = None,
    shape: Annotated[str | None, typer.Option("--format", help="table, jsonl, csv or parquet.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; its ending decides the format.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, help="Most rows to give; without it all, of which a table shows the first 1,000."
        ),
    ] = None,
) -> None:
    """Ask the lake in SQL."""
    from trendlark.cli.results import write_results

    wanted = shape_of(shape, out) or "table"
    cut = _TABLE_ROWS if wanted == "table" and limit is None else None
    rows = open_lake_of(in_force(lake=lake).settings).sql(sql, limit=limit if cut is None else cut + 1)
    given = write_results(rows, wanted, out, cut)
    if not given:
        typer.echo("No rows.", err=True)
    elif cut is not None and given > cut:
        typer.echo(
            f"Only the first {cut:,} rows are shown; --limit N shows more, --out FILE or --format jsonl gives all.",
            err=True,
        )


def runs(
    lake: LakeFlag = None,
    limit: Annotated[int, typer.Option(min=1, help="Most runs to show, newest first.")] = 20,
    as_json: JsonLinesFlag = False,
) -> None:
    """Show what the jobs did lately."""
    from dataclasses import asdict

    from trendlark.cli.bars import describe_run
    from trendlark.cli.tables import print_rows

    found = open_lake_of(in_force(lake=lake).settings).runs(limit=limit)
    if as_json:
        print_rows([{**asdict(run), "hour": str(run.hour)} for run in found], "jsonl")
        return
    if not found:
        typer.echo("No run yet; `trendlark up` or `trendlark run-hour` makes the first.", err=True)
    print_rows(
        [{"started": f"{run.started_at:%Y-%m-%d %H:%M:%S}", "run": describe_run(run)} for run in found],
        "table",
    )


def config(as_json: JsonFlag = False) -> None:
    """Show the settings in force and where each comes from; secrets are never shown."""
    from trendlark.cli.tables import print_rows

    rows = [{"setting": n, "value": v, "from": o} for n, v, o in in_force().rows()]
    print_rows(rows, "json" if as_json else "table")


def info(lake: LakeFlag = None, as_json: JsonFlag = False) -> None:
    """Show the tables, their rows, files and bytes."""
    from dataclasses import asdict

    from trendlark.cli.tables import print_rows

    print_rows(
        [asdict(row) for row in open_lake_of(in_force(lake=lake).settings).info()],
        "json" if as_json else "table",
    )


def compact(lake: LakeFlag = None) -> None:
    """Merge small files into large ones."""
    open_lake_of(in_force(lake=lake).settings).compact()
    typer.echo("Compacted.", err=True)


def vacuum(lake: LakeFlag = None) -> None:
    """Remove files that no version within the retention needs."""
    open_lake_of(in_force(lake=lake).settings).vacuum()
    typer.echo("Vacuumed.", err=True)
