"""The page that searches: its form, its pages, its states, its data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from urllib.parse import quote

import httpx2 as httpx
import pytest

from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import FIRST, HOSTILE_STORY, HOSTILE_TEXT, LAST, STORIES, TEXTS, fill
from tests.support.web_pages import check


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server over the stories and a hostile one."""
    lake = empty_lake(tmp_path_factory.mktemp("search"))
    fill(lake, "sample", [*STORIES, HOSTILE_STORY], [*TEXTS, HOSTILE_TEXT])
    with client_of(lake) as client:
        yield client


def page(client: httpx.Client, path: str, status: int = 200) -> str:
    """A page, checked."""
    answer = client.get(path)
    assert answer.status_code == status
    check(answer.text)
    return answer.text


def test_without_words_the_page_gives_examples(client: httpx.Client) -> None:
    html = page(client, "/search")
    assert "For example" in html
    assert "/search?q=%23MiraflorValdoro" in html
    assert "badge" not in html
    said = client.get("/search.json").json()
    assert (said["tweets"], said["trends"], said["next"], said["first_hour"]) == ([], [], None, None)


def test_tweets_are_shown_with_what_the_model_said_and_where_they_are_from(client: httpx.Client) -> None:
    html = page(client, "/search?q=trains+cold&place=us")
    assert html.count('<li class="tweet">') == 19
    for text in ("So the trains are off again", "positive", "83%", "irony", "Invented sample"):
        assert text in html
    assert f"/trends/sample/us/Winter%20Storm%20Juniper?hour={LAST}" in html
    # The address of the original is a link only where it is a plain one.
    assert "javascript:" not in "".join(check(html).links)


def test_trends_are_shown_with_their_newest_mood(client: httpx.Client) -> None:
    html = page(client, "/search?q=miraflor&kind=trends&lang=es")
    assert "Tendencias con “miraflor”" in html
    assert "78\u00a0%" in html
    assert f"/trends/sample/es/%23MiraflorValdoro?hour={LAST}&amp;lang=es" in html or (
        f"/trends/sample/es/%23MiraflorValdoro?lang=es&amp;hour={LAST}" in html
    )


def test_pages_follow_each_other_and_hold_every_tweet_once(client: httpx.Client) -> None:
    path, seen = "/search?q=trains", 0
    for _ in range(10):
        html = page(client, path)
        seen += html.count('<li class="tweet">')
        older = [link for link in check(html).links if "cursor=" in link and link.startswith("/search?")]
        ahead = [link for link in older if 'rel="next"' in html and link not in path]
        if not ahead or "Older results" not in html:
            break
        path = next(link for link in ahead if link.startswith("/search?q=trains&cursor="))
        assert "Back to the newest" not in html or "cursor=" in path
    assert seen == 36


def test_the_data_hold_ids_and_no_texts(client: httpx.Client) -> None:
    answer = client.get("/search.json?q=trains&hours=1")
    said = answer.json()
    assert said["first_hour"] == said["last_hour"] == said["searched_to"] == str(LAST)
    assert len(said["tweets"]) == 7
    assert said["tweets"][0]["analysis"]["sentiment"]["label"] == "positive"
    assert {one["text"] for one in said["tweets"]} == {None}
    assert client.get("/search.json?q=trains&hours=1&texts=1").json()["tweets"][0]["text"] == TEXTS[1]
    assert "off again" not in answer.text
    rows = list(csv.DictReader(io.StringIO(client.get("/search.csv?q=trains&hours=1").text)))
    assert [row["tweet_id"] for row in rows] == [one["tweet_id"] for one in said["tweets"]]
    assert {row["emotions_present"] for row in rows} == {'["joy"]'}
    trends = client.get("/search.json?q=orbix&kind=trends").json()["trends"]
    assert [(one["newest"]["trend"], one["hours"], one["oldest_hour"]) for one in trends] == [
        ("#Orbix9", 6, str(FIRST))
    ]
    rows = list(csv.DictReader(io.StringIO(client.get("/search.csv?q=orbix&kind=trends").text)))
    assert [(row["trend"], row["hours"]) for row in rows] == [("#Orbix9", "6")]
    assert float(rows[0]["sentiment_positive"]) == 0.3
    assert float(rows[0]["sentiment_negative_low"]) < 0.25 < float(rows[0]["sentiment_negative_high"])


def test_a_source_is_chosen_where_there_are_several(
    client: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert 'name="source"' not in page(client, "/search?q=trains")
    lake = empty_lake(tmp_path_factory.mktemp("sources"))
    fill(lake, "sample", STORIES[:1])
    fill(lake, "x", STORIES[2:3])
    with client_of(lake) as both:
        html = page(both, "/search?q=trains&source=x&kind=trends")
        assert '<option value="x" selected>' in html
        assert '<option value="sample">' in html
        assert page(both, "/search?q=huelga&source=x&kind=trends").count("<h3>") == 1
        assert page(both, "/search?q=huelga&source=sample&kind=trends").count("<h3>") == 0
        assert '<option value="mastodon" selected>' in page(both, "/search?q=huelga&source=mastodon")


def test_time_and_place_narrow_it_down(client: httpx.Client) -> None:
    assert page(client, f"/search?q=trains&hours=2&to={FIRST + 1}&place=es").count('<li class="tweet">') == 6
    assert f'name="to" value="{FIRST + 1}"' in page(client, f"/search?q=trains&to={FIRST + 1}")
    assert "last 5 hours" in page(client, "/search?q=trains&hours=5")
    assert "Nothing found for “trains”" in page(client, "/search?q=trains&place=mx")


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ("q=" + "x" * 201, 422, "200"),
        ("q=a&hours=0", 422, "hours"),
        ("q=a&hours=100000", 422, "hours"),
        ("q=a&kind=users", 422, "kind"),
        ("q=a&to=yesterday", 400, "hours are written like"),
        ("q=a&cursor=nonsense", 400, "cursor"),
    ],
)
def test_what_cannot_be_searched_says_so(client: httpx.Client, query: str, status: int, told: str) -> None:
    assert told in page(client, "/search?" + query, status)
    answer = client.get("/search.json?" + query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE tweets; --",
        "\\",
        "%",
        "(?i)(((",
        "<script>window.hacked=1</script>",
        "\x00",
        "𝕏 ＃",
        "\\x{41}",
    ],
)
def test_hostile_words_are_words(client: httpx.Client, text: str) -> None:
    for kind in ("tweets", "trends"):
        html = page(client, f"/search?q={quote(text)}&kind={kind}")
        assert "<script>window" not in html


def test_an_empty_lake_is_searched_in_vain(tmp_path_factory: pytest.TempPathFactory) -> None:
    with client_of(empty_lake(tmp_path_factory.mktemp("empty"))) as client:
        assert "trendlark run-hour" in page(client, "/search?q=a")
