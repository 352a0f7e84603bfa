"""Texts to the model and back: read, grouped by length, computed by a pool of threads, put in order again.

Only texts of exactly the same number of tokens share a batch, so there is neither padding nor a mask, and a text
gets bitwise the same answer alone, in any batch and at any time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, TypeVar

from trendlark.errors import InputError, ModelError
from trendlark.nlu.artifact import Artifact
from trendlark.nlu.entities import Pieces
from trendlark.nlu.session import Outputs, Session
from trendlark.nlu.text import Normalised, normalise
from trendlark.nlu.tokens import TokenReader

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text made ready for the model; ``truncated`` when the model does not see all of it."""

    text: str
    normalised: Normalised
    ids: list[int]
    pieces: Pieces
    truncated: bool


Take = Callable[[Reading, Outputs, int], Answer]
_Part = tuple[list[int], Future[list[Answer]]]


class Work(Generic[Answer]):
    """Batches under way."""

    def __init__(self, size: int, parts: Sequence[_Part[Answer]]) -> None:
        self._size = size
        self._parts = parts

    def wait(self) -> list[Answer]:
        """Return the answers in the order of the texts; what fails or is broken off ends the other batches."""
        found: dict[int, Answer] = {}
        try:
            for places, future in self._parts:
                found.update(zip(places, future.result(), strict=True))
        finally:
            self.cancel()
        return [found[place] for place in range(self._size)]

    def cancel(self) -> None:
        """Leave out the batches that have not begun."""
        for _, future in self._parts:
            future.cancel()


class Batches:
    """A loaded model with its threads; safe to share between callers."""

    def __init__(self, artifact: Artifact, threads: int) -> None:
        if threads < 0:
            raise InputError(f"Found {threads} threads; allowed are 1 and more, or 0 for one a core. Give 0.")
        self._tokenizer = TokenReader(artifact)
        session = Session(artifact)
        session.check_vocabulary(self._tokenizer.largest_id)
        self._session: Session | None = session
        self.width = session.embedding_width
        self._pool = ThreadPoolExecutor(threads or usable_cores(), thread_name_prefix="trendlark-nlu")

    def start(self, texts: Sequence[str], batch_size: int, take: Take[Answer]) -> Work[Answer]:
        """Read the texts and let the threads compute; ``take`` makes an answer of a row of a batch's outputs."""
        if batch_size < 1:
            raise InputError(f"Found a batch size of {batch_size}; allowed is 1 and more. 16 is usual.")
        session = self._session
        if session is None:
            raise ModelError("The analyzer is closed; an open one answers. Load the model again.")
        parts: list[_Part[Answer]] = []
        waiting: dict[int, list[tuple[int, Reading]]] = {}
        for place, text in enumerate(texts):
            reading = self.read(text)
            batch = waiting.setdefault(len(reading.ids), [])
            batch.append((place, reading))
            # A full batch starts at once: the threads compute while this one goes on reading.
            if len(batch) == batch_size:
                parts.append(self._submit(session, waiting.pop(len(reading.ids)), take))
        # The longest first, so that no thread is left with a long batch at the end.
        parts += [self._submit(session, waiting[length], take) for length in sorted(waiting, reverse=True)]
        return Work(len(texts), parts)

    def read(self, text: str) -> Reading:
        """Normalise and tokenise a text, cut to what the model takes."""
        normalised = normalise(text)
        encoding = self._tokenizer.encode(normalised.text)
        truncated = normalised.truncated or bool(encoding.overflowing)
        return Reading(text, normalised, encoding.ids, Pieces(encoding.offsets, encoding.word_ids), truncated)

    def close(self) -> None:
        """Free the model once what runs has ended; may be called again."""
        self._session = None
        self._pool.shutdown(wait=True)

    def _submit(
        self, session: Session, batch: Sequence[tuple[int, Reading]], take: Take[Answer]
    ) -> _Part[Answer]:
        try:
            future = self._pool.submit(_compute, session, [reading for _, reading in batch], take)
        except RuntimeError as error:
            raise ModelError(
                "The analyzer was closed while it worked; an open one answers. Load the model again."
            ) from error
        return [place for place, _ in batch], future


def usable_cores() -> int:
    """Return how many cores this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _compute(session: Session, batch: Sequence[Reading], take: Take[Answer]) -> list[Answer]:
    outputs = session.run([reading.ids for reading in batch])
    return [take(reading, outputs, row) for row, reading in enumerate(batch)]
