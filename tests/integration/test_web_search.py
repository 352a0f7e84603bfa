"""The page that searches: its form, its pages, its states, its data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import httpx2 as httpx
import pytest

from tests.support.report_records import NOW
from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import FIRST, HOSTILE_STORY, HOSTILE_TEXT, LAST, STORIES, TEXTS, fill
from tests.support.web_pages import check
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import Trend, TrendHour, Tweet
from trendlark.web.reading import decode, encode
from trendlark.web.routes import search


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
    assert ">last hour<" in page(client, "/search?q=trains&hours=1")
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


CATS = tuple(f"#cat{number}" for number in range(1, 5))


def collect(lake: Lake, hour: Hour, names: Sequence[str] = CATS) -> None:
    """An hour in which these trended, in this order, with a tweet each."""
    rows = [TrendHour(Trend(hour, "x", "es", name, rank), 1, 1, 0.0) for rank, name in enumerate(names, 1)]
    tweets = [Tweet(hour, "x", "es", name, f"{hour}{name}", f"my {name}", NOW) for name in names]
    lake.commit_collection(hour, "x", "es", tweets, rows, [], "run")


@pytest.fixture
def cats(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Four trends in three hours, shown two on a page."""
    monkeypatch.setattr(search, "ITEMS", 2)
    lake = empty_lake(tmp_path_factory.mktemp("cats"))
    for number in range(3):
        collect(lake, FIRST + number)
    return lake


def following(html: str) -> str:
    """The address of the next page; empty at the end."""
    return next((link for link in check(html).links if link.startswith("/search?") and "cursor=" in link), "")


def found_on(html: str) -> list[str]:
    """The trends on a page, in order."""
    return sorted((name for name in CATS if f"<bdi>{name}</bdi></a></h3>" in html), key=html.index)


def test_an_hour_that_comes_in_moves_no_trend_between_pages(cats: Lake) -> None:
    with client_of(cats) as client:
        first = page(client, "/search?q=cat&kind=trends")
        assert found_on(first) == ["#cat1", "#cat2"]
        collect(cats, FIRST + 3, CATS[:3])
        second = page(client, following(first))
        assert found_on(second) == ["#cat3", "#cat4"]
        assert "Older results" not in second
        # Back at the beginning the new hour is there.
        again = page(client, "/search?q=cat&kind=trends")
        assert f"?hour={FIRST + 3}" in again
        assert f"?hour={FIRST + 3}" not in second


@pytest.mark.parametrize("to", ["", str(FIRST + 2), str(FIRST + 40)])
def test_data_stay_what_they_are_while_hours_come_in(cats: Lake, to: str) -> None:
    query = {"q": "cat", "kind": "trends", "hours": "100", "to": to}
    with client_of(cats) as client:
        seen, ranges, cursor = [], set(), ""
        for number in range(3, 9):
            said = client.get("/search.json", params=query | {"cursor": cursor}).json()
            seen += [one["newest"]["trend"] for one in said["trends"]]
            ranges.add((said["first_hour"], said["last_hour"]))
            collect(cats, FIRST + number, CATS[:3])
            cursor = said["next"] or ""
            if not cursor:
                break
        assert seen == list(CATS)
        assert {last for _, last in ranges} == {str(FIRST + 2)}
        assert len(ranges) == 1


def test_the_oldest_tweets_stay_on_their_page_while_hours_come_in(cats: Lake) -> None:
    query = {"q": "cat", "hours": "2"}
    with client_of(cats) as client:
        seen, cursor = [], ""
        for number in range(3, 9):
            said = client.get("/search.json", params=query | {"cursor": cursor}).json()
            assert (said["first_hour"], said["last_hour"]) == (str(FIRST + 1), str(FIRST + 2))
            seen += [one["tweet_id"] for one in said["tweets"]]
            collect(cats, FIRST + number)
            cursor = said["next"] or ""
            if not cursor:
                break
        wanted = [f"{hour}{name}" for hour in (FIRST + 2, FIRST + 1) for name in reversed(CATS)]
        assert seen == wanted


def test_an_hour_to_come_is_an_empty_answer_in_its_hours(cats: Lake) -> None:
    with client_of(cats) as client:
        said = client.get(f"/search.json?q=cat&kind=trends&hours=2&to={FIRST + 40}").json()
        assert (said["first_hour"], said["last_hour"]) == (str(FIRST + 39), str(FIRST + 40))
        assert (said["trends"], said["next"]) == ([], None)


def test_old_cursors_go_on_and_broken_ones_say_so(cats: Lake) -> None:
    path = "/search.json?q=cat&kind=trends&cursor="
    with client_of(cats) as client:
        cursor = client.get(path).json()["next"]
        *key, last = decode(cursor)
        assert last == str(FIRST + 2)
        said = client.get(path + encode(key)).json()
        assert [one["newest"]["trend"] for one in said["trends"]] == ["#cat3", "#cat4"]
        for broken in (
            [*key, "noon"],
            [*key, 7],
            [*key, None],
            ["x", *key[1:], last],
            [*key, last, last],
            [last],
        ):
            answer = client.get(path + encode(broken))
            assert answer.status_code == 400
            assert "pass on the `next` of the answer before" in answer.json()["detail"]
