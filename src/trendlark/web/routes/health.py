"""Is the process alive, and can it do its work? Two questions; the second asks the lake and the model for real."""

from __future__ import annotations

from collections.abc import Callable

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from trendlark import __version__
from trendlark.errors import TrendlarkError
from trendlark.web.answers import Live, Ready
from trendlark.web.room import room_of

router = APIRouter(tags=["health"])


@router.get("/live")
async def live() -> Live:
    """The process answers."""
    return Live(version=__version__)


@router.get("/ready", responses={503: {"model": Ready, "description": "The lake or the model is not ready"}})
async def ready(request: Request, response: Response) -> Ready:
    """The lake can be read and the model analyses."""
    room = room_of(request)
    lake, lake_works = await _check(lambda: f"{len(room.lake.hours())} hours")
    model, model_works = await _check(room.desk.probe)
    if not (lake_works and model_works):
        response.status_code = 503
    return Ready(status="ready" if lake_works and model_works else "not ready", lake=lake, model=model)


async def _check(ask: Callable[[], str]) -> tuple[str, bool]:
    try:
        # A limiter of its own, so that a full line of analyses does not look like a dead model.
        return await to_thread.run_sync(ask, limiter=CapacityLimiter(1)), True
    except TrendlarkError as error:
        return str(error), False
