"""Builds the lake that the dashboard is measured on: 30 days, 3 places, 50 trends an hour, 5 million tweets.

Rows are drawn from pools, so that it is built in minutes; names, texts and numbers are invented. Each hour lies in one
file of each table, as it does after ``trendlark lake compact``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake
from numpy.random import Generator
from tests.support.web_lake import analysis_of, summary_of

from trendlark.hours import Hour
from trendlark.lake import TABLES, Lake, open_lake
from trendlark.lake.findings import analysis_row, trend_row
from trendlark.records import EMOTIONS, AnalyzedTweet, Count, Trend, TrendHour

LAST = Hour.parse("2026-11-23T07")
PLACES = ("es", "mx", "us")
TRENDS = 50
DAYS = 30
TWEETS = 5_000_000
SOURCE = "x"
_POOL = 2_000
_WORDS = 3_000
_SYLLABLES = ("la", "mi", "ro", "tan", "que", "so", "vel", "da", "ner", "is", "po", "ca", "du", "ren", "lo")


def build(folder: Path, days: int = DAYS, tweets: int = TWEETS, seed: int = 4) -> Lake:
    """The lake in a folder; one that is there already is taken as it is."""
    lake = open_lake(str(folder))
    hours = days * 24
    if len(lake.hours()) == hours:
        return lake
    chance = np.random.default_rng(seed)
    words = _words(chance)
    pools = _Pools(chance, words)
    each = tweets // (hours * len(PLACES) * TRENDS)
    for step in range(hours):
        hour = LAST - (hours - 1 - step)
        names = {place: _names(words, place, hour) for place in PLACES}
        for table, rows in pools.hour(hour, names, each).items():
            # The table is made as the program makes it; only the rows come without its checks.
            write_deltalake(lake._table_to_write(TABLES[table]), rows, mode="append")
    return lake


class _Pools:
    """Rows made once, from which each hour's are drawn."""

    def __init__(self, chance: Generator, words: Sequence[str]) -> None:
        self._chance = chance
        self._texts = pa.array([" ".join(chance.choice(words, 14)) for _ in range(10 * _POOL)])
        self._analyses = _table("analyses", [_analysis(chance, words) for _ in range(_POOL)])
        self._trends = _table("trends", [_trend(chance, words) for _ in range(_POOL)])

    def hour(self, hour: Hour, names: Mapping[str, Sequence[str]], each: int) -> dict[str, pa.Table]:
        """The rows of an hour by table."""
        places = [place for place, own in names.items() for _ in own]
        trends = [name for own in names.values() for name in own]
        count = len(trends) * each
        ids = [f"{hour.index}{number:06d}" for number in range(count)]
        minutes = self._chance.integers(0, 3600, count)
        created = pa.array([hour.start + timedelta(seconds=int(second)) for second in minutes])
        texts = self._texts.take(pa.array(self._chance.integers(0, len(self._texts), count)))
        tweets = {
            "hour": [str(hour)] * count, "source": [SOURCE] * count, "tweet_id": ids, "text": texts,
            "place": np.repeat(places, each).tolist(), "trend": np.repeat(trends, each).tolist(),
            "created_at": created, "lang": ["es"] * count, "author_id": ids,
            "url": [f"https://x.com/i/web/status/{one}" for one in ids],
            "window": [f"{hour.start:%H:%M}/{hour.end:%H:%M}"] * count, "collected_at": [hour.end] * count,
        }  # fmt: skip
        ranks = np.tile(np.arange(1, TRENDS + 1), len(names)).tolist()
        examples = [ids[number * each : number * each + 4] for number in range(len(trends))]
        return {
            "tweets": _shaped("tweets", tweets, count),
            "analyses": self._drawn("analyses", self._analyses, count, hour=str(hour), tweet_id=ids),
            "trends": self._drawn(
                "trends", self._trends, len(trends), hour=str(hour), place=places, trend=trends, rank=ranks,
                sampled=each, examples=examples,
            ),
        }  # fmt: skip

    def _drawn(self, name: str, pool: pa.Table, count: int, **columns: object) -> pa.Table:
        rows = pool.take(pa.array(self._chance.integers(0, pool.num_rows, count)))
        found = {field: rows[field] for field in rows.schema.names}
        found |= {
            key: value if isinstance(value, list) else [value] * count for key, value in columns.items()
        }
        return _shaped(name, found, count)


def _shaped(name: str, columns: Mapping[str, object], count: int) -> pa.Table:
    schema = TABLES[name].schema
    return pa.table(
        {field.name: columns.get(field.name, pa.nulls(count, field.type)) for field in schema}, schema=schema
    )


def _table(name: str, rows: Sequence[Mapping[str, object]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=TABLES[name].schema)


def _words(chance: Generator) -> list[str]:
    return ["".join(chance.choice(_SYLLABLES, chance.integers(2, 5))) for _ in range(_WORDS)]


def _names(words: Sequence[str], place: str, hour: Hour) -> list[str]:
    # A trend stays for some hours, each slot for another number of them.
    found = []
    for slot in range(TRENDS):
        own = (hour.index // (3 + slot) + 7 * slot + 131 * PLACES.index(place)) % _WORDS
        found.append(
            f"#{words[own].title()}{place.upper()}{slot}"
            if slot % 2
            else f"{words[own]} {words[-own]} {slot}"
        )
    return found


def _analysis(chance: Generator, words: Sequence[str]) -> dict[str, object]:
    sentiment = str(chance.choice(["negative", "neutral", "positive"]))
    found = analysis_of(" ".join(chance.choice(words, 3)), sentiment)
    return analysis_row(AnalyzedTweet(LAST, SOURCE, "", found, LAST.end))


def _trend(chance: Generator, words: Sequence[str]) -> dict[str, object]:
    negative = float(chance.uniform(0, 0.6))
    positive = float(chance.uniform(0, 1 - negative))
    emotions = dict(zip(EMOTIONS, map(float, chance.uniform(0, 0.5, len(EMOTIONS))), strict=True))
    summary = summary_of(LAST, (negative, positive), emotions, ())
    names = tuple(Count(word, 40 - number) for number, word in enumerate(chance.choice(words, 10)))
    summary = replace(summary, entities=names, hashtags=names, keyphrases=names)
    volume = int(chance.integers(1_000, 200_000))
    return trend_row(TrendHour(Trend(LAST, SOURCE, "es", "", 1, volume), 46, 5, 0.23, None, summary))
