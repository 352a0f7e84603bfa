"""How many requests a token may make in a minute, counted over a sliding window in memory."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter


class Rate:
    """Counts the requests of each token; ``per_minute`` of 0 counts none."""

    def __init__(self, per_minute: int) -> None:
        self._item = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def wait_seconds(self, name: str) -> int:
        """Count a request; 0 if it may pass, else after how many seconds the next one may."""
        if self._item is None or self._limiter.hit(self._item, name):
            return 0
        reset, _ = self._limiter.get_window_stats(self._item, name)
        return max(1, math.ceil(reset - time.time()))
