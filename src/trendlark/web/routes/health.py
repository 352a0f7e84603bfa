"""Is the process alive, and can it do its work? Two questions; the second asks the lake and the model for real."""

from __future__ import annotations

import asyncio
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
    lake, model = _probes(request)
    return Health(*await lake.answer(), *await model.answer())


@router.get("/ready", responses={503: {"model": Ready, "description": "The lake or the model is not ready"}})
async def ready(request: Request, response: Response) -> Ready:
    """The lake can be read and the model analyses."""
    found = await health_of(request)
    if not found.ready:
        response.status_code = 503
    return Ready(status="ready" if found.ready else "not ready", lake=found.lake, model=found.model)


class _Probe:
    """A question that one thread asks at a time; who comes meanwhile waits for the same answer.

    So the probes of a model that hangs do not pile up threads, and those of a busy one cost it one small text.
    """

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._under_way: asyncio.Task[str] | None = None

    async def answer(self) -> tuple[str, bool]:
        """What was answered and whether it works."""
        if self._under_way is None or self._under_way.done():
            # In a thread beside those of requests: a full line must not look like a dead model.
            asked = to_thread.run_sync(self._ask, abandon_on_cancel=True, limiter=CapacityLimiter(1))
            self._under_way = asyncio.create_task(asked)
            self._under_way.add_done_callback(_heard)
        try:
            with fail_after(PROBE_SECONDS):
                return await asyncio.shield(self._under_way), True
        except TrendlarkError as error:
            return str(error), False
        except TimeoutError:
            return (
                f"Found no answer within {PROBE_SECONDS:g} seconds; look into the log or start it again.",
                False,
            )


def _heard(asked: asyncio.Task[str]) -> None:
    # An error that comes when all who asked are gone is no news: asyncio would log it as one that nobody looked at.
    if not asked.cancelled():
        asked.exception()


def _probes(request: Request) -> tuple[_Probe, _Probe]:
    state, room = request.app.state, room_of(request)
    if not hasattr(state, "probes"):
        state.probes = (_Probe(lambda: f"{len(room.lake.hours())} hours"), _Probe(room.desk.probe))
    probes: tuple[_Probe, _Probe] = state.probes
    return probes
