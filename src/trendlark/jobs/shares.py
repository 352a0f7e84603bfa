"""How several analyzers share an hour without speaking to each other: each sees what is done and keeps clear.

The tweets of an hour stand in one order for all. A worker goes forward from where it is. Where it comes upon tweets
that another has done, it starts anew in the middle of the longest stretch that nobody has done, and the worker that
comes from the left stops there in turn. Portions get smaller towards the end, so that little is done twice.
docs/decisions/0011-services.md tells why no lock and no queue is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

_PARTS = 16
LEAST, MOST = 16, 512


def portion_of(waiting: int) -> int:
    """How many tweets to take at once when so many wait."""
    return max(LEAST, min(MOST, waiting // _PARTS))


def next_portion(waiting: Sequence[bool], after: int | None, size: int) -> range:
    """The places to take next; empty where none waits.

    ``waiting`` says of each place whether it still waits; ``after`` is the first place behind the worker's last
    portion, None where it should not go on there (at its end, or after a collision).
    """
    if after is None or after >= len(waiting) or not waiting[after]:
        begin = _middle_of_longest(waiting)
        if begin is None:
            return range(0)
    else:
        begin = after
    end = begin
    while end < len(waiting) and waiting[end] and end - begin < size:
        end += 1
    return range(begin, end)


def _middle_of_longest(waiting: Sequence[bool]) -> int | None:
    best, begin = range(0), 0
    for waits, group in groupby(waiting):
        length = sum(1 for _ in group)
        if waits and length > len(best):
            best = range(begin, begin + length)
        begin += length
    if not best:
        return None
    # A short rest is taken whole: half of it would leave a commit's work for a handful of tweets.
    return best.start if len(best) <= 2 * LEAST else best.start + len(best) // 2
