"""An hour summed up and summed up again after a change: what may change in the summary and what may not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.report_records import HOUR, NOW, analysed, analysis, drawn, trend_row
from trendlark.records import (
    EMOTIONS,
    FLAGS,
    SENTIMENTS,
    Analysis,
    AnalyzedTweet,
    Choice,
    Share,
    Summary,
    Tweet,
)
from trendlark.reports.compute import summarise
from trendlark.reports.intervals import interval

_WORDS = ["gol", "mar", "luna", "volcán", "río", "tren", "pan", "lluvia"]
_NAMES = st.sampled_from(["Ana", "ANA", "Bea", "Perú", "Peru\u0301", "PERU"])
_FOUND = st.builds(
    analysis,
    st.sampled_from(SENTIMENTS),
    emotions=st.lists(st.sampled_from(EMOTIONS), unique=True, max_size=3).map(tuple),
    flags=st.lists(st.sampled_from(FLAGS), unique=True).map(tuple),
    entities=st.lists(st.tuples(_NAMES, st.sampled_from(["person", "location"])), max_size=3).map(tuple),
    hashtags=st.lists(_NAMES, max_size=2).map(tuple),
    keyphrases=st.lists(_NAMES, max_size=2).map(tuple),
    topics=st.lists(st.sampled_from(["sports", "music"]), unique=True).map(tuple),
    lang=st.sampled_from(["es", "en", "und"]),
)
_HOURS = st.lists(_FOUND, min_size=1, max_size=24)


def _text(number: int) -> str:
    # Half of the words are its own, so that no two texts pass for the same.
    return " ".join([*Random(number).sample(_WORDS, 4), *(f"{sign}{number}" for sign in "abcd")])


def _summary(
    found: Sequence[Analysis],
    *,
    texts: Callable[[int], str] = _text,
    volume: int | None = None,
    ids: Callable[[int], str] = "{:03d}".format,
) -> Summary:
    tweets = [drawn(ids(at), texts(at)) for at in range(len(found))]
    analyses = [analysed(ids(at), one) for at, one in enumerate(found)]
    [row] = summarise([trend_row(sampled=len(found), volume=volume)], tweets, analyses, NOW)
    assert row.summary is not None
    return row.summary


def _all_shares(summary: Summary) -> dict[str, Share]:
    return {**summary.sentiment, **summary.emotions, **summary.flags}


@given(_HOURS)
def test_every_share_is_a_count_that_can_be_checked_by_hand(found: list[Analysis]) -> None:
    summary, many = _summary(found), len(found)
    expected: dict[str, int] = dict.fromkeys((*SENTIMENTS, *EMOTIONS, *FLAGS), 0)
    for one in found:
        for name in (
            one.sentiment.label,
            *one.emotions_present,
            *(flag for flag in FLAGS if getattr(one, flag).value),
        ):
            expected[name] += 1
    got = _all_shares(summary)
    assert {name: share.value for name, share in got.items()} == {n: c / many for n, c in expected.items()}
    assert all((s.low, s.high) == interval(expected[name], many) for name, s in got.items())
    assert {(c.name, c.count) for c in summary.languages} == {
        (lang, sum(one.lang == lang for one in found)) for lang in {one.lang for one in found}
    }


def _with_sentiment(one: Analysis, names: Mapping[str, str]) -> Analysis:
    label = names[one.sentiment.label]
    return replace(
        one, sentiment=Choice(label, 0.8, {name: 0.8 if name == label else 0.1 for name in SENTIMENTS})
    )


@given(_HOURS, st.permutations(SENTIMENTS))
def test_swapping_the_labels_swaps_the_shares(found: list[Analysis], order: list[str]) -> None:
    names = dict(zip(SENTIMENTS, order, strict=True))
    plain, swapped = _summary(found), _summary([_with_sentiment(one, names) for one in found])
    assert swapped.sentiment == {names[name]: share for name, share in plain.sentiment.items()}
    assert replace(swapped, sentiment=plain.sentiment, examples=plain.examples) == plain


@given(_HOURS)
def test_every_tweet_thrice_keeps_the_shares_and_makes_them_surer(found: list[Analysis]) -> None:
    once, thrice = _summary(found), _summary(found * 3, texts=lambda at: _text(at % len(found)))
    assert thrice.analysed == 3 * once.analysed
    for name, share in _all_shares(once).items():
        surer = _all_shares(thrice)[name]
        assert surer.value == pytest.approx(share.value)
        assert share.low - 1e-12 <= surer.low <= surer.high <= share.high + 1e-12
    for top in ("entities", "hashtags", "keyphrases", "topics", "languages"):
        tripled = [replace(count, count=3 * count.count) for count in getattr(once, top)]
        assert list(getattr(thrice, top)) == tripled
    # The copies read the same, so they are no new texts to show.
    assert len(thrice.examples) == len(once.examples)


@given(_HOURS, st.randoms(use_true_random=False))
def test_an_hour_split_into_two_trends_adds_up(found: list[Analysis], chance: Random) -> None:
    names = ["#uno" if chance.random() < 0.5 else "#dos" for _ in found]
    tweets = [drawn(f"{at}", _text(at), trend=name) for at, name in enumerate(names)]
    analyses = [analysed(f"{at}", one) for at, one in enumerate(found)]
    rows = [trend_row("#uno"), trend_row("#dos", rank=2)]
    parts = [row.summary for row in summarise(rows, tweets, analyses, NOW) if row.summary]
    whole = _summary(found)
    assert sum(part.analysed for part in parts) == whole.analysed
    for name, share in _all_shares(whole).items():
        together = sum(part.analysed * _all_shares(part)[name].value for part in parts if part.analysed)
        assert together == pytest.approx(share.value * whole.analysed)
    for count in whole.topics:
        assert sum(c.count for part in parts for c in part.topics if c.name == count.name) == count.count


@given(_HOURS, _HOURS)
def test_a_tweet_in_two_trends_counts_in_both_and_each_trend_is_summed_up_alone(
    found: list[Analysis], others: list[Analysis]
) -> None:
    shared = min(len(found), len(others))
    tweets: list[Tweet] = [drawn(f"{at:03d}", _text(at)) for at in range(len(found))]
    mixed = [*found[:shared], *others[shared:]]
    tweets += [
        drawn(f"{at:03d}" if at < shared else f"n{at:03d}", _text(at), trend="#dos")
        for at in range(len(mixed))
    ]
    analyses: list[AnalyzedTweet] = [analysed(f"{at:03d}", one) for at, one in enumerate(found)]
    analyses += [analysed(f"n{at:03d}", one) for at, one in enumerate(mixed) if at >= shared]
    rows = [trend_row(sampled=len(found)), trend_row("#dos", rank=2, sampled=len(mixed))]
    one, two = (row.summary for row in summarise(rows, tweets, analyses, NOW))
    assert one is not None
    assert two is not None
    # Examples may differ: which words are rare is asked of the whole hour.
    assert replace(one, examples=()) == replace(_summary(found), examples=())
    assert replace(two, examples=()) == replace(_summary(mixed), examples=())


@settings(max_examples=50)
@given(_HOURS, st.randoms(use_true_random=False))
def test_what_the_tweets_are_called_decides_nothing_but_ties(found: list[Analysis], chance: Random) -> None:
    names = chance.sample(range(10_000), len(found))
    renamed = _summary(found, ids=lambda at: f"id {names[at]}")
    assert replace(renamed, examples=()) == replace(_summary(found), examples=())
    assert len(renamed.examples) == len(_summary(found).examples)


@given(_HOURS, st.integers(0, 100))
def test_a_stated_volume_changes_the_intervals_alone(found: list[Analysis], more: int) -> None:
    plain, stated = _summary(found), _summary(found, volume=len(found) + more)
    for name, share in _all_shares(stated).items():
        assert share.value == _all_shares(plain)[name].value
        assert (share.high - share.low == 0) == (more == 0)
    assert replace(stated, sentiment={}, emotions={}, flags={}) == replace(
        plain, sentiment={}, emotions={}, flags={}
    )


def test_probabilities_are_not_averaged() -> None:
    sure = analysis("positive", emotions=("joy",), flags=("irony",))
    unsure = replace(
        sure,
        sentiment=Choice("positive", 0.34, {"negative": 0.33, "neutral": 0.33, "positive": 0.34}),
        emotions=dict.fromkeys(EMOTIONS, 0.01),
    )
    assert _summary([sure, unsure]) == _summary([unsure, unsure]) == _summary([sure, sure])


def test_the_analyses_of_another_source_or_of_a_second_reading_do_not_count_again() -> None:
    found = [analysed("1", analysis("positive")), analysed("1", analysis("negative"))]
    strange = replace(analysed("1", analysis("neutral")), source="replay")
    [row] = summarise([trend_row(sampled=1)], [drawn("1"), drawn("1")], [strange, *found], NOW)
    assert row.summary is not None
    assert row.summary.analysed == 1
    assert row.summary.sentiment["positive"].value == 1.0


def test_trends_of_two_hours_and_places_keep_to_themselves() -> None:
    rows = [trend_row(hour=HOUR), trend_row(hour=HOUR - 1), trend_row(place="mx")]
    tweets = [drawn("a"), drawn("b", hour=HOUR - 1), drawn("c", place="mx"), drawn("d", place="ar")]
    moods = {"a": "positive", "b": "negative", "c": "neutral", "d": "positive"}
    done = summarise(rows, tweets, [analysed(name, analysis(mood)) for name, mood in moods.items()], NOW)
    got = [row.summary and {k: v.value for k, v in row.summary.sentiment.items() if v.value} for row in done]
    assert got == [{"positive": 1.0}, {"negative": 1.0}, {"neutral": 1.0}]
    assert [row.summary and row.summary.examples for row in done] == [("a",), ("b",), ("c",)]
