"""The API: server-sent events."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Request
from fastapi.responses import StreamingResponse

from trendlark.web.room import room_of
from trendlark.web.routes.promises import v1_router

router = v1_router()


@router.get(
    "/events",
    tags=["trends"],
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(
    request: Request,
    last_event_id: Annotated[
        str, Header(max_length=100, description="The id of the last event seen; those from it on come again.")
    ] = "",
) -> StreamingResponse:
    """A stream with an event `hour` for each hour of a place whose trends are all summed up, or summed up anew.

    Its data: `hour`, `source`, `place`, `trends`, `summarised_at`. An event may come twice after a reconnection.
    """
    room = room_of(request)
    messages = await room.announcer.listen(last_event_id, room.desk.stopping)
    return StreamingResponse(
        messages,
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
