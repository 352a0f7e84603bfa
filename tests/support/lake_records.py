"""Records to put into a lake in tests: small, distinct, and easy to tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from deltalake import write_deltalake

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.rows import batches, run_row
from trendlark.lake.tables import RUNS
from trendlark.records import (
    EMOTIONS,
    Analysis,
    AnalyzedTweet,
    Choice,
    Count,
    Entity,
    Flag,
    Label,
    Page,
    Run,
    Share,
    Summary,
    Trend,
    TrendHour,
    Tweet,
)

HOUR = Hour.parse("2026-11-23T07")
MOMENT = datetime(2026, 11, 23, 7, 5, 1, 234567, tzinfo=UTC)


def tweet(
    tweet_id: str, trend: str = "#uno", *, hour: Hour = HOUR, place: str = "es", text: str = ""
) -> Tweet:
    """A tweet of source x."""
    return Tweet(hour, "x", place, trend, tweet_id, text or f"tweet {tweet_id}", MOMENT, likes=0)


def trend_hour(
    name: str = "#uno", *, hour: Hour = HOUR, place: str = "es", rank: int = 1, sampled: int = 2
) -> TrendHour:
    """A trend that is not summarised yet."""
    return TrendHour(Trend(hour, "x", place, name, rank), sampled, requests=1, cost=0.01)


def analyzed(tweet_id: str, *, model: str = "lark-1", hour: Hour = HOUR, source: str = "x") -> AnalyzedTweet:
    """An analysis in which every field holds something."""
    analysis = Analysis(
        lang="es",
        sentiment=Choice("positive", 0.75, {"negative": 0.05, "neutral": 0.2, "positive": 0.75}),
        emotions=dict.fromkeys(EMOTIONS, 0.125),
        emotions_present=("joy", "love"),
        irony=Flag(True, 0.9),
        hate=Flag(False, 0.01),
        offensive=Flag(False, 0.02),
        topics=(Label("sports", 0.8),),
        topic_probabilities={},
        entities=(Entity("Bernabeu", "location", 3, 11, 0.6),),
        hashtags=("HalaMadrid",),
        mentions=("RealMadrid",),
        urls=("https://example.org",),
        keyphrases=("partidazo",),
        truncated=False,
        model=model,
    )
    return AnalyzedTweet(hour, source, tweet_id, analysis, MOMENT)


def summary(model: str = "lark-1") -> Summary:
    """A summary in which every field holds something."""
    share = Share(0.5, 0.25, 0.75)
    return Summary(
        analysed=2,
        sentiment=dict.fromkeys(("negative", "neutral", "positive"), share),
        emotions=dict.fromkeys(EMOTIONS, share),
        flags=dict.fromkeys(("irony", "hate", "offensive"), share),
        entities=(Count("Bernabeu", 2, "location"),),
        hashtags=(Count("HalaMadrid", 2),),
        keyphrases=(Count("partidazo", 1),),
        topics=(Count("sports", 2),),
        languages=(Count("es", 2),),
        examples=("1", "2"),
        model=model,
        summarised_at=MOMENT,
    )


def page(request: str, *, body: str = "{}", fetched_at: datetime = MOMENT, cost: float = 0.005) -> Page:
    """An answer of a source."""
    return Page(request, body, fetched_at, cost)


def run(run_id: str, *, started_at: datetime = MOMENT, job: str = "collect") -> Run:
    """The record of a run."""
    return Run(run_id, job, HOUR, "x", "es", "done", started_at, 1.5, {"tweets": 2}, version="0.1.0")


def add_runs(lake: Lake, runs: Sequence[Run]) -> None:
    """Keep thousands of runs in two commits, where the lake itself makes one for each."""
    lake.add_run(runs[0])
    if runs[1:]:
        write_deltalake(f"{lake.uri}/{RUNS.name}", list(batches(runs[1:], run_row, RUNS)), mode="append")
