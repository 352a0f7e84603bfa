"""What stands before every request: security headers, the host check, the token, the size of the body, HEAD as GET.

Plain ASGI, so that nothing is buffered.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trendlark.settings import ApiToken
from trendlark.web.door import Door, page_of_ours
from trendlark.web.links import link
from trendlark.web.messages import LANGS
from trendlark.web.problems import answer, for_people, http_problem
from trendlark.web.rate import Rate

MAX_BODY_BYTES = 1_000_000
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Those that ask whether the server is well have no token to send.
_PROBES = frozenset({"/live", "/ready", "/v2/health/live", "/v2/health/ready", "/v2/models/trendlark/ready"})
_OPEN_PATHS = _PROBES | {"/login", "/logout"}
_STREAMS = frozenset({"/v1/events"})

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


class SecurityHeaders:
    """The outermost layer: sets the security headers on every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] += [pair for pair in _RAW_HEADERS if pair[0] not in given]
            await send(message)

        await self._app(scope, receive, send_guarded)


class HostGuard:
    """Refuses host names that are not ours, so that a hostile page cannot reach us by rebinding its DNS name."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _host(Headers(scope=scope).get("host", "")) not in self._hosts:
            detail = (
                "Found a Host header that is not of this server; "
                f"allowed are {', '.join(sorted(self._hosts))}. Use one of these names."
            )
            await answer(scope["path"], http_problem(421, detail))(scope, receive, send)
            return
        await self._app(scope, receive, send)


class TokenGuard:
    """Lets only those pass who have a token with the scope: of others, people are led to the login.

    Programs are answered 401 without a token, 403 where it may not do this, 429 where it asks too often. Open to all
    are the probes, the login and the static files, which are the same on every server.
    """

    def __init__(self, app: ASGIApp, door: Door, rate: Rate, opened: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._door = door
        self._rate = rate
        self._open = _OPEN_PATHS | opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._open or scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        token = self._door.lets_in(Headers(scope=scope))
        refusal = _no_token(scope) if token is None else self._refusal(scope, token)
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope, token: ApiToken) -> Response | None:
        scope["trendlark.token"] = token.name
        wait = self._rate.wait_seconds(token.name)
        if wait:
            detail = f"Found more requests of the token {token.name} than it may make; come back in {wait} seconds."
            return answer(scope["path"], http_problem(429, detail), {"Retry-After": str(wait)})
        needed = scope_needed(scope["path"])
        if not token.may(needed):
            detail = (
                f"Found the token {token.name}, which may {' and '.join(sorted(token.scopes))}; "
                f"this needs the scope {needed}. Use another token."
            )
            return answer(scope["path"], http_problem(403, detail))
        return None


def scope_needed(path: str) -> str:
    """What a token must be allowed for an address: SQL shows whole tweets, the model costs time, the rest is read."""
    if path == "/v1/query":
        return "admin"
    if path.startswith(("/v1/analyze", "/try")) or (path.startswith("/v2/") and path.endswith("/infer")):
        return "analyze"
    return "read"


def _no_token(scope: Scope) -> Response:
    if scope["method"] in {"GET", "HEAD"} and for_people(Request(scope)):
        return RedirectResponse(_login_link(scope), 303, headers={"Cache-Control": "no-store"})
    detail = (
        "Found no valid token; send the header `Authorization: Bearer` with the server's api_token, "
        "or log in at /login."
    )
    return answer(scope["path"], http_problem(401, detail), {"WWW-Authenticate": "Bearer"})


class BodyLimit:
    """Stops reading a body that is longer than allowed, also one that does not say its length."""

    def __init__(self, app: ASGIApp, most_bytes: int = MAX_BODY_BYTES) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > self._most:
            await answer(scope["path"], http_problem(413, self._sentence()))(scope, receive, send)
            return
        taken = 0

        async def receive_limited() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise HTTPException(413, self._sentence())
            return message

        await self._app(scope, receive_limited, send)

    def _sentence(self) -> str:
        return (
            f"Found a body of more than {self._most:,} bytes, which is the most; send fewer or shorter texts."
        )


class HeadAsGet:
    """Answers HEAD as GET, for those who look whether an address is well; the server leaves out the body (RFC 9110).

    A stream, which has no end to wait for, takes GET only.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"] in _STREAMS:
            await self._app(scope, receive, send)
            return
        asked = {**scope, "method": "GET"}
        try:
            await self._app(asked, receive, send)
        finally:
            scope["route"] = asked.get("route")  # the log and the counts tell it


def _login_link(scope: Scope) -> str:
    path, query = scope.get("raw_path") or quote(scope["path"]).encode(), scope["query_string"]
    asked = (path + (b"?" + query if query else b"")).decode("latin-1")
    lang = Request(scope).query_params.get("lang")
    return link("/login", next=page_of_ours(asked), lang=lang if lang in LANGS else None)


def _host(header: str) -> str:
    host, colon, port = header.strip().lower().rpartition(":")
    return host if colon and port.isdecimal() else header.strip().lower()
