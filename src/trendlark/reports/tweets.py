"""The tweets drawn for a trend in an hour: all of them, or those of which the model said something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trendlark.lake import Lake
from trendlark.lake.findings import analysis_of
from trendlark.lake.read import TWEET_COLUMNS
from trendlark.lake.rows import tweet_of
from trendlark.records import FLAGS, Trend
from trendlark.reports.queries import ExampleTweet
from trendlark.reports.words import fold

_SAID = "said_"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a tweet must hold; an empty text asks nothing. Names are compared as the summaries count them."""

    sentiment: str = ""
    emotion: str = ""
    flag: str = ""
    topic: str = ""
    said_lang: str = ""
    entity: str = ""
    hashtag: str = ""
    keyphrase: str = ""

    def asked(self) -> dict[str, str]:
        """What is asked for, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if getattr(self, one.name)}


@dataclass(frozen=True, slots=True)
class TrendTweets:
    """The tweets of a trend in an hour, newest first, as the lake keeps them (``Reader.tweets_of_trend``)."""

    table: pa.Table

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def records(self, first: int = 0, most: int | None = None) -> list[ExampleTweet]:
        """Some of them as records, with their analyses."""
        return [_record(row) for row in self.table.slice(first, most).to_pylist()]

    def named(self, tweet_ids: Sequence[str]) -> list[ExampleTweet]:
        """Those with these ids, in the order of the ids; ids of forgotten tweets are passed over."""
        rows = self.table.filter(pc.is_in(self.table["tweet_id"], pa.array(list(tweet_ids), pa.string())))
        found = {one.tweet.tweet_id: one for one in map(_record, rows.to_pylist())}
        return [found[one] for one in tweet_ids if one in found]

    def matching(self, wanted: Wanted) -> TrendTweets:
        """Those of which the model said all that is wanted."""
        table = self.table
        for name, value in wanted.asked().items():
            table = table.filter(_mask(table, name, value))
        return TrendTweets(table)

    def languages(self) -> list[tuple[str, int]]:
        """The languages that the analyses state, the most frequent first."""
        counts = Counter(lang for lang in self.table["said_lang"].to_pylist() if lang is not None)
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    def windows(self) -> list[tuple[str, int]]:
        """The slices of the hour that the tweets were drawn from, in order, with the number of tweets."""
        counts = Counter(window for window in self.table["window"].to_pylist() if window is not None)
        return sorted(counts.items())


def tweets_of(lake: Lake, trend: Trend) -> TrendTweets:
    """The tweets of a trend in its hour; of two analyses of one tweet the newer counts."""
    table = lake.tweets_of_trend(trend.hour, trend.source, trend.place, trend.name)
    ids = np.array(table["tweet_id"].to_pylist(), dtype=object)
    first = np.ones(len(ids), dtype=bool)
    first[1:] = ids[1:] != ids[:-1]
    return TrendTweets(table.filter(pa.array(first)))


def _record(row: dict[str, object]) -> ExampleTweet:
    tweet = tweet_of({name: row[name] for name in TWEET_COLUMNS})
    said = {name.removeprefix(_SAID): value for name, value in row.items() if name.startswith(_SAID)}
    return ExampleTweet(tweet, analysis_of(said) if said["tweet_id"] is not None else None)


def _mask(table: pa.Table, name: str, value: str) -> pa.Array:
    if name in {"sentiment", "said_lang"}:
        return pc.fill_null(pc.equal(table[_SAID + name.removeprefix(_SAID)], value), False)
    if name == "flag":
        known = value in FLAGS
        none = pa.array([False] * table.num_rows, pa.bool_())
        return pc.fill_null(table[_SAID + value], False) if known else none
    column, part = {
        "emotion": ("emotions_present", None),
        "topic": ("topics", "label"),
        "entity": ("entities", "text"),
        "hashtag": ("hashtags", None),
        "keyphrase": ("keyphrases", None),
    }[name]
    return _holds(table[_SAID + column], value, part)


def _holds(column: pa.ChunkedArray, value: str, part: str | None) -> pa.Array:
    lists = column.combine_chunks()
    values = pc.list_flatten(lists)
    if part:
        values = pc.struct_field(values, part)
    wanted = fold(value)
    mask = np.zeros(len(column), dtype=bool)
    for parent, one in zip(pc.list_parent_indices(lists).to_pylist(), values.to_pylist(), strict=True):
        if one is not None and fold(one) == wanted:
            mask[parent] = True
    return pa.array(mask)
