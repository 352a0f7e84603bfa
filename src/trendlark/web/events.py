"""Announces finished hours to those who listen: server-sent events, made of what the lake says.

The hour may be summarised by another process, so the lake is looked at every few seconds while anybody listens, once
for all listeners, and read only when the table of trends has changed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass

from anyio import to_thread

from trendlark.errors import LakeError, OverloadError
from trendlark.hours import Hour
from trendlark.lake import Lake
from trendlark.lake.query import literal
from trendlark.web.metrics import Metrics

POLL_SECONDS = 5.0
HEARTBEAT_SECONDS = 15.0
MOST_LISTENERS = 64
_LOOK_BACK_HOURS = 48
_TICK_SECONDS = 0.25
_WAITING = 1000


@dataclass(frozen=True, slots=True, order=True)
class Finished:
    """A place's hour whose trends are all summed up; ``summarised_at`` is the last of them."""

    summarised_at: str
    hour: str
    source: str
    place: str
    trends: int

    def message(self) -> bytes:
        """The event on the wire."""
        return f"event: hour\nid: {self.summarised_at}\ndata: {json.dumps(asdict(self))}\n\n".encode()


class Announcer:
    """Looks at the lake for all listeners of one application."""

    def __init__(self, lake: Lake, metrics: Metrics) -> None:
        self._lake, self._metrics = lake, metrics
        self._listeners: set[asyncio.Queue[Finished]] = set()
        self._known: frozenset[Finished] = frozenset()
        self._stamp = ""
        self._watcher: asyncio.Task[None] | None = None
        self._coming = asyncio.Lock()

    async def listen(self, last_id: str, stopping: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Messages from now on, or from an id on; OverloadError when too many listen already."""
        queue: asyncio.Queue[Finished] = asyncio.Queue(_WAITING)
        # One after the other: the look of a second who comes first would find, and tell nobody, what is new.
        async with self._coming:
            if len(self._listeners) >= MOST_LISTENERS:
                raise OverloadError(
                    f"Found {MOST_LISTENERS} listeners, which is the most; come back later.",
                    retry_after_seconds=60,
                )
            if not self._listeners:
                await self._look()
            self._listeners.add(queue)
        self._metrics.events.set(len(self._listeners))
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.get_running_loop().create_task(self._watch())
        missed = sorted(one for one in self._known if last_id and one.summarised_at >= last_id)
        return self._messages(queue, missed, stopping)

    async def _messages(
        self, queue: asyncio.Queue[Finished], missed: list[Finished], stopping: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        try:
            yield b"retry: 5000\n\n"
            for one in missed:
                yield one.message()
            quiet = 0.0
            while not stopping():
                try:
                    async with asyncio.timeout(_TICK_SECONDS):
                        found = await queue.get()
                except TimeoutError:
                    quiet += _TICK_SECONDS
                    if quiet >= HEARTBEAT_SECONDS:
                        quiet = 0.0
                        yield b": still here\n\n"
                else:
                    yield found.message()
        finally:
            self._listeners.discard(queue)
            self._metrics.events.set(len(self._listeners))

    async def _watch(self) -> None:
        while self._listeners:
            await asyncio.sleep(POLL_SECONDS)
            before = self._known
            await self._look()
            for one in sorted(self._known - before):
                for queue in self._listeners:
                    # Who does not read is not waited for; the last id that it has brings the rest.
                    if not queue.full():
                        queue.put_nowait(one)

    async def _look(self) -> None:
        try:
            stamp, known = await to_thread.run_sync(self._read, self._stamp)
        except LakeError:
            return  # told by /ready; the next look may find it again
        self._stamp = stamp
        if known is not None:
            self._known = known

    def _read(self, before: str) -> tuple[str, frozenset[Finished] | None]:
        stamp = self._lake.stamp("trends")
        if stamp == before:
            return stamp, None
        first = Hour.now() - _LOOK_BACK_HOURS
        newest = self._lake.hours()[-1:]
        first = min([first, *(hour - _LOOK_BACK_HOURS for hour in newest)])
        answer = self._lake.sql(
            "SELECT hour, source, place, count(*) AS trends, max(summarised_at) AS at FROM trends "  # noqa: S608
            f"WHERE hour >= {literal(str(first))} GROUP BY hour, source, place HAVING count(*) = count(summarised_at)"
        )
        rows = answer.read_all().to_pylist()
        return stamp, frozenset(
            Finished(row["at"].isoformat(), row["hour"], row["source"], row["place"], row["trends"])
            for row in rows
        )
