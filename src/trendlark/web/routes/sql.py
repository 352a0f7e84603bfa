"""The API: one SELECT over the tables of the lake, with limits."""

from __future__ import annotations

from anyio import CapacityLimiter, WouldBlock, to_thread
from fastapi import Request, Response

from trendlark.errors import OverloadError
from trendlark.lake.limited import Limits, ask
from trendlark.web.answers import QueryAnswer, QueryRequest
from trendlark.web.room import room_of
from trendlark.web.routes.promises import v1_router

AT_ONCE = 2

router = v1_router(s413="The body is too large")


@router.post("/query", tags=["lake"], response_model=QueryAnswer)
async def query(request: Request, asked: QueryRequest) -> Response:
    """Answer one SELECT; `truncated` tells that there were more rows than `limit`.

    Time, memory and rows are limited by the settings `query_seconds`, `query_memory_mb` and `query_rows`. Needs a token
    with the scope admin, where there are tokens, for SQL sees texts and authors.
    """
    settings = room_of(request).settings
    rows = min(asked.limit or settings.query_rows, settings.query_rows)
    limits = Limits(rows, settings.query_seconds, settings.query_memory_mb)
    limiter = _limiter(request)
    turn = object()
    try:
        # At once, not after a look: two who look at the same time would both find room.
        limiter.acquire_on_behalf_of_nowait(turn)
    except WouldBlock:
        raise OverloadError(
            f"Found {AT_ONCE} queries at work, which is the most; come back when Retry-After has passed.",
            retry_after_seconds=max(1, round(settings.query_seconds / 2)),
        ) from None
    try:
        body = await to_thread.run_sync(ask, settings.lake, asked.sql, limits)
    finally:
        limiter.release_on_behalf_of(turn)
    return Response(body, media_type="application/json")


def _limiter(request: Request) -> CapacityLimiter:
    state = request.app.state
    if not hasattr(state, "query_limiter"):
        state.query_limiter = CapacityLimiter(AT_ONCE)
    limiter: CapacityLimiter = state.query_limiter
    return limiter
