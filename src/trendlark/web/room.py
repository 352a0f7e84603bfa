"""What the routes share: the lake, the analysis desk and the settings, kept on the application."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from trendlark.lake import Lake
from trendlark.reports.board import Board
from trendlark.settings import Settings
from trendlark.web.desk import Desk
from trendlark.web.events import Announcer
from trendlark.web.metrics import LakeMetrics, Metrics


@dataclass(frozen=True, slots=True)
class Room:
    """The parts that a request may need."""

    lake: Lake
    board: Board
    desk: Desk
    settings: Settings
    metrics: Metrics
    lake_metrics: LakeMetrics
    announcer: Announcer


def room_of(request: Request) -> Room:
    """The room of the application that serves a request."""
    room: Room = request.app.state.room
    return room
