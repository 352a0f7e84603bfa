"""A lake in which everything that strangers may write is hostile, and the addresses of all pages over it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from urllib.parse import quote, urlencode

from tests.support.web_lake import (
    FIRST,
    HOSTILE_STORY,
    HOSTILE_TEXT,
    HOSTILE_TREND,
    LAST,
    MODEL,
    STORIES,
    TEXTS,
    Story,
    analysis_of,
    fill,
    summary_of,
)
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.nlu.artifact import Manifest, load_artifact
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.records import AnalyzedTweet, Count, Entity, Run, Trend, TrendHour, Tweet

HOSTILE_PLACE = "xx\u202e\"><svg onload=window.hacked=10><a href='javascript:window.hacked=11'>p"
HOSTILE_AUTHOR = '\u202e</b><script>window.hacked=12</script>"onmouseover=window.hacked=13 x="'
HOSTILE_ENTITY = "<iframe src=javascript:window.hacked=14>\u2066"
_STRANGE = Story(
    "\u2067<body onload=window.hacked=15>\u202e]]>--><!--", HOSTILE_PLACE, 3, ((0.5, 0.2),) * 6, {}
)


class CardedFake(FakeAnalyzer):
    """The fake analyzer with the shipped model's card."""

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest of the artefact in the package."""
        return load_artifact().manifest


def fill_hostile(lake: Lake) -> None:
    """The stories, and beside them trends, places, authors, entities, texts and errors that would like to run."""
    fill(lake, "sample", [*STORIES, HOSTILE_STORY], [*TEXTS, HOSTILE_TEXT])
    fill(lake, "x", STORIES[:1], summarised=False)
    for step in range(6):
        _fill_strange(lake, FIRST + step)
    for minute, error in enumerate(("Found no credits", HOSTILE_TEXT)):
        started = Hour.now().start - timedelta(hours=2, minutes=minute)
        run = Run(
            f"run{minute}", "collect", LAST, "sample", HOSTILE_PLACE, "failed", started, 1.0, error=error
        )
        lake.add_run(replace(run, counts={HOSTILE_ENTITY: 3}))


def _fill_strange(lake: Lake, hour: Hour) -> None:
    trend = Trend(hour, "sample", HOSTILE_PLACE, _STRANGE.name, 1, _STRANGE.volume)
    tweets = [
        Tweet(
            hour=hour, source="sample", place=HOSTILE_PLACE, trend=_STRANGE.name, tweet_id=f"<b>{hour}-{number}",
            text=f"{number} {HOSTILE_TEXT}", collected_at=hour.end, author_handle=HOSTILE_AUTHOR,
            author_id=HOSTILE_AUTHOR, lang="<i>", url="javascript:window.hacked=16",
        )
        for number in range(3)
    ]  # fmt: skip
    entity = Entity(HOSTILE_ENTITY, "<u>", 2, 20, 0.9)
    said = replace(
        analysis_of(HOSTILE_TEXT),
        lang="<i>",
        entities=(entity,),
        keyphrases=(HOSTILE_ENTITY,),
        hashtags=(HOSTILE_ENTITY,),
    )
    analyzed = [AnalyzedTweet(hour, "sample", tweet.tweet_id, said, hour.end) for tweet in tweets]
    lake.commit_collection(
        hour, "sample", HOSTILE_PLACE, tweets, [TrendHour(trend, 40, 1, 0.0, HOSTILE_TEXT)], [], "run-c"
    )
    lake.insert_analyses(hour, analyzed, "run-a")
    hostile = (Count(HOSTILE_ENTITY, 3),)
    summary = replace(
        summary_of(hour, (0.5, 0.2), {"joy": 0.3}, [tweet.tweet_id for tweet in tweets]),
        entities=(Count(HOSTILE_ENTITY, 3, "<u>"),), hashtags=hostile, keyphrases=hostile, topics=hostile,
        languages=hostile, model=MODEL,
    )  # fmt: skip
    others = [row for row in lake.trend_hours(hour, source="sample") if row.trend.place != HOSTILE_PLACE]
    row = TrendHour(trend, 40, 1, 0.0, HOSTILE_TEXT, summary)
    lake.commit_summaries(hour, "sample", [*others, row], "run-s")


def trend_path(source: str, place: str, name: str) -> str:
    """The address of a trend."""
    return f"/trends/{source}/{quote(place, safe='')}/{quote(name, safe='')}"


def _compare(*picks: tuple[str, str, str]) -> str:
    return "/compare?" + urlencode([("of", "/".join(pick)) for pick in picks])


_HOSTILE_PICKS = (
    ("sample", "us", HOSTILE_TREND),
    ("sample", HOSTILE_PLACE, _STRANGE.name),
    ("sample", "es", "#MiraflorValdoro"),
)
PAGES: dict[str, str] = {
    "now": "/",
    "now of a place": f"/?place={quote(HOSTILE_PLACE)}",
    "trend": trend_path("sample", "es", "#MiraflorValdoro"),
    "trend with a gap": trend_path("sample", "es", "Lía Montero"),
    "hostile trend": trend_path("sample", "us", HOSTILE_TREND),
    "hostile place": trend_path("sample", HOSTILE_PLACE, _STRANGE.name),
    "not summed up": trend_path("x", "es", "#MiraflorValdoro"),
    "compare, choosing": "/compare",
    "compare": _compare(*_HOSTILE_PICKS),
    "compare five": _compare(
        *_HOSTILE_PICKS, ("sample", "us", "AC/DC & friends"), ("sample", "us", "#Orbix9")
    ),
    "search": "/search",
    "search tweets": "/search?" + urlencode({"q": "window.hacked"}),
    "search trends": "/search?" + urlencode({"q": "hacked", "kind": "trends"}),
    "search in vain": "/search?" + urlencode({"q": HOSTILE_TREND[:100], "place": HOSTILE_PLACE}),
    "try": "/try",
    "try a text": "/try?" + urlencode({"text": HOSTILE_TEXT + " Ana Pérez", "text_lang": "<i>"}),
    "model": "/model",
    "status": "/status",
}
