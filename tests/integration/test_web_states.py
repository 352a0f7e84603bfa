"""States of the lake and of an address that a page must be right in, though they are seldom met."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2 as httpx

from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import LAST, STORIES, fill
from tests.support.web_pages import check
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.records import Run, Trend, TrendHour


def page(client: httpx.Client, path: str, status: int = 200) -> str:
    """A page, checked."""
    answer = client.get(path)
    assert answer.status_code == status
    check(answer.text)
    return answer.text


def list_trend(lake: Lake, hours: list[Hour], name: str = "long", sampled: int = 0) -> None:
    """List a trend in some hours, without its tweets."""
    for hour in hours:
        row = TrendHour(Trend(hour, "x", "es", name, 1), sampled, 0, 0.0)
        lake.commit_collection(hour, "x", "es", [], [row], [], "run")


def steps(html: str) -> tuple[str, str]:
    """The hours that the arrows of the page of a trend lead to; empty where one leads nowhere."""
    found = dict(re.findall(r'<a class="step" rel="(prev|next)" href="[^"]*hour=([^"&]*)', html))
    return found.get("prev", ""), found.get("next", "")


def test_the_arrows_of_a_trend_go_on_where_its_chart_ends(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    hours = [LAST - 40, LAST - 24, LAST - 23, LAST - 1, LAST]
    list_trend(lake, hours)
    with client_of(lake) as client:
        for before, hour, after in zip(["", *hours], hours, [*hours[1:], ""], strict=False):
            html = page(client, f"/trends/x/es/long?span=24&hour={hour}")
            assert steps(html) == (str(before), str(after))


def test_tweets_of_x_are_shown_with_the_signs_that_its_api_escapes(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    fill(lake, "x", STORIES[:1], ["H&amp;M -&gt; today"])
    with client_of(lake) as client:
        for path in ("/trends/x/es/%23MiraflorValdoro", "/search?q=today"):
            html = page(client, path)
            assert "<bdi>H&amp;M -&gt; today</bdi></blockquote>" in html
            assert "<bdi>H&amp;M </bdi> <small>other</small>" in html
            assert "&amp;amp;" not in html
        assert client.get("/trends/x/es/%23MiraflorValdoro.json?texts=1").json()["tweets"]["items"][0][
            "text"
        ] == ("H&amp;M -&gt; today")


def test_the_column_of_the_mood_tells_by_which_share_it_is_in_order(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    fill(lake, "x", STORIES[:1])
    with client_of(lake) as client:
        for sort, other, says in (
            ("positive", "negative", "positive share"),
            ("negative", "positive", "negative share"),
        ):
            html = page(client, f"/?sort={sort}")
            (head,) = re.findall(
                r'<th scope="col" class="([^"]*)" aria-sort="descending" title="([^"]*)"', html
            )
            assert head == ("c-mood", says)
            assert f'<a href="/?sort={other}">Mood</a>' in html
        assert 'class="c-mood"><a href="/?sort=positive">Mood</a>' in page(client, "/")


def test_an_hour_that_is_not_in_the_lake_is_no_empty_lake(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    list_trend(lake, [LAST - 1, LAST])
    with client_of(lake) as client:
        for path in ("/", "/compare"):
            html = page(client, f"{path}?hour={LAST - 50}&lang=es", 404)
            assert (
                "No hay tendencias del sáb 21 nov 2026, 05:00–06:00\xa0UTC. Las hay desde el lun 23 nov"
                in html
            )
        html = page(client, f"/compare?of=x/es/long&of=x/es/other&hour={LAST - 50}")
        assert re.findall(r'<option value="([^"]*)" selected>', html) == [str(LAST - 50)]
        # Which hour an address names says nothing while there is none.
    with client_of(empty_lake(tmp_path / "empty")) as client:
        assert "The lake is empty." in page(client, f"/compare?hour={LAST}")


def test_one_is_said_of_one(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    fill(lake, "x", STORIES[:1], ["alone"])
    list_trend(lake, [LAST + 1], sampled=1)
    counts = {"trends": 1, "tweets": 1}
    lake.add_run(
        Run("r", "collect", LAST, "x", "es", "done", Hour.now().start, 1.0, counts=counts, refused=1)
    )
    with client_of(lake) as client:
        html = page(client, "/")
        assert "1 trend · 1 tweet sampled ·" in html
        # What is drawn need not be analysed yet.
        assert "Collected, not analysed yet" in html
        assert 'title="Tweets drawn for the trend"><a href="/?sort=sample">Sample</a>' in html
        assert "1 tendencia · 1 tuit en la muestra ·" in page(client, "/?lang=es")
        html = page(client, "/trends/x/es/%23MiraflorValdoro?lang=es")
        assert '<p class="faint">1 tuit en la muestra</p>' in html
        assert "1 trend, 1 tweet · 1 refused" in page(client, "/status")
        assert "1 tendencia, 1 tuit · 1 rechazado" in page(client, "/status?lang=es")


def test_a_trend_alone_in_its_place_is_not_held_against_itself(tmp_path: Path) -> None:
    lake = empty_lake(tmp_path)
    fill(lake, "x", [STORIES[0], STORIES[3], STORIES[4]])
    with client_of(lake) as client:
        assert "average of all" not in page(client, "/trends/x/es/%23MiraflorValdoro")
        html = page(client, "/trends/x/us/%23Orbix9")
        assert "average of all 2 trends of United States" in html
        assert 'class="usual"' in html
