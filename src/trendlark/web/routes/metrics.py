"""What Prometheus reads."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from trendlark.errors import ModelError
from trendlark.web.metrics import CONTENT_TYPE
from trendlark.web.room import room_of

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Counters, histograms and gauges in the text format of Prometheus; docs/api.md names them."""
    room = room_of(request)
    room.lake_metrics.refresh()
    with suppress(ModelError):
        room.metrics.tell_model(room.desk.analyzer().name)
    return Response(room.metrics.page(), headers={"Content-Type": CONTENT_TYPE})
