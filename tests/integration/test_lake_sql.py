"""SQL over the lake: one SELECT and nothing else, and rows of hostile names found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.lake_records import HOUR, analyzed, trend_hour, tweet
from trendlark.errors import QueryError
from trendlark.lake import Lake, open_lake

_HOSTILE = (
    "O'Neil",
    "'; DROP TABLE tweets; --",
    'a"b',
    "back\\slash",
    "NUL\x00",
    "\u202eRTL",
    "🐦\ud800",
    "%_",
    "",
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = open_lake(str(tmp_path / "lake"))
    tweets = [tweet(str(n), name) for n, name in enumerate(_HOSTILE)]
    trends = [trend_hour(name, rank=n + 1) for n, name in enumerate(_HOSTILE)]
    lake.commit_collection(HOUR, "x", "es", tweets, trends, [], "run \udfff")
    return lake


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO '{file}'",
        "COPY tweets TO '{file}'",
        "SELECT 1) AS q; COPY (SELECT 1) TO '{file}'; SELECT * FROM (SELECT 2",
        "WITH a AS (SELECT 1) INSERT INTO tweets SELECT * FROM a",
        "CREATE EXTERNAL TABLE z STORED AS CSV LOCATION '{file}'",
        "CREATE TABLE z AS SELECT 1",
        "SELECT 1 INTO z",
        "DROP TABLE tweets",
        "DELETE FROM tweets",
        "UPDATE tweets SET text = ''",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT * FROM '{file}'",
        "-- only a comment",
        "",
        ";",
        "(",
        "SELECT \x00",
        "SELECT '\ud800'",
        "nonsense",
    ],
)
def test_nothing_but_one_query_is_answered(lake: Lake, tmp_path: Path, query: str) -> None:
    file = tmp_path / "out.csv"
    with pytest.raises(QueryError) as caught:
        lake.sql(query.replace("{file}", str(file))).read_all()
    assert "Allowed is one SELECT over the tables tweets, analyses, trends" in str(caught.value)
    assert "ask again" in str(caught.value)
    assert not file.exists()
    assert len(list(lake.tweets(HOUR))) == len(_HOSTILE)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS n",
        "  -- which one?\n/* this */ select 1 as n;;",
        "WITH a AS (SELECT 1 AS n) SELECT * FROM a -- done",
        "(SELECT 1 AS n) UNION (SELECT 1)",
        "VALUES (1)",
        "SELECT count(DISTINCT hour) AS n FROM trends",
    ],
)
def test_queries_of_every_form_are_answered(lake: Lake, query: str) -> None:
    (row,) = lake.sql(query).read_all().to_pylist()
    assert list(row.values()) == [1]


def test_the_refusal_names_the_columns_that_exist(lake: Lake) -> None:
    with pytest.raises(
        QueryError, match=r"No field named nope.*Columns of trends: hour, source, place, trend"
    ):
        lake.sql("SELECT nope FROM trends")
    with pytest.raises(QueryError, match=r"not found.*tables tweets, analyses"):
        lake.sql("SELECT * FROM tweats")


def test_a_query_that_fails_on_its_way_is_refused_too(lake: Lake) -> None:
    with pytest.raises(QueryError, match=r"[Dd]ivide by zero"):
        lake.sql("SELECT 1 / (rank - 1) AS n FROM trends").read_all()


def test_the_order_asked_for_is_kept_and_text_is_plain_text(lake: Lake) -> None:
    table = lake.sql(
        "SELECT rank, trend, entities, examples FROM trends ORDER BY rank DESC", limit=3
    ).read_all()
    assert table.column("rank").to_pylist() == [9, 8, 7]
    assert [str(field.type) for field in table.schema] == [
        "int32",
        "string",
        "list<element: struct<name: string, type: string, count: int64>>",
        "list<element: string>",
    ]


@pytest.mark.parametrize("name", _HOSTILE)
def test_hostile_names_are_found_again(lake: Lake, name: str) -> None:
    (found,) = lake.tweets(HOUR, trend=name)
    assert found.tweet_id == str(_HOSTILE.index(name))
    (row,) = lake.trend_hours(HOUR, trend=name)
    assert row.trend.rank == _HOSTILE.index(name) + 1


def test_hostile_places_are_replaced_alone(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path))
    for _ in range(2):
        for place in _HOSTILE:
            lake.commit_collection(
                HOUR, "x", place, [tweet("1", place=place)], [trend_hour(place=place)], [], "run"
            )
    assert len(list(lake.tweets(HOUR))) == len(_HOSTILE)
    assert all(lake.collected(HOUR, "x", place) for place in _HOSTILE)


def test_analyses_answer_as_flat_columns(lake: Lake) -> None:
    lake.insert_analyses(HOUR, [analyzed("1")], "run")
    query = "SELECT sentiment, irony, emotion_joy, unnest(topics)['label'] AS topic FROM analyses"
    assert lake.sql(query).read_all().to_pylist() == [
        {"sentiment": "positive", "irony": True, "emotion_joy": 0.125, "topic": "sports"}
    ]
