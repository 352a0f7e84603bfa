"""The outermost layer: gives every request an id, counts and times its answer, and logs one line about it.

A line holds the route, never the address, the body or a header, so neither texts nor secrets reach the log.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from contextvars import ContextVar
from itertools import count

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trendlark.web.metrics import Metrics
from trendlark.web.tracing import Spans, no_spans

HEADER = "X-Request-Id"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LOG = logging.getLogger("trendlark.web.access")
_current: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """The id of the request that is being answered; empty outside of one."""
    return _current.get()


class Watch:
    """Names, counts, times and logs every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics, spans: Spans = no_spans) -> None:
        self._app = app
        self._metrics = metrics
        self._spans = spans
        # Unique among processes, and cheaper than a random number each.
        self._prefix, self._numbers = uuid.uuid4().hex[:16], count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        name = given if _ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers)}"
        _current.set(name)
        began, status, sent = time.perf_counter(), 500, 0

        async def send_watched(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = name
            else:
                sent += len(message.get("body", b""))
            await send(message)

        parent = {"traceparent": Headers(scope=scope).get("traceparent", "")}
        with self._spans("request", parent=parent, **{"http.request.method": scope["method"]}) as span:
            try:
                await self._app(scope, receive, send_watched)
            finally:
                self._note(scope, status, time.perf_counter() - began, sent)
                if span is not None:
                    span.update_name(f"{scope['method']} {route_of(scope)}")
                    span.set_attribute("http.route", route_of(scope))
                    span.set_attribute("http.response.status_code", status)
                    span.set_attribute("trendlark.request_id", name)

    def _note(self, scope: Scope, status: int, seconds: float, sent: int) -> None:
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        if _LOG.isEnabledFor(logging.INFO):
            more = {
                "request_id": request_id(),
                "method": method,
                "route": route,
                "status": status,
                "seconds": round(seconds, 4),
                "bytes": sent,
                "token": scope.get("trendlark.token", ""),
            }
            _LOG.info("%s %s %d", method, route, status, extra=more)


def route_of(scope: Scope) -> str:
    """The route that answered, as ``/v1/trends/{source}/{place}/{trend:path}``; the same word for all unknown ones."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    if isinstance(path, str):
        return path
    return "/static" if scope["path"].startswith("/static/") else "unknown"
