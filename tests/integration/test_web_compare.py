"""The page that compares: what is chosen, which hour, what is marked, and its data."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx2 as httpx
import pytest

from tests.support.web_app import client_of, empty_lake
from tests.support.web_lake import FIRST, LAST, STORIES, Story, fill
from tests.support.web_pages import check
from trendlark.records import Tweet

BOTH = [Story("#Both", place, 400, ((0.6, 0.1),) * 6, {"anger": 0.5}) for place in ("es", "us")]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server over the stories and a trend of two places, which share some tweets."""
    lake = empty_lake(tmp_path_factory.mktemp("compare"))
    fill(lake, "sample", [*STORIES, *BOTH])
    with client_of(lake) as client:
        yield client


def address(*picks: str, form: str = "", **query: str) -> str:
    """The address of a comparison."""
    return f"/compare{form}?" + urlencode([("of", pick) for pick in picks] + list(query.items()))


MIRAFLOR, HUELGA, LIA = "sample/es/#MiraflorValdoro", "sample/es/#HuelgaMetro", "sample/es/Lía Montero"


def test_without_a_choice_the_page_offers_the_trends_of_the_newest_hour(client: httpx.Client) -> None:
    html = client.get("/compare").text
    checker = check(html)
    assert "/compare" in checker.links
    # What is only offered shows, too, so where it is invented the page says so.
    for text in (
        "Choose two to five trends", 'value="sample/us/AC/DC &amp; friends"', MIRAFLOR, "Invented sample",
    ):  # fmt: skip
        assert text in html
    assert html.count("checked") == 0


def test_trends_stand_side_by_side_with_their_differences(client: httpx.Client) -> None:
    html = client.get(address(MIRAFLOR, HUELGA)).text
    check(html)
    # Of 40 tweets each, 78 % and 5 % are positive: −73 points, in the newest hour that has both.
    assert "Mon 23 Nov 2026, 07:00–08:00" in html
    assert "−73" in html
    assert "clearly less than A" in html
    assert "may be chance" in html
    assert "of 14 differences are clear" in html
    # Names that differ in what they name only are told apart.
    assert "<bdi>Valdoro</bdi> <small>organization</small>" in html
    assert html.count(" checked") == 2
    spanish = client.get(address(MIRAFLOR, HUELGA, lang="es")).text
    check(spanish)
    assert "claramente menos que A" in spanish


def test_the_first_trend_is_the_one_that_others_are_told_against(client: httpx.Client) -> None:
    html = client.get(address(HUELGA, MIRAFLOR)).text
    assert "+73" in html
    assert "clearly more than A" in html
    assert address(MIRAFLOR, HUELGA).replace("&", "&amp;") in html


def test_the_hour_is_chosen_or_the_newest_with_the_most_of_them(client: httpx.Client) -> None:
    assert client.get(address(MIRAFLOR, LIA, form=".json")).json()["hour"] == str(LAST)
    # The second has a gap at the third hour.
    html = client.get(address(MIRAFLOR, LIA, hour=str(FIRST + 2))).text
    check(html)
    assert "Not among the trends of this hour." in html
    assert "nothing to compare yet" in html
    said = client.get(address(MIRAFLOR, LIA, form=".json", hour=str(FIRST + 2))).json()
    assert [trend is None for trend in said["trends"]] == [False, True]
    assert said["differences"] == []


def test_the_json_has_all_pairs_and_the_csv_all_shares(client: httpx.Client) -> None:
    said = client.get(address(MIRAFLOR, HUELGA, "sample/us/#Orbix9", form=".json")).json()
    assert len(said["differences"]) == 42
    assert said["level"] == pytest.approx(1 - 0.05 / 42)
    one = next(
        each
        for each in said["differences"]
        if each["label"] == "positive" and (each["of"], each["minus"]) == (0, 1)
    )
    assert one["value"] == pytest.approx(0.73)
    assert one["clear"] is True
    assert one["low"] > 0
    answer = client.get(address(MIRAFLOR, HUELGA, form=".csv"))
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 28
    assert {row["trend"] for row in rows} == {"#MiraflorValdoro", "#HuelgaMetro"}
    second = next(row for row in rows if row["trend"] == "#HuelgaMetro" and row["label"] == "positive")
    assert float(second["difference"]) == pytest.approx(-0.73)
    assert second["clear"] == "True"
    assert next(row for row in rows if row["trend"] == "#MiraflorValdoro")["difference"] == ""


def test_a_trend_is_compared_with_itself_in_other_places(client: httpx.Client) -> None:
    html = client.get(address("sample/es/#Both")).text
    check(html)
    assert "choose at least one more" in html
    both = address("sample/es/#Both", "sample/us/#Both", hour=str(LAST)).replace("&", "&amp;")
    assert f'href="{both}"' in html
    html = client.get(address("sample/es/#Both", "sample/us/#Both")).text
    assert "Spain" in html
    assert "United States" in html
    assert "The same trend in other places" not in html


def test_tweets_drawn_for_both_are_counted(tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = empty_lake(tmp_path_factory.mktemp("shared"))
    fill(lake, "x", BOTH, texts=())
    for place in ("es", "us"):
        (row,) = [one for one in lake.trend_hours(LAST) if one.trend.place == place]
        ids = ["a", "b", place]
        tweets = [Tweet(LAST, "x", place, "#Both", one, "t", LAST.end) for one in ids]
        lake.commit_collection(LAST, "x", place, tweets, [row], [], "again")
    with client_of(lake) as client:
        picks = ("x/es/#Both", "x/us/#Both")
        assert client.get(address(*picks, form=".json")).json()["shared_tweets"] == 2
        assert "2 tweets were drawn for more than one" in client.get(address(*picks)).text


@pytest.mark.parametrize(
    ("picks", "status", "told"),
    [
        ([f"sample/es/{number}" for number in range(6)], 400, "Found 6 trends chosen; five is the most"),
        (["sample/es/nope", "sample/us/nope"], 200, "Found none of these trends in the lake"),
        ([MIRAFLOR, "sample/us/nope"], 200, "Not in the lake."),
        (["nonsense"], 400, "trends are written source/place/name"),
        (["a//b"], 400, "trends are written source/place/name"),
        (["sample/es/" + "x" * 3000], 400, "trends are written source/place/name"),
        ([f"sample/es/{number}" for number in range(300)], 400, "Found 300 trends chosen"),
        ([MIRAFLOR, MIRAFLOR], 200, "choose at least one more"),
        (["sample/es/\x00", "' OR 1=1/'/--"], 200, "Found none of these trends"),
    ],
)
def test_a_choice_that_cannot_be_compared_says_why(
    client: httpx.Client, picks: list[str], status: int, told: str
) -> None:
    answer = client.get(address(*picks))
    assert answer.status_code == status
    check(answer.text)
    assert told in answer.text


def test_an_hour_that_is_none_is_refused(client: httpx.Client) -> None:
    assert client.get(address(MIRAFLOR, HUELGA, hour="yesterday")).status_code == 400
    html = client.get(address(MIRAFLOR, HUELGA, hour="2020-01-01T00")).text
    check(html)
    assert "Not among the trends of this hour." in html


def test_rows_of_two_models_are_not_compared(tmp_path_factory: pytest.TempPathFactory) -> None:
    from dataclasses import replace

    lake = empty_lake(tmp_path_factory.mktemp("models"))
    fill(lake, "sample", STORIES)
    rows = lake.trend_hours(LAST, source="sample")
    changed = [
        replace(row, summary=replace(row.summary, model="other"))
        if row.summary and row.trend.rank == 1
        else row
        for row in rows
    ]
    lake.commit_summaries(LAST, "sample", changed, "again")
    with client_of(lake) as client:
        html = client.get(address(MIRAFLOR, HUELGA, hour=str(LAST))).text
        assert "read by different models (other, lark-test)" in html
        assert "clearly" not in html


def test_an_empty_lake_offers_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    with client_of(empty_lake(tmp_path_factory.mktemp("empty"))) as client:
        answer = client.get("/compare")
        assert answer.status_code == 200
        check(answer.text)
        assert "trendlark run-hour" in answer.text
