"""What every address of the API, version 1, promises alike: its prefix, its refusals, its paging."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from trendlark.web.answers import Problem
from trendlark.web.problems import MEDIA_TYPE

Limit = Annotated[int, Query(ge=1, le=500, description="Most items in the answer.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="The `next` of the answer before.")]
HourText = Annotated[str | None, Query(max_length=40, description="An hour in UTC, as 2026-11-23T07.")]
Filter = Annotated[str | None, Query(max_length=200)]

_PROBLEMS = {
    400: "Bad request",
    401: "A token is needed",
    403: "The token may not do this",
    421: "The Host header is not of this server",
    422: "Not valid",
    429: "Too many requests are waiting, or of this token; come back after Retry-After seconds",
    500: "Something went wrong here",
    503: "The lake or the model fails",
}


def refusals(**more: str) -> dict[int | str, dict[str, Any]]:
    """The refusals of an address for OpenAPI, all problem objects; more as ``s404="No such trend"``."""
    found = _PROBLEMS | {int(name[1:]): text for name, text in more.items()}
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": text, "content": content} for status, text in found.items()}


def v1_router(**more: str) -> APIRouter:
    """A router for addresses below ``/v1``."""
    return APIRouter(prefix="/v1", responses=refusals(**more))


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Nothing changed since the ETag sent"}}
