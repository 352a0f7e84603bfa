"""How long the pages take on a lake of 30 days, 3 places and 50 trends an hour (108,000 rows, 5 million tweets).

    python benchmarks/dashboard.py [--lake FOLDER] [--days 30] [--tweets 5000000]

A real server in a thread, asked one request after the other over the loopback; times include the way there and back.
The first page must answer in under 300 ms at p95 and no page may weigh 200 kB; otherwise it ends with 1. The last
line is measured in the same run without what the web room keeps (decision 31).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2 as httpx
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.big_lake import DAYS, LAST, PLACES, SOURCE, TWEETS, build
from tests.support.hours import settings_for

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.records import Run, Trend, TrendHour
from trendlark.reports.board import Board
from trendlark.web.app import create_app
from trendlark.web.links import trend_link
from trendlark.web.serve import WebServer

FIRST_PAGE_MS = 300
PAGE_KB = 200
Ask = Callable[[int], str]


def main() -> int:
    """Build, measure, tell; 1 where a page is too slow or too heavy."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        lake = build(Path(options.lake or folder), options.days, options.tweets)
        print(
            f"lake: {options.days} days, {options.tweets:,} tweets, ready in {time.perf_counter() - start:.0f} s"
        )
        return measure(lake, options.days, options.requests)


def measure(lake: Lake, days: int, requests: int) -> int:
    """Ask each kind of page and print one line for it."""
    chance = random.Random(4)
    hours = [LAST - back for back in range(days * 24)]
    names = {
        hour: lake.trend_hours(hour, source=SOURCE) for hour in chance.sample(hours, min(12, len(hours)))
    }
    newest = lake.trend_hours(LAST, source=SOURCE)

    def of_trend(rows: list[TrendHour], hour: Hour | None) -> str:
        trend = chance.choice(rows).trend
        return trend_link(trend.source, trend.place, trend.name, hour=str(hour) if hour else None)

    def old_trend(_: int) -> str:
        hour = chance.choice(list(names))
        return of_trend(names[hour], hour)

    kinds: list[tuple[str, Ask]] = [
        ("first page", lambda _: "/"),
        ("first page, Spanish, one place", lambda n: f"/?lang=es&place={PLACES[n % 3]}"),
        ("first page after a commit", lambda n: _commit(lake, n)),
        ("any hour", lambda _: f"/?place={chance.choice(PLACES)}&hour={chance.choice(hours)}"),
        ("trend of the newest hour", lambda _: of_trend(newest, None)),
        ("trend of any hour", old_trend),
        ("its tweets, filtered", lambda _: of_trend(newest, None) + "?sentiment=negative&emotion=joy"),
        ("JSON of the first page", lambda _: "/now.json"),
    ]
    print(f"{'':34}{'requests':>9}{'first':>8}{'p50':>8}{'p95':>8}{'most':>8}  ms {'kB':>7}")
    wrong = []
    with _serving(lake) as client:
        for name, ask in kinds:
            times, most_kb = _times(client, ask, requests)
            p95 = _line(name, times, most_kb)
            if name.startswith("first page") and p95 >= FIRST_PAGE_MS:
                wrong.append(f"{name}: {p95:.0f} ms at p95; {FIRST_PAGE_MS} is the most")
            if "JSON" not in name and most_kb >= PAGE_KB:
                wrong.append(f"{name}: {most_kb:.0f} kB; {PAGE_KB} is the most")
    with _serving(lake, keeping=False) as client:
        _line("first page, nothing kept", *_times(client, lambda _: "/", max(3, requests // 20)))
    print("\n".join(wrong) or "all within the limits")
    return 1 if wrong else 0


def _commit(lake: Lake, number: int) -> str:
    # Another hour becomes known, as it does when the jobs run: what is kept must be brought up to date. It is an old
    # one, so that the page stays the same.
    hour = Hour.parse("2026-01-01T00") + number
    row = TrendHour(Trend(hour, "replay", "pe", "new", 1), 0, 0, 0.0)
    lake.commit_collection(hour, "replay", "pe", [], [row], [], "benchmark")
    lake.add_run(Run("benchmark", "collect", hour, "replay", "pe", "done", hour.end, 1.0))
    return "/"


def _times(client: httpx.Client, ask: Ask, requests: int) -> tuple[list[float], float]:
    times, most = [], 0
    for number in range(requests):
        path = ask(number)
        start = time.perf_counter()
        answer = client.get(path)
        times.append(1000 * (time.perf_counter() - start))
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        most = max(most, len(answer.content))
    return times, most / 1000


def _line(name: str, times: list[float], most_kb: float) -> float:
    ranked = sorted(times)
    p50, p95 = (ranked[min(len(ranked) - 1, int(len(ranked) * part))] for part in (0.5, 0.95))
    print(f"{name:34}{len(times):9}{times[0]:8.0f}{p50:8.0f}{p95:8.0f}{ranked[-1]:8.0f}     {most_kb:7.0f}")
    return p95


@contextmanager
def _serving(lake: Lake, keeping: bool = True) -> Iterator[httpx.Client]:
    settings = settings_for(lake.uri)
    app = create_app(lake=lake, analyzer=FakeAnalyzer(), settings=settings)
    if not keeping:
        app.state.room = replace(app.state.room, lake=lake, board=_Forgetful(lake))
    server = WebServer(app, "127.0.0.1", 0)
    with httpx.Client(base_url=server.start(), timeout=120, trust_env=False) as client:
        yield client
    server.stop()
    server.join(15)


class _Forgetful(Board):
    """A board that is new for each question."""

    def rows(self, hour: Hour) -> list[TrendHour]:
        """As a new board answers."""
        return Board(self._lake).rows(hour)

    def glance(self, first: Hour, last: Hour) -> pa.Table:
        """As a new board answers."""
        return Board(self._lake).glance(first, last)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lake", help="where to build the lake, or where it is built already")
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--tweets", type=int, default=TWEETS)
    parser.add_argument("--requests", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
