"""Commands that run for ever beside others of their kind, for containers: collector, analyzer; and their probe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trendlark.cli.hour import _say, _stoppable
from trendlark.cli.options import (
    BudgetFlag,
    LakeFlag,
    ModelFlag,
    PlacesFlag,
    ReplayFlag,
    SourceFlag,
    ThreadsFlag,
    in_force,
    load_analyzer,
    make_jobs,
    open_lake_of,
)
from trendlark.errors import NotFoundError

_PANEL = "Services"

HeartbeatFlag = Annotated[
    Path | None, typer.Option("--heartbeat", help="File to touch while the service is well, for probes.")
]


def register(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    for name, command in (("collector", collector), ("analyzer", analyzer), ("alive", alive)):
        app.command(name, rich_help_panel=_PANEL)(command)


def collector(
    lake: LakeFlag = None,
    source: SourceFlag = None,
    places: PlacesFlag = None,
    replay_folder: ReplayFlag = None,
    budget_usd_per_day: BudgetFlag = None,
    heartbeat: HeartbeatFlag = None,
) -> None:
    """Collect each hour soon after it ends, until stopped; what fails is tried again."""
    from dataclasses import replace

    from trendlark.cli.bars import Bars
    from trendlark.jobs.services import Pulse, keep_collecting

    settings = in_force(
        lake=lake,
        source=source,
        places=places,
        replay_folder=replay_folder,
        budget_usd_per_day=budget_usd_per_day,
        model="fake",  # collecting needs none, and this one needs no memory
    ).settings
    with _stoppable() as stop:
        jobs = make_jobs(settings, quiet=True)
        pulse = Pulse(heartbeat, Bars())
        pulse.beat()
        _say(f"Collecting from {jobs.source.name} into {settings.lake}.")
        # The sample costs nothing and a dashboard without a past says little, so its hours are filled in.
        past = settings.sample_hours if jobs.source.name == "sample" else 1
        keep_collecting(replace(jobs, progress=pulse), stop, pulse, past)
        jobs.source.close()
    _say("Stopped. What was collected is kept; the next start goes on from there.")


def analyzer(
    lake: LakeFlag = None,
    model: ModelFlag = None,
    threads: ThreadsFlag = None,
    poll_seconds: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds between two looks for work.")
    ] = 15.0,
    look_back_hours: Annotated[int, typer.Option(min=1, help="Oldest hours to look at.")] = 48,
    heartbeat: HeartbeatFlag = None,
) -> None:
    """Analyse and summarise every hour that has work, until stopped; several share it."""
    from trendlark.cli.bars import Bars
    from trendlark.jobs.services import Pulse, keep_analyzing

    settings = in_force(lake=lake, model=model, threads=threads).settings
    with _stoppable() as stop:
        pulse = Pulse(heartbeat, Bars())
        pulse.beat()
        engine = load_analyzer(settings)
        _say(f"Analysing what comes into {settings.lake} with the model {engine.name}.")
        keep_analyzing(
            open_lake_of(settings),
            engine,
            stop,
            pulse,
            poll_seconds=poll_seconds,
            look_back_hours=look_back_hours,
        )
        engine.close()
    _say("Stopped. What was analysed is kept; the next start goes on from there.")


def alive(
    heartbeat: Annotated[Path, typer.Argument(help="The file given to --heartbeat.")],
    within_seconds: Annotated[float, typer.Option(min=1, help="How old the last beat may be.")] = 600.0,
) -> None:
    """Tell by the exit code whether the service that touches a heartbeat file is well."""
    from trendlark.jobs.services import pulse_age_seconds

    age = pulse_age_seconds(heartbeat)
    if age is None or age > within_seconds:
        found = "no heartbeat file" if age is None else f"a last beat {age:.0f} seconds ago in"
        raise NotFoundError(
            f"Found {found} {heartbeat}; a service that is well beats at least every {within_seconds:g} seconds. "
            "Look into its log, or start it again."
        )
