"""What the log of a training run has to say: of every choice why it was made."""

from __future__ import annotations

import re
from collections.abc import Iterable

# These choose; what they tell besides is what happened.
_CHOOSERS = {f"trendlark.training.{name}" for name in ("train", "keeper", "team", "pieces", "precision")}
_HAPPENED = re.compile(r"step \d+,|checkpoint: |validation at step |vocabulary: \w+ uses ")


def unexplained(told: Iterable[tuple[str, str]]) -> list[str]:
    """Return the messages, of (logger, message), that tell a choice without its reason."""
    return [
        message
        for name, message in told
        if name in _CHOOSERS and not _HAPPENED.match(message) and "because " not in message
    ]
