"""Every public method of the lake, alike on a disk and on S3 (moto's real server)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from deltalake import DeltaTable

from tests.support.lake_records import HOUR, MOMENT, analyzed, page, run, summary, trend_hour, tweet
from tests.support.s3_server import running_s3
from trendlark.errors import InputError, LakeConflictError, QueryError
from trendlark.lake import TABLES, Lake, open_lake
from trendlark.records import Refusal


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    with running_s3() as address:
        yield address


@pytest.fixture(params=["disk", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    if request.param == "disk":
        return open_lake(str(tmp_path / "a läke"))
    endpoint: str = request.getfixturevalue("s3_server")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    bucket = tmp_path.name.replace("_", "-").lower()
    client.create_bucket(Bucket=bucket)
    client.close()
    return open_lake(f"s3://{bucket}/trendlark/lake")


def _fill(lake: Lake) -> None:
    rows = [tweet("1"), tweet("2"), tweet("1", "#dos")]
    lake.commit_collection(
        HOUR, "x", "es", rows, [trend_hour(), trend_hour("#dos", rank=2)], [Refusal("no id", "{}")], "run-1"
    )


def test_an_empty_lake_answers_with_nothing(lake: Lake) -> None:
    assert not lake.collected(HOUR, "x", "es")
    assert lake.pages(HOUR, "x", "es") == []
    assert list(lake.tweets(HOUR)) == []
    assert list(lake.distinct_tweets(HOUR)) == []
    assert lake.analysed_models(HOUR) == {}
    assert list(lake.analyses(HOUR)) == []
    assert lake.trend_hours() == []
    assert lake.hours() == []
    assert lake.places() == []
    assert lake.runs() == []
    assert lake.refused(HOUR) == []
    assert lake.spent(HOUR.day, "x") == 0
    assert lake.compact() == {}
    assert lake.vacuum() == {}
    assert lake.drop_old_pages(HOUR) == 0
    assert [(info.name, info.version, info.rows) for info in lake.info()] == [(n, None, 0) for n in TABLES]
    for spec in TABLES.values():
        answer = lake.sql(f"SELECT * FROM {spec.name}").read_all()
        assert answer.num_rows == 0
        assert answer.schema.names == spec.schema.names


def test_a_collection_comes_back_as_it_went_in(lake: Lake) -> None:
    _fill(lake)
    assert lake.collected(HOUR, "x", "es")
    assert not lake.collected(HOUR, "x", "us")
    assert not lake.collected(HOUR + 1, "x", "es")
    assert list(lake.tweets(HOUR)) == [tweet("1"), tweet("2"), tweet("1", "#dos")]
    assert list(lake.tweets(HOUR, "x", "es", "#dos")) == [tweet("1", "#dos")]
    assert list(lake.tweets(HOUR, "replay")) == []
    assert lake.trend_hours(HOUR) == [trend_hour(), trend_hour("#dos", rank=2)]
    assert lake.refused(HOUR) == [Refusal("no id", "{}")]
    assert lake.hours() == [HOUR]
    assert lake.places(HOUR) == [("x", "es")]


def test_collecting_again_replaces_the_place_and_nothing_else(lake: Lake) -> None:
    _fill(lake)
    lake.commit_collection(
        HOUR, "x", "us", [tweet("9", place="us")], [trend_hour(place="us")], [Refusal("odd", "1")], "run-2"
    )
    lake.commit_collection(HOUR + 1, "x", "es", [], [trend_hour(hour=HOUR + 1)], [], "run-3")
    lake.commit_collection(HOUR, "x", "es", [tweet("3"), tweet("3")], [trend_hour()], [], "run-4")
    assert sorted(t.tweet_id for t in lake.tweets(HOUR)) == ["3", "9"]
    assert [(t.trend.hour, t.trend.place) for t in lake.trend_hours()] == [
        (HOUR, "es"),
        (HOUR, "us"),
        (HOUR + 1, "es"),
    ]
    assert lake.refused(HOUR) == [Refusal("odd", "1")]
    assert lake.refused(HOUR, place="es") == []
    assert lake.hours(place="us") == [HOUR]
    assert lake.hours() == [HOUR, HOUR + 1]
    assert [t.trend.hour for t in lake.trend_hours(first=HOUR + 1, last=HOUR + 9)] == [HOUR + 1]


def test_rows_of_another_place_or_hour_are_refused(lake: Lake) -> None:
    with pytest.raises(InputError, match="holds rows of its own hour"):
        lake.commit_collection(HOUR, "x", "es", [tweet("1", place="us")], [], [], "run")
    with pytest.raises(InputError, match="holds rows of its own hour"):
        lake.insert_analyses(HOUR, [analyzed("1", hour=HOUR + 1)], "run")
    assert [info.version for info in lake.info()] == [None] * len(TABLES)


def test_pages_are_kept_and_the_first_answer_counts(lake: Lake) -> None:
    later = MOMENT + timedelta(seconds=1)
    lake.add_page(HOUR, "x", "es", page("trends", body="first"))
    lake.add_page(HOUR, "x", "es", page("search", fetched_at=later))
    lake.add_page(HOUR, "x", "es", page("trends", body="second", fetched_at=later))
    lake.add_page(HOUR, "x", "us", page("trends", fetched_at=MOMENT + timedelta(days=1)))
    assert lake.pages(HOUR, "x", "es") == [page("trends", body="first"), page("search", fetched_at=later)]
    assert lake.spent(HOUR.day, "x") == pytest.approx(0.015)
    assert lake.spent((HOUR + 24).day, "x") == pytest.approx(0.005)
    assert lake.drop_old_pages(HOUR + 5) == 0
    assert lake.drop_old_pages(HOUR + 24) == 3
    assert lake.pages(HOUR, "x", "es") == []
    assert len(lake.pages(HOUR, "x", "us")) == 1


def test_analyses_are_inserted_once(lake: Lake) -> None:
    _fill(lake)
    assert [t.tweet_id for batch in lake.distinct_tweets(HOUR) for t in batch] == ["1", "2"]
    assert lake.insert_analyses(HOUR, [analyzed("1"), analyzed("1")], "run") == 1
    assert lake.insert_analyses(HOUR, [analyzed("1"), analyzed("2")], "run") == 1
    assert lake.insert_analyses(HOUR, [analyzed("1", model="lark-2")], "run") == 0
    assert lake.insert_analyses(HOUR, [], "run") == 0
    assert sorted(lake.analyses(HOUR), key=lambda a: a.tweet_id) == [analyzed("1"), analyzed("2")]
    assert list(lake.distinct_tweets(HOUR)) == []
    assert [len(batch) for batch in lake.distinct_tweets(HOUR, "lark-2", batch_rows=1)] == [1, 1]
    assert lake.analysed_models(HOUR) == {"lark-1": 2}


def test_another_model_replaces_the_hour_in_one_commit(lake: Lake) -> None:
    lake.insert_analyses(HOUR, [analyzed("1"), analyzed("2")], "run")
    lake.insert_analyses(HOUR + 1, [analyzed("1", hour=HOUR + 1)], "run")
    new = [
        [analyzed("1", model="lark-2")],
        [],
        [analyzed("2", model="lark-2"), analyzed("1", model="lark-2")],
    ]
    assert lake.replace_analyses(HOUR, new, "run") == 2
    assert lake.analysed_models(HOUR) == {"lark-2": 2}
    assert lake.analysed_models(HOUR + 1) == {"lark-1": 1}
    assert lake.replace_analyses(HOUR, [], "run") == 0
    assert lake.analysed_models(HOUR) == {}


def test_summaries_replace_their_trends(lake: Lake) -> None:
    _fill(lake)
    lake.commit_collection(HOUR, "x", "us", [], [trend_hour(place="us")], [], "run")
    done = [replace(row, summary=summary()) for row in lake.trend_hours(HOUR, place="es")]
    lake.commit_summaries(HOUR, "x", done, "run")
    lake.commit_summaries(HOUR, "x", done, "run")
    lake.commit_summaries(HOUR, "x", [], "run")
    assert lake.trend_hours(HOUR) == [*done, trend_hour(place="us")]


def test_summaries_never_lose_a_trend_collected_meanwhile(lake: Lake) -> None:
    _fill(lake)
    with pytest.raises(LakeConflictError, match="#dos"):
        lake.commit_summaries(HOUR, "x", [replace(trend_hour(), summary=summary())], "run")
    assert [row.summary for row in lake.trend_hours(HOUR)] == [None, None]


def test_summaries_never_bring_back_what_was_replaced_meanwhile(lake: Lake) -> None:
    _fill(lake)
    done = [replace(row, summary=summary()) for row in lake.trend_hours(HOUR)]
    landed = [trend_hour(sampled=1)]
    lake.commit_collection(HOUR, "x", "es", [tweet("1")], landed, [], "run-2")
    with pytest.raises(LakeConflictError, match=r"\(#dos, #uno\).*Run the hour again\.$"):
        lake.commit_summaries(HOUR, "x", done, "run")
    assert lake.trend_hours(HOUR) == landed


def test_runs_newest_first(lake: Lake) -> None:
    runs = [run(str(day), started_at=MOMENT + timedelta(days=day)) for day in range(3)]
    for one in runs:
        lake.add_run(one)
    assert lake.runs() == runs[::-1]
    assert lake.runs(limit=1) == [runs[2]]
    assert lake.runs(day_from=(HOUR + 24).day) == [runs[2], runs[1]]


def test_upkeep_changes_files_and_no_rows(lake: Lake) -> None:
    for number in range(4):
        lake.insert_analyses(HOUR, [analyzed(str(number))], "run")
    before = next(info for info in lake.info() if info.name == "analyses")
    assert (before.rows, before.files, before.partitions, before.first) == (4, 4, 1, str(HOUR))
    assert lake.compact()["analyses"] == 4
    assert lake.vacuum(retention_hours=0)["analyses"] == 4
    after = next(info for info in lake.info() if info.name == "analyses")
    assert (after.rows, after.files) == (4, 1)
    assert sorted(a.tweet_id for a in lake.analyses(HOUR)) == ["0", "1", "2", "3"]


def test_sql_joins_the_tables_and_stops_at_the_limit(lake: Lake) -> None:
    _fill(lake)
    lake.insert_analyses(HOUR, [analyzed("1"), analyzed("2")], "run")
    text = (
        "SELECT t.trend, count(*) AS n FROM tweets t JOIN analyses a USING (hour, source, tweet_id) "
        "WHERE a.irony GROUP BY 1 ORDER BY n DESC; "
    )
    assert lake.sql(text).read_all().to_pylist() == [{"trend": "#uno", "n": 2}, {"trend": "#dos", "n": 1}]
    assert lake.sql(text, limit=1).read_all().num_rows == 1
    assert lake.sql(text, limit=0).read_all().num_rows == 0
    with pytest.raises(QueryError, match="limit"):
        lake.sql(text, limit=-1)


def test_commits_say_who_made_them(lake: Lake) -> None:
    _fill(lake)
    lake.insert_analyses(HOUR, [analyzed("1")], "run-7")
    options = {"allow_http": "true"} if lake.uri.startswith("s3") else {}
    entry = DeltaTable(f"{lake.uri}/analyses", storage_options=options).history(1)[0]
    assert (entry["run_id"], entry["model"], entry["rows"], entry["hour"]) == (
        "run-7",
        "lark-1",
        "1",
        str(HOUR),
    )
    assert entry["trendlark"]
    entry = DeltaTable(f"{lake.uri}/tweets", storage_options=options).history(1)[0]
    assert (entry["run_id"], entry["rows"], entry["place"]) == ("run-1", "3", "es")
