"""The application: routes, guards and error answers around a lake and an analyzer."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from trendlark import __version__
from trendlark.lake import Lake
from trendlark.lake.kept import KeptLake
from trendlark.reports.board import Board
from trendlark.settings import Settings
from trendlark.web.desk import Analyzer, Desk
from trendlark.web.door import Door
from trendlark.web.events import Announcer
from trendlark.web.guard import LOOPBACK_HOSTS, BodyLimit, HeadAsGet, HostGuard, SecurityHeaders, TokenGuard
from trendlark.web.metrics import LakeMetrics, Metrics
from trendlark.web.problems import Edge, add_handlers
from trendlark.web.rate import Rate
from trendlark.web.room import Room
from trendlark.web.routes import (
    compare,
    events,
    health,
    login,
    model,
    models,
    now,
    search,
    sql,
    status,
    trend,
    try_it,
    tweets,
    v1,
    v2,
)
from trendlark.web.routes import metrics as metrics_page
from trendlark.web.tracing import spans_to
from trendlark.web.watch import Watch

_STATIC = Path(__file__).parent / "static"


def create_app(*, lake: Lake, analyzer: Analyzer, settings: Settings) -> FastAPI:
    """The API and the dashboard.

    ``analyzer`` may be a ``concurrent.futures.Future`` that loads it in the background, or None: until there is
    one, ``/ready`` is red with the reason and ``/v1/analyze`` answers 503. Tell ``app.state.room.desk`` to drain
    before the server stops, so that whoever waits for an analysis gets an answer.
    """
    app = FastAPI(
        title="Trendlark",
        version=__version__,
        summary="What is trending, hour by hour, and how people feel about it.",
        docs_url=None,
        redoc_url=None,
    )
    kept = KeptLake.of(lake)
    metrics, spans = Metrics(), spans_to(settings.otlp_endpoint)
    desk = Desk(
        analyzer,
        queue_texts=settings.queue_texts,
        deadline_seconds=settings.deadline_seconds,
        metrics=metrics,
        spans=spans,
    )
    app.state.room = Room(
        kept,
        Board(kept),
        desk,
        settings,
        metrics,
        LakeMetrics(metrics, lake, settings),
        Announcer(lake, metrics),
    )
    app.state.drain = desk.drain
    add_handlers(app)
    # Routes are tried in this order: those that are asked most stand first.
    for one in (v1, v2, health, metrics_page, tweets, models, sql, events):
        app.include_router(one.router)
    for page in (now, trend, compare, search, try_it, model, status):
        app.include_router(page.router)
    tokens = settings.tokens()
    app.state.door = Door(tokens) if tokens else None
    if app.state.door is not None:
        app.include_router(login.router)
    app.mount("/static", _Static(directory=_STATIC), name="static")
    # The last one added is the first one to see a request.
    app.add_middleware(HeadAsGet)
    app.add_middleware(BodyLimit)
    if app.state.door is not None:
        opened = frozenset({"/metrics"} if settings.metrics_open else ())
        rate = Rate(settings.rate_limit_per_minute)
        app.add_middleware(TokenGuard, door=app.state.door, rate=rate, opened=opened)
    else:
        # Without a token the settings allow loopback only, so no other name can be meant for us.
        app.add_middleware(HostGuard, hosts=LOOPBACK_HOSTS | {_bracketed(settings.host)})
    app.add_middleware(Edge)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Watch, metrics=metrics, spans=spans)
    return app


class _Static(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # Addresses of static files carry the version, so a browser may keep them.
        response.headers.setdefault("Cache-Control", "public, max-age=86400")
        return response


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
