"""How an error becomes an answer: ``application/problem+json`` (RFC 9457) for programs, a page for people."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trendlark import errors
from trendlark.errors import OverloadError, TrendlarkError
from trendlark.web.links import form_of, is_page
from trendlark.web.messages import Words, words_of
from trendlark.web.rendering import render
from trendlark.web.watch import request_id, route_of

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger("trendlark.web")
_HTTP_TITLES = {
    400: ("bad-request", "Bad request"),
    401: ("unauthorized", "A token is needed"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "Method not allowed"),
    403: ("forbidden", "The token may not do this"),
    415: ("unsupported-media-type", "Unsupported media type"),
    429: ("overload", "Too many requests are waiting"),
    503: ("unavailable", "Not available now"),
    413: ("too-large", "The request is too large"),
    421: ("wrong-host", "Wrong host"),
    422: ("invalid", "The request is not valid"),
    500: ("internal", "Something went wrong here"),
}
_TITLES: dict[type[TrendlarkError], str] = {
    errors.TrendlarkError: "Failed",
    errors.SettingsError: "The settings are wrong",
    errors.InputError: "The request cannot be used as given",
    errors.QueryError: "The lake cannot answer this query",
    errors.NotFoundError: "Not found",
    errors.MissingExtraError: "An optional part is not installed",
    errors.SourceError: "The source of tweets failed",
    errors.CredentialsError: "The source refused the credentials",
    errors.CreditsError: "The account at the source may ask no more",
    errors.RateLimitError: "The source limits requests",
    errors.UnavailableError: "The source cannot be reached",
    errors.BadAnswerError: "The source answered nonsense",
    errors.BudgetError: "The budget is spent",
    errors.LakeError: "The lake cannot be read or written",
    errors.LakeFullError: "No space is left for the lake",
    errors.LakeReadOnlyError: "The lake is read-only",
    errors.LakeConflictError: "Another writer was faster",
    errors.ModelError: "The model cannot answer",
    errors.OverloadError: "Too many requests are waiting",
}
# What the framework says of these says neither what is allowed nor what to do.
_SENTENCES = {
    400: "Found a body that cannot be read as JSON; bodies are JSON in UTF-8, not compressed. Send it so.",
    405: "Found a method that is not for this address; /openapi.json tells which it takes. Use one of these.",
}
_CUT = "Found the connection closed before all of the body had come; a body comes whole. Send it again."
_PROGRAMS = ("/v1", "/v2", "/live", "/ready", "/metrics", "/openapi.json", "/static")


def kind_of(error: TrendlarkError) -> str:
    """The word of an error class in answers: ``LakeConflictError`` is ``lake-conflict``."""
    name = type(error).__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def problem(error: TrendlarkError) -> dict[str, Any]:
    """The problem object of one of Trendlark's own errors."""
    kind = kind_of(error)
    return {
        "type": f"urn:trendlark:{kind}",
        "title": _TITLES[type(error)],
        "status": error.http_status,
        "detail": str(error),
    }


def http_problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    """The problem object of an HTTP status that no class of Trendlark stands behind."""
    kind, title = _HTTP_TITLES.get(status, (f"http-{status}", f"HTTP {status}"))
    return {"type": f"urn:trendlark:{kind}", "title": title, "status": status, "detail": detail, **more}


def answer(path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem object as a response; at addresses of the Open Inference Protocol as its clients read errors."""
    if path.startswith("/v2"):
        return JSONResponse({"error": body["detail"]}, int(body["status"]), headers=dict(headers or {}))
    return JSONResponse(dict(body), int(body["status"]), headers=dict(headers or {}), media_type=MEDIA_TYPE)


def internal_error(path: str) -> JSONResponse:
    """What a caller sees of an error that nobody foresaw: nothing of its inside."""
    return answer(path, http_problem(500, "The server failed at this request; its log says why. Try again."))


class Edge:
    """Answers an error that nobody foresaw: its inside goes to the log, not to the caller."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception:
            if scope["type"] != "http" or started:
                raise
            more = {"request_id": request_id()}
            _LOG.exception("%s %s failed", scope["method"], route_of(scope), extra=more)
            await internal_error(scope["path"])(scope, receive, send_noted)


def add_handlers(app: FastAPI) -> None:
    """Teach the application to answer every error that is raised on purpose."""
    app.add_exception_handler(TrendlarkError, _own)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _cut_off)
    app.add_exception_handler(RequestValidationError, _invalid)


def for_people(request: Request) -> bool:
    """Whether a page should answer, not JSON: always at the addresses of pages, elsewhere if HTML is asked for."""
    path = request.scope["path"]
    if form_of(path):
        return False
    if is_page(path) or path in {"/login", "/logout"}:
        return True
    return not path.startswith(_PROGRAMS) and "text/html" in request.headers.get("accept", "")


def _respond(request: Request, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    if not for_people(request):
        return answer(request.scope["path"], body, headers)
    words = words_of(request)
    page = render("problem.html", words, request=request, problem=body, invented=False, alternate={})
    return HTMLResponse(page, int(body["status"]), headers=dict(headers or {}))


async def _own(request: Request, error: Exception) -> Response:
    if not isinstance(error, TrendlarkError):
        raise error
    headers = {}
    if isinstance(error, OverloadError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if error.http_status >= 500:
        # The sentence may quote a caller: as a literal, nothing in it steers the log or who reads it.
        route, name, more = route_of(request.scope), type(error).__name__, {"request_id": request_id()}
        _LOG.warning("%s %s: %s: %r", request.method, route, name, str(error), extra=more)
    return _respond(request, problem(error), headers)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 304:
        return Response(status_code=304, headers=error.headers)
    words = words_of(request) if for_people(request) else Words("en")
    said = _SENTENCES.get(error.status_code, str(error.detail))
    detail = words("address_missing") if error.status_code == 404 else said
    return _respond(request, http_problem(error.status_code, detail), error.headers)


async def _cut_off(request: Request, _: Exception) -> Response:
    # Nobody is left to read it; it keeps who hangs up from being counted and logged as a failure of the server.
    return _respond(request, http_problem(400, _CUT))


async def _invalid(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = [
        {"where": ".".join(str(part) for part in one["loc"]), "what": str(one["msg"])}
        for one in error.errors()[:20]
    ]
    detail = "; ".join(f"{one['where']}: {one['what']}" for one in found)
    if any(one["loc"] == ("body",) for one in error.errors()) and not _says_json(request):
        # What is not called JSON is not read as JSON, so the complaint about its form would lead astray.
        said = request.headers.get("content-type", "")[:80]
        detail = (
            f"the content type {said!r}, but a body is JSON; send `Content-Type: application/json` with it"
        )
    return _respond(request, http_problem(422, f"Found {detail}. See /openapi.json.", errors=found))


def _says_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
