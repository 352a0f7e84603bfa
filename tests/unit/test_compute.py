"""An hour summed up: hand-counted cases, and what must hold for any hour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.report_records import NOW, analysed, analysis, drawn, trend_row
from trendlark.records import (
    EMOTIONS,
    FLAGS,
    SENTIMENTS,
    Analysis,
    AnalyzedTweet,
    Count,
    Share,
    Summary,
    TrendHour,
    Tweet,
)
from trendlark.reports.compute import MOST_CANDIDATES, summarise
from trendlark.reports.examples import Pool, choose_examples
from trendlark.reports.intervals import interval


def _summary(row: TrendHour) -> Summary:
    assert row.summary is not None
    return row.summary


def _small_hour() -> tuple[list[Tweet], list[AnalyzedTweet]]:
    tweets = [
        drawn("1", "Gran victoria del Madrid en Málaga #HalaMadrid"),
        drawn("2", "El arbitraje fue una vergüenza, como siempre en malaga"),
        drawn("3", "Partido correcto, sin más, en una tarde de lluvia"),
        drawn("4", "What a goal by Vinicius, I cannot believe it"),
    ]
    found = [
        analysed(
            "1",
            analysis(
                "positive",
                emotions=("joy", "love"),
                entities=(("Madrid", "organization"), ("Málaga", "location"), ("Madrid", "organization")),
                hashtags=("HalaMadrid",),
                keyphrases=("gran victoria",),
                topics=("sports",),
            ),
        ),
        analysed(
            "2",
            analysis(
                "negative",
                emotions=("anger",),
                flags=("irony", "offensive"),
                entities=(("@", "person"), ("malaga", "location")),
                topics=("sports", "news_&_social_concern"),
            ),
        ),
        analysed("3", analysis("neutral", entities=(("Málaga", "location"),), topics=("sports",))),
        analysed("4", analysis("positive", emotions=("joy",), hashtags=("halamadrid",), lang="en")),
    ]
    return tweets, found


def test_an_hour_counted_by_hand() -> None:
    tweets, found = _small_hour()
    [row] = summarise([trend_row(sampled=4)], tweets, found, NOW)
    summary = _summary(row)
    assert summary.analysed == 4
    assert {label: share.value for label, share in summary.sentiment.items()} == {
        "negative": 0.25,
        "neutral": 0.25,
        "positive": 0.5,
    }
    assert summary.emotions["joy"] == Share(0.5, *interval(2, 4))
    assert summary.emotions["fear"] == Share(0.0, *interval(0, 4))
    assert set(summary.emotions) == set(EMOTIONS)
    assert {name: share.value for name, share in summary.flags.items()} == {
        "irony": 0.25,
        "hate": 0.0,
        "offensive": 0.25,
    }
    assert summary.entities == (Count("Málaga", 3, "location"), Count("Madrid", 1, "organization"))
    assert summary.hashtags == (Count("HalaMadrid", 2),)
    assert summary.keyphrases == (Count("gran victoria", 1),)
    assert summary.topics == (Count("sports", 3), Count("news_&_social_concern", 1))
    assert summary.languages == (Count("es", 3), Count("en", 1))
    assert set(summary.examples) <= {"1", "2", "3", "4"}
    assert len(summary.examples) == 3
    assert summary.model == "lark-1"
    assert summary.summarised_at == NOW


def test_analyses_may_come_as_a_mapping() -> None:
    tweets, found = _small_hour()
    rows = [trend_row(sampled=4)]
    by_key = {(one.source, one.tweet_id): one.analysis for one in found}
    assert summarise(rows, tweets, by_key, NOW) == summarise(rows, tweets, found, NOW)


def test_everything_but_the_summary_stays() -> None:
    tweets, found = _small_hour()
    before = replace(trend_row(sampled=4, volume=900), note="over budget", requests=7, cost=0.4)
    [row] = summarise([before], tweets, found, NOW)
    assert replace(row, summary=None) == before


def test_a_summary_is_made_anew() -> None:
    tweets, found = _small_hour()
    [first] = summarise([trend_row(sampled=4)], tweets[:1], found[:1], NOW)
    [again] = summarise([first], tweets, found, NOW)
    assert _summary(again).analysed == 4


def test_a_tweet_counts_once_for_each_trend() -> None:
    tweets = [drawn("1"), drawn("1"), drawn("1", trend="#dos"), drawn("1", place="mx")]
    rows = [trend_row(), trend_row("#dos", rank=2), trend_row(place="mx"), trend_row("#nadie", rank=3)]
    summaries = [_summary(row) for row in summarise(rows, tweets, [analysed("1")], NOW)]
    assert [summary.analysed for summary in summaries] == [1, 1, 1, 0]
    assert [summary.examples for summary in summaries] == [("1",), ("1",), ("1",), ()]


def test_tweets_of_other_trends_and_analyses_of_other_tweets_are_passed_over() -> None:
    tweets = [drawn("1"), drawn("2", trend="#otro"), replace(drawn("1"), source="replay")]
    found = [analysed("1"), analysed("2"), analysed("3"), replace(analysed("1"), source="replay")]
    [row] = summarise([trend_row()], tweets, found, NOW)
    assert _summary(row).analysed == 1


def test_without_analysed_tweets_there_are_no_shares() -> None:
    [row] = summarise([trend_row(sampled=1)], [drawn("1")], [], NOW)
    assert _summary(row) == Summary(0, {}, {}, {}, (), (), (), (), (), (), "", NOW)
    assert summarise([], [drawn("1")], [analysed("1")], NOW) == []


def test_a_stated_volume_narrows_the_interval_and_a_refuted_one_does_not() -> None:
    tweets, found = _small_hour()

    def _positive(volume: int | None) -> Share:
        [row] = summarise([trend_row(sampled=4, volume=volume)], tweets, found, NOW)
        return _summary(row).sentiment["positive"]

    assert _positive(4) == Share(0.5, 0.5, 0.5)
    assert _positive(8) == Share(0.5, *interval(2, 4, 8))
    assert _positive(3) == _positive(None) == Share(0.5, *interval(2, 4))


def test_a_volume_below_what_was_drawn_is_refuted_also_while_the_analysis_goes_on() -> None:
    tweets, found = _small_hour()
    [row] = summarise([trend_row(sampled=4, volume=2)], tweets, found[:2], NOW)
    assert _summary(row).sentiment["negative"] == Share(0.5, *interval(1, 2))


def test_of_two_models_the_one_with_more_tweets_is_named() -> None:
    tweets = [drawn(str(n)) for n in range(3)]
    found = [analysed(str(n), analysis(model=model)) for n, model in enumerate(("new", "old", "new"))]
    [row] = summarise([trend_row()], tweets, found, NOW)
    assert _summary(row).model == "new"


def test_tweets_and_analyses_are_read_once_as_streams() -> None:
    tweets, found = _small_hour()

    def _stream() -> Iterator[Tweet]:
        yield from tweets

    [row] = summarise([trend_row(sampled=4)], _stream(), iter(found), NOW)
    assert _summary(row).analysed == 4


def test_a_large_trend_is_counted_whole_and_exemplified_from_a_bounded_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pools: list[int] = []

    def _watched(given_pools: list[Pool]) -> list[tuple[str, ...]]:
        pools.extend(len(pool.candidates) for pool in given_pools)
        return choose_examples(given_pools)

    monkeypatch.setattr("trendlark.reports.compute.choose_examples", _watched)
    many = 5000
    shared = analysis("negative")
    rows = [trend_row(sampled=many), trend_row("#dos", rank=2)]
    tweets = (drawn(f"{n}", f"frase {n % 700} sobre la tormenta del {n % 31}") for n in range(many))
    found = (analysed(f"{n}", shared) for n in range(many))
    large, empty = summarise(rows, tweets, found, NOW)
    assert _summary(large).analysed == many
    assert _summary(large).sentiment["negative"].value == 1.0
    assert pools == [MOST_CANDIDATES, 0]
    assert _summary(empty).examples == ()


def test_hostile_texts_are_summed_up() -> None:
    texts = ["", "\x00", "\ud800", "\u202eabc", "😀" * 5000, "a" * 100_000, "=1+1", "#" * 300, "<script>"]
    tweets = [drawn(f"{n}\x00\ud800", text) for n, text in enumerate(texts)]
    found = [analysed(tweet.tweet_id, analysis(hashtags=(tweet.text,))) for tweet in tweets]
    [row] = summarise([trend_row()], tweets, found, NOW)
    assert _summary(row).analysed == len(texts)
    assert 1 <= len(_summary(row).examples) <= 5


_NAMES = st.sampled_from(["Ana", "ANA", "ána", "Bea", "Céu", "日本"])
_ANALYSES = st.builds(
    analysis,
    st.sampled_from(SENTIMENTS),
    emotions=st.lists(st.sampled_from(EMOTIONS), unique=True, max_size=3).map(tuple),
    flags=st.lists(st.sampled_from(FLAGS), unique=True).map(tuple),
    entities=st.lists(st.tuples(_NAMES, st.sampled_from(["person", "location"])), max_size=4).map(tuple),
    hashtags=st.lists(_NAMES, max_size=3).map(tuple),
    topics=st.lists(st.sampled_from(["sports", "music"]), unique=True).map(tuple),
    lang=st.sampled_from(["es", "en"]),
)
_DRAWS = st.lists(
    st.tuples(
        st.integers(0, 12).map(str),
        st.sampled_from(["#uno", "#dos", "#fuera"]),
        st.sampled_from(["es", "mx"]),
    ),
    max_size=40,
)


@st.composite
def _hours(draw: st.DrawFn) -> tuple[list[TrendHour], list[Tweet], dict[tuple[str, str], Analysis]]:
    rows = [
        trend_row(name, place=place, rank=rank, volume=draw(st.none() | st.integers(0, 30)))
        for place in ("es", "mx")
        for rank, name in enumerate(("#uno", "#dos"), 1)
    ]
    tweets = [
        drawn(tweet_id, f"{tweet_id} dice algo de la {trend}", trend=trend, place=place)
        for tweet_id, trend, place in draw(_DRAWS)
    ]
    ids = sorted({tweet.tweet_id for tweet in tweets})
    told = [tweet_id for tweet_id in ids if draw(st.booleans())]
    return rows, tweets, {("x", tweet_id): draw(_ANALYSES) for tweet_id in told}


@settings(deadline=None)
@given(_hours(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(
    hour: tuple[list[TrendHour], list[Tweet], dict[tuple[str, str], Analysis]], random: Random
) -> None:
    rows, tweets, found = hour
    keys = random.sample(list(found), len(found))
    shuffled = summarise(rows, random.sample(tweets, len(tweets)), {key: found[key] for key in keys}, NOW)
    assert shuffled == summarise(rows, tweets, found, NOW)
    backwards = summarise(rows[::-1], tweets, found, NOW)
    assert backwards[::-1] == shuffled


@settings(deadline=None)
@given(_hours())
def test_shares_sum_to_one_and_lie_in_their_intervals(
    hour: tuple[list[TrendHour], list[Tweet], dict[tuple[str, str], Analysis]],
) -> None:
    rows, tweets, found = hour
    for row in summarise(rows, tweets, found, NOW):
        summary = _summary(row)
        mine = {t.tweet_id for t in tweets if (t.place, t.trend) == (row.trend.place, row.trend.name)}
        assert summary.analysed == len(mine & {tweet_id for _, tweet_id in found})
        if summary.analysed == 0:
            assert summary.sentiment == {}
            continue
        assert sum(share.value for share in summary.sentiment.values()) == pytest.approx(1)
        for share in (*summary.sentiment.values(), *summary.emotions.values(), *summary.flags.values()):
            assert 0 <= share.low <= share.value <= share.high <= 1
        assert sum(count.count for count in summary.languages) == summary.analysed
        for count in islice(summary.entities, 10):
            assert count.count <= summary.analysed
        assert 1 <= len(summary.examples) <= 5
        assert set(summary.examples) <= mine
