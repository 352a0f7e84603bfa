"""Addresses of pages: every part encoded, the chosen language kept, hostile links kept out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote, urlencode, urlsplit

PAGES: Mapping[str, str] = MappingProxyType({
    "now": "/",
    "compare": "/compare",
    "search": "/search",
    "try": "/try",
    "model": "/model",
    "status": "/status",
})  # fmt: skip
TRENDS = "/trends/"
FORMS = ("json", "csv")
_HOME_AS_DATA = "/now"
_NOT_IN_PATH = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def link(path: str, **query: str | None) -> str:
    """A path of ours with the query parameters that are set."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def is_page(path: str) -> bool:
    """Whether a path is that of a page of the dashboard."""
    return path in PAGES.values() or path.startswith(TRENDS)


def form_of(path: str) -> str:
    """The form of a page that a path asks for: ``json``, ``csv``, or empty for HTML."""
    return next((form for form in FORMS if path.endswith(f".{form}")), "")


def in_form(path: str, form: str) -> str:
    """The path of a page in a form: ``/model`` is ``/model.json``, ``/`` is ``/now.json``."""
    return f"{_HOME_AS_DATA if path == '/' else path}.{form}" if form else path


def page_link(name: str, **query: str | None) -> str:
    """The address of a page of the navigation bar."""
    return link(PAGES[name], **query)


def trend_link(source: str, place: str, trend: str, base: str = "", **query: str | None) -> str:
    """The address of a trend.

    A name that browsers would swallow in a path (``..``), and one that ends like our data, travels as a parameter.
    """
    head = f"{base}{TRENDS}{quote(source, safe='')}/{quote(place, safe='')}/"
    if trend.strip(".") == "" or form_of(trend) or _NOT_IN_PATH.search(trend):
        return link(head, trend=trend, **query)
    return link(head + quote(trend, safe=""), **query)


def home_link(**query: str | None) -> str:
    """The address of the table of trends."""
    return page_link("now", **query)


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
    return f"{PAGES['compare']}?{urlencode(given)}" if given else PAGES["compare"]
