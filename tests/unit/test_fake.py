"""The fake analyzer: the interface of the real one, and answers that depend on the text alone."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trendlark.errors import InputError, ModelError
from trendlark.nlu.analyzer import Analyze, Analyzer, load
from trendlark.nlu.fake import FakeAnalyzer
from trendlark.nlu.tasks import TASKS
from trendlark.records import EMOTIONS, SENTIMENTS, clean_text

TEXT = "Lionel marcó en el Bernabéu con @RealMadrid #Fútbol https://t.co/abc 😭"


def test_is_chosen_by_its_name() -> None:
    analyzer = load("fake")
    assert isinstance(analyzer, FakeAnalyzer)
    assert analyzer.name == "fake"
    assert analyzer.tasks == TASKS


@pytest.mark.parametrize(
    "method", [name for name in vars(Analyze) if not name.startswith("_") or name == "__call__"]
)
def test_has_every_method_of_the_real_one_with_the_same_signature(method: str) -> None:
    fake, real = getattr(FakeAnalyzer, method), getattr(Analyzer, method)
    if not isinstance(fake, property):
        assert (
            inspect.signature(fake) == inspect.signature(real) == inspect.signature(getattr(Analyze, method))
        )


def test_same_text_same_answer_and_other_text_another() -> None:
    first, second, other = FakeAnalyzer().analyze([TEXT, TEXT, "Something else"])
    assert first == second == FakeAnalyzer()(TEXT)
    assert first.sentiment.probabilities != other.sentiment.probabilities


def test_every_field_is_filled() -> None:
    found = FakeAnalyzer()(TEXT, "es")
    assert found.lang == "es"
    assert tuple(found.sentiment.probabilities) == SENTIMENTS
    assert sum(found.sentiment.probabilities.values()) == pytest.approx(1)
    assert found.sentiment.probability == max(found.sentiment.probabilities.values())
    assert tuple(found.emotions) == EMOTIONS
    assert found.hashtags == ("Fútbol",)
    assert found.mentions == ("RealMadrid",)
    assert found.urls == ("https://t.co/abc",)
    assert [entity.text for entity in found.entities] == ["Lionel", "Bernabéu"]
    assert not found.truncated


@given(st.text())
def test_entities_lie_where_they_say(text: str) -> None:
    for entity in FakeAnalyzer()(text).entities:
        assert clean_text(text)[entity.start : entity.end] == entity.text


def test_a_stream_gives_what_a_list_gives() -> None:
    texts = [f"tweet {number}" for number in range(20)]
    assert list(FakeAnalyzer().analyze_iter(iter(texts))) == FakeAnalyzer().analyze(texts)


def test_embeddings_have_length_one_and_shared_words_bring_them_near() -> None:
    vectors = FakeAnalyzer().embed(["gol de Messi", "otro gol de Messi", "the weather in Kent", ""])
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_no_texts_give_no_answers() -> None:
    assert FakeAnalyzer().analyze([]) == []
    assert FakeAnalyzer().embed([]).shape == (0, 384)


def test_refuses_what_the_real_one_refuses() -> None:
    with pytest.raises(InputError, match="position 1"):
        FakeAnalyzer().analyze(["fine", None])  # type: ignore[list-item]


def test_closed_it_refuses_and_closing_again_does_nothing() -> None:
    with FakeAnalyzer() as analyzer:
        analyzer("open")
    analyzer.close()
    with pytest.raises(ModelError, match="closed"):
        analyzer("closed")
