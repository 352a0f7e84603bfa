"""Templates: Jinja2 with escaping always on, and the words, links and formats that every page uses."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined

from trendlark import __version__
from trendlark.web import drawing, formats, linked, links
from trendlark.web.door import has_session
from trendlark.web.messages import LANGS, Words

_ENVIRONMENT = Environment(
    loader=PackageLoader("trendlark.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_BY_LANGUAGE = (
    formats.number,
    formats.decimal,
    formats.size,
    formats.percent,
    formats.span,
    formats.money,
    formats.day,
    formats.hour_label,
    formats.hour_short,
    formats.moment_label,
)


def render(template: str, words: Words, *, request: Request, invented: bool, **values: Any) -> str:
    """The page as HTML; ``invented`` puts the banner of the invented sample on it."""
    lang = request.query_params.get("lang")
    kept = lang if lang in LANGS else None
    context: dict[str, Any] = {
        function.__name__: partial(function, lang=words.lang) for function in _BY_LANGUAGE
    }
    context |= {
        "t": words,
        "lang": words.lang,
        "langs": LANGS,
        "version": __version__,
        "invented": invented,
        "logged_in": has_session(request),
        "alternate": {code: self_link(request, lang=code) for code in LANGS},
        "here": "",
        "data_links": [],
        "logout_link": links.link("/logout", lang=kept),
        "points": formats.points,
        "page_link": partial(_keep, links.page_link, kept),
        "home_link": partial(_keep, links.home_link, kept),
        "trend_link": partial(_keep, links.trend_link, kept),
        "compare_link": partial(_keep, links.compare_link, kept),
        "outside_link": links.outside_link,
        "window_label": formats.window_label,
        "linked": linked.linked,
        "plain": linked.plain,
        "author_link": linked.author_link,
        "actions": linked.actions,
        "spark": drawing.spark,
    }
    return _ENVIRONMENT.get_template(template).render(context | values)


def self_link(request: Request, form: str = "", **changes: str | None) -> str:
    """The address of the page that is asked for, with some parameters changed; None takes one away."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    path = quote(raw.decode("latin-1"), safe="/%:@!$&'()*+,;=~")
    # A parameter may come several times; all of them are kept.
    query = [(name, value) for name, value in request.query_params.multi_items() if name not in changes]
    given = [(name, value) for name, value in (*query, *changes.items()) if value]
    address = links.in_form(path, form)
    return f"{address}?{urlencode(given)}" if given else address


def _keep(make: Any, lang: str | None, *args: object, **query: str | None) -> str:
    return str(make(*args, **({"lang": lang} | query)))
