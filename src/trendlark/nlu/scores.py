"""How good a model is by task and language, as its manifest has it: one number for each set that it was scored on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from trendlark.nlu.artifact import Manifest
from trendlark.nlu.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What a validation set measures; ``metric`` names the number of the manifest that counts."""

    task: str
    lang: str
    metric: str


@dataclass(frozen=True, slots=True)
class Score:
    """The result on one set, from 0 to 1; ``baseline`` and ``calibration_error`` are None where nobody measured."""

    data: str
    task: str
    lang: str
    metric: str
    value: float
    baseline: float | None
    calibration_error: float | None


BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType({
    "tweeteval_sentiment": Benchmark("sentiment", "en", "macro_recall"),
    **{f"umsab_{lang}": Benchmark("sentiment", lang, "macro_f1") for lang in ("en", "es", "pt", "fr", "de", "it")},
    "tweeteval_emotion": Benchmark("emotions", "en", "macro_f1"),
    "emoevent_en": Benchmark("emotions", "en", "macro_f1"),
    "emoevent_es": Benchmark("emotions", "es", "macro_f1"),
    "goemotions": Benchmark("emotions", "en", "macro_f1_labels"),
    "tweeteval_irony": Benchmark("irony", "en", "f1_yes"),
    "tweeteval_hate": Benchmark("hate", "en", "macro_f1"),
    "tweeteval_offensive": Benchmark("offensive", "en", "macro_f1"),
    "offendes_es": Benchmark("offensive", "es", "macro_f1"),
    "toldbr_pt": Benchmark("offensive", "pt", "macro_f1"),
    "tweet_topicxl_en": Benchmark("topics", "en", "macro_f1_labels"),
    "tweet_topicxl_es": Benchmark("topics", "es", "macro_f1_labels"),
    **{
        f"ner_{name}": Benchmark("entities", lang, "entity_f1")
        for name, lang in (
            ("wnut17", "en"), ("btc", "en"), ("tweebank", "en"), ("xlime_es", "es"), ("xlime_it", "it"),
            ("xlime_de", "de"),
        )
    },
})  # fmt: skip
"""The sets that ``trendlark evaluate`` scores; a test compares them with the training room's table."""

_FIRST_LANGUAGES = ("en", "es")


def scores_of(manifest: Manifest) -> list[Score]:
    """The scores by task and language, English and Spanish first; sets that this version does not know come last."""
    found = [
        score for name, numbers in manifest.metrics.items() if (score := _score(name, numbers)) is not None
    ]
    return sorted(found, key=_place)


def _score(name: str, numbers: Mapping[str, Any]) -> Score | None:
    known = BENCHMARKS.get(name)
    metric = known.metric if known else next(iter(numbers), "")
    value = _number(numbers.get(metric))
    if value is None:
        return None
    return Score(
        name,
        known.task if known else "",
        known.lang if known else "",
        metric,
        value,
        _number(numbers.get("baseline")),
        _number(numbers.get("calibration_error")),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _place(score: Score) -> tuple[int, int, str, str]:
    order = list(TASKS)
    first = score.lang not in _FIRST_LANGUAGES
    return (
        order.index(score.task) if score.task in order else len(order),
        len(_FIRST_LANGUAGES) if first else _FIRST_LANGUAGES.index(score.lang),
        score.lang,
        score.data,
    )
