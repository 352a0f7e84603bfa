"""Takes the pictures of every page: ``python -m docs.take_picture``.

It needs Chromium and a font with emoji, on Debian the packages chromium and fonts-noto-color-emoji. The sample is
played over six hours into a lake of its own, with the model in the package, and the tests' browser photographs each
page into ``docs/pictures``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from urllib.parse import quote, urlencode

from tests.support.browser import take_pictures

from trendlark.hours import Hour
from trendlark.jobs.hourly import Jobs
from trendlark.lake import open_lake
from trendlark.nlu.analyzer import load
from trendlark.settings import load_settings
from trendlark.sources import make_source
from trendlark.web.app import create_app
from trendlark.web.serve import WebServer

PICTURES = Path(__file__).parent / "pictures"
# The sample plays hour number (hours since 1970 modulo 6); these six are its story from beginning to end.
LAST = Hour.parse("2026-11-23T05")
HOURS = 6
_COMPARED = ("sample/es/#HuelgaMetro", "sample/es/Lía Montero", "sample/us/#FindBiscuit")
_TRIED = (
    "Taylor Swift is back in Chicago tonight and I have been crying happy tears since noon 😭💜 #ErasTour"
)
ADDRESSES = {
    "dashboard": "/?lang=en",
    "trend": f"/trends/sample/es/{quote('Lía Montero')}?lang=es",
    "compare": "/compare?" + urlencode([*(("of", one) for one in _COMPARED), ("lang", "en")]),
    "search": "/search?" + urlencode({"q": "huelga metro", "lang": "es"}),
    "try": "/try?" + urlencode({"text": _TRIED, "lang": "en"}),
    "model": "/model?lang=en",
    "status": "/status?lang=es",
}


def main() -> None:
    """Fill a lake, serve it, take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"lake": f"{folder}/lake", "source": "sample", "port": 0}, {}).settings
        lake, analyzer = open_lake(settings.lake), load(settings.model)
        jobs = Jobs(lake, make_source(settings), analyzer, settings)
        jobs.backfill(list((LAST - HOURS + 1).until(LAST)))
        server = WebServer(
            create_app(lake=lake, analyzer=analyzer, settings=settings), settings.host, settings.port
        )
        url = server.start()
        take_pictures({PICTURES / f"{name}.png": url + path for name, path in ADDRESSES.items()})
        server.stop()
        server.join()
        analyzer.close()


if __name__ == "__main__":
    main()
