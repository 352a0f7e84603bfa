"""Summing up an hour: rows, tweets and analyses in, rows with their summaries out. Pure; no lake, no clock.

Tweets and analyses are read once, as streams. What is kept of them grows with the number of different names and
with the bounded pools of texts from which examples are chosen, not with the tweets' size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from heapq import heappush, heapreplace

from trendlark.hours import Hour
from trendlark.records import (
    EMOTIONS,
    FLAGS,
    SENTIMENTS,
    Analysis,
    AnalyzedTweet,
    Summary,
    Trend,
    TrendHour,
    Tweet,
)
from trendlark.reports.counts import NameCounter
from trendlark.reports.examples import Candidate, Pool, choose_examples
from trendlark.reports.intervals import shares, usable_population
from trendlark.reports.words import MAX_CHARACTERS

Analyses = Mapping[tuple[str, str], Analysis] | Iterable[AnalyzedTweet]
"""Analyses by (source, tweet id), or as the lake streams them, each tweet once."""

MOST_CANDIDATES = 2000
_LEAST_CANDIDATES = 200
_CANDIDATES_OF_AN_HOUR = 40_000

_Key = tuple[Hour, str, str, str]


def summarise(
    rows: Sequence[TrendHour], tweets: Iterable[Tweet], analyses: Analyses, now: datetime
) -> list[TrendHour]:
    """The same rows in the same order, each with its summary over those of its tweets that are analysed.

    The order of tweets and analyses does not matter. A tweet counts once in each trend for which it was drawn;
    tweets of other trends and analyses of other tweets are passed over. Without any analysed tweet the shares are
    empty mappings, the tops and examples empty, and the model is the empty string.
    """
    most = max(_LEAST_CANDIDATES, min(MOST_CANDIDATES, _CANDIDATES_OF_AN_HOUR // max(1, len(rows))))
    digests = {_key_of(row.trend): _Digest(row, most) for row in rows}
    waiting = _deal(tweets, digests)
    for key, analysis in _keyed(analyses):
        for digest in waiting.pop(key, ()):
            digest.take(key[1], analysis)
    ordered = [digests[_key_of(row.trend)] for row in rows]
    examples = choose_examples([digest.pool() for digest in ordered])
    return [
        replace(row, summary=digest.summary(chosen, now))
        for row, digest, chosen in zip(rows, ordered, examples, strict=True)
    ]


class _Digest:
    """What is remembered of one trend while its tweets and analyses go by."""

    def __init__(self, row: TrendHour, most: int) -> None:
        self._row = row
        self._texts = _TextSample(most)
        self._candidates: list[Candidate] = []
        self._analysed = 0
        self._sentiments: Counter[str] = Counter(dict.fromkeys(SENTIMENTS, 0))
        self._emotions: Counter[str] = Counter(dict.fromkeys(EMOTIONS, 0))
        self._flags: Counter[str] = Counter(dict.fromkeys(FLAGS, 0))
        self._models: Counter[str] = Counter()
        self._entities = NameCounter()
        self._hashtags = NameCounter()
        self._keyphrases = NameCounter()
        self._topics = NameCounter()
        self._languages = NameCounter()

    def see(self, tweet: Tweet) -> None:
        """A tweet was drawn for the trend; its analysis may follow."""
        self._texts.offer(tweet.tweet_id, tweet.text)

    def take(self, tweet_id: str, analysis: Analysis) -> None:
        """Count what the model says of one of the trend's tweets."""
        self._analysed += 1
        self._sentiments[analysis.sentiment.label] += 1
        self._emotions.update(set(analysis.emotions_present))
        self._flags.update(name for name in FLAGS if getattr(analysis, name).value)
        self._models[analysis.model] += 1
        # The sign of a mention that was written apart ("@ name") names nobody.
        self._entities.add((one.text, one.type) for one in analysis.entities if one.text != "@")
        self._hashtags.add((hashtag, None) for hashtag in analysis.hashtags)
        self._keyphrases.add((phrase, None) for phrase in analysis.keyphrases)
        self._topics.add((topic.label, None) for topic in analysis.topics)
        self._languages.add([(analysis.lang, None)])
        text = self._texts.get(tweet_id)
        if text is not None:
            self._candidates.append(Candidate(tweet_id, text, analysis.sentiment.label))

    def pool(self) -> Pool:
        """From what the examples are chosen."""
        return Pool(self._candidates, self._sentiments)

    def summary(self, examples: tuple[str, ...], now: datetime) -> Summary:
        """Everything, summed up."""
        row, analysed = self._row, self._analysed
        population = usable_population(row.trend.volume, max(row.sampled, analysed))
        return Summary(
            analysed=analysed,
            sentiment=shares(self._sentiments, analysed, population),
            emotions=shares(self._emotions, analysed, population),
            flags=shares(self._flags, analysed, population),
            entities=self._entities.top(),
            hashtags=self._hashtags.top(),
            keyphrases=self._keyphrases.top(),
            topics=self._topics.top(),
            languages=self._languages.top(),
            examples=examples,
            model=min(self._models, key=lambda name: (-self._models[name], name), default=""),
            summarised_at=now,
        )


class _TextSample:
    """The texts whose tweet ids have the smallest hashes: a random sample that is the same at every run."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[int, str]] = []
        self._texts: dict[str, str] = {}

    def offer(self, tweet_id: str, text: str) -> None:
        digest = blake2b(tweet_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        entry = (-int.from_bytes(digest, "big"), tweet_id)
        if len(self._heap) < self._most:
            heappush(self._heap, entry)
        elif entry > self._heap[0]:
            del self._texts[heapreplace(self._heap, entry)[1]]
        else:
            return
        self._texts[tweet_id] = text[:MAX_CHARACTERS]

    def get(self, tweet_id: str) -> str | None:
        return self._texts.get(tweet_id)


def _deal(
    tweets: Iterable[Tweet], digests: Mapping[_Key, _Digest]
) -> dict[tuple[str, str], tuple[_Digest, ...]]:
    """Show each tweet to its trend; returns which trends wait for the analysis of which tweet."""
    waiting: dict[tuple[str, str], tuple[_Digest, ...]] = {}
    for tweet in tweets:
        digest = digests.get((tweet.hour, tweet.source, tweet.place, tweet.trend))
        key = (tweet.source, tweet.tweet_id)
        known = waiting.get(key, ())
        if digest is not None and digest not in known:
            digest.see(tweet)
            waiting[key] = (*known, digest)
    return waiting


def _keyed(analyses: Analyses) -> Iterator[tuple[tuple[str, str], Analysis]]:
    if isinstance(analyses, Mapping):
        yield from analyses.items()
        return
    for analyzed in analyses:
        yield (analyzed.source, analyzed.tweet_id), analyzed.analysis


def _key_of(trend: Trend) -> _Key:
    return trend.hour, trend.source, trend.place, trend.name
