"""Analyses made by hand."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.nlu.tasks import TASKS
from trendlark.records import Analysis, Choice, Entity, Flag, Label


def analysis(
    *,
    sentiment: Mapping[str, float] | None = None,
    emotions: Mapping[str, float] | None = None,
    present: tuple[str, ...] = (),
    topics: Mapping[str, float] | None = None,
    flags: Mapping[str, tuple[bool, float]] | None = None,
    entities: tuple[Entity, ...] = (),
) -> Analysis:
    """An analysis with these answers and dull ones for the rest; ``flags`` are value and probability by task."""
    feelings = dict.fromkeys(TASKS["sentiment"].labels, 0.0) | dict(sentiment or {"neutral": 1.0})
    best = max(feelings, key=lambda label: feelings[label])
    own = {name: Flag(*(flags or {}).get(name, (False, 0.1))) for name in ("irony", "hate", "offensive")}
    subjects = dict(topics or {})
    return Analysis(
        lang="en",
        sentiment=Choice(best, feelings[best], feelings),
        emotions=dict.fromkeys(TASKS["emotions"].labels, 0.01) | dict(emotions or {}),
        emotions_present=present,
        irony=own["irony"],
        hate=own["hate"],
        offensive=own["offensive"],
        topics=tuple(Label(name, value) for name, value in subjects.items() if value >= 0.5),
        topic_probabilities=dict.fromkeys(TASKS["topics"].labels, 0.01) | subjects,
        entities=entities,
        hashtags=(),
        mentions=(),
        urls=(),
        keyphrases=(),
        truncated=False,
        model="by hand",
    )


def entity(text: str, kind: str, start: int, probability: float = 0.9) -> Entity:
    """An entity that begins at ``start``."""
    return Entity(text, kind, start, start + len(text), probability)
