"""Small recordings written by tests: tweets and trends as the lines of a replay folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.support.hours import HOUR
from trendlark.hours import Hour

Line = Mapping[str, Any]


def recorded(
    tweet_id: str, trend: str = "#a", *, hour: Hour = HOUR, place: str = "es", text: str = "", **more: Any
) -> dict[str, Any]:
    """A tweet as a line of tweets.jsonl."""
    words = text or f"the words of {tweet_id}"
    return {"hour": str(hour), "place": place, "trend": trend, "id": tweet_id, "text": words, **more}


def listed(name: str, rank: int = 1, *, hour: Hour = HOUR, place: str = "es") -> dict[str, Any]:
    """A trend as a line of trends.jsonl."""
    return {"hour": str(hour), "place": place, "rank": rank, "name": name}


def recording(folder: Path, tweets: Iterable[Line], trends: Iterable[Line] = ()) -> Path:
    """A folder that holds these tweets and trends, and nothing that was there before."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("tweets.jsonl", tweets), ("trends.jsonl", trends)):
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder
