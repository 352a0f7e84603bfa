"""The batcher: calls wait in one bounded line, workers take several at once, and every caller gets an answer.

A worker that is free takes at once what waits, up to a size in texts and in characters: nobody waits for a batch
to fill, and under load batches fill by themselves. The analyzer computes texts of one length together, so there
is no padding. When the model raises, each caller gets what its own texts lead to. When a worker dies, its callers
are told, another takes its place after it has analysed a small text, and ``trouble`` says so meanwhile. When the
server stops, what waits, and what arrives in requests that had begun, is still answered; what is not done in time is
told that.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass

from trendlark.errors import InputError, ModelError, OverloadError, TrendlarkError
from trendlark.records import Analysis
from trendlark.web.metrics import Metrics

PROBE = "Good morning"
BATCH_TEXTS = 64
BATCH_CHARACTERS = 40_000
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 5.0
_MOST_DOUBLINGS = 30  # more than it takes from any first pause to the longest, and no number too large
_LOG = logging.getLogger("trendlark.web")

Langs = Sequence[str | None] | None
Analyze = Callable[[Sequence[str], Langs], list[Analysis]]
Result = list[Analysis | TrendlarkError]


@dataclass(slots=True, eq=False)
class _Call:
    texts: Sequence[str]
    langs: Langs
    due: float
    future: Future[Result]

    @property
    def characters(self) -> int:
        return sum(map(len, self.texts))

    def fail(self, error: BaseException) -> None:
        # Not asked before: its worker, its caller or who closes may settle it between the question and the deed.
        with suppress(InvalidStateError):
            self.future.set_exception(error)


class Batcher:
    """Workers around one ``analyze``; they start with the first call.

    ``most_texts`` may be inside, waiting or at work; a call is given up when ``deadline_seconds`` have passed
    before a worker took it.
    """

    def __init__(
        self,
        analyze: Analyze,
        *,
        most_texts: int,
        deadline_seconds: float,
        workers: int,
        metrics: Metrics,
    ) -> None:
        self._analyze = analyze
        self._most, self._deadline = most_texts, deadline_seconds
        self._workers = workers
        self._metrics = metrics
        self._queue: deque[_Call] = deque()
        self._changed = threading.Condition()
        self._inside = 0
        self._threads = self._alive = 0
        self._draining = self._stopping = False
        self._work: dict[int, tuple[float, list[_Call]]] = {}
        self._seconds_per_text = 0.01
        metrics.queue_most.set(most_texts)

    def submit(self, texts: Sequence[str], langs: Langs) -> Future[Result]:
        """Put texts in line; OverloadError when it is full, ModelError when the server has stopped."""
        with self._changed:
            if self._stopping:
                raise ModelError("Found the server stopping; it takes no more texts. Ask another, or later.")
            if self._inside and self._inside + len(texts) > self._most:
                self._metrics.refused.labels("queue").inc()
                raise self._overload(
                    f"Found {self._inside} texts at work or waiting, of {self._most} at most"
                )
            self._start_workers()
            call = _Call(texts, langs, time.monotonic() + self._deadline, Future())
            self._inside += len(texts)
            call.future.add_done_callback(lambda _: self._left(len(texts)))
            self._queue.append(call)
            self._metrics.queue_texts.inc(len(texts))
            self._changed.notify()
        return call.future

    @property
    def inside(self) -> int:
        """Texts that wait or are at work."""
        return self._inside

    @property
    def stopping(self) -> bool:
        """Whether the server was told to stop."""
        return self._draining

    def late(self, call: Future[Result]) -> TrendlarkError:
        """The error of a call that ran out of time, which is taken out of the line if it still stands there."""
        if call.cancel():
            self._take_out(call)
            self._metrics.refused.labels("deadline").inc()
            return self._overload(f"Found no worker free within {self._deadline:g} seconds")
        return ModelError(
            f"Found no answer of the model within {self._deadline:g} seconds; send shorter texts, or try later."
        )

    def trouble(self) -> str | None:
        """Why the workers do not work as they should, or None."""
        with self._changed:
            if self._draining:
                return "Found the server stopping; it ends when what runs is answered."
            if self._alive < self._threads:
                return "Found that a worker died; another is being started. Ask again in a moment."
            began = min((began for began, _ in self._work.values()), default=None)
            if began is not None and time.monotonic() - began > self._deadline:
                return f"Found a worker without an answer for more than {self._deadline:g} seconds."
        return None

    def drain(self, seconds: float) -> None:
        """Say that the server stops, and close after some seconds. Returns at once.

        Calls are still taken: whoever listens takes no new requests, but the texts of one that has begun may come yet.
        """
        with self._changed:
            self._draining = True
        timer = threading.Timer(seconds, self.close)
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """Answer all that are still inside, with an error, and let the workers end."""
        with self._changed:
            self._draining = self._stopping = True
        self._give_up()

    def _give_up(self) -> None:
        error = ModelError("Found the server stopping before this was answered; ask another, or later.")
        with self._changed:
            left = [*self._queue, *(call for _, batch in self._work.values() for call in batch)]
            self._queue.clear()
            self._changed.notify_all()
        for call in left:
            call.fail(error)

    def _take_out(self, call: Future[Result]) -> None:
        # Not left to the worker that comes to it: where all of them hang, none does, and the line would grow for ever.
        with self._changed:
            for at, one in enumerate(self._queue):
                if one.future is call:
                    del self._queue[at]
                    self._metrics.queue_texts.dec(len(one.texts))
                    return

    def _left(self, texts: int) -> None:
        with self._changed:
            self._inside -= texts

    def _overload(self, found: str) -> OverloadError:
        wait = round(self._inside * self._seconds_per_text)
        return OverloadError(
            f"{found}; come back when Retry-After has passed.", retry_after_seconds=min(max(1, wait), 60)
        )

    def _start_workers(self) -> None:
        while self._threads < self._workers:
            try:
                threading.Thread(target=self._run, name="trendlark-worker", daemon=True).start()
            except RuntimeError as error:
                # Fewer will do; the next call tries to start the others.
                if self._threads:
                    return
                raise ModelError(
                    f"Found no room for a worker on this machine ({error}); it needs threads. Ask again in a moment."
                ) from error
            self._threads += 1
            self._alive += 1

    def _run(self) -> None:
        me, tries = threading.get_ident(), 0
        while not (tries and self._stopping):
            try:
                if tries:
                    time.sleep(_pause_seconds(tries))
                    self._analyze([PROBE], None)
                    with self._changed:
                        self._alive += 1
                tries = 0
                while batch := self._take(me):
                    self._serve(batch)
            except BaseException as death:  # noqa: BLE001 - the worker is replaced, and its callers are told
                _LOG.error("A worker died of %s; another takes its place.", type(death).__name__)
                self._bury(me, died_at_work=not tries)
                # The next one has the thread of this one: that another could be started is not certain.
                tries += 1
            else:
                return

    def _bury(self, me: int, died_at_work: bool) -> None:
        self._metrics.restarts.inc()
        with self._changed:
            self._alive -= died_at_work
            self._metrics.workers.set(self._alive)
            _, batch = self._work.pop(me, (0.0, []))
        for call in batch:
            call.fail(
                ModelError("Found that the worker died at these texts; another is being started. Ask again.")
            )

    def _take(self, me: int) -> list[_Call]:
        """The next calls, oldest first; none when the server stops and the line is empty."""
        with self._changed:
            self._work.pop(me, None)
            self._metrics.workers.set(self._alive)
            batch: list[_Call] = []
            while not batch and (self._queue or not self._stopping):
                self._changed.wait_for(lambda: self._queue or self._stopping)
                batch = self._next_batch()
            if batch:
                self._work[me] = (time.monotonic(), batch)
            return batch

    def _next_batch(self) -> list[_Call]:
        batch: list[_Call] = []
        texts = characters = 0
        while self._queue:
            call = self._queue[0]
            texts, characters = texts + len(call.texts), characters + call.characters
            if batch and (texts > BATCH_TEXTS or characters > BATCH_CHARACTERS):
                break
            self._queue.popleft()
            self._metrics.queue_texts.dec(len(call.texts))
            # A caller that went away has taken back its call.
            if call.future.set_running_or_notify_cancel():
                batch.append(call)
        return batch

    def _serve(self, batch: Sequence[_Call]) -> None:
        now = time.monotonic()
        fresh = [call for call in batch if now <= call.due]
        for call in batch:
            if now > call.due:
                self._metrics.refused.labels("deadline").inc()
                call.fail(self._overload(f"Found no worker free within {self._deadline:g} seconds"))
        if not fresh:
            return
        texts = [text for call in fresh for text in call.texts]
        langs = [lang for call in fresh for lang in call.langs or [None] * len(call.texts)]
        try:
            found = self._measured(texts, langs)
        except ModelError as error:
            for call in fresh:
                call.fail(error)
        except Exception as error:  # noqa: BLE001 - each caller is handed the error that its own texts cause
            self._serve_apart(fresh, error)
        else:
            at = 0
            for call in fresh:
                _answer(call, found[at : at + len(call.texts)])
                at += len(call.texts)

    def _serve_apart(self, calls: Sequence[_Call], error: Exception) -> None:
        for call in calls:
            if len(calls) == 1 and not isinstance(error, InputError):
                call.fail(error)
                continue
            try:
                _answer(call, self._each(call.texts, call.langs))
            except Exception as own:  # noqa: BLE001 - as above
                call.fail(own)

    def _each(self, texts: Sequence[str], langs: Langs) -> Result:
        try:
            return list(self._checked(texts, langs))
        except InputError as error:
            if len(texts) == 1:
                return [error]
        # One text that the model cannot take must not cost the others their answer.
        found: Result = []
        for index, text in enumerate(texts):
            found += self._each([text], [langs[index]] if langs else None)
        return found

    def _measured(self, texts: Sequence[str], langs: Langs) -> list[Analysis]:
        began = time.monotonic()
        found = self._checked(texts, langs)
        seconds = time.monotonic() - began
        self._seconds_per_text += 0.2 * (seconds / len(texts) - self._seconds_per_text)
        self._metrics.model_seconds.observe(seconds)
        self._metrics.batch_texts.observe(len(texts))
        self._metrics.texts.inc(len(texts))
        return found

    def _checked(self, texts: Sequence[str], langs: Langs) -> list[Analysis]:
        found = self._analyze(texts, langs)
        if len(found) != len(texts):
            raise ModelError(
                f"Found {len(found)} analyses of {len(texts)} texts; a model gives one each. Load another model."
            )
        return found


def _pause_seconds(tries: int) -> float:
    pause: float = _FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, _MOST_DOUBLINGS)
    return min(pause, _LONGEST_PAUSE_SECONDS)


def _answer(call: _Call, found: Sequence[Analysis | TrendlarkError]) -> None:
    with suppress(InvalidStateError):  # as in fail
        call.future.set_result(list(found))
