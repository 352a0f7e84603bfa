"""The tables of the pages Now and Trend as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from trendlark.records import EMOTIONS, FLAGS, SENTIMENTS, Count, Share
from trendlark.web.answers import TrendAnswer
from trendlark.web.page import Table
from trendlark.web.shown import HourAnswer, RowAnswer, TrendPageAnswer, TweetAnswer

_PLAIN = (
    "hour",
    "source",
    "place",
    "trend",
    "rank",
    "volume",
    "sampled",
    "requests",
    "cost_usd",
    "note",
    "invented",
)
_MOVES = ("rank_before", "new", "mood_change", "mood_change_low", "mood_change_high", "mood_change_is_clear")
_SHARES = {"sentiment_": ("sentiment", SENTIMENTS), "emotion_": ("emotions", EMOTIONS), "": ("flags", FLAGS)}
_HOUR = ("hour", "rank", "volume", "sampled", "analysed")
_TWEET = ("tweet_id", "url", "created_at", "author_id", "author_handle", "lang", "text")
_COUNTS = ("entities", "hashtags", "keyphrases", "topics", "languages")


def trends(answers: Sequence[RowAnswer]) -> Table:
    """Trends with every share and both ends of its interval; columns are named as in the lake."""
    columns = [*_PLAIN, *_MOVES, "analysed"]
    columns += [
        column for prefix, (_, names) in _SHARES.items() for name in names for column in ends(prefix + name)
    ]
    return Table(
        columns, ([*(getattr(one, name) for name in (*_PLAIN, *_MOVES)), *_summed_up(one)] for one in answers)
    )


def hours(answers: Sequence[HourAnswer]) -> Table:
    """A trend over its hours; a gap is a row with nothing but its hour."""
    columns = [*_HOUR, *(column for label in SENTIMENTS for column in ends(f"sentiment_{label}"))]
    return Table(
        columns,
        (
            [*(getattr(one, name) for name in _HOUR), *cells(one.sentiment or {}, SENTIMENTS)]
            for one in answers
        ),
    )


def shares(answer: TrendPageAnswer) -> Table:
    """Every share of the hour chosen beside that of the place."""
    summary, usual = answer.chosen.summary, answer.average
    rows = [
        [kind, name, *cells(getattr(summary, kind) if summary else {}, [name]),
         *cells(getattr(usual, kind) if usual else {}, [name])]
        for kind, names in _SHARES.values()
        for name in names
    ]  # fmt: skip
    return Table(["kind", "name", *ends("share"), *ends("place")], rows)


def words(answer: TrendPageAnswer) -> Table:
    """What the tweets talk about, with the number of tweets."""
    summary = answer.chosen.summary
    found: list[tuple[str, Count]] = [
        (kind, one) for kind in _COUNTS for one in (getattr(summary, kind) if summary else [])
    ]
    return Table(
        ["kind", "name", "type", "tweets"], [[kind, one.name, one.type, one.count] for kind, one in found]
    )


def tweets(answers: Sequence[TweetAnswer]) -> Table:
    """Sampled tweets with every probability; their texts only where they were asked for."""
    columns = [*_TWEET, "model", "said_lang", "sentiment", *(f"sentiment_{name}" for name in SENTIMENTS)]
    columns += [*(f"emotion_{name}" for name in EMOTIONS), "emotions_present"]
    columns += [column for name in FLAGS for column in (name, f"{name}_probability")]
    columns += ["topics", "entities", "hashtags", "keyphrases", "truncated", "doubts"]
    return Table(columns, (list(_tweet(one)) for one in answers))


def _tweet(one: TweetAnswer) -> Iterator[object]:
    yield from (getattr(one, name) for name in _TWEET)
    said = one.analysis
    if said is None:
        return
    yield from (said.model, said.lang, said.sentiment.label)
    yield from (said.sentiment.probabilities.get(name) for name in SENTIMENTS)
    yield from (said.emotions.get(name) for name in EMOTIONS)
    yield list(said.emotions_present)
    for name in FLAGS:
        flag = getattr(said, name)
        yield from (flag.value, flag.probability)
    yield [{"label": topic.label, "probability": topic.probability} for topic in said.topics]
    yield [{"text": one.text, "type": one.type, "probability": one.probability} for one in said.entities]
    yield from (
        list(said.hashtags),
        list(said.keyphrases),
        said.truncated,
        [doubt.reason for doubt in one.doubts],
    )


def ends(name: str) -> tuple[str, str, str]:
    """The columns of a share."""
    return name, f"{name}_low", f"{name}_high"


def _summed_up(answer: TrendAnswer) -> Iterator[object]:
    summary = answer.summary
    yield summary.analysed if summary else None
    for kind, names in _SHARES.values():
        yield from cells(getattr(summary, kind) if summary else {}, names)


def cells(found: Mapping[str, Share], names: Sequence[str]) -> Iterator[object]:
    """Shares with the ends of their intervals, empty where one is not known."""
    for name in names:
        share = found.get(name)
        yield from (share.value, share.low, share.high) if share else (None, None, None)
