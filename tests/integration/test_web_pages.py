"""The pages as HTML: what they say in both languages, that hostile text stays text, and every state of the lake."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import httpx2 as httpx
import pytest

from tests.support.hours import jobs_for, settings_for
from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import (
    FIRST,
    HOSTILE_STORY,
    HOSTILE_TEXT,
    HOSTILE_TREND,
    LAST,
    STORIES,
    TEXTS,
    Story,
    fill,
)
from tests.support.web_pages import check
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import Refusal, Trend, TrendHour, Tweet

HOSTILE_PATH = f"/trends/sample/us/{quote(HOSTILE_TREND, safe='')}"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that holds hostile names and texts among others."""
    lake = empty_lake(tmp_path_factory.mktemp("pages"))
    fill(lake, "sample", [*STORIES, HOSTILE_STORY], [*TEXTS, HOSTILE_TEXT])
    fill(lake, "x", STORIES[:1], summarised=False)
    return lake


@pytest.fixture(scope="module")
def client(lake: Lake) -> Iterator[httpx.Client]:
    """A client of a server over that lake."""
    with client_of(lake) as client:
        yield client


def page(client: httpx.Client, path: str, status: int = 200) -> str:
    """A page, checked."""
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    check(answer.text)
    return answer.text


def test_the_newest_hour_shows_every_place_with_its_trends(client: httpx.Client) -> None:
    html = page(client, "/")
    assert '<html lang="en">' in html
    assert "Mon 23 Nov 2026, 07:00–08:00" in html
    for text in ("Spain", "United States", "#MiraflorValdoro", "AC/DC &amp; friends", "48,200", "78%"):
        assert text in html
    assert "AC%2FDC%20%26%20friends" in html
    assert ">new<" in html
    assert len(html) < 200_000


def test_spanish_by_parameter_and_by_the_browser(client: httpx.Client) -> None:
    asked = page(client, "/?lang=es")
    wished = client.get("/", headers={"Accept-Language": "es-PE,es;q=0.9"}).text
    for html in (asked, wished):
        assert '<html lang="es">' in html
        assert "Tendencias de la hora" in html
        assert "lun 23 nov 2026" in html
        assert "78\u00a0%" in html
        assert "Muestra inventada" in html
    # A language chosen by hand stays chosen along the links; the browser's wish needs no parameter.
    assert "/trends/sample/es/%23MiraflorValdoro?lang=es" in asked
    assert "/trends/sample/es/%23MiraflorValdoro?lang=es" not in wished


@pytest.mark.parametrize(
    "path", ["/", f"/?hour={FIRST}", "/?place=es", "/trends/sample/es/%23MiraflorValdoro"]
)
def test_the_invented_sample_is_called_so_on_every_page(client: httpx.Client, path: str) -> None:
    assert '<strong class="badge">Invented sample</strong>' in page(client, path)


def test_a_real_source_has_no_banner_and_what_is_not_analysed_is_said(client: httpx.Client) -> None:
    html = page(client, "/?source=x")
    assert "badge" not in html
    assert "Collected, not analysed yet" in html
    html = page(client, "/trends/x/es/%23MiraflorValdoro")
    assert "badge" not in html
    assert "Not summed up yet" in html


def test_an_hour_and_a_place_can_be_chosen(client: httpx.Client) -> None:
    html = page(client, f"/?hour={FIRST + 1}&place=es")
    assert "Mon 23 Nov 2026, 03:00–04:00" in html
    assert "<bdi>Winter Storm Juniper</bdi>" not in html
    assert f"/?place=es&amp;hour={FIRST}" in html
    assert f"/?place=es&amp;hour={FIRST + 2}" in html
    assert f'value="{FIRST + 1}" selected' in html


def test_a_source_that_stopped_is_chosen_with_its_own_hours(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("sources"))
    fill(lake, "sample", STORIES)
    mood = (0.2, 0.3)
    fill(lake, "x", [Story("#Once", "es", 7, (None, mood, None, mood, None, None), {})])
    with client_of(lake) as client:
        html = page(client, "/")
        assert 'href="/?source=x"' in html
        assert "#Once" not in html
        html = page(client, "/?source=x")
        assert "05:00–06:00" in html
        assert "#Once" in html
        # Its hours are offered, not those of the other source.
        assert f"/?source=x&amp;hour={FIRST + 1}" in html
        assert f'value="{FIRST + 2}"' not in html
        assert f'value="{FIRST + 4}"' not in html
        # An hour that the other source has, too, is kept when the source is changed; another is not.
        assert f'href="/?source=sample&amp;hour={FIRST + 3}"' in page(client, f"/?source=x&hour={FIRST + 3}")
        assert 'href="/?source=x"' in page(client, f"/?source=sample&hour={LAST}")
        assert "source “x”" in page(client, f"/?source=x&hour={LAST}", 404)


def test_a_trend_leads_to_the_comparison_with_others_in_its_hour(client: httpx.Client) -> None:
    html = page(client, "/trends/sample/es/%23MiraflorValdoro")
    assert 'href="/compare?of=sample%2Fes%2F%23MiraflorValdoro"' in html
    html = page(client, f"/trends/sample/es/%23MiraflorValdoro?hour={FIRST + 1}&lang=es")
    found = re.search(r'href="(/compare[?][^"]*)"', html.replace('href="/compare?lang=es"', ""))
    assert found
    assert f"hour={FIRST + 1}" in found[1]
    assert "elija al menos otra" in page(client, found[1].replace("&amp;", "&"))


def test_movement_since_the_hour_before_is_marked_only_where_it_is_clear(client: httpx.Client) -> None:
    html = page(client, "/?place=es")
    assert re.search(r'class="real"[^>]*>\+55 <', html)
    assert re.search(r'class="noise"[^>]*>−4 <', html)


def test_a_trend_tells_its_hours_feelings_examples_and_origin(client: httpx.Client) -> None:
    html = page(client, "/trends/sample/es/%23MiraflorValdoro")
    assert re.search(r"<dd>\+70 <small>\(\+46 to \+84\)</small></dd>", html)
    for text in ("No. 1 in Spain", "+70", "joy", "52%", "37–67%", "Valdoro", "#CopaDeVerano", "sports"):
        assert text in html
    for text in (*TEXTS[:2], "83%", "irony", "lark-test", "$0.00"):
        assert text in html
    assert 'stream link in the thread <a href="https://example.org/live"' in html
    assert "0 of this trend, 0 of Spain in this hour" in html
    assert 'href="https://x.com/i/status/0"' in html
    assert "javascript:" not in "".join(check(html).links)


def test_the_chart_data_can_be_read_and_has_gaps(client: httpx.Client) -> None:
    html = page(client, f"/trends/sample/es/{quote('Lía Montero')}")
    found = re.search(r'<script type="application/json" id="chart-data">(.*?)</script>', html, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert [hour["positive"] for hour in data["hours"]] == [0.3, 0.35, None, 0.5, 0.48, 0.46]
    assert html.count('<tr aria-current="true">') == 1


def test_a_trend_of_long_ago_has_its_page_with_its_last_hours(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("old"))
    old = LAST - 300
    for hour, name in ((old - 200, "long"), (old - 3, "long"), (old, "long"), (LAST, "new")):
        row = TrendHour(Trend(hour, "x", "es", name, 1), 0, 0, 0.0)
        lake.commit_collection(hour, "x", "es", [], [row], [], "run")
    with client_of(lake) as client:
        html = page(client, "/trends/x/es/long")
        assert f"?hour={old}" in html
        assert f"?hour={old - 3}" in html
        assert f"?hour={old - 200}" not in html
        assert html.count('<th scope="row">') == 4
        assert html.count('<tr aria-current="true">') == 1
        assert f"?hour={old - 200}" in page(client, f"/trends/x/es/long?hour={old - 200}")
        page(client, f"/trends/x/es/long?hour={old - 100}", 404)


def test_what_was_refused_is_counted_and_shown_with_its_reasons(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("refused"))
    rows = [TrendHour(Trend(LAST, "x", "es", name, rank), 0, 0, 0.0) for rank, name in enumerate("ab", 1)]
    refusals = [Refusal("<script>no text</script>", "{}", "a"), Refusal("no id", "<b>raw</b>", "b")]
    refusals += [Refusal(f"reason {number}", "", None) for number in range(9)]
    lake.commit_collection(LAST, "x", "es", [], rows, refusals, "run")
    lake.commit_collection(LAST, "x", "us", [], [], [Refusal("elsewhere", "", "a")], "run")
    with client_of(lake) as client:
        html = page(client, "/trends/x/es/a")
        assert "1 of this trend, 11 of Spain in this hour" in html
        assert "&lt;script&gt;no text&lt;/script&gt;" in html
        assert html.count(" × <bdi>") == 5
        assert "6 for other reasons" in html
        assert "elsewhere" not in html
        assert "raw&lt;" not in html
        assert "1 de esta tendencia, 11 de España" in page(client, "/trends/x/es/b?lang=es")


def test_every_window_of_the_hour_is_told_with_its_tweets(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("windows"))
    fill(lake, "x", STORIES[:1])
    (row,) = lake.trend_hours(LAST)
    starts = [LAST.start + timedelta(minutes=2 * number) for number in range(30)]
    windows = [f"{one:%Y-%m-%dT%H:%M:%SZ}/{one + timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}" for one in starts]
    tweets = [
        Tweet(LAST, "x", "es", row.trend.name, f"{window}-{number}", "t", LAST.end, window=window)
        for at, window in enumerate(windows)
        for number in range(1 + at % 2)
    ]
    lake.commit_collection(LAST, "x", "es", tweets, [row], [], "again")
    with client_of(lake) as client:
        html = page(client, "/trends/x/es/%23MiraflorValdoro")
        assert '<span class="num">07:00–07:02</span> <span class="faint">1</span>' in html
        assert '<span class="num">07:58–08:00</span> <span class="faint">2</span>' in html
        sheet = client.get("/trends/x/es/%23MiraflorValdoro.csv?table=windows").text
        assert sheet.splitlines() == [
            "window,tweets",
            *(f"{one},{1 + at % 2}" for at, one in enumerate(windows)),
        ]


def test_a_trend_can_be_found_filtered_and_put_in_order(client: httpx.Client) -> None:
    def names(path: str) -> list[str]:
        return re.findall(r'<th scope="row" class="c-name"><a[^>]*><bdi>(.*?)</bdi>', page(client, path))

    assert names("/?place=es&sort=negative") == ["#HuelgaMetro", "Lía Montero", "#MiraflorValdoro"]
    assert names("/?q=montero") == ["Lía Montero"]
    assert names("/?place=es&only=negative") == ["#HuelgaMetro"]
    assert names("/?place=es&emotion=anger&only=positive") == []
    html = page(client, "/?place=es&q=nothing&lang=es")
    assert "Ninguna tendencia de este lugar cumple el filtro." in html
    assert 'href="/?lang=es&amp;place=es">Quitar el filtro' in html
    html = page(client, "/?place=es&sort=volume")
    assert 'aria-sort="descending"' in html
    # Another hour, another order: what was chosen besides stays.
    assert f"/?place=es&amp;hour={LAST - 1}&amp;sort=volume" in html
    assert "/?place=es&amp;sort=irony" in html
    page(client, "/?sort=luck", 422)


def test_the_tweets_of_a_trend_are_filtered_by_what_the_model_said(client: httpx.Client) -> None:
    path = "/trends/sample/es/%23MiraflorValdoro"

    def shown(query: str) -> int:
        return page(client, path + query).partition('id="tweets"')[2].count('<li class="tweet">')

    assert shown("") == shown("?sentiment=positive&emotion=joy&flag=irony&topic=sports&said_lang=es") == 4
    assert shown("?sentiment=negative") == shown("?flag=nonsense") == shown("?said_lang=en") == 0
    assert shown("?entity=que+part") == shown("?entity=QU%C3%89+PART") == 1
    assert "No tweet of this sample fits the filter." in page(client, path + "?emotion=fear")
    html = page(client, path + "?hashtag=CopaDeVerano&page=99")
    assert "<bdi>#CopaDeVerano</bdi>" in html
    assert "0 of 4 tweets" in html


def test_probabilities_doubts_and_the_links_of_the_original_are_shown(client: httpx.Client) -> None:
    html = page(client, "/trends/sample/es/%23MiraflorValdoro")
    assert html.count("Read as ironic; irony often turns the mood around.") >= 4
    assert html.count("<dt><bdi>optimism</bdi></dt>") == html.count("<summary>Probabilities")
    assert 'href="https://x.com/i/status/0"' in html
    assert "intent/like" not in html


def test_an_older_hour_of_a_trend(client: httpx.Client) -> None:
    html = page(client, f"/trends/sample/es/%23MiraflorValdoro?hour={FIRST + 3}&lang=es")
    assert "lun 23 nov 2026, 05:00–06:00" in html
    assert "−32" in html


@pytest.mark.parametrize("path", [HOSTILE_PATH, "/?place=us", "/?lang=es"])
def test_hostile_names_and_texts_stay_text(client: httpx.Client, path: str) -> None:
    html = page(client, path)
    assert "<script>window" not in html
    assert "<img" not in html
    assert "&lt;img src=x onerror=window.hacked=2&gt;</bdi>" in html


def test_a_hostile_tweet_is_whole_and_harmless(client: httpx.Client) -> None:
    html = page(client, HOSTILE_PATH)
    assert "{{7*7}} ${window.hacked=5}" in html
    assert "@&lt;b&gt;mina&lt;/b&gt;" in html
    assert "window.hacked=3" in html


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/?hour=2020-01-01T00", 404, "Found no trends of Wed 1 Jan 2020"),
        ("/?hour=yesterday", 400, "hours are written like 2026-11-23T07"),
        ("/?hour=9999-12-31T23", 400, "hours are written like 2026-11-23T07"),
        ("/trends/sample/es/nope?hour=0001-01-01T00", 400, "hours are written like"),
        ("/?source=mastodon", 404, "Found nothing of the source"),
        ("/trends/sample/es/nope", 404, "Found no trend “nope” of Spain"),
        ("/trends/sample/es/%3Cscript%3E", 404, "“&lt;script&gt;”"),
        ("/trends/sample/es/%23MiraflorValdoro?hour=2020-01-01T00", 404, "Found no trends of"),
        ("/trends/sample/es/..%2F..", 404, "Found no trend"),
        ("/trends/sample/es/?trend=..", 404, "“..”"),
        ("/?place=" + "x" * 201, 422, "200"),
        ("/?lang=es&hour=ayer", 400, "no es una hora"),
    ],
)
def test_what_is_not_there_has_a_page_that_says_so(
    client: httpx.Client, path: str, status: int, told: str
) -> None:
    html = page(client, path, status)
    assert told in html
    assert "Back to the trends" in html or "Volver a las tendencias" in html


def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(client: httpx.Client) -> None:
    answer = client.get("/nope", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    check(answer.text)
    spanish = {"Accept": "text/html", "Accept-Language": "es"}
    assert "Esa dirección no existe aquí" in client.get("/nope", headers=spanish).text
    problem = client.get("/nope", headers={"Accept-Language": "es"})
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["detail"].startswith("Found no such address here")


def test_a_place_without_trends_in_the_hour_says_so(client: httpx.Client) -> None:
    assert "Nothing was collected for this place in this hour." in page(client, "/?place=mx")


def test_an_empty_lake_tells_how_to_begin(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("empty"))
    with client_of(lake) as client:
        html = page(client, "/")
        assert "Nothing collected yet" in html
        assert "trendlark run-hour" in html
        assert "Invented sample" in html
        page(client, "/trends/sample/es/a", 404)
    with client_of(
        lake, settings=settings_for(lake.uri, places="mx", source="x", x_bearer_token="abc")
    ) as client:
        assert "Invented sample" not in page(client, "/")


def test_trends_without_tweets_or_volume_have_their_sentences(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("bare"))
    rows = [
        TrendHour(Trend(LAST, "x", "es", f"trend {rank}", rank), 0, 0, 0.0, "over budget")
        for rank in range(1, 14)
    ]
    lake.commit_collection(LAST, "x", "es", [], rows, [], "run")
    with client_of(lake) as client:
        html = page(client, "/")
        assert "Listed without tweets · <bdi>over budget</bdi>" in html
        assert "Show all 13 trends" in html
        assert page(client, "/?place=es").count('<th scope="row"') == 13
        html = page(client, "/trends/x/es/trend%201")
        assert "No tweets were drawn" in html
        assert "over budget" in html


@pytest.mark.slow
def test_the_sample_played_by_the_jobs_shows_on_every_page(tmp_path_factory: pytest.TempPathFactory) -> None:
    jobs = jobs_for(tmp_path_factory.mktemp("jobs") / "lake")
    for step in (0, 1):
        jobs.run_hour(Hour.parse("2026-11-20T09") + step)
    with client_of(jobs.lake) as client:
        for item in client.get("/v1/trends").json()["items"]:
            assert item["invented"] is True
            assert item["summary"]["analysed"] == item["sampled"] > 0
            path = f"/trends/{item['source']}/{item['place']}/{quote(item['trend'], safe='')}"
            html = page(client, f"{path}?hour={item['hour']}")
            examples, _, every = html.partition('id="tweets"')
            assert examples.count('<li class="tweet">') == len(item["summary"]["examples"]) > 0
            assert every.count('<li class="tweet">') == item["sampled"]
        assert "vie 20 nov 2026" in page(client, "/?lang=es")
