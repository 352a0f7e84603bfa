"""Records become rows of Arrow and come back the same, whatever they hold."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, TypeVar

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.lake_records import MOMENT, analyzed, run, summary, trend_hour, tweet
from trendlark.errors import InputError
from trendlark.hours import Hour
from trendlark.lake.findings import analysis_of, analysis_row, trend_of, trend_row
from trendlark.lake.rows import (
    BATCH_ROWS,
    batches,
    page_of,
    page_row,
    refusal_of,
    refusal_row,
    run_of,
    run_row,
    tweet_of,
    tweet_row,
    utc,
)
from trendlark.lake.tables import ANALYSES, PAGES, REFUSALS, RUNS, TRENDS, TWEETS, TableSpec
from trendlark.lake.write import _COLLECTED
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
    Page,
    Refusal,
    Run,
    Share,
    Summary,
    Trend,
    TrendHour,
    Tweet,
    clean_text,
)

_T = TypeVar("_T")

hostile = st.text(st.characters(exclude_categories=()), max_size=40)
storable = hostile.map(clean_text)
maybe = st.none() | storable
counts = st.none() | st.integers(0, 2**63 - 1)
hours = st.builds(Hour, st.integers(0, 2_000_000))
moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
amounts = st.floats(0, 1e6)
chances = st.integers(0, 1000).map(lambda n: n / 1000)
tallies = st.integers(0, 10**9)
texts = st.lists(storable, max_size=3).map(tuple)

tweets = st.builds(
    Tweet,
    hour=hours,
    source=storable,
    place=storable,
    trend=storable,
    tweet_id=storable,
    text=storable,
    collected_at=moments,
    created_at=st.none() | moments,
    author_id=maybe,
    author_handle=maybe,
    lang=maybe,
    likes=counts,
    reposts=counts,
    replies=counts,
    quotes=counts,
    url=maybe,
    window=maybe,
    raw=maybe,
)
pages = st.builds(Page, storable, storable, moments, amounts, maybe, maybe)
refusals = st.builds(Refusal, storable, storable, maybe)
runs = st.builds(
    Run,
    run_id=storable,
    job=storable,
    hour=hours,
    source=storable,
    place=maybe,
    status=storable,
    started_at=moments,
    seconds=amounts,
    counts=st.dictionaries(storable, tallies, max_size=3),
    refused=tallies,
    requests=tallies,
    cost=amounts,
    model=maybe,
    error=maybe,
    version=storable,
)
flags = st.builds(Flag, st.booleans(), chances)
choices = st.builds(
    lambda label, values: Choice(label, values[label], values),
    st.sampled_from(SENTIMENTS),
    st.fixed_dictionaries(dict.fromkeys(SENTIMENTS, chances)),
)
analyses = st.builds(
    Analysis,
    lang=storable,
    sentiment=choices,
    emotions=st.fixed_dictionaries({}, optional=dict.fromkeys(EMOTIONS, chances)),
    emotions_present=st.lists(st.sampled_from(EMOTIONS), unique=True).map(tuple),
    irony=flags,
    hate=flags,
    offensive=flags,
    topics=st.lists(st.builds(Label, storable, chances), max_size=3).map(tuple),
    topic_probabilities=st.just({}),
    entities=st.lists(
        st.builds(Entity, storable, storable, st.integers(0, 10**6), st.integers(0, 10**6), chances),
        max_size=3,
    ).map(tuple),
    hashtags=texts,
    mentions=texts,
    urls=texts,
    keyphrases=texts,
    truncated=st.booleans(),
    model=storable,
)
analyzed_tweets = st.builds(AnalyzedTweet, hours, storable, storable, analyses, moments)
shares = st.builds(Share, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
untyped = st.lists(st.builds(Count, storable, tallies), max_size=3).map(tuple)
summaries = st.builds(
    Summary,
    analysed=tallies,
    sentiment=st.fixed_dictionaries({}, optional=dict.fromkeys(SENTIMENTS, shares)),
    emotions=st.fixed_dictionaries({}, optional=dict.fromkeys(EMOTIONS, shares)),
    flags=st.fixed_dictionaries({}, optional=dict.fromkeys(FLAGS, shares)),
    entities=st.lists(st.builds(Count, storable, tallies, maybe), max_size=3).map(tuple),
    hashtags=untyped,
    keyphrases=untyped,
    topics=untyped,
    languages=untyped,
    examples=texts,
    model=storable,
    summarised_at=moments,
)
trends = st.builds(Trend, hours, storable, storable, storable, st.integers(1, 50), counts)
trend_hours = st.builds(TrendHour, trends, tallies, tallies, amounts, maybe, st.none() | summaries)


def _through_arrow(row: dict[str, Any], spec: TableSpec) -> dict[str, Any]:
    (back,) = pa.RecordBatch.from_pylist([row], schema=spec.schema).to_pylist()
    assert back.keys() == {column.name for column in spec.columns}
    assert row.keys() <= back.keys()
    return dict(back)


@given(tweets)
def test_tweets_round_trip(one: Tweet) -> None:
    assert tweet_of(_through_arrow(tweet_row(one), TWEETS)) == one


@given(pages, hours)
def test_pages_round_trip(one: Page, hour: Hour) -> None:
    row = _through_arrow(page_row(one, hour, "x", "es"), PAGES)
    assert page_of(row) == one
    assert row["day"] == f"{one.fetched_at:%Y-%m-%d}"


@given(refusals, hours)
def test_refusals_round_trip(one: Refusal, hour: Hour) -> None:
    row = _through_arrow(refusal_row(one, hour, "x", "es", MOMENT), REFUSALS)
    assert refusal_of(row) == one
    assert row["at"] == MOMENT


@given(runs)
def test_runs_round_trip(one: Run) -> None:
    assert run_of(_through_arrow(run_row(one), RUNS)) == one


@given(analyzed_tweets)
def test_analyses_round_trip(one: AnalyzedTweet) -> None:
    assert analysis_of(_through_arrow(analysis_row(one), ANALYSES)) == one


@given(trend_hours)
def test_trends_round_trip(one: TrendHour) -> None:
    assert trend_of(_through_arrow(trend_row(one), TRENDS)) == one


def test_all_that_a_trend_has_before_its_summary_is_compared_when_it_gets_one() -> None:
    assert {"hour", "source", *_COLLECTED} == trend_row(trend_hour()).keys()


@given(hostile)
def test_lone_surrogates_are_cleaned_and_nothing_else(text: str) -> None:
    one = replace(tweet("1"), text=text, raw=text, trend=text)
    back = tweet_of(_through_arrow(tweet_row(one), TWEETS))
    assert back.text == back.raw == back.trend
    assert len(back.text) == len(text)
    for before, after in zip(text, back.text, strict=True):
        assert after == ("\ufffd" if "\ud800" <= before <= "\udfff" else before)


def test_absent_differs_from_empty_and_from_zero() -> None:
    absent = tweet_of(_through_arrow(tweet_row(replace(tweet("1"), likes=None, url=None)), TWEETS))
    empty = tweet_of(_through_arrow(tweet_row(replace(tweet("1"), likes=0, url="")), TWEETS))
    assert (absent.likes, absent.url) == (None, None)
    assert (empty.likes, empty.url) == (0, "")
    row = _through_arrow(trend_row(trend_hour()), TRENDS)
    assert row["entities"] is None
    bare = replace(summary(), entities=(), examples=(), sentiment={})
    row = _through_arrow(trend_row(replace(trend_hour(), summary=bare)), TRENDS)
    assert (row["entities"], row["examples"], row["sentiment_negative"]) == ([], [], None)


def test_a_number_that_no_table_can_hold_is_absent_and_stays_in_raw() -> None:
    huge = replace(tweet("1"), likes=2**70, raw=json.dumps({"likes": 2**70}))
    back = tweet_of(_through_arrow(tweet_row(huge), TWEETS))
    assert back.likes is None
    assert back.raw == huge.raw


def test_times_of_other_zones_are_kept_as_the_same_moment() -> None:
    lima = timezone(timedelta(hours=-5))
    assert utc(MOMENT.astimezone(lima)) == MOMENT
    assert utc(MOMENT.replace(tzinfo=None)) == MOMENT
    assert utc(None) is None
    back = run_of(_through_arrow(run_row(run("1", started_at=MOMENT.astimezone(lima))), RUNS))
    assert back.started_at == MOMENT


def test_labels_without_a_column_are_refused() -> None:
    odd = replace(analyzed("1").analysis, emotions={"joy": 0.5, "awe": 0.5})
    with pytest.raises(InputError, match="awe"):
        analysis_row(replace(analyzed("1"), analysis=odd))
    with pytest.raises(InputError, match="sarcasm"):
        trend_row(replace(trend_hour(), summary=replace(summary(), flags={"sarcasm": Share(0, 0, 1)})))


def test_batches_are_small_in_rows_and_in_characters() -> None:
    many = list(batches((tweet(str(n)) for n in range(2 * BATCH_ROWS + 1)), tweet_row, TWEETS))
    assert [batch.num_rows for batch in many] == [BATCH_ROWS, BATCH_ROWS, 1]
    long = list(batches((tweet(str(n), text="x" * 5_000_000) for n in range(5)), tweet_row, TWEETS))
    assert [batch.num_rows for batch in long] == [2, 2, 1]
    assert list(batches([], tweet_row, TWEETS)) == []
