"""What Prometheus reads."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from trendlark.errors import ModelError
from trendlark.web.asking import Question
from trendlark.web.metrics import CONTENT_TYPE
from trendlark.web.room import room_of

# A lake that hangs must not take the server's own numbers with it: Prometheus waits ten seconds, if not told otherwise.
LAKE_SECONDS = 5.0

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Counters, histograms and gauges in the text format of Prometheus; docs/api.md names them."""
    room = room_of(request)
    try:
        await _lake_of(request).answer(LAKE_SECONDS)
    except TimeoutError:
        room.lake_metrics.tell_silence()
    with suppress(ModelError):
        room.metrics.tell_model(room.desk.analyzer().name)
    return Response(room.metrics.page(), headers={"Content-Type": CONTENT_TYPE})


def _lake_of(request: Request) -> Question[None]:
    state = request.app.state
    if not hasattr(state, "metrics_question"):
        state.metrics_question = Question(room_of(request).lake_metrics.refresh)
    question: Question[None] = state.metrics_question
    return question
