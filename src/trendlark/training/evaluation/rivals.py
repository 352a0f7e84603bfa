"""What a model has to beat: the most frequent answer, a linear SVM over TF-IDF, and VADER's rules for English.

Each is a function of a set and its training rows; it answers the rows to be judged, or nothing where it cannot.
Nothing is learnt from what is judged, so a set without a training file teaches none of them.
VADER: Hutto and Gilbert 2014, a lexicon with rules for negation, degree and emoji, read at its authors' +-0.05.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from trendlark.training import baseline
from trendlark.training.data import Row
from trendlark.training.evaluation.folders import Benchmark
from trendlark.training.evaluation.readings import Reading, Said, count, gold_of

_log = logging.getLogger(__name__)

Answerer = Callable[[Benchmark, Sequence[Row]], "list[Said] | None"]

_VADER_BORDER = 0.05


def read_rival(name: str, judged: Benchmark) -> Reading | None:
    """Return the reading of a rival of ``RIVALS``, None where it has nothing to say of such a set."""
    said = RIVALS[name](judged, judged.training_rows())
    return None if said is None else count(judged.entry, judged.rows, said, None)


def _majority(judged: Benchmark, training: Sequence[Row]) -> list[Said] | None:
    if judged.entry.task == "entities" or not training:
        return None  # the most frequent tag finds nothing
    known = [gold_of(judged.entry, row) for row in training]
    if judged.entry.metric != "macro_f1_labels":
        return [Counter(known).most_common(1)[0][0]] * len(judged.rows)
    labels = Counter(label for labels in known for label in labels)
    return [frozenset(label for label, _ in labels.most_common(1))] * len(judged.rows)


def _svm(judged: Benchmark, training: Sequence[Row]) -> list[Said] | None:
    if judged.entry.task == "entities" or not training:
        return None
    try:
        return list(baseline.answers(judged.entry, training, judged.rows))
    except ValueError as error:
        _log.info(
            "svm: nothing is said of %s, because its training file teaches nothing: %s",
            judged.entry.key,
            error,
        )
        return None


def _vader(judged: Benchmark, _: Sequence[Row]) -> list[Said] | None:
    if judged.entry.task != "sentiment" or judged.entry.lang != "en":
        return None
    # Only who asks for VADER needs it installed.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # noqa: PLC0415

    rules = SentimentIntensityAnalyzer()
    scores = (float(rules.polarity_scores(row.text)["compound"]) for row in judged.rows)
    return [_by_score(score) for score in scores]


def _by_score(score: float) -> str:
    if score >= _VADER_BORDER:
        return "positive"
    return "negative" if score <= -_VADER_BORDER else "neutral"


RIVALS: Mapping[str, Answerer] = {"majority": _majority, "svm": _svm, "vader": _vader}
