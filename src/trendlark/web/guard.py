"""What stands before every request: security headers, the host check, the token, the size of the body.

Plain ASGI, so that nothing is buffered.
"""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trendlark.web.door import Door, page_of_ours
from trendlark.web.links import link
from trendlark.web.messages import LANGS
from trendlark.web.problems import answer, for_people, http_problem

MAX_BODY_BYTES = 1_000_000
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})
# Those that ask whether the server is well have no token to send.
_PROBES = frozenset({"/live", "/ready", "/v2/health/live", "/v2/health/ready", "/v2/models/trendlark/ready"})
_OPEN_PATHS = _PROBES | {"/login", "/logout"}

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


class SecurityHeaders:
    """The outermost layer: sets the security headers on every answer, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
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
    """Lets only those pass who have the token: of others, people are led to the login and programs answered 401.

    Open to all are the questions whether the server is well, the login and the static files, which are the same on
    every server.
    """

    def __init__(self, app: ASGIApp, door: Door, opened: frozenset[str] = frozenset()) -> None:
        self._app = app
        self._door = door
        self._open = _OPEN_PATHS | opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or self._is_open(scope["path"])
            or self._door.lets_in(Headers(scope=scope))
        ):
            await self._app(scope, receive, send)
            return
        response: Response
        if scope["method"] in {"GET", "HEAD"} and for_people(Request(scope)):
            response = RedirectResponse(_login_link(scope), 303, headers={"Cache-Control": "no-store"})
        else:
            detail = (
                "Found no valid token; send the header `Authorization: Bearer` with the server's api_token, "
                "or log in at /login."
            )
            response = answer(scope["path"], http_problem(401, detail), {"WWW-Authenticate": "Bearer"})
        await response(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open or path.startswith("/static/")


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


def _login_link(scope: Scope) -> str:
    path, query = scope.get("raw_path") or quote(scope["path"]).encode(), scope["query_string"]
    asked = (path + (b"?" + query if query else b"")).decode("latin-1")
    lang = Request(scope).query_params.get("lang")
    return link("/login", next=page_of_ours(asked), lang=lang if lang in LANGS else None)


def _host(header: str) -> str:
    host, colon, port = header.strip().lower().rpartition(":")
    return host if colon and port.isdecimal() else header.strip().lower()
