"""What people ask of the hours that are summed up: where, when, what trended, how it went on, what moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.findings import analysis_of
from trendlark.lake.query import all_of, one_of
from trendlark.lake.rows import Row, tweet_of
from trendlark.records import AnalyzedTweet, Summary, TrendHour, Tweet
from trendlark.reports.intervals import Change, balance, swing


@dataclass(frozen=True, slots=True)
class HourOfTrend:
    """A trend in one of the hours asked for; ``row`` is None where it did not trend or was not collected."""

    hour: Hour
    row: TrendHour | None


@dataclass(frozen=True, slots=True)
class Move:
    """A trend against an earlier hour.

    ``climbed`` counts ranks, up is positive; it and ``rank_before`` are None for a trend that was not there.
    ``mood`` is the change of the mood, positive minus negative share; None unless both hours are summed up.
    ``one_model`` says whether both are, by the same model.
    """

    row: TrendHour
    rank_before: int | None
    climbed: int | None
    mood: Change | None
    one_model: bool

    @property
    def mood_is_clear(self) -> bool:
        """Whether the change of mood may be marked: its interval leaves out zero, and one model read both hours."""
        return self.mood is not None and self.mood.clear and self.one_model

    @property
    def new(self) -> bool:
        """Whether the trend was not among those of the earlier hour."""
        return self.rank_before is None


@dataclass(frozen=True, slots=True)
class ExampleTweet:
    """A tweet that stands for a trend, and what the model said of it where that is still known."""

    tweet: Tweet
    analyzed: AnalyzedTweet | None


def sources(lake: Lake) -> list[str]:
    """The sources that hold trends, by name."""
    return sorted({source for source, _ in lake.places()})


def places(lake: Lake, source: str | None = None) -> list[str]:
    """The slugs of the places that hold trends, of one source or of all."""
    return sorted({place for name, place in lake.places() if source in {None, name}})


def hours(lake: Lake, source: str | None = None, place: str | None = None) -> list[Hour]:
    """The hours that hold trends, newest first."""
    return sorted(lake.hours(source, place), reverse=True)


def latest_hour(lake: Lake, source: str | None = None, place: str | None = None) -> Hour | None:
    """The newest hour that holds trends; None while there is none."""
    return max(lake.hours(source, place), default=None)


def trends(lake: Lake, source: str, place: str, hour: Hour) -> list[TrendHour]:
    """The trends of a place in an hour, from the top."""
    rows = lake.trend_hours(hour, source=source, place=place)
    return sorted(rows, key=lambda row: (row.trend.rank, row.trend.name))


def trend_over_hours(
    lake: Lake, source: str, place: str, trend: str, last: Hour, hours: int = 24
) -> list[HourOfTrend]:
    """Each of the ``hours`` hours that end with ``last``, oldest first; raises InputError for fewer than one."""
    if hours < 1:
        raise InputError(f"Found {hours} hours asked for; at least 1 is needed. Ask for 24, for example.")
    first = last - (hours - 1)
    rows = lake.trend_hours(first=first, last=last, source=source, place=place, trend=trend)
    found = {row.trend.hour: row for row in rows}
    return [HourOfTrend(hour, found.get(hour)) for hour in first.until(last)]


def moved(now: Sequence[TrendHour], before: Sequence[TrendHour]) -> list[Move]:
    """Each trend of an hour against the rows of an earlier one, in the order of ``now``.

    Trends are the same when source, place and name are.
    """
    earlier = {_name(row): row for row in before}
    return [_move(row, earlier.get(_name(row))) for row in now]


def gone(now: Sequence[TrendHour], before: Sequence[TrendHour]) -> list[TrendHour]:
    """The rows of the earlier hour whose trends are no longer there, in the order of ``before``."""
    still = {_name(row) for row in now}
    return [row for row in before if _name(row) not in still]


def mood(summary: Summary | None) -> Change | None:
    """Positive minus negative share with its interval; None where nothing is summed up."""
    if summary is None or not summary.sentiment:
        return None
    return balance(summary.sentiment["positive"], summary.sentiment["negative"])


def example_tweets(lake: Lake, row: TrendHour) -> list[ExampleTweet]:
    """The tweets that stand for a trend in its hour, in the order of its summary; forgotten ones are left out."""
    wanted = row.summary.examples if row.summary else ()
    tweets = {
        tweet.tweet_id: tweet
        for tweet in map(tweet_of, _rows_of(lake, "tweets", row, wanted))
        if (tweet.place, tweet.trend) == (row.trend.place, row.trend.name)
    }
    analyzed = {one.tweet_id: one for one in map(analysis_of, _rows_of(lake, "analyses", row, wanted))}
    return [ExampleTweet(tweets[one], analyzed.get(one)) for one in wanted if one in tweets]


def _rows_of(lake: Lake, table: str, row: TrendHour, tweet_ids: Iterable[str]) -> Iterable[Row]:
    # An hour may hold a hundred thousand analyses: only the few that are shown may leave the lake.
    ids = list(tweet_ids)
    if not ids:
        return
    where = all_of(hour=str(row.trend.hour), source=row.trend.source)
    for batch in lake.sql(f"SELECT * FROM {table} WHERE {where} AND {one_of('tweet_id', ids)}"):  # noqa: S608
        yield from batch.to_pylist()


def _move(row: TrendHour, before: TrendHour | None) -> Move:
    if before is None:
        return Move(row, None, None, None, one_model=False)
    rank = before.trend.rank
    was, now = mood(before.summary), mood(row.summary)
    change = swing(now, was) if now and was else None
    return Move(row, rank, rank - row.trend.rank, change, _one_model(row.summary, before.summary))


def _one_model(now: Summary | None, before: Summary | None) -> bool:
    # Two models read the same tweets differently: the interval covers the chance of drawing, not that.
    return now is not None and before is not None and now.model == before.model


def _name(row: TrendHour) -> tuple[str, str, str]:
    return row.trend.source, row.trend.place, row.trend.name
