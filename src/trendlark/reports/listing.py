"""The tweets of an hour, page by page in one order, with what the model said of each."""

from __future__ import annotations

from dataclasses import dataclass

from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.findings import analysis_of
from trendlark.lake.query import all_of, literal, one_of
from trendlark.lake.rows import tweet_of
from trendlark.records import AnalyzedTweet, Tweet, clean_text

Key = tuple[str, str, str, str]
_ORDER = ("source", "place", "trend", "tweet_id")


@dataclass(frozen=True, slots=True)
class ListedTweet:
    """A tweet as drawn for a trend, and its analysis where there is one."""

    tweet: Tweet
    analyzed: AnalyzedTweet | None

    @property
    def key(self) -> Key:
        """Its place in the order: by source, place, trend, id."""
        return (self.tweet.source, self.tweet.place, self.tweet.trend, self.tweet.tweet_id)


def list_tweets(
    lake: Lake,
    hour: Hour,
    *,
    source: str | None = None,
    place: str | None = None,
    trend: str | None = None,
    lang: str | None = None,
    sentiment: str | None = None,
    after: Key | None = None,
    limit: int,
) -> list[ListedTweet]:
    """At most ``limit`` tweets of an hour behind a key; ``lang`` is what the source states."""
    when = literal(str(hour))
    parts = [f"t.hour = {when}", _all_of_t(source=source, place=place, trend=trend, lang=lang)]
    joined = ""
    if sentiment is not None:
        joined = (
            "JOIN analyses AS a ON a.hour = t.hour AND a.source = t.source AND a.tweet_id = t.tweet_id "
            f"AND a.sentiment = {_text(sentiment)}"
        )
    if after is not None:
        parts.append(_behind(after))
    order = ", ".join(f"t.{name}" for name in _ORDER)
    query = f"SELECT t.* FROM tweets AS t {joined} WHERE {' AND '.join(parts)} ORDER BY {order}"  # noqa: S608
    tweets = [tweet_of(row) for batch in lake.sql(query, limit) for row in batch.to_pylist()]
    if not tweets:
        return []
    ids = one_of("tweet_id", sorted({tweet.tweet_id for tweet in tweets}))
    found = lake.sql(f"SELECT * FROM analyses WHERE {all_of(hour=str(hour))} AND {ids}")  # noqa: S608
    analyzed = [analysis_of(row) for batch in found for row in batch.to_pylist()]
    by_id = {(one.source, one.tweet_id): one for one in analyzed}
    return [ListedTweet(tweet, by_id.get((tweet.source, tweet.tweet_id))) for tweet in tweets]


def _text(text: str) -> str:
    return literal(clean_text(text))


def _all_of_t(**wanted: str | None) -> str:
    return (
        " AND ".join(f"t.{name} = {_text(text)}" for name, text in wanted.items() if text is not None)
        or "TRUE"
    )


def _behind(key: Key) -> str:
    """Rows after a key: greater in one column and equal in all before it."""
    found = []
    for last in range(len(key)):
        same = [f"t.{name} = {_text(text)}" for name, text in zip(_ORDER[:last], key, strict=False)]
        found.append(" AND ".join([*same, f"t.{_ORDER[last]} > {_text(key[last])}"]))
    return "(" + " OR ".join(f"({one})" for one in found) + ")"
