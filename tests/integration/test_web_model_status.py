"""The pages of the model and of the state of things."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.hours import settings_for
from tests.support.lake_records import add_runs
from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import LAST, STORIES, fill
from tests.support.web_pages import check
from tests.support.web_sweep import CardedFake
from trendlark import __version__
from trendlark.lake import Lake
from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.tasks import TASKS
from trendlark.records import Page, Run
from trendlark.web.vocabulary import LABELS


@pytest.fixture
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """An empty lake."""
    return empty_lake(tmp_path_factory.mktemp("state"))


def test_the_model_card_has_its_scores_by_task_and_language(lake: Lake) -> None:
    manifest = load_artifact().manifest
    recall = f"{100 * manifest.metrics['tweeteval_sentiment']['macro_recall']:.1f}"
    with client_of(lake, CardedFake()) as client:
        html = client.get("/model").text
        check(html)
        for text in (
            manifest.name,
            "multilingual-e5-small",
            "macro recall",
            "French",
            recall,
            "umsab_es",
            "not to judge a",
        ):
            assert text in html
        for task in TASKS:
            assert LABELS["tasks"][task].en in html
        spanish = client.get("/model?lang=es").text
        check(spanish)
        for text in (recall.replace(".", ","), "francés", "exhaustividad macro", "ofensa"):
            assert text in spanish
        said = client.get("/model.json").json()
        assert said["manifest"]["metrics"] == {name: dict(one) for name, one in manifest.metrics.items()}
        rows = list(csv.DictReader(io.StringIO(client.get("/model.csv").text)))
        assert {row["data"] for row in rows} == set(manifest.metrics)
        assert rows[0]["task"] == "sentiment"
        sets = list(csv.DictReader(io.StringIO(client.get("/model.csv?table=data").text)))
        assert {row["data"] for row in sets} == set(manifest.data)
        assert float(rows[0]["value"]) == said["scores"][0]["value"]


def test_a_model_without_a_card_and_no_model_at_all_are_told(lake: Lake) -> None:
    with client_of(lake) as client:
        answer = client.get("/model")
        assert answer.status_code == 200
        check(answer.text)
        assert "The model fake has no card" in answer.text
        assert client.get("/model.json").json()["manifest"] is None
    with client_of(lake, None) as client:
        answer = client.get("/model")
        assert answer.status_code == 503
        check(answer.text)
        assert "Found no model in this server" in answer.text
        assert client.get("/model.json").status_code == 503


def test_every_task_kind_and_metric_is_said_in_both_languages() -> None:
    from trendlark.nlu.scores import BENCHMARKS

    assert set(LABELS["tasks"]) == set(TASKS)
    assert {task.kind for task in TASKS.values()} <= set(LABELS["kinds"])
    assert {one.metric for one in BENCHMARKS.values()} == set(LABELS["metrics"])


def test_an_empty_lake_has_its_state(lake: Lake) -> None:
    with client_of(lake) as client:
        html = client.get("/status").text
        check(html)
        for text in ("none yet", "None in the last seven days.", "No job ran", "$0.00", "ready", __version__):
            assert text in html
        said = client.get("/status.json").json()
        assert (said["newest_hour"], said["lag_hours"], said["runs"]) == (None, None, [])
        assert said["versions"]["trendlark"] == __version__
        assert len(said["days"]) == 7


def test_runs_failures_spending_and_size_are_shown(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(lake, "x", STORIES)
    # A time of its own: no hour and no day ends between what is written and what is read.
    now = LAST.end + timedelta(hours=3, minutes=40)
    monkeypatch.setattr("trendlark.web.routes.status.utc_now", lambda: now)
    for minute, error in ((30, None), (5, "Found <b>no</b> credits")):
        lake.add_run(
            Run(
                run_id=f"run{minute}", job="collect", hour=LAST, source="x", place="es",
                status="failed" if error else "done", started_at=now - timedelta(minutes=minute), seconds=1.5,
                counts={"trends": 3, "tweets": 1200}, refused=2, requests=9, cost=0.25, error=error, version="1",
            )
        )  # fmt: skip
    lake.add_page(LAST, "x", "es", Page("trends", "{}", now, cost=2.5))
    settings = settings_for(lake.uri, source="x", x_bearer_token="abc", budget_usd_per_day=2.0)
    with client_of(lake, None, settings=settings) as client:
        html = client.get("/status").text
        check(html)
        for text in (
            "Found &lt;b&gt;no&lt;/b&gt; credits",
            "1,200 tweets",
            "2 refused",
            "$2.50",
            "of $2.00 a day",
        ):
            assert text in html
        assert "not ready: Found no model" in html
        assert html.count('class="tile bad"') == 3
        spanish = client.get("/status?lang=es").text
        check(spanish)
        for text in (
            "España",
            "recoger",
            "1200 tuits",
            "2,50\u00a0US$",
        ):
            assert text in spanish
        said = client.get("/status.json").json()
        assert said["failures"][0]["error"] == "Found <b>no</b> credits"
        assert said["lag_hours"] == 3
        assert said["spent_today"] == 2.5
        tables = {}
        for name in ("runs", "failures", "days", "lake"):
            tables[name] = list(csv.DictReader(io.StringIO(client.get(f"/status.csv?table={name}").text)))
        assert [row["run_id"] for row in tables["runs"]] == ["run5", "run30"]
        assert len(tables["failures"]) == 1
        assert {row["name"] for row in tables["lake"]} >= {"tweets", "analyses", "trends"}
        assert float(tables["days"][0]["cost"]) == 0.5


def test_the_page_counts_all_runs_of_a_busy_week_and_tells_its_first_failure(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trendlark.web.routes.status.utc_now", lambda: LAST.end)
    failed = Run(
        run_id="first", job="collect", hour=LAST - 150, source="x", place="es", status="failed",
        started_at=LAST.start - timedelta(days=6), seconds=1.5, requests=2, cost=0.5, error="Found no credits",
    )  # fmt: skip
    later = [
        replace(
            failed,
            run_id=f"{n}",
            hour=LAST,
            started_at=LAST.start - timedelta(seconds=n),
            status="done",
            error=None,
        )
        for n in range(2100)
    ]
    add_runs(lake, [failed, *later])
    with client_of(lake) as client:
        html = client.get("/status").text
        check(html)
        assert "Found no credits" in html
        assert "None in the last seven days." not in html
        said = client.get("/status.json").json()
        assert [one["run_id"] for one in said["failures"]] == ["first"]
        assert len(said["runs"]) == 40
        assert [day["runs"] for day in said["days"]] == [2100, 0, 0, 0, 0, 0, 1]
        days = list(csv.DictReader(io.StringIO(client.get("/status.csv?table=days").text)))
        assert (days[0]["requests"], days[0]["cost"]) == ("4200", "1050.0")
        assert (days[6]["runs"], days[6]["failed"], days[6]["cost"]) == ("1", "1", "0.5")


def test_nothing_spent_against_no_budget_is_no_alarm(lake: Lake) -> None:
    fill(lake, "x", STORIES[:1])
    with client_of(lake, settings=settings_for(lake.uri, budget_usd_per_day=0)) as client:
        html = client.get("/status").text
        assert "of $0.00 a day" in html
        assert 'aria-label="0%"' in html


def test_pages_are_about_the_source_that_is_collected_though_its_token_is_elsewhere(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(lake, "x", STORIES)
    now = LAST.end + timedelta(hours=1)
    monkeypatch.setattr("trendlark.web.routes.status.utc_now", lambda: now)
    lake.add_page(LAST, "x", "es", Page("trends", "{}", now, cost=2.5))
    # What serves pages in a cluster has no token, and its source is left to one.
    with client_of(lake, None, settings=settings_for(lake.uri)) as client:
        status = client.get("/status.json").json()
        assert (status["source"], status["spent_today"]) == ("x", 2.5)
        assert "Invented sample" not in client.get("/status").text
        assert client.get("/now.json").json()["source"] == "x"
        assert 'value="x/es/' in client.get("/compare").text
    with client_of(lake, None, settings=settings_for(lake.uri, source="sample")) as client:
        assert client.get("/status.json").json()["source"] == "sample"
    with client_of(lake, None, settings=settings_for(lake.uri, source="x")) as client:
        assert client.get("/status.json").json()["source"] == "x"
