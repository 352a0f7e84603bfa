"""Probabilities that mean what they say, and thresholds that serve each benchmark; both from validation alone.

A temperature for each task and language (Guo et al. 2017, arXiv:1706.04599) is fitted by likelihood, every set
weighing the same; that of entities by how often whole entities are right (``certainty.py``). Thresholds of sentiment
are chosen in ``choices.py``, all others here, for the metric of the benchmark on a smoothed curve, so that no single
tweet decides. Those of hate, irony and emotions are chosen among the ones that do not flag too many everyday tweets
(``guard.py``); for hate and irony, of the thresholds that validation cannot tell apart the highest is taken, which
flags least.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trendlark.nlu.tasks import TASKS
from trendlark.training.certainty import fit_certainty, said_of
from trendlark.training.choices import fit_choice
from trendlark.training.data import encode, read_rows, usable
from trendlark.training.guard import GUARDED_BESIDE_A_BENCHMARK, MOST_FLAGGED, everyday, floors
from trendlark.training.predict import Floats, Predictor
from trendlark.training.scoring import (
    Calibration,
    Scored,
    main_metric,
    many_gold,
    score_labels,
    tag_words,
)
from trendlark.training.sets import SETS

_log = logging.getLogger(__name__)

_TEMPERATURES = np.exp(np.linspace(np.log(0.3), np.log(5.0), 60))
_THRESHOLDS = np.round(np.arange(0.06, 0.95, 0.02), 2)
_SMOOTHING = 5
# Validation tweets of a language from which a temperature and thresholds of its own are sounder than the common.
ENOUGH_ROWS = 250
# Less than the standard error of a score on the thousand validation tweets of irony or hate.
_NO_DIFFERENCE = 0.01
_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Sample:
    """One set's validation rows with their raw logits."""

    scored: Scored
    logits: Floats


def fit(predict: Predictor, tokenizer: Tokenizer, data: Path, limit: int | None = None) -> Calibration:
    """Fit temperatures and thresholds on the validation files of ``data``; ``limit`` is rows a set.

    A language with enough tweets of its own gets a temperature, and thresholds where its sets need them.
    """
    samples = validation_samples(predict, tokenizer, data, limit)
    tweets = everyday(predict, tokenizer, data, limit)
    whole = _fit_tasks(samples, tweets)
    tags = {"entities": _fit_entities(predict, tokenizer, data, limit)}
    languages = {
        lang: _fit_language(lang, samples, whole, tweets.get(lang, ()))
        for lang in sorted({sample.scored.entry.lang for sample in samples})
    }
    return Calibration({**whole.temperatures, **tags}, whole.thresholds, languages)


def _fit_tasks(
    samples: Sequence[Sample], tweets: Mapping[str, Sequence[Mapping[str, Floats]]]
) -> Calibration:
    temperatures: dict[str, float] = {}
    thresholds: dict[str, dict[str, float]] = {}
    for name, task in TASKS.items():
        own = _of_task(samples, name)
        if not own:
            temperatures[name] = 1.0
            thresholds |= {name: dict.fromkeys(task.labels, 0.5)} if _has_thresholds(name) else {}
            if name != "entities":
                _log.info(
                    "calibration %s: nothing is fitted, because no tweets of validation tell of it", name
                )
            continue
        temperatures[name] = fit_temperature(name, own)
        said = _why_temperature(name, own, temperatures[name])
        if _has_thresholds(name):
            calibrated = _calibrated(own, Calibration(temperatures))
            # The common thresholds are for the languages that have none of their own.
            known = {lang for lang in tweets if _enough(_of_task(samples, name, lang))}
            others = [one for lang, sets in tweets.items() if lang not in known for one in sets]
            least = floors(name, temperatures[name], others)
            thresholds[name] = _fit_thresholds(name, calibrated, least)
            said += _why_thresholds(name, calibrated, thresholds[name], least)
        _log.info("calibration %s: %s", name, said)
    return Calibration(temperatures, thresholds)


def _fit_entities(predict: Predictor, tokenizer: Tokenizer, data: Path, limit: int | None = None) -> float:
    """Return the temperature at which entities are as likely to be right as is said."""
    sets = []
    for entry in SETS.values():
        rows = read_rows(data, entry, "val")[:limit] if entry.metric and entry.task == "entities" else []
        if rows and (said := said_of(tag_words(predict, tokenizer, entry, rows))):
            sets.append(said)
    best = fit_certainty(sets, _TEMPERATURES)
    if sets:
        losses = [float(np.mean([said.loss(one) for said in sets])) for one in (best, 1.0)]
        many = sum(len(said.right) for said in sets)
        why = (
            f"whether {many} entities that are said of validation are right is likeliest at it (loss {losses[0]:.4f}, "
            f"{losses[1]:.4f} at 1)"
        )
    else:
        why = "no entity is said of validation"
    _log.info("calibration entities: temperature %.3f, because %s", best, why)
    return best


def _fit_language(
    lang: str, samples: Sequence[Sample], whole: Calibration, tweets: Sequence[Mapping[str, Floats]]
) -> Calibration:
    """Fit what a language has enough tweets for; the rest is that of all languages, label by label."""
    temperatures: dict[str, float] = {}
    thresholds: dict[str, dict[str, float]] = {}
    for name in TASKS:
        own = _of_task(samples, name, lang)
        if not _enough(own):
            _tell_too_few(name, lang, own)
            continue
        decided = np.any([sample.scored.entry.decides for sample in own], axis=0)
        # What makes the labels of its sets likeliest says nothing of a label that none of them has.
        temperatures[name] = fit_temperature(name, own) if decided.all() else whole.temperatures[name]
        said = _why_temperature(name, own, temperatures[name], decided)
        calibrated = _calibrated(own, Calibration(temperatures))
        if name in whole.thresholds:
            guarded = name in GUARDED_BESIDE_A_BENCHMARK
            least = floors(name, temperatures[name], tweets) if guarded else {}
            fitted = _fit_thresholds(name, calibrated, least)
            thresholds[name] = {
                label: fitted[label] if one else max(whole.thresholds[name][label], least.get(label, 0.0))
                for label, one in zip(TASKS[name].labels, decided, strict=True)
            }
            said += _why_thresholds(name, calibrated, thresholds[name], least)
        else:
            shifted = fit_choice(calibrated)
            thresholds |= {name: shifted} if shifted else {}
            said += _why_choice(name, calibrated, shifted)
        _log.info("calibration %s (%s): %s", name, lang, said)
    return Calibration(temperatures, thresholds)


def _has_thresholds(name: str) -> bool:
    return TASKS[name].kind in ("many_of", "yes_no")


def _tell_too_few(name: str, lang: str, own: Sequence[Sample]) -> None:
    if own:
        many = sum(len(sample.scored.rows) for sample in own)
        _log.info(
            "calibration %s (%s): that of all languages, because %d tweets of validation are fewer than %d",
            *(name, lang, many, ENOUGH_ROWS),
        )


def _why_temperature(
    name: str, own: Sequence[Sample], temperature: float, decided: NDArray[np.bool_] | None = None
) -> str:
    """Return the temperature with why it is this; ``decided`` are the labels that the sets of a language decide on."""
    if decided is not None and not decided.all():
        silent = [label for label, one in zip(TASKS[name].labels, decided, strict=True) if not one]
        return f"temperature {temperature:.3f} of all languages, because no set here decides on {', '.join(silent)}"
    many = sum(len(sample.scored.rows) for sample in own)
    best, plain = (sample_loss(name, own, one) for one in (temperature, 1.0))
    return (
        f"temperature {temperature:.3f}, because {many} tweets of validation are likeliest at it "
        f"(loss {best:.4f}, {plain:.4f} at 1)"
    )


def _why_thresholds(
    name: str, samples: Sequence[Scored], chosen: Mapping[str, float], least: Mapping[str, float]
) -> str:
    """Return the thresholds with why they are these: the sets' scores, and where everyday tweets hold them up."""
    raised = [label for label, own in least.items() if chosen[label] in _lowest_allowed(own)]
    if raised:
        end = f"; everyday tweets allow no lower ones of {', '.join(raised)}"
    else:
        end = f"; no higher ones are within {_NO_DIFFERENCE} of the best" if name in MOST_FLAGGED else ""
    return f"; thresholds {dict(chosen)}, because with them {_compared(name, samples, chosen, 0.5)}{end}"


def _why_choice(name: str, samples: Sequence[Scored], shifted: Mapping[str, float]) -> str:
    """Return what a task that chooses one label says, with why."""
    if not shifted:
        return "; the likeliest label is said, because no thresholds gain enough on validation"
    even = 1 / len(TASKS[name].labels)
    return f"; thresholds {dict(shifted)}, because with them {_compared(name, samples, shifted, even)}"


def _compared(name: str, samples: Sequence[Scored], chosen: Mapping[str, float], plain: float) -> str:
    before = _score(name, dict.fromkeys(chosen, plain), samples)
    sets = ", ".join(f"{one.entry.key} ({one.entry.metric})" for one in samples)
    return (
        f"validation of {sets} scores {_score(name, dict(chosen), samples):.4f} ({before:.4f} at {plain:.2f})"
    )


def _lowest_allowed(least: float) -> tuple[float, ...]:
    """Return the thresholds that are taken where only those from ``least`` on are allowed and lower ones are better."""
    allowed = _THRESHOLDS[least <= _THRESHOLDS]
    return (least, *allowed[:1].tolist()) if least > _THRESHOLDS[0] else ()


def _of_task(samples: Sequence[Sample], name: str, lang: str = "") -> list[Sample]:
    """Return the samples of a task, of one language or, where none is named, of all."""
    own = [sample for sample in samples if sample.scored.entry.task == name]
    return [sample for sample in own if lang in ("", sample.scored.entry.lang)]


def _enough(own: Sequence[Sample]) -> bool:
    """Say whether these are enough tweets for a calibration of their own."""
    return sum(len(sample.scored.rows) for sample in own) >= ENOUGH_ROWS


def validation_samples(
    predict: Predictor, tokenizer: Tokenizer, data: Path, limit: int | None = None
) -> list[Sample]:
    """Return the validation rows of every set of labelled texts with their raw logits; ``limit`` is rows a set."""
    samples = []
    for entry in SETS.values():
        rows = read_rows(data, entry, "val") if entry.metric and entry.task != "entities" else []
        rows = usable(entry, rows)[:limit]
        if rows:
            results = predict(encode(tokenizer, [row.text for row in rows]))
            logits = np.stack([result[entry.task] for result in results])
            samples.append(Sample(Scored(entry, rows, logits), logits))
    return samples


def _truth(scored: Scored) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The true labels of a set's rows [rows, width], and which columns it annotates."""
    entry = scored.entry
    task = TASKS[entry.task]
    if task.kind == "yes_no":
        return np.array([[float(entry.labels[row.labels[0]] == "yes")] for row in scored.rows]), np.ones(
            1, bool
        )
    columns = np.array(entry.decides)
    truth = np.zeros((len(scored.rows), len(task.labels)))
    truth[:, columns] = many_gold(scored)
    return truth, columns


def fit_temperature(name: str, samples: Sequence[Sample]) -> float:
    """Return the temperature at which a task's samples are likeliest, every set weighing the same."""
    truths = [_truth(sample.scored) for sample in samples]

    def loss(temperature: float) -> float:
        pairs = zip(samples, truths, strict=True)
        return float(np.mean([_loss(name, one.logits / temperature, *truth) for one, truth in pairs]))

    return float(min(_TEMPERATURES, key=loss))


def sample_loss(name: str, samples: Sequence[Sample], temperature: float) -> float:
    """Return the mean loss of a task's samples at a temperature, every set weighing the same."""
    return float(np.mean([_loss(name, one.logits / temperature, *_truth(one.scored)) for one in samples]))


def _loss(name: str, scaled: Floats, truth: NDArray[np.float64], columns: NDArray[np.bool_]) -> float:
    if TASKS[name].kind == "one_of":
        top = scaled.max(-1, keepdims=True)
        logp = scaled - top - np.log(np.exp(scaled - top).sum(-1, keepdims=True))
        return float(-(truth * logp).sum(-1).mean())
    losses = np.logaddexp(0, scaled) - truth * scaled
    return float(losses[:, columns].mean())


def _calibrated(samples: Sequence[Sample], calibration: Calibration) -> list[Scored]:
    return [
        Scored(
            one.scored.entry,
            one.scored.rows,
            calibration.probabilities(one.scored.entry.task, one.logits),
        )
        for one in samples
    ]


def _fit_thresholds(name: str, samples: Sequence[Scored], least: Mapping[str, float]) -> dict[str, float]:
    """Return the thresholds of the best score, each at least what ``least`` says of its label."""
    labels = TASKS[name].labels
    # Validation of topics has a hundred-odd tweets for nineteen labels: one threshold for all of them.
    slack = _NO_DIFFERENCE if name in MOST_FLAGGED else 0.0
    common = _best_threshold(lambda value: _score(name, dict.fromkeys(labels, value), samples), slack=slack)
    chosen = {label: max(common, least.get(label, 0.0)) for label in labels}
    if name != "emotions":
        return chosen
    judged = [one for one in samples if "" in one.entry.labels.values() and one.entry.single]
    for _ in range(_ROUNDS if judged else 0):
        for label in labels:
            if any(label in one.entry.annotated for one in judged):
                score = partial(_score_with, name, chosen, label, judged)
            else:
                score = partial(_label_f1, label, samples)
            chosen[label] = _best_threshold(score, least.get(label, 0.0))
    return chosen


def _score(name: str, thresholds: dict[str, float], samples: Sequence[Scored]) -> float:
    calibration = Calibration(thresholds={name: thresholds})
    return float(np.mean([main_metric(one.entry, score_labels(one, calibration)) for one in samples]))


def _score_with(
    name: str, chosen: dict[str, float], label: str, samples: Sequence[Scored], threshold: float
) -> float:
    return _score(name, chosen | {label: threshold}, samples)


def _label_f1(label: str, samples: Sequence[Scored], threshold: float) -> float:
    scores = []
    for one in samples:
        if label in one.entry.annotated:
            at = TASKS[one.entry.task].labels.index(label)
            truth = _truth(one)[0][:, at] > 0
            said = one.probabilities[:, at] >= threshold
            scores.append(2 * (truth & said).sum() / max(1, truth.sum() + said.sum()))
    return float(np.mean(scores)) if scores else 0.0


def _best_threshold(score: Callable[[float], float], least: float = 0.0, slack: float = 0.0) -> float:
    """Return the threshold of the best score, smoothed, of those that are at least ``least``.

    With ``slack`` it is the highest of those whose score is at most so much worse.
    """
    scores = np.array([score(float(value)) for value in _THRESHOLDS])
    half = _SMOOTHING // 2
    padded = np.pad(scores, half, mode="edge")
    smooth = np.convolve(padded, np.ones(_SMOOTHING) / _SMOOTHING, mode="valid")
    allowed = least <= _THRESHOLDS
    if not allowed.any():
        return least
    values, smooth = _THRESHOLDS[allowed], smooth[allowed]
    if slack:
        return float(values[np.flatnonzero(smooth >= smooth.max() - slack)[-1]])
    # Among equals the one nearest to one half: a threshold should need a reason.
    best = np.flatnonzero(smooth >= smooth.max() - 1e-9)
    return float(values[best[np.argmin(np.abs(values[best] - 0.5))]])
