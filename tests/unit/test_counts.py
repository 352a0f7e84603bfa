"""Counting names once for each tweet, however they are spelt."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from trendlark.records import Count
from trendlark.reports.counts import NameCounter


def _count(*tweets: Sequence[str], kind: str | None = None) -> NameCounter:
    counter = NameCounter()
    for names in tweets:
        counter.add((name, kind) for name in names)
    return counter


def test_case_and_accents_do_not_matter_and_the_most_frequent_spelling_shows() -> None:
    counter = _count(["Málaga"], ["Málaga"], ["malaga"], ["MALAGA"], ["Sevilla"])
    assert counter.top() == (Count("Málaga", 4), Count("Sevilla", 1))


def test_a_name_counts_once_for_each_tweet() -> None:
    assert _count(["Madrid", "MADRID", "madrid"], ["madrid"]).top() == (Count("Madrid", 2),)


def test_the_same_name_of_two_types_is_two_entities() -> None:
    counter = NameCounter()
    counter.add([("Washington", "person"), ("Washington", "location")])
    counter.add([("washington", "location")])
    # One tweet spells it each way: the first in the alphabet of code points shows.
    assert counter.top() == (Count("Washington", 2, "location"), Count("Washington", 1, "person"))


def test_ties_go_by_name_then_type_and_ten_are_told() -> None:
    counter = _count([f"name {letter}" for letter in "lkjihgfedcba"])
    assert [count.name for count in counter.top()] == [f"name {letter}" for letter in "abcdefghij"]
    assert [count.name for count in counter.top(most=2)] == ["name a", "name b"]
    typed = NameCounter()
    typed.add([("x", "work"), ("x", "group")])
    assert [count.type for count in typed.top()] == ["group", "work"]


def test_blanks_are_collapsed_and_empty_names_passed_over() -> None:
    counter = _count(["Real \n Madrid", " ", "", "\u0301"], ["Real Madrid"])
    assert counter.top() == (Count("Real Madrid", 2),)


def test_signs_of_scripts_that_need_them_are_not_accents() -> None:
    # Without their vowel signs the two words would be the same.
    assert len(_count(["दिल"], ["दाल"]).top()) == 2


def test_nothing_counted_is_empty() -> None:
    assert NameCounter().top() == ()


_TWEETS = st.lists(
    st.lists(st.sampled_from(["Ana", "ANA", "ána", "Bea", "bea", "Céu", "ceu", ""]), max_size=5)
)


@given(_TWEETS, st.randoms())
def test_the_order_of_tweets_does_not_matter(tweets: list[list[str]], random: Random) -> None:
    shuffled = list(tweets)
    random.shuffle(shuffled)
    assert _count(*tweets).top() == _count(*shuffled).top()


@given(_TWEETS)
def test_no_name_counts_more_than_there_are_tweets(tweets: list[list[str]]) -> None:
    for count in _count(*tweets).top():
        assert 1 <= count.count <= len(tweets)
