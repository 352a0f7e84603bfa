"""Is the process alive, and can it do its work? Two questions; the second asks the lake and the model for real."""

from __future__ import annotations

from collections.abc import Callable

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import APIRouter, Request, Response

from trendlark import __version__
from trendlark.errors import TrendlarkError
from trendlark.web.answers import Live, Ready
from trendlark.web.room import room_of

PROBE_SECONDS = 10.0

router = APIRouter(tags=["health"])


@router.get("/live")
async def live() -> Live:
    """The process answers."""
    return Live(version=__version__)


@router.get("/ready", responses={503: {"model": Ready, "description": "The lake or the model is not ready"}})
async def ready(request: Request, response: Response) -> Ready:
    """The lake can be read and the model analyses."""
    room, limiter = room_of(request), _limiter(request)
    lake, lake_works = await _check(lambda: f"{len(room.lake.hours())} hours", limiter)
    model, model_works = await _check(room.desk.probe, limiter)
    if not (lake_works and model_works):
        response.status_code = 503
    return Ready(status="ready" if lake_works and model_works else "not ready", lake=lake, model=model)


async def _check(ask: Callable[[], str], limiter: CapacityLimiter) -> tuple[str, bool]:
    try:
        with fail_after(PROBE_SECONDS):
            return await to_thread.run_sync(ask, abandon_on_cancel=True, limiter=limiter), True
    except TrendlarkError as error:
        return str(error), False
    except TimeoutError:
        return (
            f"Found no answer within {PROBE_SECONDS:g} seconds; look into the log or start it again.",
            False,
        )


def _limiter(request: Request) -> CapacityLimiter:
    # Apart from the line of analyses, so that a full line does not look like a dead model; small, so that the
    # probes of a model that hangs do not pile up threads.
    state = request.app.state
    if not hasattr(state, "probe_limiter"):
        state.probe_limiter = CapacityLimiter(2)
    limiter: CapacityLimiter = state.probe_limiter
    return limiter
