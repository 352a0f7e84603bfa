"""The data of the pages: JSON at the same address with ``.json``, every table as CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from urllib.parse import quote

import httpx2 as httpx
import pytest

from tests.support.hours import settings_for
from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import HOSTILE_STORY, HOSTILE_TREND, STORIES, Story, fill
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
    assert {one["place"] for one in said["trends"]} == {"es"}
    first = said["trends"][0]
    assert first["trend"] == "#MiraflorValdoro"
    assert first["summary"]["sentiment"]["positive"]["value"] == 0.78
    assert first["mood_change"] == pytest.approx(0.55)
    assert first["mood_change_is_clear"] is True


def test_the_csv_of_now_has_every_share_with_its_interval(client: httpx.Client) -> None:
    rows = rows_of(client, "/now.csv?place=es")
    assert [row["trend"] for row in rows] == ["#MiraflorValdoro", "Lía Montero", "#HuelgaMetro"]
    assert float(rows[0]["sentiment_positive"]) == 0.78
    assert float(rows[0]["sentiment_positive_low"]) < 0.78 < float(rows[0]["sentiment_positive_high"])
    assert rows[0]["mood_change_is_clear"] == "True"


def test_no_cell_is_a_formula(client: httpx.Client) -> None:
    names = [row["trend"] for row in rows_of(client, "/now.csv?place=us")]
    assert "'" + DANGEROUS.name in names
    assert HOSTILE_TREND in names


def test_the_data_of_a_trend_hold_its_hours(client: httpx.Client) -> None:
    path = f"/trends/sample/es/{quote('Lía Montero')}"
    said = client.get(path + ".json").json()
    assert said["chosen"]["hour"] == "2026-11-23T07"
    assert len(said["hours"]) == 5
    assert [row["hour"] for row in rows_of(client, path + ".csv")] == [one["hour"] for one in said["hours"]]


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
        assert client.get("/now.json").json() == {"hour": None, "source": None, "places": [], "trends": []}
        assert rows_of(client, "/now.csv") == []


def test_data_need_the_token_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("token"))
    with client_of(lake, settings=settings_for(lake.uri, api_token="s3same-0pen")) as client:
        for path in ("/now.json", "/now.csv", "/trends/x/es/a.json"):
            assert client.get(path, headers={"Accept": "text/html"}).status_code == 401
            assert client.get(path, headers={"Authorization": "Bearer s3same-0pen"}).status_code != 401
