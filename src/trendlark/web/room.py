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

    def source(self) -> str:
        """The source that pages are about: the one set, or that of the newest hour where it was left to a token.

        What serves pages has no token of X where another process collects.
        """
        name = self.settings.source_name()
        if self.settings.source != "auto" or self.settings.x_bearer_token:
            return name
        newest = self.board.hours()[:1]
        found = [source for hour in newest for source in self.board.sources(hour, hour)]
        return name if name in found or not found else found[0]


def room_of(request: Request) -> Room:
    """The room of the application that serves a request."""
    room: Room = request.app.state.room
    return room
