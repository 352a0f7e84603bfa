"""A training run that ends when a test wants it to: cut off, so that the next one has to go on, or by its minutes."""

from __future__ import annotations

from collections.abc import Callable

from trendlark.training.optimise import Clock


class CutOffError(RuntimeError):
    """Ends a run as a machine that goes down would."""


def cut_off_after(share: float) -> Callable[[float], None]:
    """Return what cuts a run off when more than this share of it is done; give it to the run as its progress."""

    def look(progress: float) -> None:
        if progress > share:
            raise CutOffError

    return look


def a_minute_passes(clock: Clock) -> None:
    """Stand for the tick of a run whose steps each take a minute."""
    clock.step, clock.seconds = clock.step + 1, clock.seconds + 60
