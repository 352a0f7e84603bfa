"""Flags made from the table of settings, and what commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from trendlark.errors import InputError
from trendlark.settings import InForce, Settings, load_settings

if TYPE_CHECKING:
    from trendlark.jobs.engines import Engine
    from trendlark.jobs.hourly import Jobs
    from trendlark.lake import Lake

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


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
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
HourFlag = Annotated[
    str | None,
    typer.Option("--hour", help="UTC hour such as 2026-11-23T07; the newest complete one if left out."),
]

Format = Literal["table", "jsonl", "csv", "parquet"]


def in_force(**flags: Any) -> InForce:
    """The settings with these flags laid over file and environment."""
    return load_settings(flags)


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
