"""Is the process alive, and can it do its work? Two questions; the second asks the lake and the model for real."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import APIRouter, Request, Response

from trendlark import __version__
from trendlark.errors import TrendlarkError
from trendlark.web.answers import Live, Ready
from trendlark.web.asking import Question
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
    lake, model = _questions(request)
    return Health(*await _told(lake), *await _told(model))


@router.get("/ready", responses={503: {"model": Ready, "description": "The lake or the model is not ready"}})
async def ready(request: Request, response: Response) -> Ready:
    """The lake can be read and the model analyses."""
    found = await health_of(request)
    if not found.ready:
        response.status_code = 503
    return Ready(status="ready" if found.ready else "not ready", lake=found.lake, model=found.model)


async def _told(question: Question[str]) -> tuple[str, bool]:
    try:
        return await question.answer(PROBE_SECONDS), True
    except TrendlarkError as error:
        return str(error), False
    except TimeoutError:
        return (
            f"Found no answer within {PROBE_SECONDS:g} seconds; look into the log or start it again.",
            False,
        )


def _questions(request: Request) -> tuple[Question[str], Question[str]]:
    state, room = request.app.state, room_of(request)
    if not hasattr(state, "health_questions"):
        state.health_questions = (
            Question(lambda: f"{len(room.lake.hours())} hours"),
            Question(room.desk.probe),
        )
    questions: tuple[Question[str], Question[str]] = state.health_questions
    return questions
