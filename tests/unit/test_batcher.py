"""The batcher with faults put in: whatever happens, every caller gets an answer, and the line goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait

import pytest

from trendlark.errors import InputError, ModelError, OverloadError
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.records import Analysis
from trendlark.web import batcher as module
from trendlark.web.batcher import BATCH_CHARACTERS, BATCH_TEXTS, Batcher, Result
from trendlark.web.metrics import Metrics

MODEL = FakeAnalyzer()
PATIENCE = 30.0


class Death(BaseException):
    """What no worker survives."""


class Moody:
    """An analyzer with a gate, faults by the words in a text, and a memory of what it was asked."""

    def __init__(self) -> None:
        self.gate, self.at_work = threading.Event(), threading.Event()
        self.gate.set()
        self.asked: list[list[str]] = []
        self.ill = False

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        """Wait at the gate, then do as the texts say."""
        self.asked.append(list(texts))
        self.at_work.set()
        assert self.gate.wait(PATIENCE)
        words = " ".join(texts)
        if self.ill or "die" in words:
            raise Death
        if "worn" in words:
            raise ModelError("Found it worn out.")
        if "bug" in words:
            raise RuntimeError("a bug")
        if "refuse" in words:
            raise InputError("Found a text that it does not take.")
        if "mute" in words:
            return []
        return MODEL.analyze(texts, langs)


@pytest.fixture
def model() -> Moody:
    """A model with moods."""
    return Moody()


Make = Callable[..., Batcher]


@pytest.fixture
def make(model: Moody) -> Iterator[Make]:
    """Makes batchers with one worker, and closes them."""
    made: list[Batcher] = []

    def _make(
        most_texts: int = 1000, deadline_seconds: float = PATIENCE, metrics: Metrics | None = None
    ) -> Batcher:
        made.append(
            Batcher(
                model.analyze,
                most_texts=most_texts,
                deadline_seconds=deadline_seconds,
                workers=1,
                metrics=metrics or Metrics(),
            )
        )
        return made[-1]

    yield _make
    model.gate.set()
    for one in made:
        one.close()


def hold(batcher: Batcher, model: Moody) -> Future[Result]:
    """Occupy the worker: it stands at the closed gate with one call."""
    model.gate.clear()
    model.at_work.clear()
    call = batcher.submit(["held"], None)
    assert model.at_work.wait(PATIENCE)
    return call


def settled(condition: Callable[[], bool]) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_what_waits_is_taken_together_and_each_gets_its_own(make: Make, model: Moody) -> None:
    batcher = make()
    held = hold(batcher, model)
    calls = [batcher.submit([f"a{n}", f"b{n}"], [None, "es"]) for n in range(10)]
    model.gate.set()
    for number, call in enumerate(calls):
        assert call.result(PATIENCE) == MODEL.analyze([f"a{number}", f"b{number}"], [None, "es"])
    assert held.result(PATIENCE)
    assert [len(texts) for texts in model.asked] == [1, 20]


def test_batches_are_bounded_in_texts_and_in_characters(make: Make, model: Moody) -> None:
    batcher = make()
    hold(batcher, model)
    calls = [batcher.submit(["x"], None) for _ in range(BATCH_TEXTS + 3)]
    calls += [batcher.submit(["y" * (BATCH_CHARACTERS // 2)], None) for _ in range(3)]
    # A call of more than a batch goes alone, whole.
    calls.append(batcher.submit(["z"] * (BATCH_TEXTS + 1), None))
    model.gate.set()
    assert not wait(calls, PATIENCE).not_done
    assert [len(texts) for texts in model.asked] == [1, BATCH_TEXTS, 3 + 1, 2, BATCH_TEXTS + 1]


def test_one_more_than_fits_is_refused_and_told_when_to_come_back(make: Make, model: Moody) -> None:
    metrics = Metrics()
    batcher = make(most_texts=4, metrics=metrics)
    calls = [hold(batcher, model), batcher.submit(["a", "b"], None)]
    with pytest.raises(OverloadError, match="3 texts at work or waiting, of 4 at most") as caught:
        batcher.submit(["c", "d"], None)
    assert 1 <= caught.value.retry_after_seconds <= 60
    calls.append(batcher.submit(["c"], None))
    assert metrics.registry.get_sample_value("trendlark_queue_texts") == 3
    assert metrics.registry.get_sample_value("trendlark_refused_total", {"reason": "queue"}) == 1
    model.gate.set()
    assert [len(call.result(PATIENCE)) for call in calls] == [1, 2, 1]
    # Answered calls make room again, and a call larger than the line is taken when it is alone. An answer is there
    # a moment before its room is.
    assert settled(lambda: batcher.inside == 0)
    assert len(batcher.submit(["e"] * 9, None).result(PATIENCE)) == 9
    assert metrics.registry.get_sample_value("trendlark_queue_texts") == 0


def test_a_model_that_fails_fails_all_callers_of_the_batch_once(make: Make, model: Moody) -> None:
    batcher = make()
    hold(batcher, model)
    calls = [batcher.submit([text], None) for text in ("fine", "worn", "fine too")]
    model.gate.set()
    for call in calls:
        with pytest.raises(ModelError, match="worn out"):
            call.result(PATIENCE)
    assert len(model.asked) == 2
    assert batcher.submit(["after"], None).result(PATIENCE) == MODEL.analyze(["after"])


def test_a_bug_costs_only_the_caller_whose_text_it_is(make: Make, model: Moody) -> None:
    batcher = make()
    hold(batcher, model)
    calls = {text: batcher.submit([text, "more"], None) for text in ("fine", "bug", "refuse", "fine too")}
    model.gate.set()
    for text in ("fine", "fine too"):
        assert calls[text].result(PATIENCE) == MODEL.analyze([text, "more"])
    with pytest.raises(RuntimeError, match="a bug"):
        calls["bug"].result(PATIENCE)
    first, second = calls["refuse"].result(PATIENCE)
    assert isinstance(first, InputError)
    assert second == MODEL("more")
    assert batcher.trouble() is None


def test_a_model_that_answers_too_little_is_told(make: Make) -> None:
    with pytest.raises(ModelError, match="0 analyses of 1 texts"):
        make().submit(["mute"], None).result(PATIENCE)


def test_a_worker_that_dies_is_replaced_and_all_its_callers_are_told(
    make: Make, model: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)
    metrics = Metrics()
    batcher = make(metrics=metrics)
    hold(batcher, model)
    victims = [batcher.submit([text], None) for text in ("die", "beside it")]
    # More than a batch holds, so that some still stand in line when the worker dies.
    others = [batcher.submit(["fine"] * BATCH_TEXTS, None) for _ in range(2)]
    model.gate.set()
    for victim in victims:
        with pytest.raises(ModelError, match="worker died at these texts"):
            victim.result(PATIENCE)
    for other in others:
        assert len(other.result(PATIENCE)) == BATCH_TEXTS
    assert settled(lambda: batcher.trouble() is None)
    assert metrics.registry.get_sample_value("trendlark_worker_restarts_total") == 1
    assert settled(lambda: metrics.registry.get_sample_value("trendlark_workers") == 1)


def test_while_no_new_worker_comes_up_that_is_told_and_nobody_waits_for_ever(
    make: Make, model: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)
    batcher = make()
    assert batcher.submit(["fine"], None).result(PATIENCE)
    model.ill = True
    with pytest.raises(ModelError, match="died"):
        batcher.submit(["die"], None).result(PATIENCE)
    assert settled(lambda: len(model.asked) > 4)  # it keeps trying
    assert "a worker died" in str(batcher.trouble())
    waiting = batcher.submit(["patient"], None)
    model.ill = False
    assert waiting.result(PATIENCE) == MODEL.analyze(["patient"])
    assert batcher.trouble() is None


def test_where_no_thread_can_be_started_callers_are_told_and_the_next_call_tries_again(
    make: Make, model: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)
    batcher = make()
    with monkeypatch.context() as full:

        def refused(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        full.setattr(threading.Thread, "start", refused)
        with pytest.raises(ModelError, match="no room for a worker"):
            batcher.submit(["first"], None)
    assert batcher.inside == 0
    assert batcher.submit(["second"], None).result(PATIENCE) == MODEL.analyze(["second"])
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refused)
        # A worker that dies needs no new thread for the next one.
        with pytest.raises(ModelError, match="worker died"):
            batcher.submit(["die"], None).result(PATIENCE)
        assert settled(lambda: batcher.trouble() is None)
        assert batcher.submit(["third"], None).result(PATIENCE) == MODEL.analyze(["third"])


def test_the_pause_before_another_worker_grows_to_the_longest_and_stays_there() -> None:
    pauses = [module._pause_seconds(tries) for tries in range(1, 5000)]
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert set(pauses[6:]) == {5.0}


class Clock:
    """The time of the batcher, which passes when it is told to: no wait for a thread is taken for a late call."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """The time that it is."""
        return self.now

    sleep = staticmethod(time.sleep)


def test_a_call_that_no_worker_took_in_time_is_given_up(
    make: Make, model: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    metrics = Metrics()
    batcher = make(metrics=metrics)
    held = hold(batcher, model)
    late, gone = batcher.submit(["late"], None), batcher.submit(["gone"], None)
    assert isinstance(batcher.late(gone), OverloadError)
    assert isinstance(batcher.late(held), ModelError)
    assert batcher.trouble() is None
    clock.now += PATIENCE + 1
    assert "without an answer" in str(batcher.trouble())
    model.gate.set()
    with pytest.raises(OverloadError, match="no worker free"):
        late.result(PATIENCE)
    assert gone.cancelled()
    assert held.result(PATIENCE) == MODEL.analyze(["held"])
    assert metrics.registry.get_sample_value("trendlark_refused_total", {"reason": "deadline"}) == 2
    assert model.asked == [["held"]]
    assert batcher.trouble() is None
    # Calls that all went away leave the worker waiting, and the line empty.
    assert metrics.registry.get_sample_value("trendlark_queue_texts") == 0


def test_calls_that_are_given_up_do_not_pile_up_behind_a_worker_that_hangs(make: Make, model: Moody) -> None:
    metrics = Metrics()
    batcher = make(most_texts=10, metrics=metrics)
    held = hold(batcher, model)
    patient = batcher.submit(["patient"], None)
    for number in range(100):
        assert isinstance(batcher.late(batcher.submit([f"t{number}"] * 5, None)), OverloadError)
    assert metrics.registry.get_sample_value("trendlark_queue_texts") == 1
    assert len(batcher._queue) == 1
    model.gate.set()
    assert held.result(PATIENCE)
    assert patient.result(PATIENCE) == MODEL.analyze(["patient"])
    assert metrics.registry.get_sample_value("trendlark_queue_texts") == 0


def test_a_server_that_stops_works_off_what_waits_and_what_had_begun(make: Make, model: Moody) -> None:
    batcher = make()
    assert not batcher.stopping
    calls = [hold(batcher, model), *(batcher.submit([f"t{n}"], None) for n in range(BATCH_TEXTS * 2))]
    batcher.drain(PATIENCE)
    assert "stopping" in str(batcher.trouble())
    assert batcher.stopping
    calls.append(batcher.submit(["its request had begun"], None))
    model.gate.set()
    assert not wait(calls, PATIENCE).not_done
    assert all(len(call.result()) == 1 for call in calls)
    batcher.close()
    with pytest.raises(ModelError, match="stopping; it takes no more texts"):
        batcher.submit(["too late"], None)


def test_who_cannot_be_answered_before_the_end_is_told_so(make: Make, model: Moody) -> None:
    batcher = make()
    calls = [hold(batcher, model), batcher.submit(["a"], None)]
    batcher.drain(0.05)
    for call in calls:
        with pytest.raises(ModelError, match="stopping before this was answered"):
            call.result(PATIENCE)
    # The answer that comes after all finds its caller gone and harms nobody.
    model.gate.set()


def test_an_answer_at_the_moment_of_the_end_costs_no_worker(
    make: Make, model: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = Metrics()
    batcher = make(metrics=metrics)
    call = hold(batcher, model)
    # What both see who settle it at once: that nobody has.
    monkeypatch.setattr(call, "done", lambda: False)
    batcher.close()
    model.gate.set()
    assert settled(lambda: not batcher._work)
    assert metrics.registry.get_sample_value("trendlark_worker_restarts_total") == 0
    with pytest.raises(ModelError, match="stopping before this was answered"):
        call.result(PATIENCE)


def test_many_callers_at_once_with_faults_all_get_what_is_theirs(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.001)
    batcher = make(most_texts=100_000)
    kinds = ("fine", "bug", "refuse", "fine", "worn", "fine", "die")
    calls: dict[int, Future[Result]] = {}

    def caller(start: int) -> None:
        for number in range(start, start + 70):
            calls[number] = batcher.submit([f"{kinds[number % len(kinds)]} {number}"], None)

    threads = [threading.Thread(target=caller, args=(start,)) for start in range(0, 700, 70)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not wait(calls.values(), PATIENCE).not_done
    for number, call in calls.items():
        error = call.exception()
        if error is None:
            (found,) = call.result()
            text = f"{kinds[number % len(kinds)]} {number}"
            assert isinstance(found, InputError) if "refuse" in text else found == MODEL(text)
        else:
            assert isinstance(error, ModelError | RuntimeError)
    assert settled(lambda: batcher.trouble() is None)
    assert batcher.submit(["after"], None).result(PATIENCE) == MODEL.analyze(["after"])
