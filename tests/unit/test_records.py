"""The records: cleaning at the border, the JSON of the API, and one word for one thing."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from trendlark.nlu.tasks import TASKS
from trendlark.records import (
    EMOTIONS,
    FLAGS,
    PLACES,
    SENTIMENTS,
    Analysis,
    Choice,
    Entity,
    Flag,
    Label,
    clean_text,
)

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_cleaned_text_can_be_written_and_keeps_its_offsets(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode("utf-8")
    assert len(cleaned) == len(text)
    assert all(
        a == b or (b == "\ufffd" and "\ud800" <= a <= "\udfff") for a, b in zip(text, cleaned, strict=True)
    )


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    assert clean_text("a\ud83db") == "a\ufffdb"
    assert clean_text("a😀b") == "a😀b"


def test_labels_are_those_of_the_task_table() -> None:
    assert TASKS["sentiment"].labels == SENTIMENTS
    assert TASKS["emotions"].labels == EMOTIONS
    assert all(TASKS[flag].kind == "yes_no" for flag in FLAGS)


def test_places_are_keyed_by_slug_and_have_a_woeid() -> None:
    assert all(slug == place.slug and place.woeid for slug, place in PLACES.items())
    assert len({place.woeid for place in PLACES.values()}) == len(PLACES)


def analysis() -> Analysis:
    return Analysis(
        lang="es",
        sentiment=Choice("positive", 0.9, {"negative": 0.04, "neutral": 0.06, "positive": 0.9}),
        emotions=dict.fromkeys(EMOTIONS, 0.1) | {"joy": 0.8},
        emotions_present=("joy",),
        irony=Flag(False, 0.1),
        hate=Flag(False, 0.01),
        offensive=Flag(False, 0.02),
        topics=(Label("sports", 0.9),),
        topic_probabilities={"sports": 0.9},
        entities=(Entity("Bernabéu", "location", 5, 13, 0.8),),
        hashtags=("HalaMadrid",),
        mentions=("RealMadrid",),
        urls=(),
        keyphrases=("partidazo",),
        truncated=False,
        model="trendlark-1",
    )


def test_to_dict_is_plain_json_with_every_field() -> None:
    plain = analysis().to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert list(plain) == list(Analysis.__slots__)
    assert plain["entities"] == [
        {"text": "Bernabéu", "type": "location", "start": 5, "end": 13, "probability": 0.8}
    ]
    assert plain["sentiment"]["probabilities"]["positive"] == 0.9
    assert plain["urls"] == []
