"""What runs the model for the jobs. Here: this process, with threads; a cluster engine can take its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trendlark.records import Analysis


class Engine(Protocol):
    """Anything that analyses texts in the order given: the analyzer itself, its fake, or a whole cluster."""

    @property
    def name(self) -> str:
        """The model's name, as it stands in every analysis."""

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        """One analysis for each text, in order; ``langs`` is what the source says, where it does."""

    def close(self) -> None:
        """Let go of threads and memory."""
