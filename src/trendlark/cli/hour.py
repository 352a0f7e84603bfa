"""Commands that run the hour: up, run-hour, collect, analyze-hour, summarise, backfill, plan, serve."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trendlark.cli.options import (
    BudgetFlag,
    HostFlag,
    HourFlag,
    JsonFlag,
    JsonLinesFlag,
    LakeFlag,
    ModelFlag,
    PlacesFlag,
    PortFlag,
    ReplayFlag,
    SourceFlag,
    ThreadsFlag,
    TrendsFlag,
    TweetsFlag,
    in_force,
    load_analyzer,
    make_jobs,
    open_lake_of,
)
from trendlark.errors import InputError, SourceError
from trendlark.hours import Hour

if TYPE_CHECKING:
    from trendlark.jobs.hourly import HourOutcome, Jobs
    from trendlark.records import Run
    from trendlark.settings import Settings
    from trendlark.web.serve import WebServer

_PANEL = "The hour"


def register(app: typer.Typer) -> None:
    """Put these commands on the command line."""
    for name, command in (
        ("up", up),
        ("run-hour", run_hour),
        ("collect", collect),
        ("analyze-hour", analyze_hour),
        ("summarise", summarise),
        ("backfill", backfill),
        ("plan", plan),
        ("serve", serve),
    ):
        app.command(name, rich_help_panel=_PANEL)(command)


def up(
    lake: LakeFlag = None,
    source: SourceFlag = None,
    places: PlacesFlag = None,
    replay_folder: ReplayFlag = None,
    budget_usd_per_day: BudgetFlag = None,
    trends_per_place: TrendsFlag = None,
    tweets_per_trend: TweetsFlag = None,
    model: ModelFlag = None,
    threads: ThreadsFlag = None,
    host: HostFlag = None,
    port: PortFlag = None,
) -> None:
    """Collect, analyse and summarise every hour, and serve the dashboard; Ctrl-C ends it cleanly."""
    settings = in_force(**locals()).settings
    with _stoppable() as stop:
        jobs = make_jobs(settings, quiet=False)
        # The port is taken first: one that is not free is told before the work, not after it.
        server = _server(jobs.lake, jobs.analyzer, settings)
        _say(f"Tweets come from {_source_told(jobs)}; the lake is {settings.lake}.")
        if jobs.source.name == "sample":
            last = Hour.last_complete()
            jobs.backfill(list((last - settings.sample_hours + 1).until(last)), stop)
        if not stop.is_set():
            _say(f"The dashboard is at {server.start()} {_reach(settings)}(Ctrl-C ends it).")
            try:
                jobs.keep_running(stop)
            finally:
                server.stop()
                server.join()
        jobs.source.close()
        jobs.analyzer.close()
    _say("Stopped. What was finished is kept; the next start goes on from there.")


def run_hour(
    hour: HourFlag = None,
    lake: LakeFlag = None,
    source: SourceFlag = None,
    places: PlacesFlag = None,
    replay_folder: ReplayFlag = None,
    budget_usd_per_day: BudgetFlag = None,
    trends_per_place: TrendsFlag = None,
    tweets_per_trend: TweetsFlag = None,
    model: ModelFlag = None,
    threads: ThreadsFlag = None,
    as_json: JsonLinesFlag = False,
) -> None:
    """Run one hour now, all three jobs; what is done already is left as it is."""
    _run_jobs(hour, lambda jobs, when: jobs.run_hour(when), as_json, _flags(locals()))


def collect(
    hour: HourFlag = None,
    lake: LakeFlag = None,
    source: SourceFlag = None,
    places: PlacesFlag = None,
    replay_folder: ReplayFlag = None,
    budget_usd_per_day: BudgetFlag = None,
    trends_per_place: TrendsFlag = None,
    tweets_per_trend: TweetsFlag = None,
    as_json: JsonLinesFlag = False,
) -> None:
    """Collect the trends and tweets of one hour."""
    _run_jobs(hour, lambda jobs, when: jobs.collect(when), as_json, {**_flags(locals()), "model": "fake"})


def analyze_hour(
    hour: HourFlag = None,
    lake: LakeFlag = None,
    model: ModelFlag = None,
    threads: ThreadsFlag = None,
    as_json: JsonLinesFlag = False,
) -> None:
    """Analyse the tweets of one hour that the model has not analysed yet."""
    from trendlark.cli.bars import Bars
    from trendlark.jobs.analyze import analyze_hour as analyze
    from trendlark.jobs.hourly import HourOutcome
    from trendlark.jobs.progress import SILENT

    settings = in_force(lake=lake, model=model, threads=threads).settings
    with closing(load_analyzer(settings)) as analyzer:
        run = analyze(open_lake_of(settings), analyzer, _complete(hour), SILENT if as_json else Bars())
    _report([HourOutcome(run.hour, (run,))], as_json)


def summarise(
    hour: HourFlag = None, lake: LakeFlag = None, source: SourceFlag = None, as_json: JsonLinesFlag = False
) -> None:
    """Sum up the trends of one hour."""
    from trendlark.cli.bars import Bars
    from trendlark.jobs.hourly import HourOutcome
    from trendlark.jobs.progress import SILENT
    from trendlark.jobs.summarise import summarise_hour

    settings = in_force(lake=lake, source=source).settings
    bars, wanted, found = SILENT if as_json else Bars(), _complete(hour), open_lake_of(settings)
    names = {settings.source_name()}
    if settings.source == "auto":
        # Whose token collected the hour need not be here.
        names = {one for one, _ in found.places(wanted)} or names
    runs = tuple(summarise_hour(found, name, wanted, bars) for name in sorted(names))
    _report([HourOutcome(wanted, runs)], as_json)


def backfill(
    first: Annotated[str, typer.Argument(metavar="FROM", help="First hour, such as 2026-11-23T00.")],
    last: Annotated[str, typer.Argument(metavar="TO", help="Last hour, included.")],
    lake: LakeFlag = None,
    source: SourceFlag = None,
    places: PlacesFlag = None,
    replay_folder: ReplayFlag = None,
    budget_usd_per_day: BudgetFlag = None,
    trends_per_place: TrendsFlag = None,
    tweets_per_trend: TweetsFlag = None,
    model: ModelFlag = None,
    threads: ThreadsFlag = None,
    as_json: JsonLinesFlag = False,
) -> None:
    """Run a range of hours, oldest first; what is done already is left as it is."""
    start, end = Hour.parse(first), _complete(last)
    if end < start:
        raise InputError(f"Found FROM {start} after TO {end}; FROM is the older hour. Swap them.")
    settings = in_force(**_flags(locals())).settings
    with _stoppable() as stop, _closing(make_jobs(settings, quiet=as_json)) as jobs:
        outcomes = jobs.backfill(list(start.until(end)), stop)
        _hint(jobs, outcomes)
        _report(outcomes, as_json)


def plan(
    places: PlacesFlag = None,
    budget_usd_per_day: BudgetFlag = None,
    trends_per_place: TrendsFlag = None,
    tweets_per_trend: TweetsFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell what a day of collecting from X would ask for and cost, before a cent is spent."""
    settings = in_force(**_flags(locals())).settings
    from trendlark.cli.tables import print_rows, to_json
    from trendlark.sources.plan import plan_day
    from trendlark.sources.x import XPrices

    day = plan_day(
        settings.place_list(),
        settings.trends_per_place,
        settings.tweets_per_trend,
        settings.windows_per_hour,
        XPrices(),
        settings.budget_usd_per_day,
    )
    if as_json:
        print(to_json(asdict(day)))
        return
    shown = {
        "place": "place",
        "trends": "trends_sampled",
        "tweets each": "tweets_per_trend",
        "tweets a day": "tweets_per_day",
        "$ a day": "cost_per_day",
        "$ in 30 days": "cost_per_month",
        "note": "note",
    }
    print_rows([{title: getattr(row, name) for title, name in shown.items()} for row in day.places], "table")
    print(
        f"Together ${day.cost_per_day:,.2f} a day, ${day.cost_per_month:,.2f} in 30 days, within a budget of "
        f"${day.budget_per_day:,.2f} a day. All that is wanted would be ${day.wanted_per_day:,.2f} a day."
    )


def serve(
    lake: LakeFlag = None, model: ModelFlag = None, host: HostFlag = None, port: PortFlag = None
) -> None:
    """Serve the API and the dashboard only."""
    settings = in_force(lake=lake, model=model, host=host, port=port).settings
    with _stoppable() as stop:
        analyzer = load_analyzer(settings)
        server = _server(open_lake_of(settings), analyzer, settings)
        _say(f"The dashboard is at {server.start()} {_reach(settings)}(Ctrl-C ends it).")
        stop.wait()
        server.stop()
        server.join()
        analyzer.close()


def _reach(settings: Settings) -> str:
    if settings.tokens():
        return ""
    return "for this machine only, as no TRENDLARK_API_TOKEN is set "


def _server(lake: Any, analyzer: Any, settings: Any) -> WebServer:
    from trendlark.web.app import create_app
    from trendlark.web.serve import WebServer

    app = create_app(lake=lake, analyzer=analyzer, settings=settings)
    return WebServer(app, settings.host, settings.port, app.state.drain)


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    stop = threading.Event()

    def _ask(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt  # asked twice: leave at once; commits are atomic
        stop.set()
        _say("Stopping after what is running; Ctrl-C again leaves at once.")

    before = {number: signal.signal(number, _ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _closing(jobs: Jobs) -> Iterator[Jobs]:
    try:
        yield jobs
    finally:
        jobs.source.close()
        jobs.analyzer.close()


def _flags(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in given.items()
        if name not in {"hour", "as_json", "first", "last", "start", "end"}
    }


def _complete(text: str | None) -> Hour:
    hour = Hour.last_complete() if text is None else Hour.parse(text)
    if hour > Hour.last_complete():
        raise InputError(
            f"Found the hour {hour}, which is not over; the newest complete hour is {Hour.last_complete()} (UTC). "
            "Name that one or an earlier one."
        )
    return hour


def _run_jobs(
    hour: str | None, work: Callable[[Jobs, Hour], HourOutcome], as_json: bool, flags: dict[str, Any]
) -> None:
    when = _complete(hour)
    with _closing(make_jobs(in_force(**flags).settings, quiet=as_json)) as jobs:
        outcomes = [work(jobs, when)]
        _hint(jobs, outcomes)
        _report(outcomes, as_json)


def _hint(jobs: Jobs, outcomes: Iterable[HourOutcome]) -> None:
    """Where a recording holds nothing of what was asked for, say what it holds."""
    from trendlark.sources.replay import ReplaySource

    source, hours = jobs.source, [outcome.hour for outcome in outcomes]
    if not isinstance(source, ReplaySource) or source.loop or not hours:
        return
    recorded, places = source.recorded_hours(), source.recorded_places()
    asked = [place.slug for place in jobs.settings.place_list()]
    if not set(hours) & set(recorded) or not set(asked) & set(places):
        _say(
            f"Found nothing recorded for {', '.join(asked)} from {hours[0]} to {hours[-1]}; "
            f"{source.folder} holds the places {', '.join(places)} and hours from {recorded[0]} to {recorded[-1]}. "
            "Ask for those (--places, or TRENDLARK_PLACES)."
        )


def _report(outcomes: Iterable[HourOutcome], as_json: bool) -> None:
    outcomes = list(outcomes)
    _print_runs([run for outcome in outcomes for run in outcome.runs], as_json)
    if not as_json and outcomes and all(outcome.nothing for outcome in outcomes):
        _say("Nothing to do: all of it was done before.")
    errors = [error for outcome in outcomes for error in outcome.errors]
    if errors:
        kinds = {type(error) for error in errors}
        kind = kinds.pop() if len(kinds) == 1 else SourceError
        raise kind("\n".join(dict.fromkeys(str(error) for error in errors)))


def _print_runs(runs: Iterable[Run], as_json: bool) -> None:
    for run in runs if as_json else ():
        row = {**asdict(run), "hour": str(run.hour), "started_at": run.started_at.isoformat()}
        print(json.dumps(row, ensure_ascii=False))


def _source_told(jobs: Jobs) -> str:
    if jobs.source.name == "sample":
        return "the sample in the package, which is invented (set TRENDLARK_X_BEARER_TOKEN for X)"
    return jobs.source.name


def _say(line: str) -> None:
    typer.echo(line, err=True)
