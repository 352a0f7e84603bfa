"""The data of the pages: JSON at the same address with ``.json``, every table as CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import HOSTILE_STORY, HOSTILE_TREND, LAST, STORIES, TEXTS, Story, fill
from tests.support.web_pages import check
from trendlark.lake import Lake

DANGEROUS = Story('=HYPERLINK("http://evil.example";1)', "us", 3, ((0.1, 0.1),) * 6, {})
LIKE_DATA = Story("package.json", "us", 3, ((0.1, 0.1),) * 6, {})


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with names that a spreadsheet or an address would misread."""
    lake = empty_lake(tmp_path_factory.mktemp("data"))
    fill(lake, "sample", [*STORIES, HOSTILE_STORY, DANGEROUS, LIKE_DATA])
    return lake


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server over that lake."""
    with client_of(lake) as client:
        yield client


def rows_of(client: httpx.Client, path: str) -> list[dict[str, str]]:
    """A CSV answer, read."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="trendlark-')
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.mark.parametrize(
    "path", ["/", "/?place=us&lang=es", "/trends/sample/es/%23MiraflorValdoro?hour=2026-11-23T04"]
)
def test_every_page_links_to_its_data_and_every_link_works(client: httpx.Client, path: str) -> None:
    checker = check(client.get(path).text)
    endings = (".json", ".csv")
    data = [
        link for link in checker.links if link.partition("?")[0].endswith(endings) and link != "/openapi.json"
    ]
    assert {link.partition("?")[0].rpartition(".")[2] for link in data} == {"json", "csv"}
    for link in data:
        assert "lang=" not in link
        assert client.get(link).status_code == 200


def test_the_json_of_now_says_what_the_page_says(client: httpx.Client) -> None:
    answer = client.get("/now.json?place=es")
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()
    assert said["hour"] == "2026-11-23T07"
    assert [one["place"] for one in said["places"]] == ["es"]
    first = said["places"][0]["trends"][0]
    assert first["trend"] == "#MiraflorValdoro"
    assert first["summary"]["sentiment"]["positive"]["value"] == 0.78
    assert first["mood_change"] == pytest.approx(0.55)
    assert 0 < first["mood_change_low"] < 0.55 < first["mood_change_high"]
    assert first["mood_change_is_clear"] is True
    assert first["day"][18:] == [
        [0.10, 0.55],
        [0.14, 0.60],
        [0.31, 0.42],
        [0.52, 0.20],
        [0.30, 0.45],
        [0.08, 0.78],
    ]
    assert first["day"][:18] == [None] * 18


def test_after_a_change_of_model_the_change_of_mood_is_told_and_not_marked(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("upgrade"))
    fill(lake, "x", STORIES[:1])
    with client_of(lake) as client:
        before = client.get("/now.json").json()["places"][0]["trends"][0]
        assert before["mood_change_is_clear"] is True
        assert 'class="real"' in client.get("/").text
    rows = [
        replace(row, summary=replace(row.summary, model="lark-older"))
        for row in lake.trend_hours(LAST - 1)
        if row.summary
    ]
    lake.commit_summaries(LAST - 1, "x", rows, "run-older")
    with client_of(lake) as client:
        [after] = client.get("/now.json").json()["places"][0]["trends"]
        assert after == {**before, "mood_change_is_clear": False}
        [row] = rows_of(client, "/now.csv")
        assert (row["mood_change_is_clear"], float(row["mood_change"])) == ("False", before["mood_change"])
        assert client.get("/now.json?only=moved").json()["places"][0]["trends"] == []
        html = client.get("/").text
        check(html)
        assert 'class="real"' not in html
        assert re.search(r'class="noise" title="[^"]*, not marked: two models read these hours">\+55 <', html)
        assert "sin marcar: dos modelos leyeron estas horas" in client.get("/?lang=es").text
        # Two hours that one model read are marked as ever.
        [older] = client.get(f"/now.json?hour={LAST - 2}").json()["places"][0]["trends"]
        assert older["mood_change_is_clear"] is True


def test_the_csv_of_now_has_every_share_with_its_interval(client: httpx.Client) -> None:
    rows = rows_of(client, "/now.csv?place=es")
    assert [row["trend"] for row in rows] == ["#MiraflorValdoro", "Lía Montero", "#HuelgaMetro"]
    assert float(rows[0]["sentiment_positive"]) == 0.78
    assert float(rows[0]["sentiment_positive_low"]) < 0.78 < float(rows[0]["sentiment_positive_high"])
    assert rows[0]["mood_change_is_clear"] == "True"
    assert (
        float(rows[0]["mood_change_low"]) < float(rows[0]["mood_change"]) < float(rows[0]["mood_change_high"])
    )


def test_no_cell_is_a_formula(client: httpx.Client) -> None:
    names = [row["trend"] for row in rows_of(client, "/now.csv?place=us")]
    assert "'" + DANGEROUS.name in names
    assert HOSTILE_TREND in names


def test_the_data_of_a_trend_hold_its_hours(client: httpx.Client) -> None:
    path = f"/trends/sample/es/{quote('Lía Montero')}"
    said = client.get(path + ".json").json()
    assert said["chosen"]["hour"] == "2026-11-23T07"
    assert [hour["rank"] for hour in said["hours"]] == [2, 2, None, 2, 2, 2]
    assert said["hours"][2] == dict.fromkeys(said["hours"][2], None) | {"hour": "2026-11-23T04"}
    assert [row["hour"] for row in rows_of(client, path + ".csv")] == [one["hour"] for one in said["hours"]]


def test_texts_leave_only_when_they_are_asked_for(client: httpx.Client) -> None:
    path = "/trends/sample/es/%23MiraflorValdoro"
    for item in client.get(path + ".json").json()["tweets"]["items"]:
        assert item["text"] is None
        assert item["tweet_id"]
        assert item["analysis"]["sentiment"]["probabilities"]["positive"] == pytest.approx(0.83)
    texts = [item["text"] for item in client.get(path + ".json?texts=1").json()["tweets"]["items"]]
    assert sorted(texts) == sorted(TEXTS)
    assert {row["text"] for row in rows_of(client, path + ".csv?table=tweets")} == {""}
    rows = rows_of(client, path + ".csv?table=tweets&texts=1&page=7")
    assert sorted(row["text"] for row in rows) == sorted(TEXTS)
    assert float(rows[0]["emotion_joy"]) == pytest.approx(0.77)


def test_shares_stand_beside_those_of_the_place(client: httpx.Client) -> None:
    rows = {row["name"]: row for row in rows_of(client, "/trends/sample/es/%23HuelgaMetro.csv?table=shares")}
    assert float(rows["anger"]["share"]) == 0.61
    # The mean of 0.12, 0.02 and 0.61 over as many tweets each, counted in whole tweets.
    assert float(rows["anger"]["place"]) == pytest.approx(0.25, abs=0.01)
    assert (
        float(rows["anger"]["place_low"]) < float(rows["anger"]["place"]) < float(rows["anger"]["share_low"])
    )
    words = rows_of(client, "/trends/sample/es/%23HuelgaMetro.csv?table=words")
    assert {"kind": "entities", "name": "Valdoro", "type": "organization", "tweets": "14"} in words


def test_a_name_that_ends_like_data_has_its_page_and_its_data(client: httpx.Client) -> None:
    checker = check(client.get("/?place=us").text)
    page = "/trends/sample/us/?trend=package.json"
    assert page in checker.links
    html = client.get(page).text
    assert "<bdi>package.json</bdi>" in html
    found = [link for link in check(html).links if link.startswith("/trends/sample/us/.json")]
    assert client.get(found[0]).json()["chosen"]["trend"] == "package.json"


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/now.csv?table=nope", 404, "its tables are: trends"),
        ("/trends/sample/es/nope.json", 404, "Found no trend"),
        ("/now.json?hour=nope", 400, "hours are written like"),
        ("/nope.json", 404, "Found no such address"),
    ],
)
def test_what_is_not_there_is_a_problem_for_programs(
    client: httpx.Client, path: str, status: int, told: str
) -> None:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["detail"]


def test_an_empty_lake_has_empty_data(tmp_path_factory: pytest.TempPathFactory) -> None:
    with client_of(empty_lake(tmp_path_factory.mktemp("empty"))) as client:
        assert client.get("/now.json").json() == {"hour": None, "source": None, "asked": {}, "places": []}
        assert rows_of(client, "/now.csv") == []


def test_data_need_the_token_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("token"))
    with client_of(lake, settings=settings_for(lake.uri, api_token="s3same-0pen")) as client:
        for path in ("/now.json", "/now.csv", "/trends/x/es/a.json"):
            assert client.get(path, headers={"Accept": "text/html"}).status_code == 401
            assert client.get(path, headers={"Authorization": "Bearer s3same-0pen"}).status_code != 401
