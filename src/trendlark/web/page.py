"""A page in its three forms: HTML for people, JSON at the same address with ``.json``, its tables with ``.csv``.

A route of a page reads its parameters, makes one ``Page`` and gives it to ``respond``; ``page_at`` registers it at
the addresses of all forms. The template reads the same typed answer that the JSON is made from.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel

from trendlark.errors import NotFoundError
from trendlark.reports.sheets import cell
from trendlark.web.links import FORMS, form_of, in_form
from trendlark.web.messages import Words
from trendlark.web.rendering import render, self_link

_Route = TypeVar("_Route", bound=Callable[..., Any])
_PRIVATE = {"Cache-Control": "private, no-cache"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page for its CSV; a cell is text, a number, a truth value, None, or a list of these."""

    columns: Sequence[str]
    rows: Iterable[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says.

    ``here`` is its entry in the navigation bar (a key of ``links.PAGES``, or empty), ``answer`` is its JSON and the
    template's ``answer``, ``tables`` are its CSV (the first without ``?table=``), ``view`` is what only the template
    needs, ``invented`` puts the banner of the invented sample on it, ``status`` and ``headers`` are the answer's.
    """

    here: str
    template: str
    answer: BaseModel
    tables: Mapping[str, Table] = field(default_factory=dict)
    invented: bool = False
    view: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class DataLink(NamedTuple):
    """The address of a page's data; ``table`` is empty for the JSON of the whole page."""

    table: str
    address: str


def page_at(router: APIRouter, path: str) -> Callable[[_Route], _Route]:
    """Serve a route at a page's address and at those of its data."""

    def add(route: _Route) -> _Route:
        # The data first: a part of a path that takes anything would swallow the ending.
        for form in (*FORMS, ""):
            router.add_api_route(in_form(path, form), route, include_in_schema=False, response_model=None)
        return route

    return add


def respond(request: Request, words: Words, page: Page) -> Response:
    """The page in the form that the address asks for; NotFoundError for a table that it does not have."""
    form = form_of(request.scope["path"])
    if form == "json":
        body = page.answer.model_dump_json()
        headers = _PRIVATE | dict(page.headers)
        return Response(body, page.status, media_type="application/json", headers=headers)
    if form == "csv":
        return _csv(page, request.query_params.get("table", ""))
    html = render(
        page.template,
        words,
        request=request,
        here=page.here,
        invented=page.invented,
        data_links=_data_links(request, page.tables),
        **({"answer": page.answer} | dict(page.view)),
    )
    headers = _PRIVATE | {"Content-Language": words.lang, "Vary": "Accept-Language"} | dict(page.headers)
    return HTMLResponse(html, page.status, headers=headers)


def _csv(page: Page, asked: str) -> Response:
    name = asked or next(iter(page.tables), "")
    if name not in page.tables:
        known = ", ".join(page.tables) or "none"
        raise NotFoundError(
            f"Found no table {name[:40]!r} on this page; its tables are: {known}. Name one of them by ?table=."
        )
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(page.tables[name].columns)
    writer.writerows([cell(value) for value in row] for row in page.tables[name].rows)
    headers = {"Content-Disposition": f'attachment; filename="trendlark-{name}.csv"'} | _PRIVATE
    headers |= dict(page.headers)
    # Lone surrogates cannot come out of the lake, but an address may carry them.
    body = stream.getvalue().encode("utf-8", "replace")
    return Response(body, page.status, media_type="text/csv; charset=utf-8", headers=headers)


def _data_links(request: Request, tables: Iterable[str]) -> list[DataLink]:
    links = [DataLink("", self_link(request, "json", lang=None))]
    return links + [DataLink(name, self_link(request, "csv", table=name, lang=None)) for name in tables]
