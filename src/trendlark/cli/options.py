"""Flags made from the table of settings, and what commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from trendlark.cli.logs import set_up_logs
from trendlark.errors import InputError
from trendlark.settings import InForce, Settings, load_settings

if TYPE_CHECKING:
    from trendlark.jobs.engines import Engine
    from trendlark.jobs.hourly import Jobs
    from trendlark.lake import Lake


def flag(name: str) -> Any:
    """The option of a setting: its name and its one line of help come from the table."""
    return typer.Option(
        "--" + name.replace("_", "-"), help=Settings.model_fields[name].description, show_default=False
    )


LakeFlag = Annotated[str | None, flag("lake")]
SourceFlag = Annotated[str | None, flag("source")]
PlacesFlag = Annotated[str | None, flag("places")]
ReplayFlag = Annotated[str | None, flag("replay_folder")]
ModelFlag = Annotated[str | None, flag("model")]
ThreadsFlag = Annotated[int | None, flag("threads")]
HostFlag = Annotated[str | None, flag("host")]
PortFlag = Annotated[int | None, flag("port")]
BudgetFlag = Annotated[float | None, flag("budget_usd_per_day")]
TrendsFlag = Annotated[int | None, flag("trends_per_place")]
TweetsFlag = Annotated[int | None, flag("tweets_per_trend")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
JsonLinesFlag = Annotated[bool, typer.Option("--json", help="Print JSON, an object a line, for programs.")]
HourFlag = Annotated[
    str | None,
    typer.Option("--hour", help="UTC hour such as 2026-11-23T07; the newest complete one if left out."),
]

Format = Literal["table", "jsonl", "csv", "parquet"]
_FORMATS: tuple[Format, ...] = ("table", "jsonl", "csv", "parquet")


def in_force(**flags: Any) -> InForce:
    """The settings with these flags laid over file and environment; from here on the log follows them."""
    found = load_settings(flags)
    set_up_logs(found.settings)
    return found


def open_lake_of(settings: Settings) -> Lake:
    """The lake that the settings name."""
    from trendlark.lake import open_lake

    return open_lake(settings.lake)


def load_analyzer(settings: Settings) -> Engine:
    """The model that the settings name."""
    from trendlark.nlu.analyzer import load

    return load(settings.model, threads=settings.threads, batch_size=settings.batch_size)


def make_jobs(settings: Settings, *, quiet: bool) -> Jobs:
    """All that the jobs work with, bars included unless quiet."""
    from trendlark.cli.bars import Bars
    from trendlark.jobs.hourly import Jobs
    from trendlark.jobs.progress import SILENT
    from trendlark.sources import make_source

    lake, source, analyzer = open_lake_of(settings), make_source(settings), load_analyzer(settings)
    return Jobs(lake, source, analyzer, settings, SILENT if quiet else Bars())


def one_of(value: str, allowed: tuple[str, ...], what: str) -> str:
    """The value, or InputError that names the allowed ones."""
    if value not in allowed:
        raise InputError(f"Found {what} {value!r}; allowed are {', '.join(allowed)}. Choose one of them.")
    return value


def shape_of(shape: str | None, out: Path | None) -> Format | None:
    """The format that --format names, or else the ending of --out; raises InputError where they do not fit."""
    if shape is None and out is None:
        return None
    if shape is None and out is not None:
        from trendlark.sources.rows import ENDINGS

        shape = ENDINGS.get(out.suffix.lower())
        if shape is None:
            raise InputError(
                f"Found --out {out}, whose ending does not tell a format; use .jsonl, .csv or .parquet, "
                "or add --format."
            )
    wanted: Format = one_of(shape or "", _FORMATS, "--format")  # type: ignore[assignment]
    if wanted == "parquet" and out is None:
        raise InputError(
            "Found --format parquet without --out; Parquet is binary and needs a file. Add --out FILE."
        )
    if wanted == "table" and out is not None:
        raise InputError(
            "Found --format table with --out; a table is for reading on the screen, files are jsonl, csv or "
            "parquet. Leave one of the two out."
        )
    return wanted
