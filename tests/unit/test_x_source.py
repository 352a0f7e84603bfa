"""X as a source: the hour is drawn window by window, resumed page by page, and never for more than planned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.support.fake_x import NO_CREDITS, TOKEN, FakeX, Reply
from trendlark.errors import CreditsError, InputError, NotFoundError, SettingsError
from trendlark.hours import Hour
from trendlark.records import PLACES, Page, Place, Trend
from trendlark.settings import load_settings
from trendlark.sources import make_source
from trendlark.sources.base import Source
from trendlark.sources.x import XPrices, XSource

HOUR = Hour.parse("2026-11-23T07")
NOW = HOUR.end + timedelta(minutes=1)
TREND = Trend(HOUR, "x", "es", "#Lluvia", 1)
QUERY = "#Lluvia -is:retweet"
SEARCH = "/2/tweets/search/recent"


@pytest.fixture
def fake() -> Iterator[FakeX]:
    """A server of X, a minute after the hour."""
    with FakeX(now=lambda: NOW) as server:
        yield server


@pytest.fixture
def source(fake: FakeX) -> Iterator[XSource]:
    """X at the fake server."""
    made = make(fake)
    yield made
    made.close()


def make(fake: FakeX, expand_authors: bool = False) -> XSource:
    """A source whose clock is that of the server."""
    return XSource(
        SecretStr(TOKEN),
        base_url=fake.url,
        max_trends=3,
        expand_authors=expand_authors,
        sleep=lambda _: None,
        now=fake.now,
    )


def draw(source: Source, wanted: int, windows: int, known: dict[str, Page] | None = None) -> list[Page]:
    """All pages of the trend."""
    return list(source.pages(TREND, wanted, windows, known or {}))


def ids(source: Source, pages: list[Page]) -> list[str]:
    """The ids on pages."""
    return [tweet.tweet_id for page in pages for tweet in source.parse_tweets(page, TREND).items]


def test_trends_are_asked_by_woeid_and_cost_one_request(source: XSource, fake: FakeX) -> None:
    fake.trend(23424950, ("#Lluvia", 9), "Ana", "Pepe", "Fourth")
    page = source.trends(PLACES["es"], HOUR)
    parsed = source.parse_trends(page, PLACES["es"], HOUR)
    assert [(t.name, t.rank, t.volume) for t in parsed.items] == [
        ("#Lluvia", 1, 9),
        ("Ana", 2, None),
        ("Pepe", 3, None),
    ]
    assert fake.asked[0].path == "/2/trends/by/woeid/23424950"
    assert fake.asked[0].params == {"max_trends": "3", "trend.fields": "trend_name,tweet_count"}
    assert page.request == source.request_of_trends(PLACES["es"])
    assert page.cost == source.cost_of_trends() == 0.010
    assert not fake.refused


@pytest.mark.parametrize("hours_ago", [2, 30, -1])
def test_only_what_trends_now_can_be_asked(source: XSource, fake: FakeX, hours_ago: int) -> None:
    with pytest.raises(NotFoundError, match="trendlark import"):
        source.trends(PLACES["es"], Hour.of(NOW) - hours_ago)
    assert not fake.asked


def test_a_place_without_woeid_is_refused(source: XSource) -> None:
    with pytest.raises(InputError, match="mars:WOEID"):
        source.trends(Place("mars", "Mars"), HOUR)


def test_each_window_gives_its_share_newest_first(source: XSource, fake: FakeX) -> None:
    fake.posts(QUERY, HOUR, 600)
    pages = draw(source, 40, 4)
    assert [asked.params["max_results"] for asked in fake.asked] == ["10"] * 4
    assert [asked.params["start_time"][14:16] for asked in fake.asked] == ["00", "15", "30", "45"]
    assert len(set(ids(source, pages))) == 40
    for page, window in zip(pages, HOUR.windows(4), strict=True):
        assert page.window == str(window)
        tweets = source.parse_tweets(page, TREND).items
        assert all(tweet.created_at and tweet.created_at in window for tweet in tweets)
    assert sum(page.cost for page in pages) == pytest.approx(40 * 0.005)
    assert not fake.refused


def test_large_shares_are_paged_without_asking_for_more(source: XSource, fake: FakeX) -> None:
    fake.posts(QUERY, HOUR, 400)
    pages = draw(source, 205, 1)
    assert [int(asked.params["max_results"]) for asked in fake.asked] == [69, 68, 68]
    assert len(set(ids(source, pages))) == 205
    assert sum(page.cost for page in pages) == pytest.approx(source.cost_of_tweets(205, 1))


def test_the_pages_of_a_window_that_runs_on_are_of_one_question(fake: FakeX) -> None:
    fake.posts(QUERY, HOUR, 400)
    moments = [HOUR.start + timedelta(minutes=50, seconds=9 * count) for count in range(50)]
    fake.now = lambda: moments.pop(0)
    source = make(fake)
    pages = draw(source, 205, 1)
    source.close()
    assert len(pages) == 3
    assert len({asked.params["end_time"] for asked in fake.asked}) == 1
    assert len(set(ids(source, pages))) == len(ids(source, pages)) == 205
    assert not fake.refused


def test_quiet_windows_end_early(source: XSource, fake: FakeX) -> None:
    fake.posts(QUERY, HOUR, 7)
    pages = draw(source, 20, 2)
    assert len(ids(source, pages)) == 7
    assert fake.count(SEARCH) == 2
    assert draw(source, 20, 2)[0].cost == pytest.approx(0.02)


def test_a_search_without_results_costs_nothing(source: XSource) -> None:
    (page,) = draw(source, 10, 1)
    assert page.cost == 0
    assert source.parse_tweets(page, TREND).items == ()


def test_empty_pages_that_name_a_next_one_do_not_go_on_for_ever(source: XSource, fake: FakeX) -> None:
    fake.script(*[Reply(200, {"meta": {"result_count": 0, "next_token": "t1"}})] * 50, path=SEARCH)
    assert len(draw(source, 100, 1)) == 3


def test_known_pages_are_not_paid_for_again(source: XSource, fake: FakeX) -> None:
    fake.posts(QUERY, HOUR, 500)
    whole = draw(source, 300, 2)
    for stored in range(len(whole) + 1):
        fake.asked.clear()
        again = draw(source, 300, 2, {page.request: page for page in whole[:stored]})
        assert [page.body for page in again] == [page.body for page in whole]
        assert fake.count(SEARCH) == len(whole) - stored


def test_pages_are_asked_one_at_a_time(source: XSource, fake: FakeX) -> None:
    fake.posts(QUERY, HOUR, 500)
    fake.script(Reply(200, {"data": [{"id": "1", "text": "x"}]}), NO_CREDITS, path=SEARCH)
    pages = source.pages(TREND, 20, 2, {})
    assert next(pages).window == str(HOUR.windows(2)[0])
    assert fake.count(SEARCH) == 1
    with pytest.raises(CreditsError):
        next(pages)


def test_the_running_hour_is_asked_up_to_ten_seconds_ago(fake: FakeX) -> None:
    fake.now = lambda: HOUR.start + timedelta(minutes=20, seconds=3)
    source = make(fake)
    pages = draw(source, 40, 4)
    assert [asked.params["end_time"][14:19] for asked in fake.asked] == ["15:00", "19:53"]
    assert [page.window for page in pages] == [str(window) for window in HOUR.windows(4)[:2]]
    fake.now = lambda: HOUR.start + timedelta(seconds=10)
    early = make(fake)
    assert draw(early, 40, 4) == []
    assert not fake.refused
    source.close()
    early.close()


def test_hours_beyond_the_reach_of_search_are_refused(source: XSource) -> None:
    old = Trend(HOUR - 24 * 8, "x", "es", "#Lluvia", 1)
    with pytest.raises(NotFoundError, match="seven days"):
        list(source.pages(old, 10, 1, {}))


def test_odd_names_make_requests_that_x_accepts(source: XSource, fake: FakeX) -> None:
    for name in ['a" OR from:b', "(x OR y)", "👩‍👩‍👧 día", "x" * 900, "-is:verified", "\u202eabc", "$EUR"]:
        list(source.pages(Trend(HOUR, "x", "es", name, 1), 10, 1, {}))
    assert fake.count(SEARCH) == 7
    assert not fake.refused
    with pytest.raises(InputError, match="nothing can be searched"):
        list(source.pages(Trend(HOUR, "x", "es", '"', 1), 10, 1, {}))


def test_authors_are_expanded_and_counted_only_when_wished(source: XSource, fake: FakeX) -> None:
    fake.posts(QUERY, HOUR, 20)
    plain = draw(source, 10, 1)[0]
    assert "expansions" not in fake.asked[-1].params
    assert source.parse_tweets(plain, TREND).items[0].author_handle is None
    expanding = make(fake, expand_authors=True)
    page = draw(expanding, 10, 1)[0]
    assert fake.asked[-1].params["user.fields"] == "username"
    tweet = expanding.parse_tweets(page, TREND).items[0]
    assert tweet.author_handle == f"user{tweet.author_id}"
    assert page.cost == pytest.approx(10 * 0.005 + 7 * 0.010)
    assert expanding.cost_of_tweets(10, 1) == pytest.approx(0.15)
    expanding.close()


@pytest.mark.parametrize("new_spelling", [False, True])
def test_counts_by_minute(fake: FakeX, source: XSource, new_spelling: bool) -> None:
    fake.new_spelling = new_spelling
    fake.posts(QUERY, HOUR, 120)
    page = source.counts(TREND)
    counts = source.parse_counts(page).items
    assert len(counts) == 60
    assert {count.posts for count in counts} == {2}
    assert page.cost == 0.005
    assert not fake.refused
    with pytest.raises(NotFoundError):
        source.counts(Trend(HOUR + 2, "x", "es", "#Lluvia", 1))


@given(st.integers(10, 1000), st.integers(1, 60))
def test_the_stated_cost_is_an_upper_bound(wanted: int, windows: int) -> None:
    assert XPrices().cost_of_tweets(wanted, windows) == pytest.approx(wanted * 0.005)


def test_the_source_is_made_from_settings_and_hides_its_token() -> None:
    source = make_source(load_settings({"x_bearer_token": "abc123secret"}, {}).settings)
    assert source.name == "x"
    assert "abc123secret" not in repr(source)
    source.close()
    with pytest.raises(SettingsError, match="TRENDLARK_X_BEARER_TOKEN"):
        XSource.of(load_settings({}, {}).settings)
