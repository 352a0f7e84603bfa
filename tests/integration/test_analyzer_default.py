"""The model in the package: the example of the documentation, and the promises that hold for any text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import trendlark
from trendlark.nlu.analyzer import Analyzer
from trendlark.nlu.artifact import default_folder, load_artifact
from trendlark.nlu.tasks import TASKS
from trendlark.records import Analysis

pytestmark = pytest.mark.skipif(
    not (default_folder() / "manifest.json").is_file(), reason="the default model is not in this checkout"
)

TWEETS = [
    "Me encanta @RealMadrid, que partidazo en el Bernabeu",
    "I love this song so much, best day ever 😍😍 #blessed",
    "I hate waiting for hours, worst airline ever. Never again @airline",
    "Donald Trump arrived in London on Monday to meet Boris Johnson",
    "Qué asco de día, todo me sale mal 😭",
    "",
    "#JuegoDeTronos vuelve esta noche a HBO https://t.co/abc",
    "good",
    "日本語 👨‍👩‍👧 e\u0301 \u202e",
]


@pytest.fixture(scope="module")
def analyzer() -> Iterator[Analyzer]:
    with Analyzer(load_artifact(), threads=2) as found:
        yield found


def test_the_example_of_the_documentation() -> None:
    nlu = trendlark.load()
    a = nlu("Me encanta @RealMadrid, que partidazo en el Bernabeu")
    assert isinstance(a, Analysis)
    assert a.sentiment.label == "positive"
    assert 0 < a.emotions["joy"] < 1
    assert all(isinstance(e.text, str) for e in a.entities)
    assert (a.lang, a.mentions, a.model) == ("es", ("RealMadrid",), nlu.name)
    nlu.close()


def test_it_answers_every_task() -> None:
    manifest = load_artifact().manifest
    assert set(manifest.tasks) == set(TASKS)
    assert (default_folder() / "MODEL_CARD.md").is_file()


def test_plain_feelings_are_told_apart(analyzer: Analyzer) -> None:
    happy, angry = analyzer.analyze(TWEETS[1:3])
    assert happy.sentiment.label == "positive"
    assert angry.sentiment.label == "negative"
    assert happy.emotions["joy"] > angry.emotions["joy"]
    assert angry.emotions["anger"] > happy.emotions["anger"]


def test_a_reply_to_many_is_read_as_one_to_a_few(analyzer: Analyzer) -> None:
    words = "me encanta este partido, que alegria, muchas gracias a todos por venir"
    few, many = (analyzer("@ana " * count + words) for count in (3, 50))
    assert (many.lang, many.truncated) == ("es", False)
    assert (many.sentiment, many.emotions) == (few.sentiment, few.emotions)
    assert many.sentiment.label == "positive"


def test_a_tweet_of_a_picture_alone_is_neutral_in_any_batch(analyzer: Analyzer) -> None:
    texts = ["https://t.co/abc", TWEETS[2], "@a @b @c", ""]
    picture, words, mentions, nothing = analyzer.analyze(texts)
    for found in (picture, mentions, nothing):
        assert (found.sentiment.label, found.emotions_present, found.topics) == ("neutral", (), ())
        assert not any(flag.value for flag in (found.irony, found.hate, found.offensive))
    assert words == analyzer(TWEETS[2])
    assert words.sentiment.label == "negative"


@pytest.mark.slow
def test_a_text_gets_bitwise_the_same_answer_in_any_batch(analyzer: Analyzer) -> None:
    texts = [*TWEETS, *(f"{text} {number}" for text in TWEETS for number in range(6))]
    together = analyzer.analyze(texts, batch_size=64)
    assert together == analyzer.analyze(texts[::-1], batch_size=3)[::-1]
    assert together == [analyzer(text) for text in texts]
    assert np.array_equal(
        analyzer.embed(texts)[:3], np.concatenate([analyzer.embed([text]) for text in texts[:3]])
    )


def test_entities_lie_where_they_say(analyzer: Analyzer) -> None:
    for text, found in zip(TWEETS, analyzer.analyze(TWEETS), strict=True):
        assert all(text[entity.start : entity.end] == entity.text for entity in found.entities)


def test_tweets_of_one_meaning_are_nearer_than_others(analyzer: Analyzer) -> None:
    goal, again, rain = analyzer.embed(
        ["What a goal by Messi!", "Messi scored a wonderful goal", "It rains in the mountains of Peru"]
    )
    assert goal @ again > goal @ rain
