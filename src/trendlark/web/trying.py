"""The page on which texts are tried: the chances of every label, and what its JSON and CSV hold."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field

from trendlark.records import EMOTIONS, FLAGS, SENTIMENTS, Analysis
from trendlark.web.page import Table

_TOPICS = 6


class Chance(BaseModel):
    """A label with its probability; ``present`` where the model says so."""

    name: str
    probability: float
    present: bool


class TryAnswer(BaseModel):
    """The page Try it: the text, and its analysis or why there is none; both are null where no text was given."""

    text: str
    analysis: Analysis | None
    error: str | None = Field(description="One sentence, in the language of the page.")

    @classmethod
    def of(cls, text: str, analysis: Analysis | None, error: str) -> Self:
        """The answer for a text."""
        return cls(text=text, analysis=analysis, error=error or None)


def chances(found: Analysis, topics: int = _TOPICS) -> dict[str, list[Chance]]:
    """Every task's labels with their probabilities; of the topics only the likeliest and those that are present."""
    ranked = sorted(found.topic_probabilities.items(), key=lambda item: (-item[1], item[0]))
    shown = {one.label for one in found.topics}
    kept = [item for at, item in enumerate(ranked) if at < topics or item[0] in shown]
    said = found.sentiment
    flags = {name: getattr(found, name) for name in FLAGS}
    return {
        "sentiment": [_chance(name, said.probabilities[name], name == said.label) for name in SENTIMENTS],
        "emotions": [
            _chance(name, found.emotions[name], name in found.emotions_present) for name in EMOTIONS
        ],
        "flags": [_chance(name, flag.probability, flag.value) for name, flag in flags.items()],
        "topics": [_chance(name, probability, name in shown) for name, probability in kept],
    }


def tables(found: Analysis | None) -> dict[str, Table]:
    """All labels with their probabilities, and the entities."""
    every = chances(found, topics=1000) if found else {}
    entities = found.entities if found else ()
    return {
        "labels": Table(
            ("task", "label", "probability", "present"),
            [
                [task, one.name, one.probability, one.present]
                for task, all_of in every.items()
                for one in all_of
            ],
        ),
        "entities": Table(
            ("text", "type", "start", "end", "probability"),
            [[one.text, one.type, one.start, one.end, one.probability] for one in entities],
        ),
    }


def _chance(name: str, probability: float, present: bool) -> Chance:
    return Chance(name=name, probability=probability, present=present)
