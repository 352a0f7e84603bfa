"""A question to what may hang, as a lake on a disk of the network: one thread asks, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from anyio import CapacityLimiter, fail_after, to_thread

Answer = TypeVar("Answer")


class Question(Generic[Answer]):
    """A question that one thread asks at a time; who comes meanwhile waits for the same answer.

    So those who ask of what hangs do not pile up threads, and what is busy is asked once for all of them.
    """

    def __init__(self, ask: Callable[[], Answer]) -> None:
        self._ask = ask
        self._under_way: asyncio.Task[Answer] | None = None

    async def answer(self, seconds: float) -> Answer:
        """What is answered, or its error; TimeoutError when that takes longer."""
        if self._under_way is None or self._under_way.done():
            # In a thread beside those of requests, which may all be taken.
            asked = to_thread.run_sync(self._ask, abandon_on_cancel=True, limiter=CapacityLimiter(1))
            self._under_way = asyncio.create_task(asked)
            self._under_way.add_done_callback(_heard)
        with fail_after(seconds):
            return await asyncio.shield(self._under_way)


def _heard(asked: asyncio.Task[Any]) -> None:
    # An error that comes when all who asked are gone is no news: asyncio would log it as one that nobody looked at.
    if not asked.cancelled():
        asked.exception()
