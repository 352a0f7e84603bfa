"""Who holds a token of the server: programs send it, browsers carry a cookie that was made from it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from trendlark.settings import ApiToken
from trendlark.web.links import is_page

COOKIE = "trendlark_session"
SESSION_SECONDS = 30 * 24 * 3600
_LONGEST_RETURN = 4000


class Door:
    """Compares tokens and cookies in constant time; ``clock`` tells the seconds since 1970.

    A session is a token's name, an end and a MAC of both under the token, so nothing is stored and a changed token
    ends its sessions.
    """

    def __init__(self, tokens: Sequence[ApiToken], clock: Callable[[], float] = time.time) -> None:
        self._tokens = [
            (one, hashlib.sha256(_bytes(one.secret.get_secret_value())).digest()) for one in tokens
        ]
        self._clock = clock

    def fits(self, token: str) -> ApiToken | None:
        """The token that this is, if it is one."""
        # Of digests, for the comparison of texts takes longer the longer they are; of all, so that time does not
        # tell which one fits.
        given = hashlib.sha256(_bytes(token.strip())).digest()
        fitting = [one for one, digest in self._tokens if hmac.compare_digest(given, digest)]
        return fitting[0] if fitting else None

    def new_session(self, token: ApiToken) -> str:
        """The value of a cookie that opens the door for thirty days, as far as a token does."""
        said = f"{token.name}.{int(self._clock()) + SESSION_SECONDS}"
        return f"{said}.{_mac(token, said)}"

    def knows(self, session: str) -> ApiToken | None:
        """The token that a cookie's value was made with, unless it has ended."""
        said, _, mac = session.rpartition(".")
        _, _, end = said.partition(".")
        if not (end.isascii() and end.isdecimal() and len(end) < 20 and int(end) > self._clock()):
            return None
        macs = [(one, _mac(one, said)) for one, _ in self._tokens]
        fitting = [one for one, made in macs if hmac.compare_digest(_bytes(mac), _bytes(made))]
        return fitting[0] if fitting else None

    def lets_in(self, headers: Headers) -> ApiToken | None:
        """The token that a request brings, itself or by a session."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        by_token = self.fits(token)
        if by_token and scheme.lower() == "bearer":
            return by_token
        return self.knows(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))


def _mac(token: ApiToken, said: str) -> str:
    key = token.secret.get_secret_value()
    # The name is in what is said, so that no session passes for that of another token.
    return hmac.new(
        _bytes(key), _bytes(f"trendlark session of {token.name}: {said}"), hashlib.sha256
    ).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def has_session(request: Request) -> bool:
    """Whether the browser that asks is logged in; never where the server has no token."""
    door: Door | None = request.app.state.door
    return door is not None and door.knows(request.cookies.get(COOKIE, "")) is not None


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
