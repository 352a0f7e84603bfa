"""Thresholds that serve a benchmark and do not flood everyday tweets, which hold little of what its tweets do.

Hate and irony: their tweets were searched for and hold many times as much as others, so a threshold is at least what
flags few tweets of each set that was not searched, and of the tweets on great news events: one in two hundred for hate,
one in ten for irony. Emotions: the macro-F1 of a rare one is best where it is said of many more tweets than have it,
so a threshold is at least what says it of no more than twice as many everyday tweets as its calibrated probabilities
add up to (decision 86).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from trendlark.nlu.tasks import TASKS
from trendlark.training.data import encode, read_file, read_rows
from trendlark.training.predict import Floats, Predictor
from trendlark.training.scoring import Calibration
from trendlark.training.sets import SETS

_log = logging.getLogger(__name__)

# Sets of tweets on everyday matters, folders of tweets on the news that nobody labelled with their language and how
# many tweets are looked at.
_EVERYDAY = ("tweeteval_sentiment", *(f"umsab_{lang}" for lang in ("es", "pt", "fr", "de", "it")))
_NEWS = {"trend_events_es": "es"}
_NEWS_TWEETS = 1500
# The share of tweets that may be flagged, by task; and how many times as often as is likely a label may be said.
MOST_FLAGGED = {"hate": 0.005, "irony": 0.10}
_MOST_OFTEN = {"emotions": 2.0}
GUARDED = (*MOST_FLAGGED, *_MOST_OFTEN)
# Irony's threshold in English, where it has a benchmark, serves that.
GUARDED_BESIDE_A_BENCHMARK = tuple(task for task in GUARDED if task != "irony")
_HIGHEST_THRESHOLD = 0.95


def everyday(
    predict: Predictor, tokenizer: Tokenizer, data: Path, limit: int | None
) -> dict[str, list[dict[str, Floats]]]:
    """Return by language, for each set of everyday tweets, the logits [texts, width] of the guarded tasks.

    ``limit`` is tweets a set.
    """
    texts = [(SETS[key].lang, [row.text for row in read_rows(data, SETS[key], "val")]) for key in _EVERYDAY]
    for folder, lang in _NEWS.items():
        path = data / folder / "train.jsonl.gz"
        rows = read_file(path) if path.exists() else []
        # A file may be in the order of its events: some of each.
        texts.append((lang, [row.text for row in rows[:: max(1, len(rows) // _NEWS_TWEETS)]]))
    found: dict[str, list[dict[str, Floats]]] = {}
    for lang, own in texts:
        if own:
            results = predict(encode(tokenizer, own[:limit]))
            logits = {task: np.stack([one[task] for one in results]) for task in GUARDED}
            found.setdefault(lang, []).append(logits)
    return found


def floors(name: str, temperature: float, sets: Sequence[Mapping[str, Floats]]) -> dict[str, float]:
    """Return by label the lowest threshold, in hundredths, that floods none of the everyday ``sets``.

    Nothing is returned for a task that is not guarded, or where there are no such tweets.
    """
    if name not in GUARDED or not sets:
        if name in GUARDED:
            _log.info(
                "everyday tweets, %s: any threshold will do, because there are no such tweets here", name
            )
        return {}
    plain = Calibration({name: temperature})
    chances = [plain.probabilities(name, one[name]) for one in sets]
    labels = enumerate(TASKS[name].labels)
    least = {label: max(_least(name, one[:, at]) for one in chances) for at, label in labels}
    _log.info("everyday tweets, %s: thresholds of at least %s, because %s", name, least, _why(name, sets))
    return least


def _why(name: str, sets: Sequence[Mapping[str, Floats]]) -> str:
    told = "each of the sets of " + ", ".join(str(len(one[name])) for one in sets) + " tweets"
    if name in MOST_FLAGGED:
        return f"of {told} at most {MOST_FLAGGED[name]:.1%} may be flagged"
    return f"in {told} a label may be said at most {_MOST_OFTEN[name]:g} times as often as it is likely"


def _least(name: str, chances: Floats) -> float:
    """Return the lowest threshold at which a label of these probabilities [tweets] is said seldom enough."""
    share = MOST_FLAGGED[name] if name in MOST_FLAGGED else _MOST_OFTEN[name] * float(chances.mean())
    most = float(np.quantile(chances, max(0.0, 1 - share)))
    return min(math.ceil(100 * most) / 100, _HIGHEST_THRESHOLD)
