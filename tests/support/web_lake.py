"""A real lake with a story that the web tests know by heart: shares are given, not computed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import (
    EMOTIONS,
    FLAGS,
    SENTIMENTS,
    Analysis,
    AnalyzedTweet,
    Choice,
    Count,
    Entity,
    Flag,
    Label,
    Share,
    Summary,
    Trend,
    TrendHour,
    Tweet,
)

FIRST = Hour.parse("2026-11-23T02")
LAST = FIRST + 5
MODEL = "lark-test"
TEXTS = (
    "Qué partidazo, no me lo puedo creer 😍 #MiraflorValdoro",
    "So the trains are off again. Great. Love waiting in the cold 🙃",
    "The keynote starts at nine, stream link in the thread https://example.org/live",
)
HOSTILE_TREND = (
    "</script><script>window.hacked=1</script>\u202e#\"'/../?a=b&c<img src=x onerror=window.hacked=2>"
)
HOSTILE_TEXT = (
    "<script>window.hacked=3</script><img src=x onerror='window.hacked=4'>\u202eevil\u202c "
    "{{7*7}} ${window.hacked=5} javascript:window.hacked=6 " + "w" * 300
)


@dataclass(frozen=True, slots=True)
class Story:
    """A trend over the hours: negative and positive shares by hour; None is an hour without it."""

    name: str
    place: str
    volume: int | None
    moods: tuple[tuple[float, float] | None, ...]
    emotions: Mapping[str, float]


STORIES = (
    Story(
        "#MiraflorValdoro",
        "es",
        48_200,
        ((0.10, 0.55), (0.14, 0.60), (0.31, 0.42), (0.52, 0.20), (0.30, 0.45), (0.08, 0.78)),
        {"joy": 0.52, "optimism": 0.21, "anger": 0.12, "surprise": 0.09},
    ),
    Story(
        "Lía Montero",
        "es",
        31_500,
        ((0.2, 0.3), (0.22, 0.35), None, (0.15, 0.5), (0.18, 0.48), (0.2, 0.46)),
        {"love": 0.41, "joy": 0.33, "sadness": 0.06},
    ),
    Story("#HuelgaMetro", "es", 22_800, ((0.7, 0.05),) * 6, {"anger": 0.61, "disgust": 0.24, "sadness": 0.1}),
    Story(
        "Winter Storm Juniper", "us", 88_700, ((0.4, 0.1),) * 6, {"fear": 0.44, "sadness": 0.2, "joy": 0.08}
    ),
    Story("#Orbix9", "us", None, ((0.25, 0.3),) * 6, {"surprise": 0.22, "optimism": 0.18}),
    Story("AC/DC & friends", "us", 900, (None, None, None, None, None, (0.02, 0.8)), {"joy": 0.7}),
)
HOSTILE_STORY = Story(HOSTILE_TREND, "us", 1, ((0.5, 0.5),) * 6, {"joy": 0.5})


def interval(share: float, n: int) -> Share:
    """Wilson's 95 % interval."""
    middle = (share + 1.92 / n) / (1 + 3.84 / n)
    half = 1.96 * sqrt(share * (1 - share) / n + 0.96 / n**2) / (1 + 3.84 / n)
    return Share(share, max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def summary_of(
    hour: Hour, mood: tuple[float, float], emotions: Mapping[str, float], examples: Iterable[str], n: int = 40
) -> Summary:
    """A summary with the shares given."""
    negative, positive = mood
    shares = dict(zip(SENTIMENTS, (negative, 1 - negative - positive, positive), strict=True))
    return Summary(
        analysed=n,
        sentiment={name: interval(share, n) for name, share in shares.items()},
        emotions={name: interval(emotions.get(name, 0.02), n) for name in EMOTIONS},
        flags={name: interval(share, n) for name, share in zip(FLAGS, (0.18, 0.02, 0.07), strict=True)},
        entities=(
            Count("Valdoro", 14, "organization"),
            Count("Lima", 9, "location"),
            Count("Beto", 3, "person"),
        ),
        hashtags=(Count("MiraflorValdoro", 21), Count("CopaDeVerano", 7)),
        keyphrases=(Count("penalti en el descuento", 8), Count("gran final", 5)),
        topics=(Count("sports", 31), Count("news_&_social_concern", 4)),
        languages=(Count("es", 34), Count("en", 6)),
        examples=tuple(examples),
        model=MODEL,
        summarised_at=hour.end + timedelta(minutes=4),
    )


def analysis_of(text: str, sentiment: str = "positive") -> Analysis:
    """An analysis that does not depend on the text, but for what is found in it."""
    sure = 0.83
    rest = (1 - sure) / 2
    return Analysis(
        lang="es",
        sentiment=Choice(sentiment, sure, {name: sure if name == sentiment else rest for name in SENTIMENTS}),
        emotions={name: 0.77 if name == "joy" else 0.03 for name in EMOTIONS},
        emotions_present=("joy",),
        irony=Flag(True, 0.71),
        hate=Flag(False, 0.01),
        offensive=Flag(False, 0.04),
        topics=(Label("sports", 0.9),),
        topic_probabilities={"sports": 0.9},
        entities=(Entity(text[:8], "misc", 0, min(8, len(text)), 0.6),),
        hashtags=(),
        mentions=(),
        urls=(),
        keyphrases=(),
        truncated=False,
        model=MODEL,
    )


def tweets_of(story: Story, source: str, hour: Hour, texts: Iterable[str]) -> list[Tweet]:
    """A tweet for each text, with ids that no other trend or hour has."""
    stem = hashlib.sha256(f"{story.name}{hour}{source}".encode()).hexdigest()[:8]
    return [
        Tweet(
            hour=hour,
            source=source,
            place=story.place,
            trend=story.name,
            tweet_id=f"{stem}-{number}",
            text=text,
            collected_at=hour.end,
            created_at=hour.start + timedelta(minutes=7 * number),
            author_handle="<b>mina</b>",
            lang="es",
            url="javascript:window.hacked=7" if number % 2 else f"https://x.com/i/status/{number}",
        )
        for number, text in enumerate(texts)
    ]


def fill(
    lake: Lake,
    source: str = "sample",
    stories: Iterable[Story] = STORIES,
    texts: Iterable[str] = TEXTS,
    summarised: bool = True,
) -> None:
    """Write the stories into a lake as the jobs do: collected, analysed and, if wanted, summed up."""
    kept = list(stories)
    for step in range(6):
        hour = FIRST + step
        summaries: list[TrendHour] = []
        for place in sorted({story.place for story in kept}):
            here = [story for story in kept if story.place == place and story.moods[step] is not None]
            tweets = [tweet for story in here for tweet in tweets_of(story, source, hour, texts)]
            rows = [_row(story, source, hour, rank) for rank, story in enumerate(here, 1)]
            lake.commit_collection(hour, source, place, tweets, rows, [], "run-c")
            analyzed = [
                AnalyzedTweet(hour, source, tweet.tweet_id, analysis_of(tweet.text), hour.end)
                for tweet in tweets
            ]
            lake.insert_analyses(hour, analyzed, "run-a")
            summaries += [_summed_up(row, story, step, tweets) for row, story in zip(rows, here, strict=True)]
        if summarised:
            lake.commit_summaries(hour, source, summaries, "run-s")


def _row(story: Story, source: str, hour: Hour, rank: int) -> TrendHour:
    trend = Trend(hour, source, story.place, story.name, rank, story.volume)
    return TrendHour(trend, sampled=40, requests=5, cost=0.0)


def _summed_up(row: TrendHour, story: Story, step: int, tweets: Iterable[Tweet]) -> TrendHour:
    ids = [tweet.tweet_id for tweet in tweets if tweet.trend == story.name]
    mood = story.moods[step] or (0.0, 0.0)
    summary = summary_of(row.trend.hour, mood, story.emotions, ids)
    return TrendHour(row.trend, row.sampled, row.requests, row.cost, row.note, summary)
