"""Conditional answers: an ETag made of the lake's tables, so that what has not changed is neither read nor sent."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from fastapi import Request, Response
from fastapi.params import Depends as Dependency
from starlette.exceptions import HTTPException

from trendlark import __version__
from trendlark.web.room import room_of


def fresh(*tables: str) -> Callable[[Request, Response], None]:
    """A dependency: sets the ETag of an answer from these tables, or ends the request with 304."""

    def check(request: Request, response: Response) -> None:
        room = room_of(request)
        settings = room.settings
        parts = (
            __version__,
            room.lake.stamp(*tables),
            repr((settings.places, settings.api_texts)),
            request.url.path,
            request.url.query,
        )
        tag = 'W/"' + hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:24] + '"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        given = request.headers.get("if-none-match", "").split(",")
        if {tag[2:], "*"} & {one.strip().removeprefix("W/") for one in given}:
            raise HTTPException(304, headers=headers)
        response.headers.update(headers)

    return check


def fresh_of(*tables: str) -> Dependency:
    """The dependency as routes take it."""
    return Dependency(fresh(*tables))
