"""Takes the picture of the README: ``python -m docs.take_picture`` (needs Chromium).

The sample is played over six hours into a lake of its own, with the model in the package, and the tests' browser
photographs the first page.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.browser import take_picture

from trendlark.hours import Hour
from trendlark.jobs.hourly import Jobs
from trendlark.lake import open_lake
from trendlark.nlu.analyzer import load
from trendlark.settings import load_settings
from trendlark.sources import make_source
from trendlark.web.app import create_app
from trendlark.web.serve import WebServer

PICTURE = Path(__file__).parent / "pictures" / "dashboard.png"
# The sample plays hour number (hours since 1970 modulo 6); these six are its story from beginning to end.
LAST = Hour.parse("2026-11-23T05")
HOURS = 6


def main() -> None:
    """Fill a lake, serve it, take the picture."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"lake": f"{folder}/lake", "source": "sample", "port": 0}, {}).settings
        lake, analyzer = open_lake(settings.lake), load(settings.model)
        jobs = Jobs(lake, make_source(settings), analyzer, settings)
        jobs.backfill(list((LAST - HOURS + 1).until(LAST)))
        server = WebServer(
            create_app(lake=lake, analyzer=analyzer, settings=settings), settings.host, settings.port
        )
        take_picture(f"{server.start()}/?lang=en", PICTURE)
        server.stop()
        server.join()
        analyzer.close()


if __name__ == "__main__":
    main()
