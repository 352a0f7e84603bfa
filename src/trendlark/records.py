"""What passes between the rooms: places, trends, tweets, analyses, summaries and run records.

Frozen dataclasses. ``None`` means that the source does not say; zero and the empty string are values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trendlark.hours import Hour

SENTIMENTS = ("negative", "neutral", "positive")
EMOTIONS = ("anger", "disgust", "fear", "joy", "love", "optimism", "sadness", "surprise")
FLAGS = ("irony", "hate", "offensive")


def clean_text(text: str) -> str:
    """Text that every file format can hold: lone surrogates become U+FFFD, nothing else changes.

    Length in code points stays the same, so offsets found in the cleaned text hold in the text as received.
    """
    return (
        "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text) if _has_surrogate(text) else text
    )


def _has_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def finite(value: Any) -> Any:
    """The same value with ``None`` for each number that JSON does not have: NaN and the infinities."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class Place:
    """A location with trends: a slug, its name and its WOEID (Where On Earth identifier) on X."""

    slug: str
    name: str
    woeid: int | None = None


PLACES: Mapping[str, Place] = {
    place.slug: place
    for place in (
        Place("world", "World", 1),
        Place("ar", "Argentina", 23424747),
        Place("ca", "Canada", 23424775),
        Place("cl", "Chile", 23424782),
        Place("co", "Colombia", 23424787),
        Place("ec", "Ecuador", 23424801),
        Place("es", "Spain", 23424950),
        Place("gb", "United Kingdom", 23424975),
        Place("ie", "Ireland", 23424803),
        Place("mx", "Mexico", 23424900),
        Place("pe", "Peru", 23424919),
        Place("us", "United States", 23424977),
        Place("ve", "Venezuela", 23424982),
    )
}


@dataclass(frozen=True, slots=True)
class Trend:
    """A trending topic of a place in an hour; ``volume`` is in tweets, as the source states it."""

    hour: Hour
    source: str
    place: str
    name: str
    rank: int
    volume: int | None = None


@dataclass(frozen=True, slots=True)
class Tweet:
    """One post as drawn for one trend of one place; ``window`` says from which slice of the hour."""

    hour: Hour
    source: str
    place: str
    trend: str
    tweet_id: str
    text: str
    collected_at: datetime
    created_at: datetime | None = None
    author_id: str | None = None
    author_handle: str | None = None
    lang: str | None = None
    likes: int | None = None
    reposts: int | None = None
    replies: int | None = None
    quotes: int | None = None
    url: str | None = None
    window: str | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that could not be taken, kept with its reason and as received."""

    reason: str
    raw: str
    trend: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a source as received; ``request`` names what was asked, unique within hour and place."""

    request: str
    body: str
    fetched_at: datetime
    cost: float = 0.0
    trend: str | None = None
    window: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One label out of several; ``probabilities`` sum to one."""

    # The likeliest, or where the model has thresholds the one furthest above its own, in proportion.
    label: str
    probability: float
    probabilities: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no, with the calibrated probability of yes."""

    value: bool
    probability: float


@dataclass(frozen=True, slots=True)
class Label:
    """A label above its threshold."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity; ``start`` and ``end`` are code points of the text as given, ``end`` excluded."""

    text: str
    type: str
    start: int
    end: int
    probability: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the NLU model says of one tweet."""

    lang: str
    sentiment: Choice
    emotions: Mapping[str, float]
    emotions_present: tuple[str, ...]
    irony: Flag
    hate: Flag
    offensive: Flag
    topics: tuple[Label, ...]
    topic_probabilities: Mapping[str, float]
    entities: tuple[Entity, ...]
    hashtags: tuple[str, ...]
    mentions: tuple[str, ...]
    urls: tuple[str, ...]
    keyphrases: tuple[str, ...]
    truncated: bool
    model: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON of the API: plain dictionaries, lists, strings, numbers and booleans."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


def _plain(value: Any) -> Any:
    if hasattr(value, "__slots__"):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class AnalyzedTweet:
    """The analysis of a tweet in an hour."""

    hour: Hour
    source: str
    tweet_id: str
    analysis: Analysis
    analyzed_at: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the sampled tweets with its 95 % interval, all from 0 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Count:
    """How many sampled tweets hold something; ``type`` is set for entities only."""

    name: str
    count: int
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """An hour of a trend of a place, summed up over its sampled tweets."""

    analysed: int
    sentiment: Mapping[str, Share]
    emotions: Mapping[str, Share]
    flags: Mapping[str, Share]
    entities: tuple[Count, ...]
    hashtags: tuple[Count, ...]
    keyphrases: tuple[Count, ...]
    topics: tuple[Count, ...]
    languages: tuple[Count, ...]
    examples: tuple[str, ...]
    model: str
    summarised_at: datetime


@dataclass(frozen=True, slots=True)
class TrendHour:
    """A row of the table ``trends``: what was collected and, once the hour is summarised, what it says."""

    trend: Trend
    sampled: int
    requests: int
    cost: float
    note: str | None = None
    summary: Summary | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The record of one run of a job over one hour; ``cost`` in US dollars."""

    run_id: str
    job: str
    hour: Hour
    source: str
    place: str | None
    status: str
    started_at: datetime
    seconds: float
    counts: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0
    requests: int = 0
    cost: float = 0.0
    model: str | None = None
    error: str | None = None
    version: str = ""
