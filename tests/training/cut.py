"""A training run that is cut off at a moment of its own progress, so that the next one has to go on."""

from __future__ import annotations

from collections.abc import Callable


class CutOffError(RuntimeError):
    """Ends a run as a machine that goes down would."""


def cut_off_after(share: float) -> Callable[[float], None]:
    """Return what cuts a run off when more than this share of it is done; give it to the run as its progress."""

    def look(progress: float) -> None:
        if progress > share:
            raise CutOffError

    return look
