"""Why an analysis of a tweet may be wrong: what can be seen of it without knowing the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from trendlark.records import Analysis
from trendlark.reports.words import count_words, tokens

LEARNT_LANGUAGES = ("en", "es")
_CLOSE = 0.15
_UNSURE = 0.5
_FEW_WORDS = 4


class Doubt(NamedTuple):
    """A reason; ``first`` and ``second`` are labels of sentiment where it is a close call."""

    reason: str
    first: str = ""
    second: str = ""


def doubts_of(text: str, analysis: Analysis) -> list[Doubt]:
    """The reasons to doubt, the strongest first."""
    return [*_of_sentiment(analysis), *_of_text(text, analysis)]


def _of_sentiment(analysis: Analysis) -> Iterator[Doubt]:
    ranked = sorted(analysis.sentiment.probabilities.items(), key=lambda item: -item[1])
    said = analysis.sentiment.label
    if len(ranked) > 1 and ranked[0][0] != said:
        # A model with thresholds may say what is not the likeliest.
        yield Doubt("close", ranked[0][0], said)
    elif len(ranked) > 1 and ranked[0][1] - ranked[1][1] < _CLOSE:
        yield Doubt("close", ranked[0][0], ranked[1][0])
    elif ranked and ranked[0][1] < _UNSURE:
        yield Doubt("unsure")
    if analysis.irony.value:
        yield Doubt("irony")


def _of_text(text: str, analysis: Analysis) -> Iterator[Doubt]:
    if analysis.truncated:
        yield Doubt("truncated")
    if count_words(tokens(text)) < _FEW_WORDS:
        yield Doubt("short")
    if analysis.lang == "und":
        yield Doubt("language_unclear")
    elif analysis.lang not in LEARNT_LANGUAGES:
        yield Doubt("language")
