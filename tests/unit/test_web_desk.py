"""The analysis desk: one failing text costs the others nothing, a full line refuses, no model says why."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import anyio
import pytest

from tests.support.web_lake import analysis_of
from trendlark.errors import InputError, ModelError, OverloadError, TrendlarkError
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.records import Analysis
from trendlark.web.desk import Analyzes, Desk

PATIENCE = 60.0


class Picky:
    """Refuses every call that holds a bad text, as a model does that cannot take one."""

    name = "picky"

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        """Raise for texts that start with "bad"."""
        for text in texts:
            if text.startswith("bad"):
                raise InputError(f"Found {text!r}")
            if text.startswith("bug"):
                raise RuntimeError("a bug")
        return [analysis_of(text) for text in texts]


class Slow:
    """Works until it is let go."""

    name = "slow"

    def __init__(self) -> None:
        self.go = threading.Event()
        self.at_work = threading.Event()

    def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
        """Wait, then answer."""
        self.at_work.set()
        self.go.wait(PATIENCE)
        return [analysis_of(text) for text in texts]


def ask(desk: Desk, texts: Sequence[str]) -> list[Analysis | TrendlarkError]:
    """The desk's answer."""

    async def _ask() -> list[Analysis | TrendlarkError]:
        return await desk.analyze(texts)

    return anyio.run(_ask)


def test_answers_come_in_the_order_of_the_texts() -> None:
    texts = [f"text {number}" for number in range(20)]
    model = FakeAnalyzer()
    assert ask(Desk(model), texts) == model.analyze(texts)


def test_a_text_that_fails_does_not_cost_the_others_their_answer() -> None:
    found = ask(Desk(Picky()), ["good", "bad one", "also good"])
    assert isinstance(found[0], Analysis)
    assert isinstance(found[1], InputError)
    assert isinstance(found[2], Analysis)


def test_a_model_that_fails_is_not_asked_again_for_each_text() -> None:
    class Failing:
        name = "failing"
        calls = 0

        def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
            self.calls += 1
            raise ModelError("Found that the model ran out of memory.")

    model = Failing()
    for texts in (["one"], ["one", "two", "three"]):
        model.calls = 0
        with pytest.raises(ModelError, match="out of memory"):
            ask(Desk(model), texts)
        assert model.calls == 1


def test_a_model_that_fails_while_a_refused_text_is_sought_is_told() -> None:
    class Worn:
        name = "worn"

        def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
            raise InputError("Found a bad text.") if len(texts) > 1 else ModelError("Found it worn out.")

    with pytest.raises(ModelError, match="worn out"):
        ask(Desk(Worn()), ["one", "two"])


def test_an_error_that_nobody_foresaw_is_not_swallowed() -> None:
    with pytest.raises(RuntimeError):
        ask(Desk(Picky()), ["good", "bug"])


def test_without_a_model_the_reason_is_told() -> None:
    with pytest.raises(ModelError, match="no model"):
        Desk(None).probe()


def test_while_the_model_loads_that_is_told_and_afterwards_it_answers() -> None:
    loading: Future[Analyzes] = Future()
    desk = Desk(loading)
    with pytest.raises(ModelError, match="still loading"):
        desk.probe()
    loading.set_result(FakeAnalyzer())
    assert desk.probe() == "fake"


@pytest.mark.parametrize(
    ("error", "told"),
    [(ModelError("Found no manifest."), "no manifest"), (OSError("secret path"), "OSError")],
)
def test_a_model_that_did_not_load_tells_why_but_not_the_inside_of_strange_errors(
    error: Exception, told: str
) -> None:
    loading: Future[Analyzes] = Future()
    loading.set_exception(error)
    with pytest.raises(ModelError, match=told) as caught:
        Desk(loading).probe()
    assert "secret path" not in str(caught.value)


def test_a_full_line_refuses_and_those_who_wait_get_their_answer() -> None:
    model = Slow()
    desk = Desk(model, workers=1, queue_texts=3, deadline_seconds=PATIENCE)
    answers: list[list[Analysis | TrendlarkError]] = []

    async def _one() -> None:
        answers.append(await desk.analyze(["a"]))

    async def _all() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(_one)
            await anyio.to_thread.run_sync(model.at_work.wait, PATIENCE)
            with pytest.raises(OverloadError) as caught:
                await desk.analyze(["one too many"])
            assert caught.value.retry_after_seconds >= 1
            model.go.set()
        assert isinstance((await desk.analyze(["after"]))[0], Analysis)

    anyio.run(_all)
    assert len(answers) == 3
    assert all(isinstance(answer[0], Analysis) for answer in answers)


def test_a_model_that_gives_no_answer_is_not_ready() -> None:
    class Mute:
        name = "mute"

        def analyze(self, texts: Sequence[str], langs: Sequence[str | None] | None = None) -> list[Analysis]:
            return []

    with pytest.raises(ModelError, match="0 analyses"):
        Desk(Mute()).probe()
