"""Questions to X are safe whatever a trend is called; its answers are read in both spellings, none lost."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trendlark.hours import Hour
from trendlark.records import Page, Trend
from trendlark.sources.x_parse import (
    next_page_size,
    parse_counts,
    parse_trends,
    parse_tweets,
    problem_text,
    query_of,
    shares,
)

HOUR = Hour.parse("2026-11-23T07")
TREND = Trend(HOUR, "x", "es", "#Lluvia", 1)
FETCHED = datetime(2026, 11, 23, 8, 1, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "x_api" / "examples"


def page(answer: object) -> Page:
    """A page that holds an answer."""
    body = answer if isinstance(answer, str) else json.dumps(answer)
    return Page("r", body, FETCHED, trend="#Lluvia", window="w")


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("#Lluvia", "#Lluvia -is:retweet"),
        ("＃東京", "#東京 -is:retweet"),
        ("#España2026", "#España2026 -is:retweet"),
        ("#Paral·lel", "#Paral·lel -is:retweet"),
        ("#हिन्दी", "#हिन्दी -is:retweet"),
        ("#می\u200cخواهم", "#می\u200cخواهم -is:retweet"),
        ("#\ufe0fGol", '"#\ufe0fGol" -is:retweet'),
        ("#·", '"#·" -is:retweet'),
        ("#Gol-", '"#Gol-" -is:retweet'),
        ("#" + "a" * 101, f'"#{"a" * 101}" -is:retweet'),
        ("Real Madrid", '"Real Madrid" -is:retweet'),
        ("#123", '"#123" -is:retweet'),
        ("$TSLA", '"$TSLA" -is:retweet'),
        ("from:me OR -is:reply", '"from:me OR -is:reply" -is:retweet'),
        ('a" OR from:b "', '"a OR from:b" -is:retweet'),
        ("#a OR #b", '"#a OR #b" -is:retweet'),
        ("a\\", '"a" -is:retweet'),
        ("☔️", '"☔️" -is:retweet'),
        ("lone \ud83d", '"lone \ufffd" -is:retweet'),
        ("“quoted”", '"quoted" -is:retweet'),
        ('""', None),
        ("", None),
        ("...", None),
        ("\x00 \n", None),
    ],
)
def test_queries(name: str, query: str | None) -> None:
    assert query_of(name) == query


@given(st.text(max_size=700))
@example("x" * 600)
@example("😀" * 400)
@example("word " * 300)
@example('"' * 9)
def test_no_name_breaks_out_of_its_phrase_or_the_length(name: str) -> None:
    query = query_of(name)
    if query is None:
        return
    assert query.endswith(" -is:retweet")
    assert len(query.encode("utf-16-le")) // 2 <= 512
    inner = query.removesuffix(" -is:retweet")
    if inner.startswith("#"):
        assert not set(inner) & set(" \"\\():'-")
    else:
        assert inner[0] == inner[-1] == '"'
        assert not set(inner[1:-1]) & set('"\\\n\r\t\0')
    assert query.encode()


@given(st.integers(1, 1000), st.integers(1, 60))
def test_shares_give_what_is_wanted_and_never_less_than_a_page(wanted: int, windows: int) -> None:
    portions = shares(wanted, windows)
    assert sum(portions) == max(wanted, 10)
    assert len(portions) <= windows
    assert min(portions) >= 10
    assert max(portions) - min(portions) <= 1


@given(st.integers(0, 1000))
def test_pages_of_a_share_add_up_to_it(left: int) -> None:
    asked: list[int] = []
    while size := next_page_size(left - sum(asked)):
        asked.append(size)
    assert sum(asked) == (left if left >= 10 else 0)
    assert all(10 <= size <= 100 for size in asked)


@pytest.mark.parametrize("new", [False, True])
def test_both_spellings_of_a_tweet_are_read(new: bool) -> None:
    item = {
        "id": "1",
        "text": "corto…",
        "note_post" if new else "note_tweet": {"text": "largo y entero"},
        "author_id": "7",
        "created_at": "2026-11-23T07:05:00.000Z",
        "lang": "es",
        "public_metrics": {
            "like_count": 0,
            "repost_count" if new else "retweet_count": 4,
            "reply_count": 1,
        },
    }
    includes = {"users": [{"id": "7", "username": "ana"}, {"id": 8}, "odd"]}
    parsed = parse_tweets(page({"data": [item], "includes": includes, "meta": {"next_token": "n"}}), TREND)
    (tweet,) = parsed.items
    assert (tweet.text, tweet.author_handle, tweet.lang) == ("largo y entero", "ana", "es")
    assert (tweet.likes, tweet.reposts, tweet.replies, tweet.quotes) == (0, 4, 1, None)
    assert tweet.created_at == datetime(2026, 11, 23, 7, 5, tzinfo=UTC)
    assert (tweet.collected_at, tweet.window) == (FETCHED, "w")
    assert tweet.url == "https://x.com/ana/status/1"
    assert json.loads(tweet.raw or "") == item
    assert parsed.next_token == "n"


def test_missing_fields_stay_missing() -> None:
    (tweet,) = parse_tweets(page({"data": [{"id": "1", "text": "x", "lang": "und"}]}), TREND).items
    assert (tweet.author_id, tweet.created_at, tweet.lang, tweet.likes, tweet.reposts) == (None,) * 5
    assert tweet.url == "https://x.com/i/web/status/1"


@pytest.mark.parametrize(
    "odd",
    [10**309, -(10**4000), 2**63, 1e308, -1, True, "9" * 400, [[]], {"a": []}],
    ids=lambda v: repr(v)[:9],
)
def test_an_odd_value_costs_its_field_and_no_more(odd: object) -> None:
    names = ("like_count", "retweet_count", "reply_count", "quote_count")
    metrics = dict.fromkeys(names, odd)
    item = {"id": "1", "text": "x", "created_at": odd, "lang": odd, "public_metrics": metrics}
    items = [
        item,
        {"id": "2", "text": "y", "note_tweet": odd, "public_metrics": odd},
        {"id": "3", "text": odd},
    ]
    includes = {"users": [{"id": odd, "username": odd}, odd]}
    parsed = parse_tweets(page({"data": items, "includes": includes, "meta": {"next_token": odd}}), TREND)
    first = parsed.items[0]
    assert (first.created_at, first.lang) == (None, None)
    assert (first.likes, first.reposts, first.replies, first.quotes) == (None,) * 4
    assert json.loads(first.raw or "") == item
    assert [t.text for t in parsed.items[1:]] == (["y", odd] if isinstance(odd, str) else ["y"])
    listed = parse_trends(page({"data": [{"trend_name": "Ana", "tweet_count": odd}, odd]}), "es", HOUR)
    assert [(t.rank, t.name, t.volume) for t in listed.items] == [(1, "Ana", None)]
    counted = parse_counts(page({"data": [{"start": odd, "end": odd, "tweet_count": odd}, odd]}))
    assert (counted.items, len(counted.refusals)) == ((), 2)


def test_malformed_posts_and_errors_beside_data_become_refusals() -> None:
    error = {"title": "Not Found Error", "type": "https://api.x.com/2/problems/resource-not-found"}
    items = [{"id": "1", "text": "ok"}, {"id": "2"}, {"text": "no id"}, "odd", None]
    parsed = parse_tweets(page({"data": items, "errors": [error, "odd"]}), TREND)
    assert [tweet.tweet_id for tweet in parsed.items] == ["1"]
    reasons = [refusal.reason for refusal in parsed.refusals]
    assert reasons[:2] == ["X says: Not Found Error; resource-not-found", "X says: odd"]
    assert reasons[2:] == ["the post has no id or no text"] * 4
    assert [json.loads(refusal.raw) for refusal in parsed.refusals[2:]] == items[1:]
    assert {refusal.trend for refusal in parsed.refusals} == {"#Lluvia"}


def test_trends_are_ranked_as_they_come_and_the_odd_ones_refused() -> None:
    items = [
        {"trend_name": "#Lluvia", "tweet_count": 990},
        {"trend_name": "Ana"},
        {"trend_name": "#Lluvia", "tweet_count": 1},
        {"tweet_count": 5},
        {"trend_name": "..."},
        {"trend_name": "Pepe", "post_count": 7},
    ]
    parsed = parse_trends(page({"data": items}), "es", HOUR)
    assert [(t.rank, t.name, t.volume) for t in parsed.items] == [
        (1, "#Lluvia", 990),
        (2, "Ana", None),
        (6, "Pepe", 7),
    ]
    assert [r.reason for r in parsed.refusals] == [
        "the trend of rank 3 is named twice",
        "the trend of rank 4 has no name that can be searched",
        "the trend of rank 5 has no name that can be searched",
    ]


def test_counts_are_read_in_both_spellings() -> None:
    span = {"start": "2026-11-23T07:00:00.000Z", "end": "2026-11-23T07:01:00.000Z"}
    parsed = parse_counts(page({"data": [{**span, "tweet_count": 0}, {**span, "post_count": 8}, span]}))
    assert [count.posts for count in parsed.items] == [0, 8]
    assert len(parsed.refusals) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["data", "errors", "meta", "includes", "users", "id", "text", "trend_name", "title"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(json_values | st.text(max_size=30))
@example("[" * 100_000)
@example({"data": [{"id": "1", "text": "x", "created_at": 10**400}]})
@example(
    {"data": [{"start": 10**400, "end": 10**400, "tweet_count": 10**400}], "errors": [{"code": 10**400}]}
)
@example('{"data": [{"id": "1", "text": "\\ud83d"}]}')
def test_no_answer_makes_a_parser_raise(answer: Any) -> None:
    made = page(answer)
    for parsed in (parse_tweets(made, TREND), parse_trends(made, "es", HOUR), parse_counts(made)):
        for refusal in parsed.refusals:
            assert refusal.raw.encode() is not None
    for tweet in parse_tweets(made, TREND).items:
        assert tweet.text.encode() is not None


def test_problems_are_told_in_one_line() -> None:
    assert problem_text({"code": 88, "message": "Rate limit exceeded"}) == "Rate limit exceeded; 88"
    assert problem_text({"title": "Unauthorized", "type": "about:blank"}) == "Unauthorized"


def _example(name: str) -> Page:
    path = EXAMPLES / name
    if not path.exists():
        pytest.skip(f"the sample answers of X are not at {EXAMPLES}")
    return page(json.loads(path.read_text())[0]["response"])


def test_the_sample_answers_of_the_x_playground_are_read() -> None:
    tweets = parse_tweets(_example("tweets_search_recent.json"), TREND)
    assert len(tweets.items) == 3
    assert [refusal.reason for refusal in tweets.refusals] == [
        "X says: Sample Title; Rate limit exceeded; user"
    ]
    assert all(t.created_at and t.author_id and t.likes is not None and t.reposts for t in tweets.items)
    trends = parse_trends(_example("trends_by_woeid_{woeid}.json"), "es", HOUR)
    assert [(t.name, t.volume) for t in trends.items] == [("Sample List", 990)]
    assert len(trends.refusals) == 2
    counts = parse_counts(_example("tweets_counts_recent.json"))
    assert [count.posts for count in counts.items] == [466, 871, 878]
