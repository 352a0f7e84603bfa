"""Tweets, models and conditional answers of the API over a real lake."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.integration.test_web_api import walk
from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import FIRST, HOSTILE_STORY, LAST, STORIES, TEXTS, analysis_of, fill, tweets_of
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import AnalyzedTweet, Trend, TrendHour
from trendlark.web.reading import encode, list_trends

STORY = STORIES[0]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with an invented source and a real one, hostile names included."""
    lake = empty_lake(tmp_path_factory.mktemp("lists"))
    fill(lake, "sample", [*STORIES, HOSTILE_STORY])
    fill(lake, "x", STORIES[:1], summarised=False)
    return lake


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server over that lake."""
    with client_of(lake) as client:
        yield client


def test_tweets_are_ids_with_what_the_model_says_and_no_texts(client: httpx.Client) -> None:
    answer = client.get("/v1/tweets", params={"hour": str(LAST), "source": "x"})
    items = answer.json()["items"]
    assert [item["tweet_id"] for item in items] == sorted(
        one.tweet_id for one in tweets_of(STORY, "x", LAST, TEXTS)
    )
    first = items[0]
    assert first["sentiment"]["label"] == "positive"
    assert first["emotions"]["joy"] == 0.77
    assert first["irony"] == {"value": True, "probability": 0.71}
    assert (first["text"], first["author_handle"], first["url"], first["entities"]) == (None,) * 4
    assert not any(text[:12] in answer.text for text in TEXTS)
    assert "mina" not in answer.text


def test_texts_come_by_an_explicit_setting_and_links_only_where_they_are_safe(lake: Lake) -> None:
    with client_of(lake, settings=settings_for(lake.uri, api_texts=True)) as client:
        items = client.get("/v1/tweets", params={"hour": str(LAST), "source": "x"}).json()["items"]
    assert {item["text"] for item in items} == set(TEXTS)
    assert {item["author_handle"] for item in items} == {"<b>mina</b>"}
    assert items[0]["entities"][0]["type"] == "misc"
    assert not any("javascript" in str(item["url"]) for item in items)
    assert any(str(item["url"]).startswith("https://x.com/") for item in items)


@pytest.mark.parametrize("limit", [1, 4, 500])
def test_pages_of_tweets_hold_each_once_in_one_order(client: httpx.Client, limit: int) -> None:
    whole = client.get("/v1/tweets", params={"hour": str(FIRST), "limit": 500}).json()["items"]
    here = [story for story in (*STORIES, HOSTILE_STORY) if story.moods[0] is not None]
    assert len(whole) == (len(here) + 1) * len(TEXTS)
    keys = [(one["source"], one["place"], one["trend"], one["tweet_id"]) for one in whole]
    assert keys == sorted(keys)
    assert walk(client, "/v1/tweets", hour=str(FIRST), limit=limit) == whole


def test_filters_narrow_the_tweets_and_the_newest_hour_is_the_default(client: httpx.Client) -> None:
    found = walk(client, "/v1/tweets", source="sample", place="es", trend=STORY.name, limit=2)
    assert Counter((one["hour"], one["trend"]) for one in found) == {(str(LAST), STORY.name): len(TEXTS)}
    assert walk(client, "/v1/tweets", trend=HOSTILE_STORY.name)
    assert walk(client, "/v1/tweets", sentiment="positive") == walk(client, "/v1/tweets")
    assert walk(client, "/v1/tweets", sentiment="negative") == []
    assert walk(client, "/v1/tweets", lang="fr") == []
    assert walk(client, "/v1/tweets", trend="' OR 1=1 --") == []
    assert walk(client, "/v1/tweets", source="bluesky") == []


def test_tweets_that_are_not_analysed_yet_are_listed_too(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    row = TrendHour(Trend(LAST, "x", "es", STORY.name, 1), 3, 1, 0.0)
    lake.commit_collection(LAST, "x", "es", tweets_of(STORY, "x", LAST, TEXTS), [row], [], "r")
    with client_of(lake) as client:
        items = walk(client, "/v1/tweets")
    assert len(items) == len(TEXTS)
    assert all(item["sentiment"] is None and item["model"] is None for item in items)


def test_names_and_ids_with_signs_that_end_texts_elsewhere_are_listed_and_passed(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    row = TrendHour(Trend(LAST, "x", "es", "nul\x00 it's", 1), len(TEXTS), 1, 0.0)
    tweets = [
        replace(tweet, trend=row.trend.name, tweet_id=f"{number}\x00'")
        for number, tweet in enumerate(tweets_of(STORY, "x", LAST, TEXTS))
    ]
    lake.commit_collection(LAST, "x", "es", tweets, [row], [], "r")
    analyzed = [AnalyzedTweet(LAST, "x", one.tweet_id, analysis_of(one.text), LAST.end) for one in tweets]
    lake.insert_analyses(LAST, analyzed, "r")
    with client_of(lake) as client:
        items = walk(client, "/v1/tweets", limit=1)
        one_trend = walk(client, "/v1/tweets", trend=row.trend.name, sentiment="positive", limit=2)
    assert [item["tweet_id"] for item in items] == [tweet.tweet_id for tweet in tweets]
    assert all(item["sentiment"] for item in items)
    positive = [one.tweet_id for one in analyzed if one.analysis.sentiment.label == "positive"]
    assert [item["tweet_id"] for item in one_trend] == positive != []


class Counting(Lake):
    """A lake that notes of which hours it was asked for trends."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake.uri)
        self.asked: list[Hour | None] = []

    def trend_hours(self, hour: Hour | None = None, *args: Any, **wanted: Any) -> list[TrendHour]:
        self.asked.append(hour)
        return super().trend_hours(hour, *args, **wanted)


def test_trends_of_a_place_are_looked_for_in_the_hours_that_have_them(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    fill(lake, "sample", [STORY])
    row = TrendHour(Trend(FIRST, "sample", "us", "#ended", 1), 0, 1, 0.0)
    lake.commit_collection(FIRST, "sample", "us", [], [row], [], "r")
    counting = Counting(lake)
    ask = partial(list_trends, counting, hour=None, limit=5, cursor=None)
    assert ask(source="sample", place="nowhere").rows == ()
    assert counting.asked == []
    assert ask(source=None, place="us").rows == (row,)
    assert counting.asked == [FIRST]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"cursor": "nonsense"}, 400),
        ({"cursor": encode([1, 2])}, 400),
        ({"cursor": encode(["2026-11-23T07", "a", "b", "c", 5])}, 400),
        ({"cursor": encode(["yesterday", "a", "b", "c", "d"])}, 400),
        ({"cursor": encode({})}, 400),  # type: ignore[arg-type]
        ({"hour": "yesterday"}, 400),
        ({"sentiment": "cheerful"}, 422),
        ({"limit": "0"}, 422),
    ],
)
def test_questions_that_cannot_be_answered_are_problems(
    client: httpx.Client, query: dict[str, str], status: int
) -> None:
    answer = client.get("/v1/tweets", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_models_tell_their_tasks_and_their_limits(client: httpx.Client, lake: Lake) -> None:
    (one,) = client.get("/v1/models").json()["items"]
    assert (one["name"], one["works"], one["trouble"]) == ("fake", True, None)
    assert {"name": "sentiment", "kind": "one_of", "labels": ["negative", "neutral", "positive"]} in one[
        "tasks"
    ]
    assert (one["max_texts"], one["max_characters"], one["texts_inside_limit"]) == (100, 10_000, 256)
    assert one["texts_inside"] == 0
    with client_of(lake, None) as other:
        assert other.get("/v1/models").json() == {"items": [], "next": None}


PATHS = (
    "/v1/trends",
    "/v1/trends?limit=2",
    "/v1/trends/sample/es/%23MiraflorValdoro",
    "/v1/hours",
    "/v1/places",
    "/v1/tweets",
)


@pytest.mark.parametrize("path", PATHS)
def test_what_has_not_changed_is_not_sent_again(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for given in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    for given in ('"other"', "", "W/"):
        assert client.get(path, headers={"If-None-Match": given}).content == first.content


def test_another_question_and_another_hour_have_another_tag(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    with client_of(lake) as client:
        tags = [
            client.get(path).headers["etag"] for path in ("/v1/trends", "/v1/trends?limit=2", "/v1/hours")
        ]
        fill(lake, "x", STORIES[:1])
        after = client.get("/v1/trends", headers={"If-None-Match": tags[0]})
        assert after.status_code == 200
        assert after.json()["items"]
        tags.append(after.headers["etag"])
    with client_of(lake, settings=settings_for(lake.uri, api_texts=True)) as client:
        tags.append(client.get("/v1/trends").headers["etag"])
    assert len(set(tags)) == 5
