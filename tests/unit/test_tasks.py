"""The task table is a contract: names, labels and their order are what artefacts and columns are made of."""

from __future__ import annotations

import pytest

from trendlark.nlu.tasks import TASKS, entity_tags


def test_tasks_stand_in_the_order_of_the_outputs() -> None:
    assert list(TASKS) == ["sentiment", "emotions", "irony", "hate", "offensive", "topics", "entities"]


@pytest.mark.parametrize(
    ("name", "kind", "width"),
    [
        ("sentiment", "one_of", 3),
        ("emotions", "many_of", 8),
        ("irony", "yes_no", 1),
        ("hate", "yes_no", 1),
        ("offensive", "yes_no", 1),
        ("topics", "many_of", 19),
        ("entities", "spans", 15),
    ],
)
def test_kind_and_width_of_each_head(name: str, kind: str, width: int) -> None:
    assert TASKS[name].kind == kind
    assert TASKS[name].width == width


def test_key_and_name_agree_and_labels_are_distinct() -> None:
    for name, task in TASKS.items():
        assert task.name == name
        assert len(set(task.labels)) == len(task.labels)


def test_emotions_and_topics_are_alphabetical() -> None:
    for name in ("emotions", "topics"):
        assert list(TASKS[name].labels) == sorted(TASKS[name].labels)


def test_sentiment_goes_from_negative_to_positive() -> None:
    assert TASKS["sentiment"].labels == ("negative", "neutral", "positive")


def test_entity_tags_are_bio_in_logit_order() -> None:
    tags = entity_tags()
    assert len(tags) == TASKS["entities"].width
    assert tags[:3] == ("O", "B-person", "I-person")
    assert tags[-2:] == ("B-misc", "I-misc")
    for begin, inside in zip(tags[1::2], tags[2::2], strict=True):
        assert begin.removeprefix("B-") == inside.removeprefix("I-")


def test_the_table_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        TASKS["sentiment"] = TASKS["irony"]  # type: ignore[index]
