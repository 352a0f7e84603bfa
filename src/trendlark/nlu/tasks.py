"""The task table: what the model says of a tweet, and how each label is spelt.

A head of the model and an output of the artefact come from one row here. Rooms that may not know
this one (the records, the lake) spell the labels again, and tests compare them with this table.
CONTRIBUTING.md tells how to add a task. To add a label, append it to its task: the order of
labels is the order of the logits, so old artefacts keep their own order in their manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["one_of", "many_of", "yes_no", "spans"]


@dataclass(frozen=True, slots=True)
class Task:
    """One question put to every tweet: its name, the kind of answer, and the labels in logit order.

    A ``yes_no`` task has one label and one logit; a ``spans`` task has two logits for each label
    (begin, inside) and one for outside, at each token.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]

    @property
    def width(self) -> int:
        """Number of logits of the task's head."""
        return 1 + 2 * len(self.labels) if self.kind == "spans" else len(self.labels)


_TABLE = (
    Task("sentiment", "one_of", ("negative", "neutral", "positive")),
    Task(
        "emotions",
        "many_of",
        ("anger", "disgust", "fear", "joy", "love", "optimism", "sadness", "surprise"),
    ),
    Task("irony", "yes_no", ("irony",)),
    Task("hate", "yes_no", ("hate",)),
    Task("offensive", "yes_no", ("offensive",)),
    Task(
        "topics",
        "many_of",
        (
            "arts_&_culture",
            "business_&_entrepreneurs",
            "celebrity_&_pop_culture",
            "diaries_&_daily_life",
            "family",
            "fashion_&_style",
            "film_tv_&_video",
            "fitness_&_health",
            "food_&_dining",
            "gaming",
            "learning_&_educational",
            "music",
            "news_&_social_concern",
            "other_hobbies",
            "relationships",
            "science_&_technology",
            "sports",
            "travel_&_adventure",
            "youth_&_student_life",
        ),
    ),
    Task(
        "entities",
        "spans",
        ("person", "organization", "location", "product", "work", "group", "misc"),
    ),
)

TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in _TABLE})


def entity_tags() -> tuple[str, ...]:
    """Return the BIO tags of the entity head in logit order: ``O``, then begin and inside of each type."""
    tags = ["O"]
    for label in TASKS["entities"].labels:
        tags += [f"B-{label}", f"I-{label}"]
    return tuple(tags)
