"""Who holds the server's token: programs send it, browsers carry a cookie that was made from it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from trendlark.web.links import is_page

COOKIE = "trendlark_session"
SESSION_SECONDS = 30 * 24 * 3600
_LONGEST_RETURN = 4000


class Door:
    """Compares tokens and cookies in constant time; ``clock`` tells the seconds since 1970.

    A session is its end and a MAC of it under the token, so nothing is stored and a changed token ends them all.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.time) -> None:
        self._token = hashlib.sha256(token.encode()).digest()
        self._key = token.encode()
        self._clock = clock

    def fits(self, token: str) -> bool:
        """Whether this is the token."""
        # Of digests, for the comparison of texts takes longer the longer they are.
        given = hashlib.sha256(token.strip().encode("utf-8", "replace")).digest()
        return hmac.compare_digest(given, self._token)

    def new_session(self) -> str:
        """The value of a cookie that opens the door for thirty days."""
        end = str(int(self._clock()) + SESSION_SECONDS)
        return f"{end}.{self._mac(end)}"

    def knows(self, session: str) -> bool:
        """Whether a cookie's value was made here, with this token, and has not ended."""
        end, _, mac = session.partition(".")
        same = hmac.compare_digest(mac.encode("utf-8", "replace"), self._mac(end).encode())
        return same and end.isdecimal() and int(end) > self._clock()

    def lets_in(self, headers: Headers) -> bool:
        """Whether a request brings the token or a session."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        by_token = self.fits(token) and scheme.lower() == "bearer"
        return by_token or self.knows(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))

    def _mac(self, end: str) -> str:
        said = f"trendlark session until {end}".encode("utf-8", "replace")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()


def has_session(request: Request) -> bool:
    """Whether the browser that asks is logged in; never where the server has no token."""
    door: Door | None = request.app.state.door
    return door is not None and door.knows(request.cookies.get(COOKIE, ""))


def page_of_ours(address: str) -> str:
    """The address if it is one of a page here, else that of the dashboard: no login leads to another host."""
    plain = address.isascii() and address.isprintable() and not set(address) & set(" \\")
    if not plain or len(address) > _LONGEST_RETURN or address.startswith("//"):
        return "/"
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    return address if is_page(parts.path) and not parts.scheme and not parts.netloc else "/"
