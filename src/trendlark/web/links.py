"""Addresses of pages: every part encoded, the chosen language kept, hostile links kept out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, urlencode, urlsplit

_HOME = "/"
_NOT_IN_PATH = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def link(path: str, **query: str | None) -> str:
    """A path of ours with the query parameters that are set."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def trend_link(source: str, place: str, trend: str, base: str = "", **query: str | None) -> str:
    """The address of a trend; a name that browsers would swallow in a path (``..``) travels as a parameter."""
    head = f"{base}/trends/{quote(source, safe='')}/{quote(place, safe='')}/"
    if trend.strip(".") == "" or _NOT_IN_PATH.search(trend):
        return link(head, trend=trend, **query)
    return link(head + quote(trend, safe=""), **query)


def home_link(**query: str | None) -> str:
    """The address of the table of trends."""
    return link(_HOME, **query)


def outside_link(url: str | None) -> str | None:
    """The address of a tweet at its source if it is a plain web address; anything else is no link."""
    if url is None or re.search(r"[\s\x00-\x1f]", url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname and not parts.username else None


def compare_link(picks: Sequence[object], **query: str | None) -> str:
    """The address of a comparison; picks are written ``source/place/name``."""
    given = [("of", str(pick)) for pick in picks] + [(name, value) for name, value in query.items() if value]
    return f"/compare?{urlencode(given)}" if given else "/compare"
