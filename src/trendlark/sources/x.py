"""X (Twitter), API v2: trends by place, recent search by window, counts by minute.

What is asked and what it costs is told in docs/sources.md. X gives the newest tweets first, and the last 100
of a hot trend cover seconds of the hour; so the hour is cut into windows and each gives its share.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import SecretStr

from trendlark.errors import InputError, NotFoundError, SettingsError
from trendlark.hours import Hour, Window, utc_now
from trendlark.records import Page, Place, Trend, Tweet
from trendlark.sources import x_parse
from trendlark.sources.base import Parsed
from trendlark.sources.x_http import XClient

if TYPE_CHECKING:
    from trendlark.settings import Settings

# US dollars, from https://docs.x.com/x-api/getting-started/pricing as of November 2026.
USD_PER_POST = 0.005
USD_PER_USER = 0.010
USD_PER_TRENDS_REQUEST = 0.010
USD_PER_COUNTS_REQUEST = 0.005

SETTLED = timedelta(seconds=10)  # X refuses an end_time less than ten seconds ago
SEARCHABLE = timedelta(days=7)
MOST_TRENDS = 50
_POST_FIELDS = "author_id,created_at,lang,note_tweet,public_metrics"
_SPARE_REQUESTS = 2


class XPrices:
    """What asking X costs; needs no token, so that a plan can be made before there is one."""

    name = "x"

    def __init__(self, expand_authors: bool = False) -> None:
        self.expand_authors = expand_authors

    def cost_of_trends(self) -> float:
        """US dollars of one trends request."""
        return USD_PER_TRENDS_REQUEST

    def cost_of_tweets(self, wanted: int, windows: int) -> float:
        """US dollars if X returns every tweet that is asked for."""
        return self._cost(sum(x_parse.shares(wanted, windows)))

    def _cost(self, posts: int, users: int | None = None) -> float:
        users = posts if users is None else users
        return round(posts * USD_PER_POST + users * USD_PER_USER * self.expand_authors, 6)


class XSource(XPrices):
    """The X API as a source.

    ``expand_authors`` also asks for the authors' handles, which X bills as users read: three times the price.
    """

    def __init__(
        self,
        token: SecretStr,
        *,
        base_url: str = "https://api.x.com",
        max_trends: int = 20,
        request_timeout_seconds: float = 15.0,
        max_wait_seconds: float = 60.0,
        expand_authors: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = utc_now,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(expand_authors)
        self._max_trends = min(max_trends, MOST_TRENDS)
        self._now = now
        self._client = XClient(
            token,
            base_url=base_url,
            request_timeout_seconds=request_timeout_seconds,
            max_wait_seconds=max_wait_seconds,
            sleep=sleep,
            now=now,
            draw=draw,
        )

    @classmethod
    def of(cls, settings: Settings) -> XSource:
        """The source that the settings describe; raises SettingsError without a token."""
        if settings.x_bearer_token is None:
            raise SettingsError(
                "Found source = x without x_bearer_token; X answers only to a bearer token. "
                "Set TRENDLARK_X_BEARER_TOKEN."
            )
        return cls(
            settings.x_bearer_token,
            base_url=settings.x_base_url,
            max_trends=settings.trends_per_place,
            request_timeout_seconds=settings.request_timeout_seconds,
            max_wait_seconds=settings.max_wait_seconds,
        )

    def __repr__(self) -> str:
        return f"XSource({self._client!r})"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def request_of_trends(self, place: Place) -> str:
        """The key of the trends page of a place."""
        return f"x trends {place.woeid}"

    def trends(self, place: Place, hour: Hour) -> Page:
        """What trends now. Raises NotFoundError for hours other than the running one and the one before."""
        current = Hour.of(self._now())
        if not current - 1 <= hour <= current:
            raise NotFoundError(
                f"Found {hour} asked of X, which tells only what trends now: the hours {current - 1} and "
                f"{current} can be collected. Bring older tweets with `trendlark import`."
            )
        if place.woeid is None:
            raise InputError(
                f"Found the place {place.slug} without a WOEID, by which X knows places; "
                f"write it as {place.slug}:WOEID in the setting places."
            )
        body = self._client.get(
            f"/2/trends/by/woeid/{place.woeid}",
            {"max_trends": self._max_trends, "trend.fields": "trend_name,tweet_count"},
        )
        return Page(self.request_of_trends(place), body, self._now(), USD_PER_TRENDS_REQUEST)

    def parse_trends(self, page: Page, place: Place, hour: Hour) -> Parsed[Trend]:
        """Trends in the order of X."""
        return x_parse.parse_trends(page, place.slug, hour)

    def pages(self, trend: Trend, wanted: int, windows: int, known: Mapping[str, Page]) -> Iterator[Page]:
        """The pages of each window; windows that are not over yet are asked for up to ten seconds ago."""
        portions = x_parse.shares(wanted, windows)
        for window, share in zip(trend.hour.windows(len(portions)), portions, strict=True):
            for page in self._pages_of_window(trend, window, share, known):
                yield page
                if x_parse.refuses_query(x_parse.read_answer(page.body) or {}):
                    return  # X would refuse it in every window

    def parse_tweets(self, page: Page, trend: Trend) -> Parsed[Tweet]:
        """Tweets newest first."""
        return x_parse.parse_tweets(page, trend)

    def counts(self, trend: Trend) -> Page:
        """How many posts X counts in each minute of the trend's hour; read it with ``parse_counts``."""
        params: dict[str, str | int] = {"query": _query(trend), "granularity": "minute"}
        span = self._span(Window(trend.hour.start, trend.hour.end), trend)
        if span is None:
            raise NotFoundError(
                f"Found {trend.hour}, which has not begun; X counts hours that have. Ask again later."
            )
        body = self._client.get("/2/tweets/counts/recent", params | span)
        return Page(
            f"x counts {trend.name}", body, self._now(), USD_PER_COUNTS_REQUEST, trend.name, str(trend.hour)
        )

    def parse_counts(self, page: Page) -> Parsed[x_parse.MinuteCount]:
        """Posts a minute, oldest first."""
        return x_parse.parse_counts(page)

    def _pages_of_window(
        self, trend: Trend, window: Window, share: int, known: Mapping[str, Page]
    ) -> Iterator[Page]:
        token: str | None = None
        span: dict[str, str | int] | None = None
        left = share
        # X may return fewer tweets than asked for and still name a next page, without end.
        most = -(-share // x_parse.PAGE_MAX) + _SPARE_REQUESTS
        for number in range(1, most + 1):
            size = x_parse.next_page_size(left)
            request = f"x tweets {trend.name} {window} {number}"
            page = known.get(request)
            if page is None:
                # A token belongs to the question that it came with: the end must not move on with the time.
                span = span or self._span(window, trend)
                if size == 0 or span is None:
                    return
                page = self._search(trend, window, request, span | _paging(size, token))
            yield page
            answer = x_parse.read_answer(page.body) or {}
            token = x_parse.next_token(answer)
            left -= x_parse.returned(answer)[0]
            if token is None:
                return

    def _search(self, trend: Trend, window: Window, request: str, where: Mapping[str, str | int]) -> Page:
        params: dict[str, str | int] = {"query": _query(trend), "tweet.fields": _POST_FIELDS, **where}
        if self.expand_authors:
            params |= {"expansions": "author_id", "user.fields": "username"}
        body = self._client.get("/2/tweets/search/recent", params)
        cost = self._cost(*x_parse.returned(x_parse.read_answer(body) or {}))
        return Page(request, body, self._now(), cost, trend.name, str(window))

    def _span(self, window: Window, trend: Trend) -> dict[str, str | int] | None:
        now = self._now()
        if window.start < now - SEARCHABLE:
            raise NotFoundError(
                f"Found {trend.hour} asked of X, whose search reaches seven days back. "
                "Bring older tweets with `trendlark import`."
            )
        end = min(window.end, now - SETTLED)
        if end - window.start < timedelta(seconds=1):
            return None
        return {"start_time": x_parse.rfc3339(window.start), "end_time": x_parse.rfc3339(end)}


def _paging(size: int, token: str | None) -> dict[str, str | int]:
    return {"max_results": size} if token is None else {"max_results": size, "next_token": token}


def _query(trend: Trend) -> str:
    query = x_parse.query_of(trend.name)
    if query is None:
        raise InputError(
            f"Found the trend {trend.name!r}, in which nothing can be searched; "
            "a name holds a letter, digit or sign other than punctuation. Leave it out."
        )
    return query
