"""Tweets and analyses for the reports' tests: only what a test names is special."""

from __future__ import annotations

from datetime import UTC, datetime

from trendlark.hours import Hour
from trendlark.records import (
    EMOTIONS,
    SENTIMENTS,
    Analysis,
    AnalyzedTweet,
    Choice,
    Entity,
    Flag,
    Label,
    Trend,
    TrendHour,
    Tweet,
)

HOUR = Hour.parse("2026-11-23T07")
NOW = datetime(2026, 11, 23, 8, 1, tzinfo=UTC)


def trend_row(
    name: str = "#uno",
    *,
    sampled: int = 0,
    volume: int | None = None,
    rank: int = 1,
    place: str = "es",
    hour: Hour = HOUR,
) -> TrendHour:
    """A collected trend without a summary."""
    return TrendHour(Trend(hour, "x", place, name, rank, volume), sampled, requests=1, cost=0.0)


def drawn(
    tweet_id: str, text: str = "", *, trend: str = "#uno", place: str = "es", hour: Hour = HOUR
) -> Tweet:
    """A tweet as drawn for a trend."""
    return Tweet(hour, "x", place, trend, tweet_id, text or f"texto del tuit {tweet_id}", NOW)


def analysis(
    sentiment: str = "neutral",
    *,
    emotions: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    entities: tuple[tuple[str, str], ...] = (),
    hashtags: tuple[str, ...] = (),
    keyphrases: tuple[str, ...] = (),
    topics: tuple[str, ...] = (),
    lang: str = "es",
    model: str = "lark-1",
) -> Analysis:
    """What the model says of a tweet."""

    def _flag(name: str) -> Flag:
        return Flag(name in flags, 0.9 if name in flags else 0.1)

    return Analysis(
        lang=lang,
        sentiment=Choice(sentiment, 0.8, {label: 0.8 if label == sentiment else 0.1 for label in SENTIMENTS}),
        emotions={label: 0.9 if label in emotions else 0.1 for label in EMOTIONS},
        emotions_present=emotions,
        irony=_flag("irony"),
        hate=_flag("hate"),
        offensive=_flag("offensive"),
        topics=tuple(Label(topic, 0.9) for topic in topics),
        topic_probabilities={},
        entities=tuple(Entity(text, kind, 0, len(text), 0.9) for text, kind in entities),
        hashtags=hashtags,
        mentions=(),
        urls=(),
        keyphrases=keyphrases,
        truncated=False,
        model=model,
    )


def analysed(tweet_id: str, found: Analysis | None = None, *, hour: Hour = HOUR) -> AnalyzedTweet:
    """The analysis of a tweet of source x."""
    return AnalyzedTweet(hour, "x", tweet_id, found or analysis(), NOW)
