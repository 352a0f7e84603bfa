"""Is the process alive, and can it do its work? Two questions; the second asks the lake and the model for real."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

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


class Health(NamedTuple):
    """What the lake and the model answered, and whether each works."""

    lake: str
    lake_works: bool
    model: str
    model_works: bool

    @property
    def ready(self) -> bool:
        """Whether both work."""
        return self.lake_works and self.model_works


async def health_of(request: Request) -> Health:
    """Ask the lake and the model for real."""
    room, limiter = room_of(request), _limiter(request)
    lake = await _check(lambda: f"{len(room.lake.hours())} hours", limiter)
    return Health(*lake, *await _check(room.desk.probe, limiter))


@router.get("/ready", responses={503: {"model": Ready, "description": "The lake or the model is not ready"}})
async def ready(request: Request, response: Response) -> Ready:
    """The lake can be read and the model analyses."""
    found = await health_of(request)
    if not found.ready:
        response.status_code = 503
    return Ready(status="ready" if found.ready else "not ready", lake=found.lake, model=found.model)


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
