"""The page of the state of things: runs, failures, spending, the lake, the versions."""

from __future__ import annotations

import platform
from datetime import datetime
from importlib.metadata import version as installed
from typing import Self

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from trendlark import __version__
from trendlark.errors import ModelError
from trendlark.hours import Hour, utc_now
from trendlark.lake.tables import SCHEMA_VERSION
from trendlark.records import Run
from trendlark.reports.status import status
from trendlark.web.answers import INVENTED_SOURCE
from trendlark.web.desk import Desk
from trendlark.web.messages import words_of
from trendlark.web.page import Page, Table, page_at, respond
from trendlark.web.room import room_of

_LIBRARIES = ("deltalake", "onnxruntime", "fastapi")

router = APIRouter()


class _FromRecord(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RunAnswer(_FromRecord):
    """A run of a job over an hour; ``cost`` in US dollars, ``error`` is why it failed."""

    started_at: datetime
    job: str
    hour: str
    source: str
    place: str | None
    status: str
    seconds: float
    counts: dict[str, int]
    refused: int
    requests: int
    cost: float
    model: str | None
    error: str | None
    version: str
    run_id: str

    @classmethod
    def of(cls, run: Run) -> Self:
        """The answer for a run."""
        return cls(
            **{name: getattr(run, name) for name in cls.model_fields if name != "hour"}, hour=str(run.hour)
        )


class DayAnswer(_FromRecord):
    """The runs of a UTC day; ``cost`` in US dollars."""

    day: str
    runs: int
    failed: int
    requests: int
    cost: float


class TableAnswer(_FromRecord):
    """A table of the lake; ``first`` and ``last`` are its partitions."""

    name: str
    version: int | None
    rows: int
    files: int
    size_bytes: int
    partitions: int
    first: str | None
    last: str | None


class StatusAnswer(BaseModel):
    """The page Status; money in US dollars."""

    moment: datetime
    source: str
    newest_hour: str | None = Field(description="The newest that is summed up.")
    newest_collected: str | None
    lag_hours: int | None = Field(description="Complete hours since the newest that is summed up.")
    spent_today: float
    budget_per_day: float
    model: str | None
    model_error: str | None
    failures: list[RunAnswer] = Field(
        description="Those of the last seven days that no later run has mended."
    )
    runs: list[RunAnswer]
    days: list[DayAnswer]
    lake: list[TableAnswer]
    versions: dict[str, str]


@page_at(router, "/status")
def status_page(request: Request) -> Response:
    """How the hours go."""
    room, words = room_of(request), words_of(request)
    source, moment, budget = room.source(), utc_now(), room.settings.budget_usd_per_day
    found = status(room.lake, source, Hour.of(moment))
    model, reason = _model(room.desk)
    answer = StatusAnswer(
        moment=moment,
        source=source,
        newest_hour=str(found.newest) if found.newest else None,
        newest_collected=str(found.newest_collected) if found.newest_collected else None,
        lag_hours=found.lag_hours,
        spent_today=found.spent_today,
        budget_per_day=budget,
        model=model or None,
        model_error=reason or None,
        failures=[RunAnswer.of(run) for run in found.failures],
        runs=[RunAnswer.of(run) for run in found.runs],
        days=[DayAnswer.model_validate(day) for day in found.days],
        lake=[TableAnswer.model_validate(table) for table in found.tables],
        versions=versions(),
    )
    view = {
        "found": found,
        "spent_share": min(1.0, found.spent_today / budget) if budget else float(found.spent_today > 0),
        "size_bytes": sum(table.size_bytes for table in found.tables),
        "tweets": sum(table.rows for table in found.tables if table.name == "tweets"),
        "schema": SCHEMA_VERSION,
    }
    page = Page("status", "status.html", answer, _tables(answer), source == INVENTED_SOURCE, view)
    return respond(request, words, page)


def versions() -> dict[str, str]:
    """What runs here."""
    return {
        "trendlark": __version__,
        "python": platform.python_version(),
        **{name: installed(name) for name in _LIBRARIES},
    }


def _tables(answer: StatusAnswer) -> dict[str, Table]:
    return {
        "runs": _table(RunAnswer, answer.runs),
        "failures": _table(RunAnswer, answer.failures),
        "days": _table(DayAnswer, answer.days),
        "lake": _table(TableAnswer, answer.lake),
    }


def _table(kind: type[BaseModel], rows: list[RunAnswer] | list[DayAnswer] | list[TableAnswer]) -> Table:
    columns = tuple(kind.model_fields)
    return Table(columns, [[_cell(getattr(row, name)) for name in columns] for row in rows])


def _cell(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _model(desk: Desk) -> tuple[str, str]:
    try:
        return desk.analyzer().name, ""
    except ModelError as error:
        return "", str(error)
