"""The page of the state of things: runs, failures, spending, the lake, the versions."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from trendlark import __version__
from trendlark.errors import ModelError
from trendlark.hours import Hour, utc_now
from trendlark.lake.tables import SCHEMA_VERSION
from trendlark.reports.status import status
from trendlark.web.answers import INVENTED_SOURCE
from trendlark.web.desk import Desk
from trendlark.web.links import link
from trendlark.web.messages import LANGS, words_of
from trendlark.web.room import room_of
from trendlark.web.routes.pages import _page

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/status")
def status_page(request: Request) -> HTMLResponse:
    """How the hours go."""
    room, words = room_of(request), words_of(request)
    source, moment = room.settings.source_name(), utc_now()
    found = status(room.lake, source, Hour.of(moment))
    model, reason = _model(room.desk)
    budget = room.settings.budget_usd_per_day
    return _page(
        "status.html",
        words,
        request,
        invented=source == INVENTED_SOURCE,
        alternate={code: link("/status", lang=code) for code in LANGS},
        moment=moment,
        source=source,
        found=found,
        budget=budget,
        spent_share=min(1.0, found.spent_today / budget) if budget else float(found.spent_today > 0),
        model=model,
        model_reason=reason,
        size_bytes=sum(table.size_bytes for table in found.tables),
        tweets=sum(table.rows for table in found.tables if table.name == "tweets"),
        versions=versions(),
        schema=SCHEMA_VERSION,
    )


def versions() -> dict[str, str]:
    """What runs here."""
    libraries = {name: installed(name) for name in ("deltalake", "onnxruntime", "fastapi")}
    return {
        "Trendlark": __version__,
        "Python": platform.python_version(),
        **libraries,
    }


def _model(desk: Desk) -> tuple[str, str]:
    try:
        return desk.analyzer().name, ""
    except ModelError as error:
        return "", str(error)
