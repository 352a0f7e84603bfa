"""The fake analyzer: the interface of the real one, answers made of a hash of the text, no model and no files.

Chosen by ``load("fake")``, for tests of the jobs and the web. Marks and keyphrases are the real ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import shake_128
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trendlark.errors import ModelError
from trendlark.nlu.inputs import Request, read_requests, stream_requests
from trendlark.nlu.keyphrases import find_keyphrases
from trendlark.nlu.language import UNKNOWN, stated_language
from trendlark.nlu.marks import Marks, find_marks
from trendlark.nlu.tasks import TASKS, Task
from trendlark.nlu.text import MAX_CODE_POINTS
from trendlark.records import Analysis, Choice, Entity, Flag, Label

WIDTH = 384
_NAME = re.compile(r"[^\W\d_]\w+")
_THRESHOLD = 0.7


class FakeAnalyzer:
    """Answers at once, and the same text always gets the same answer; it means nothing."""

    def __init__(self, name: str = "fake") -> None:
        self._name = name
        self._closed = False

    @property
    def name(self) -> str:
        """The name kept with each analysis."""
        return self._name

    @property
    def tasks(self) -> Mapping[str, Task]:
        """All tasks."""
        return TASKS

    def __call__(self, text: str, lang: str | None = None) -> Analysis:
        """Analyse one text."""
        return self.analyze([text], [lang])[0]

    def analyze(
        self,
        texts: Iterable[str],
        langs: Iterable[str | None] | None = None,
        batch_size: int | None = None,
        progress: bool = False,
    ) -> list[Analysis]:
        """Analyse texts; ``batch_size`` and ``progress`` change nothing here."""
        del batch_size, progress
        requests = read_requests(texts, langs)
        self._check_open()
        return [self._analysis(request) for request in requests]

    def analyze_iter(self, texts: Iterable[str], batch_size: int | None = None) -> Iterator[Analysis]:
        """Analyse a stream, one text after the other."""
        del batch_size
        for request in stream_requests(texts):
            self._check_open()
            yield self._analysis(request)

    def embed(self, texts: Iterable[str], batch_size: int | None = None) -> NDArray[np.float32]:
        """Return vectors of length one, float32 [texts, 384]; texts that share words are near each other."""
        del batch_size
        rows = [text for text, _ in read_requests(texts)]
        self._check_open()
        vectors = np.zeros((len(rows), WIDTH), np.float32)
        for row, text in enumerate(rows):
            for word in text[:MAX_CODE_POINTS].lower().split() or [""]:
                bits = int.from_bytes(_bytes(word, 2), "big")
                vectors[row, bits % WIDTH] += 1
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def close(self) -> None:
        """Refuse from now on, as the real one does; may be called again."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ModelError("The analyzer is closed; an open one answers. Load the model again.")

    def _analysis(self, request: Request) -> Analysis:
        text, hint = request
        lang = stated_language(hint) or UNKNOWN
        marks = find_marks(text)
        numbers = iter(_bytes(text, 64))
        sentiment = _choice(TASKS["sentiment"].labels, numbers)
        emotions = {label: next(numbers) / 255 for label in TASKS["emotions"].labels}
        topics = {label: next(numbers) / 255 for label in TASKS["topics"].labels}
        irony, hate, offensive = (_flag(next(numbers)) for _ in range(3))
        return Analysis(
            lang=lang,
            sentiment=sentiment,
            emotions=emotions,
            emotions_present=tuple(label.label for label in _present(emotions)),
            irony=irony,
            hate=hate,
            offensive=offensive,
            topics=_present(topics),
            topic_probabilities=topics,
            entities=tuple(_entities(text, marks)),
            hashtags=marks.hashtags,
            mentions=marks.mentions,
            urls=marks.urls,
            keyphrases=find_keyphrases(text, lang, marks),
            truncated=len(text) > MAX_CODE_POINTS,
            model=self.name,
        )


def _bytes(text: str, count: int) -> bytes:
    return shake_128(text.encode("utf-8")).digest(count)


def _choice(labels: tuple[str, ...], numbers: Iterator[int]) -> Choice:
    weights = [next(numbers) + 1 for _ in labels]
    probabilities = {label: weight / sum(weights) for label, weight in zip(labels, weights, strict=True)}
    best = max(labels, key=lambda label: probabilities[label])
    return Choice(best, probabilities[best], probabilities)


def _flag(number: int) -> Flag:
    return Flag(number / 255 >= _THRESHOLD, number / 255)


def _present(probabilities: Mapping[str, float]) -> tuple[Label, ...]:
    found = [Label(label, value) for label, value in probabilities.items() if value >= _THRESHOLD]
    return tuple(sorted(found, key=lambda label: -label.probability))


def _entities(text: str, marks: Marks) -> Iterator[Entity]:
    types = TASKS["entities"].labels
    for match in _NAME.finditer(marks.blank(text), 0, MAX_CODE_POINTS):
        if match[0].istitle():
            number = _bytes(match[0], 1)[0]
            yield Entity(match[0], types[number % len(types)], match.start(), match.end(), 0.5 + number / 512)
