"""The six tables of the lake: their columns, their descriptions and how Delta Lake keeps them.

``tweets``, ``analyses`` and ``trends`` are for everybody; ``pages``, ``refusals`` and ``runs`` are what the
jobs need to resume and to account. Columns are flat, so that plain SQL reaches every number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from trendlark.records import EMOTIONS, FLAGS, SENTIMENTS

SCHEMA_VERSION = 1
SCHEMA_KEY = "trendlark.schema"

_TEXT = pa.string()
_WHOLE = pa.int64()
_NUMBER = pa.float64()
_PROBABILITY = pa.float32()
_MOMENT = pa.timestamp("us", tz="UTC")
_NAMES = pa.list_(pa.field("element", _TEXT))


def _structs(**fields: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("element", pa.struct([pa.field(name, kind) for name, kind in fields.items()])))


_LABELS = _structs(label=_TEXT, probability=_PROBABILITY)
_ENTITIES = _structs(text=_TEXT, type=_TEXT, start=pa.int32(), end=pa.int32(), probability=_PROBABILITY)
_COUNTS = _structs(name=_TEXT, count=_WHOLE)
_TYPED_COUNTS = _structs(name=_TEXT, type=_TEXT, count=_WHOLE)


@dataclass(frozen=True, slots=True)
class Column:
    """A column; one that is ``required`` is never null."""

    name: str
    type: pa.DataType
    description: str
    required: bool = False


@dataclass(frozen=True)
class TableSpec:
    """What a table is: its columns, its one partition column and how long its log is kept.

    ``measured`` are the columns whose least and greatest values the Delta log may hold; ids, authors and
    texts are never among them, so that a forgotten tweet does not live on in the log.
    """

    name: str
    description: str
    partition: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    measured: tuple[str, ...]
    log_days: int = 7
    checkpoint_interval: int = 50

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema; each field carries its description as Delta's column comment."""
        return pa.schema(
            [
                pa.field(c.name, c.type, nullable=not c.required, metadata={"comment": c.description})
                for c in self.columns
            ]
        )

    @property
    def descriptions(self) -> Mapping[str, str]:
        """The description of each column."""
        return {column.name: column.description for column in self.columns}

    def configuration(self) -> dict[str, str]:
        """The table's Delta properties."""
        return {
            SCHEMA_KEY: str(SCHEMA_VERSION),
            "delta.dataSkippingStatsColumns": ",".join(self.measured),
            "delta.logRetentionDuration": f"interval {self.log_days} days",
            "delta.deletedFileRetentionDuration": "interval 1 days",
            "delta.checkpointInterval": str(self.checkpoint_interval),
        }


_HOUR = Column("hour", _TEXT, "UTC hour, such as 2026-11-23T07.", required=True)
_SOURCE = Column("source", _TEXT, "Source: x, mastodon, bluesky, replay or sample.", required=True)
_PLACE = Column("place", _TEXT, "Slug of the place, such as es.", required=True)
_TREND = Column("trend", _TEXT, "Name of the trend as the source states it.", required=True)
_TWEET_ID = Column("tweet_id", _TEXT, "Identifier of the tweet at its source.", required=True)
_MAYBE_TREND = Column("trend", _TEXT, "Name of the trend, where it belongs to one.")


def _metric(name: str) -> Column:
    return Column(name, _WHOLE, f"Number of {name} when it was collected; null where the source is silent.")


def _chance(name: str, of: str) -> Column:
    return Column(name, _PROBABILITY, f"Calibrated probability of {of}, from 0 to 1.")


def _flag(name: str) -> tuple[Column, Column]:
    return (
        Column(name, pa.bool_(), f"Whether the model says {name}."),
        _chance(f"{name}_probability", name),
    )


def _share(name: str, of: str) -> tuple[Column, Column, Column]:
    return (
        Column(name, _NUMBER, f"Share of the analysed tweets with {of}, from 0 to 1."),
        Column(f"{name}_low", _NUMBER, f"Lower end of the 95 % interval of {name}."),
        Column(f"{name}_high", _NUMBER, f"Upper end of the 95 % interval of {name}."),
    )


def _top(name: str, what: str, kind: pa.DataType = _COUNTS) -> Column:
    return Column(name, kind, f"The most frequent {what} with the number of tweets that hold them.")


TWEETS = TableSpec(
    name="tweets",
    description="A tweet as drawn for one trend of one place in one hour.",
    partition="hour",
    key=("hour", "source", "place", "trend", "tweet_id"),
    columns=(
        _HOUR,
        _SOURCE,
        _PLACE,
        _TREND,
        _TWEET_ID,
        Column("author_id", _TEXT, "Identifier of the author at the source."),
        Column("author_handle", _TEXT, "Handle of the author, without @."),
        Column("created_at", _MOMENT, "When it was posted, as the source states it."),
        Column("lang", _TEXT, "Language as the source states it."),
        Column("text", _TEXT, "Text as received; lone surrogates are U+FFFD.", required=True),
        *map(_metric, ("likes", "reposts", "replies", "quotes")),
        Column("url", _TEXT, "Address of the tweet."),
        Column("window", _TEXT, "Slice of the hour from which it was drawn, as start/end."),
        Column("raw", _TEXT, "The record as received, JSON."),
        Column("collected_at", _MOMENT, "When the source gave it.", required=True),
    ),
    measured=("source", "place", "created_at", "collected_at"),
)

ANALYSES = TableSpec(
    name="analyses",
    description="What the model says of a tweet in an hour: one row, however many trends it was drawn for.",
    partition="hour",
    key=("hour", "source", "tweet_id"),
    columns=(
        _HOUR,
        _SOURCE,
        _TWEET_ID,
        Column("model", _TEXT, "Name and version of the model.", required=True),
        Column("lang", _TEXT, "Language, from the source or found, ISO 639-1.", required=True),
        Column("sentiment", _TEXT, "The likeliest: negative, neutral or positive.", required=True),
        *(_chance(f"sentiment_{label}", f"{label} sentiment") for label in SENTIMENTS),
        *(_chance(f"emotion_{label}", label) for label in EMOTIONS),
        Column("emotions_present", _NAMES, "Emotions above the model's thresholds, strongest first."),
        *(column for name in FLAGS for column in _flag(name)),
        Column("topics", _LABELS, "Topics above their thresholds, strongest first."),
        Column(
            "entities",
            _ENTITIES,
            "Named entities; start and end count code points of the text as received, end excluded.",
        ),
        Column("hashtags", _NAMES, "Hashtags without #."),
        Column("mentions", _NAMES, "Mentioned handles without @."),
        Column("urls", _NAMES, "Links."),
        Column("keyphrases", _NAMES, "Keyphrases."),
        Column("truncated", pa.bool_(), "Whether the text was longer than the model reads."),
        Column("analyzed_at", _MOMENT, "When the model said so.", required=True),
    ),
    measured=("source", "model", "sentiment", "analyzed_at"),
)

TRENDS = TableSpec(
    name="trends",
    description="An hour of a trend of a place: what was collected and, once summarised, what it says.",
    partition="hour",
    key=("hour", "source", "place", "trend"),
    columns=(
        _HOUR,
        _SOURCE,
        _PLACE,
        _TREND,
        Column("rank", pa.int32(), "Rank among the trends of the place, 1 is the top.", required=True),
        Column("volume", _WHOLE, "Tweets about it, as the source states it; null where it is silent."),
        Column("sampled", _WHOLE, "Tweets drawn for it.", required=True),
        Column("requests", _WHOLE, "Requests made for its tweets.", required=True),
        Column("cost", _NUMBER, "What its tweets cost, US dollars.", required=True),
        Column("note", _TEXT, "What is special, such as over budget."),
        Column("analysed", _WHOLE, "Drawn tweets with an analysis; null until summarised."),
        *(c for label in SENTIMENTS for c in _share(f"sentiment_{label}", f"{label} sentiment")),
        *(c for label in EMOTIONS for c in _share(f"emotion_{label}", label)),
        *(c for name in FLAGS for c in _share(name, name)),
        _top("entities", "entities", _TYPED_COUNTS),
        _top("hashtags", "hashtags"),
        _top("keyphrases", "keyphrases"),
        _top("topics", "topics"),
        _top("languages", "languages"),
        Column("examples", _NAMES, "Identifiers of the tweets that best stand for the trend."),
        Column("model", _TEXT, "Model of the analyses; null until summarised."),
        Column("summarised_at", _MOMENT, "When it was summarised; null until then."),
    ),
    measured=("source", "place", "rank", "summarised_at"),
)

PAGES = TableSpec(
    name="pages",
    description="An answer of a source as received, kept for a day or two so that a crash never asks twice.",
    partition="day",
    key=("day", "hour", "source", "place", "request", "fetched_at"),
    columns=(
        Column("day", _TEXT, "UTC date on which it was fetched, such as 2026-11-23.", required=True),
        _HOUR,
        _SOURCE,
        _PLACE,
        Column("request", _TEXT, "What was asked, unique within hour and place.", required=True),
        Column("body", _TEXT, "The answer as received.", required=True),
        Column("fetched_at", _MOMENT, "When it was received.", required=True),
        Column("cost", _NUMBER, "What it cost, US dollars.", required=True),
        _MAYBE_TREND,
        Column("window", _TEXT, "Slice of the hour that was asked for, as start/end."),
    ),
    measured=("hour", "source", "place", "fetched_at"),
    log_days=1,
    checkpoint_interval=25,
)

REFUSALS = TableSpec(
    name="refusals",
    description="A record that could not be taken, with its reason and as received.",
    partition="hour",
    key=(),
    columns=(
        _HOUR,
        _SOURCE,
        _PLACE,
        _MAYBE_TREND,
        Column("reason", _TEXT, "Why it could not be taken.", required=True),
        Column("raw", _TEXT, "The record as received.", required=True),
        Column("at", _MOMENT, "When it was refused.", required=True),
    ),
    measured=("source", "place", "at"),
)

RUNS = TableSpec(
    name="runs",
    description="A run of a job over an hour.",
    partition="day",
    key=("day", "run_id", "job", "hour", "source"),
    columns=(
        Column("day", _TEXT, "UTC date on which the run started, such as 2026-11-23.", required=True),
        Column("run_id", _TEXT, "Identifier of the run.", required=True),
        Column("job", _TEXT, "Job: collect, analyze or summarise.", required=True),
        _HOUR,
        _SOURCE,
        Column("place", _TEXT, "Slug of the place; null for a run over all places."),
        Column("status", _TEXT, "How it ended.", required=True),
        Column("started_at", _MOMENT, "When it started.", required=True),
        Column("seconds", _NUMBER, "How long it took.", required=True),
        Column("counts", _COUNTS, "What was done, by name."),
        Column("refused", _WHOLE, "Records that could not be taken.", required=True),
        Column("requests", _WHOLE, "Requests made to the source.", required=True),
        Column("cost", _NUMBER, "What the source charged, US dollars.", required=True),
        Column("model", _TEXT, "Model that was used."),
        Column("error", _TEXT, "What went wrong; null where nothing did."),
        Column("version", _TEXT, "Version of Trendlark.", required=True),
    ),
    measured=("job", "hour", "source", "status", "started_at"),
)

TABLES: Mapping[str, TableSpec] = {
    spec.name: spec for spec in (TWEETS, ANALYSES, TRENDS, PAGES, REFUSALS, RUNS)
}
