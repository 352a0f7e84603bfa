"""What every source of tweets offers, so that a job can drive any of them alike.

A source fetches pages (answers as received) and parses them in pure functions, so that a page can be stored
before it is parsed and asked for only once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from trendlark.hours import Hour
from trendlark.records import Page, Place, Refusal, Trend, Tweet

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """What a page holds: records, what could not be taken, and the token of the page after it."""

    items: tuple[T, ...]
    refusals: tuple[Refusal, ...] = ()
    next_token: str | None = None


class Source(Protocol):
    """Where tweets come from. Fetching raises SourceError; parsing never does."""

    @property
    def name(self) -> str:
        """The value of the column ``source``."""

    def request_of_trends(self, place: Place) -> str:
        """The ``Page.request`` of the trends page of a place, so that a stored one can be found."""

    def trends(self, place: Place, hour: Hour) -> Page:
        """Fetch what trends in a place in an hour."""

    def parse_trends(self, page: Page, place: Place, hour: Hour) -> Parsed[Trend]:
        """Read a trends page; trends come by rank and no name comes twice."""

    def pages(self, trend: Trend, wanted: int, windows: int, known: Mapping[str, Page]) -> Iterator[Page]:
        """Every page of the trend's sample in order, fetched one at a time as the caller goes on.

        ``known`` holds pages fetched before, by ``Page.request``: they are yielded as they are, not asked
        for again. About ``wanted`` tweets are drawn, spread over ``windows`` slices of the hour. The same
        tweet may come on two pages.
        """

    def parse_tweets(self, page: Page, trend: Trend) -> Parsed[Tweet]:
        """Read a page of tweets; what is malformed becomes a refusal."""

    def cost_of_trends(self) -> float:
        """US dollars of one trends request."""

    def cost_of_tweets(self, wanted: int, windows: int) -> float:
        """US dollars, upper bound, of the sample of one trend."""

    def close(self) -> None:
        """Let go of connections and temporary files."""
