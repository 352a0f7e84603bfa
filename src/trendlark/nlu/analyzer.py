"""The analyzer: texts in, analyses out, by one pass of the model for each tweet, and rules for what is written.

Memory is bounded: texts are taken in slices, and the next slice is read while the threads compute the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from trendlark.nlu.answers import Logits, read_answers, read_logits, silence
from trendlark.nlu.artifact import Artifact, Manifest, load_artifact
from trendlark.nlu.entities import decode
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.nlu.inputs import Request, read_requests, stream_requests
from trendlark.nlu.keyphrases import find_keyphrases
from trendlark.nlu.language import detect
from trendlark.nlu.marks import find_marks
from trendlark.nlu.tasks import Task
from trendlark.records import Analysis, Entity

if TYPE_CHECKING:
    from trendlark.nlu.batches import Reading, Work
    from trendlark.nlu.session import Outputs

SLICE_SIZE = 2048
BATCH_SIZE = 16

_Raw = tuple[Logits, tuple[Entity, ...], bool]


class Analyze(Protocol):
    """What every analyzer offers, the real one and the fake one."""

    @property
    def name(self) -> str:
        """The model's name, kept with each analysis."""

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks of the model, with their labels."""

    def __call__(self, text: str, lang: str | None = None) -> Analysis:
        """Analyse one text."""

    def analyze(
        self,
        texts: Iterable[str],
        langs: Iterable[str | None] | None = None,
        batch_size: int | None = None,
        progress: bool = False,
    ) -> list[Analysis]:
        """Analyse texts; the answers come in the order given."""

    def analyze_iter(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[Analysis]:
        """Analyse a stream of any length in bounded memory."""

    def embed(self, texts: Iterable[str], batch_size: int | None = None) -> NDArray[np.float32]:
        """Return one vector of length one for each text."""

    def close(self) -> None:
        """Free the model; may be called again."""

    def __enter__(self) -> Self:
        """Return the analyzer itself."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Free the model."""


def load(model: str | Path = "default", threads: int = 0, batch_size: int = BATCH_SIZE) -> Analyze:
    """Return the analyzer ``default`` (the model in the package), ``fake`` (for tests), or of a model's folder, which
    may be an ``s3://`` address.

    ``threads`` run the model, 0 takes one for each usable core; ``batch_size`` is the most texts of one length
    in a pass. Raises ModelError when the model cannot be loaded.
    """
    if str(model) == "fake":
        return FakeAnalyzer()
    return Analyzer(load_artifact(model), threads, batch_size)


class Analyzer:
    """A loaded model. Threads may share it; ``close()`` or a ``with`` block frees it."""

    def __init__(self, artifact: Artifact, threads: int = 0, batch_size: int = BATCH_SIZE) -> None:
        # ONNX Runtime is imported with the first model: rooms that only name an analyzer stay light.
        from trendlark.nlu.batches import Batches  # noqa: PLC0415

        self._manifest = artifact.manifest
        self._name = artifact.name
        self._tasks = artifact.tasks
        self._batch_size = batch_size
        self._batches = Batches(artifact, threads)

    @property
    def name(self) -> str:
        """The model's name with the start of its digest, such as ``trendlark-1-3fa2b1c0``."""
        return self._name

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks of the model, with their labels in the order of the logits."""
        return self._tasks

    @property
    def manifest(self) -> Manifest:
        """What the artefact says of itself: labels, thresholds, scores, data, where it came from."""
        return self._manifest

    def __call__(self, text: str, lang: str | None = None) -> Analysis:
        """Analyse one text; ``lang`` is what its source states."""
        return self.analyze([text], [lang])[0]

    def analyze(
        self,
        texts: Iterable[str],
        langs: Iterable[str | None] | None = None,
        batch_size: int | None = None,
        progress: bool = False,
    ) -> list[Analysis]:
        """Analyse texts; the answers come in the order given. What occurs twice is computed once.

        ``langs`` are the languages that the source states; ``progress`` draws a bar on standard error.
        Lone surrogates are read as U+FFFD. Raises InputError for anything but text, ModelError when the
        model fails.
        """
        requests = read_requests(texts, langs)
        distinct = list(dict.fromkeys(requests))
        found: dict[Request, Analysis] = {}
        with _bar(len(distinct), shown=progress) as advance:
            for part, analyses in self._slices(iter(distinct), batch_size):
                found.update(zip(part, analyses, strict=True))
                advance(len(part))
        return [found[request] for request in requests]

    def analyze_iter(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[Analysis]:
        """Analyse a stream of any length in bounded memory: two slices of texts at most are held."""
        for _, analyses in self._slices(stream_requests(texts), batch_size):
            yield from analyses

    def embed(self, texts: Iterable[str], batch_size: int | None = None) -> NDArray[np.float32]:
        """Return the model's embedding of each text, float32 [texts, width], each of length one."""
        wanted = [text for text, _ in read_requests(texts)]
        distinct = list(dict.fromkeys(wanted))
        vectors = np.zeros((len(distinct), self._batches.width), np.float32)
        for at in range(0, len(distinct), SLICE_SIZE):
            part = distinct[at : at + SLICE_SIZE]
            work = self._batches.start(part, self._size(batch_size), _take_embedding)
            vectors[at : at + len(part)] = work.wait()
        rows = {text: row for row, text in enumerate(distinct)}
        return vectors[[rows[text] for text in wanted]]

    def close(self) -> None:
        """Free the model once what runs has ended; may be called again."""
        self._batches.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _size(self, batch_size: int | None) -> int:
        return self._batch_size if batch_size is None else batch_size

    def _slices(
        self, requests: Iterator[Request], batch_size: int | None
    ) -> Iterator[tuple[list[Request], list[Analysis]]]:
        held: tuple[list[Request], list[str], Work[_Raw]] | None = None
        try:
            while part := list(islice(requests, SLICE_SIZE)):
                texts = list(dict.fromkeys(text for text, _ in part))
                ahead = (part, texts, self._batches.start(texts, self._size(batch_size), self._take))
                held, ready = ahead, held
                if ready:
                    yield ready[0], self._finish(*ready)
            if held:
                yield held[0], self._finish(*held)
        finally:
            if held:
                held[2].cancel()

    def _take(self, reading: Reading, outputs: Outputs, row: int) -> _Raw:
        entities = decode(
            outputs["entities"][row],
            self._manifest.entity_tags,
            self._manifest.tasks["entities"].temperature,
            reading.pieces,
            reading.normalised,
            reading.text,
        )
        silent = reading.normalised.silent
        logits = silence(self._manifest) if silent else read_logits(self._manifest, outputs, row)
        return logits, entities, reading.truncated

    def _finish(self, part: list[Request], texts: list[str], work: Work[_Raw]) -> list[Analysis]:
        raw = dict(zip(texts, work.wait(), strict=True))
        found = {request: self._analysis(request, raw[request[0]]) for request in dict.fromkeys(part)}
        return [found[request] for request in part]

    def _analysis(self, request: Request, raw: _Raw) -> Analysis:
        text, hint = request
        logits, entities, truncated = raw
        marks = find_marks(text)
        lang = detect(text, hint, marks)
        answers = read_answers(self._manifest, logits, lang)
        return Analysis(
            lang=lang,
            sentiment=answers.sentiment,
            emotions=answers.emotions,
            emotions_present=answers.emotions_present,
            irony=answers.irony,
            hate=answers.hate,
            offensive=answers.offensive,
            topics=answers.topics,
            topic_probabilities=answers.topic_probabilities,
            entities=entities,
            hashtags=marks.hashtags,
            mentions=marks.mentions,
            urls=marks.urls,
            keyphrases=find_keyphrases(text, lang, marks),
            truncated=truncated,
            model=self.name,
        )


def _take_embedding(_: Reading, outputs: Outputs, row: int) -> NDArray[np.float32]:
    embedding: NDArray[np.float32] = outputs["embedding"][row]
    return embedding


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only who asks for a bar waits for it
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("Analysing", total=total)
        yield lambda count: progress.advance(bar, count)
