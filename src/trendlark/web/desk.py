"""The analysis desk: takes texts from many requests, works in threads, and refuses when too many wait."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from anyio import CapacityLimiter, to_thread

from trendlark.errors import InputError, ModelError, OverloadError, TrendlarkError
from trendlark.records import Analysis

PROBE = "Good morning"


class Analyzes(Protocol):
    """What the desk needs of an analyzer; ``trendlark.nlu.analyzer.Analyzer`` is one."""

    @property
    def name(self) -> str:
        """The model's name and version."""
        ...

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        """One analysis for each text, in the order given."""
        ...


Analyzer = Analyzes | Future[Analyzes] | None


class Desk:
    """Runs the analyzer beside the event loop: ``workers`` requests at once, ``waiting`` more in line."""

    def __init__(self, analyzer: Analyzer, workers: int = 1, waiting: int = 32) -> None:
        self._analyzer = analyzer
        self._workers = workers
        self._most = workers + waiting
        self._inside = 0
        self._limiter: CapacityLimiter | None = None

    def analyzer(self) -> Analyzes:
        """The analyzer; ModelError with the reason while there is none."""
        if self._analyzer is None:
            raise ModelError("Found no model in this server, which needs one to analyse; start it with one.")
        if not isinstance(self._analyzer, Future):
            return self._analyzer
        if not self._analyzer.done():
            raise ModelError("Found the model still loading; it takes seconds. Ask again in a moment.")
        error = self._analyzer.exception()
        if error is not None:
            reason = str(error) if isinstance(error, TrendlarkError) else type(error).__name__
            raise ModelError(f"Found that the model did not load: {reason}")
        return self._analyzer.result()

    async def analyze(
        self, texts: Sequence[str], langs: Sequence[str | None] | None = None
    ) -> list[Analysis | TrendlarkError]:
        """One analysis for each text, or the error of one that the model refuses.

        Raises OverloadError when the line is full and ModelError when there is no model or it fails.
        """
        analyzer = self.analyzer()
        if self._inside >= self._most:
            raise OverloadError(
                f"Found {self._inside} requests at work or waiting, which is the most; "
                "come back when Retry-After has passed.",
                retry_after_seconds=max(1, self._inside // (4 * self._workers)),
            )
        self._limiter = self._limiter or CapacityLimiter(self._workers)
        self._inside += 1
        try:
            return await to_thread.run_sync(_analyze_each, analyzer, texts, langs, limiter=self._limiter)
        finally:
            self._inside -= 1

    def probe(self) -> str:
        """Analyse one small text for real and tell the model's name; ModelError when that fails."""
        analyzer = self.analyzer()
        found = analyzer.analyze([PROBE])
        if len(found) != 1:
            raise ModelError(
                f"Found {len(found)} analyses of one text; a model gives one. Load another model."
            )
        return analyzer.name


def _analyze_each(
    analyzer: Analyzes, texts: Sequence[str], langs: Sequence[str | None] | None
) -> list[Analysis | TrendlarkError]:
    try:
        return list(analyzer.analyze(texts, langs))
    except InputError as error:
        if len(texts) == 1:
            return [error]
    # One text that the model cannot take must not cost the others their answer.
    found: list[Analysis | TrendlarkError] = []
    for index, text in enumerate(texts):
        found += _analyze_each(analyzer, [text], [langs[index]] if langs else None)
    return found
