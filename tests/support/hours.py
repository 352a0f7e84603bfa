"""An hour for tests: the sample played as the hour, a fake model, and what must be equal afterwards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from trendlark.hours import Hour
from trendlark.jobs.hourly import Jobs
from trendlark.lake import Lake, open_lake
from trendlark.nlu.analyzer import load
from trendlark.settings import Settings, load_settings
from trendlark.sources import make_source

HOUR = Hour.parse("2026-11-20T09")
# When something happened differs between two runs of the same hour; nothing else may.
MOMENTS = {"collected_at", "analyzed_at", "summarised_at", "fetched_at", "at"}
KEYS = {
    "tweets": "hour, source, place, trend, tweet_id",
    "analyses": "hour, source, tweet_id",
    "trends": "hour, source, place, rank, trend",
    "refusals": "hour, source, place, trend, raw",
}


def settings_for(lake: Path | str, **flags: Any) -> Settings:
    """Settings with the fake model and the sample, whatever the environment says."""
    return load_settings({"lake": str(lake), "model": "fake", **flags}, {}, Path("/nonexistent")).settings


def jobs_for(lake: Path | str, **flags: Any) -> Jobs:
    """Jobs over the lake at a path."""
    settings = settings_for(lake, **flags)
    return Jobs(open_lake(settings.lake), make_source(settings), load(settings.model), settings)


def contents(lake: Path | str | Lake) -> dict[str, list[dict[str, Any]]]:
    """Every row that matters, in order of its key, without the moments."""
    opened = lake if isinstance(lake, Lake) else open_lake(str(lake))
    found = {}
    for table, key in KEYS.items():
        rows = opened.sql(f"SELECT * FROM {table} ORDER BY {key}", limit=100_000).read_all().to_pylist()
        found[table] = [{k: v for k, v in row.items() if k not in MOMENTS} for row in rows]
    return found


def command(*words: str) -> list[str]:
    """The command line as a process of its own."""
    return [sys.executable, "-c", "from trendlark.cli import main; main()", *words]
