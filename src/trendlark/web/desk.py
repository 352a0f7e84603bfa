"""The analysis desk: the model, which may still be loading, and the line of those who want texts analysed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from trendlark.errors import ModelError, TrendlarkError
from trendlark.nlu.tasks import TASKS, Task
from trendlark.records import Analysis
from trendlark.web.batcher import PROBE, Batcher
from trendlark.web.metrics import Metrics

# One prepares and finishes texts while the other's are computed.
WORKERS = 2


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
    """Analyses beside the event loop: ``queue_texts`` may be inside, and each caller waits a bounded time."""

    def __init__(
        self,
        analyzer: Analyzer,
        *,
        queue_texts: int = 256,
        deadline_seconds: float = 10.0,
        workers: int = WORKERS,
        metrics: Metrics | None = None,
    ) -> None:
        self._analyzer = analyzer
        self._deadline = deadline_seconds
        self._batcher = Batcher(
            lambda texts, langs: self.analyzer().analyze(texts, langs),
            most_texts=queue_texts,
            deadline_seconds=deadline_seconds,
            workers=workers,
            metrics=metrics or Metrics(),
        )

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

    def tasks(self) -> Mapping[str, Task]:
        """The model's tasks with their labels; ModelError while there is no model."""
        found: Mapping[str, Task] = getattr(self.analyzer(), "tasks", TASKS)
        return found

    async def analyze(
        self, texts: Sequence[str], langs: Sequence[str | None] | None = None
    ) -> list[Analysis | TrendlarkError]:
        """One analysis for each text, or the error of one that the model refuses.

        Raises OverloadError when the line is full or too slow, and ModelError when there is no model or it fails.
        """
        self.analyzer()
        if not texts:
            return []
        call = self._batcher.submit(texts, langs)
        try:
            async with asyncio.timeout(self._deadline):
                # Shielded, so that the batcher is the one who decides what a late call is told.
                return await asyncio.shield(asyncio.wrap_future(call))
        except TimeoutError:
            raise self._batcher.late(call) from None

    def probe(self) -> str:
        """Analyse one small text for real and tell the model's name; ModelError when that or a worker fails."""
        analyzer = self.analyzer()
        trouble = self._batcher.trouble()
        if trouble:
            raise ModelError(trouble)
        found = analyzer.analyze([PROBE])
        if len(found) != 1:
            raise ModelError(
                f"Found {len(found)} analyses of one text; a model gives one. Load another model."
            )
        return analyzer.name

    def trouble(self) -> str | None:
        """Why the workers do not work as they should, or None."""
        return self._batcher.trouble()

    def texts_inside(self) -> int:
        """Texts that wait or are at work."""
        return self._batcher.inside

    def stopping(self) -> bool:
        """Whether the server stops."""
        return self._batcher.stopping

    def drain(self, seconds: float) -> None:
        """Take no more texts and answer all that are inside within some seconds; returns at once."""
        self._batcher.drain(seconds)

    def close(self) -> None:
        """End the workers; whoever still waits is told."""
        self._batcher.close()
