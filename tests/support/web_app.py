"""The application on a real server in a thread, around a real lake, for the web tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

from tests.support.hours import settings_for
from trendlark.lake import Lake, open_lake
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.settings import Settings
from trendlark.web.app import create_app
from trendlark.web.desk import Analyzer
from trendlark.web.serve import WebServer

MODEL = FakeAnalyzer()


@contextmanager
def serving(lake: Lake, analyzer: Analyzer = MODEL, settings: Settings | None = None) -> Iterator[str]:
    """The address of a running server; it is stopped, and waited for, at the end."""
    app = create_app(lake=lake, analyzer=analyzer, settings=settings or settings_for(lake.uri))
    server = WebServer(app, "127.0.0.1", 0, app.state.drain)
    url = server.start()
    try:
        yield url
    finally:
        server.stop()
        assert server.join(60)


@contextmanager
def client_of(
    lake: Lake, analyzer: Analyzer = MODEL, settings: Settings | None = None
) -> Iterator[httpx.Client]:
    """A client of a running server."""
    with (
        serving(lake, analyzer, settings) as url,
        httpx.Client(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield client


def empty_lake(folder: Path) -> Lake:
    """A lake that nothing was written to."""
    return open_lake(str(folder / "lake"))


def probing() -> int:
    """How many threads of this process requests and probes run in."""
    return sum("AnyIO" in thread.name for thread in threading.enumerate())
