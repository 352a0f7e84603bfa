"""How much each teacher's word counts, by task and language.

Shares are chosen in quarters by the likelihood of validation, where there is enough of it, and said with their reason.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trendlark.nlu.tasks import TASKS
from trendlark.training.calibrate import ENOUGH_ROWS, Sample, fit_temperature, sample_loss
from trendlark.training.data import Row, read_rows, usable
from trendlark.training.predict import Floats
from trendlark.training.scoring import Scored
from trendlark.training.sets import SETS, DataSet

_log = logging.getLogger(__name__)

_QUARTERS = 4


class Teacher(Protocol):
    """Whoever says something of texts: a network, the linear model, or regressions over an encoder."""

    @property
    def name(self) -> str:
        """What it is called in the log."""

    def knows(self, task: str, lang: str) -> bool:
        """Say whether it was taught the task in this language; language "" is any other."""

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:
        """Return the raw logits [width] of each task that it knows in the text's language, for each text."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What each teacher's logits are multiplied with before they are summed, temperatures among it.

    A factor is a number, or one for each label [width]. Of the labels that are ``silent`` no set of the language tells.
    """

    factors: tuple[float | Floats, ...]
    silent: tuple[bool, ...] = ()

    def logits(self, each: Sequence[Floats | None]) -> Floats:
        """Return the joint logits of the teachers' logits of one shape; None is of one that does not count."""
        pairs = zip(self.factors, each, strict=True)
        return np.asarray(sum(factor * one for factor, one in pairs if one is not None), np.float32)

    def except_for(self, silent: NDArray[np.bool_], other: Vote) -> Vote:
        """Return this vote with the factors of another for the labels that are ``silent`` [width]."""
        pairs = zip(self.factors, other.factors, strict=True)
        factors = tuple(np.where(silent, theirs, own).astype(np.float32) for own, theirs in pairs)
        return Vote(factors, tuple(bool(one) for one in silent))

    def tells(self, at: int) -> bool:
        """Say whether sets of the language tell of the label at this place."""
        return not (self.silent and self.silent[at])


def choose_votes(
    teachers: Sequence[Teacher], data: Path, enough: int = ENOUGH_ROWS
) -> dict[tuple[str, str], Vote]:
    """Return by task and language how the teachers are added.

    Language "" is for all that have fewer than ``enough`` validation tweets: few let a weak teacher win by luck. Where
    no teacher knows other languages it has no vote, and a language is voted on by its own tweets, however few.
    """
    asked = []
    with ThreadPoolExecutor(cpu_count()) as threads:
        for entry in SETS.values():
            rows = read_rows(data, entry, "val") if entry.metric and entry.task != "entities" else []
            if rows := usable(entry, rows):
                asked.append((entry, [threads.submit(_sample, one, entry, rows) for one in teachers]))
    samples: dict[tuple[str, str], list[list[Sample | None]]] = {}
    for entry, answers in asked:
        said = [one.result() for one in answers]
        # Of a set that no teacher knows nothing is told.
        for lang in (entry.lang, "") if any(said) else ():
            samples.setdefault((entry.task, lang), []).append(said)
    shared = {task for task, _ in samples if _able(teachers, task, "")}
    chosen = {
        key: _choose(key, found, teachers, _able(teachers, *key))
        for key, found in samples.items()
        if _sound(key, found, enough, elsewhere=key[0] in shared)
    }
    votes = {}
    for key, vote in chosen.items():
        if whole := _whole(key, vote, samples[key], teachers, chosen.get((key[0], ""))):
            votes[key] = whole
    return votes


def _able(teachers: Sequence[Teacher], task: str, lang: str) -> list[int]:
    return [at for at, teacher in enumerate(teachers) if teacher.knows(task, lang)]


def _sound(
    key: tuple[str, str], samples: Sequence[list[Sample | None]], enough: int, *, elsewhere: bool
) -> bool:
    """Say whether a vote is chosen by these samples; ``elsewhere`` is whether any teacher knows other languages."""
    task, lang = key
    if not lang:
        if not elsewhere:
            _log.info("teachers of %s (other languages): none, because no teacher knows them", task)
        return elsewhere
    count = sum(next(len(one.scored.rows) for one in each if one) for each in samples)
    if count >= enough:
        return True
    if elsewhere:
        why = "those of other languages, because %d validation tweets are too few to choose by"
    else:
        why = "chosen by %d validation tweets, though these are few, because no teacher knows other languages"
    _log.info(f"teachers of %s (%s): {why}", task, lang, count)
    return not elsewhere


def _whole(
    key: tuple[str, str],
    vote: Vote,
    samples: Sequence[list[Sample | None]],
    teachers: Sequence[Teacher],
    common: Vote | None,
) -> Vote | None:
    """Return the vote with what it says of labels that no set of its language has; ``common`` is that of language "".

    Without one, those of its teachers vote that say something of them. Returns None where nobody does, because a soft
    label is of all labels of its task.
    """
    task, lang = key
    sets = {one.scored.entry.key: one.scored.entry for each in samples for one in each if one}
    silent = ~np.any([entry.decides for entry in sets.values()], axis=0)
    if not silent.any():
        return vote
    if not common:
        labels = ", ".join(itertools.compress(TASKS[task].labels, silent))
        able = [at for at in _able(teachers, task, lang) if _speaks(at, samples, silent)]
        if not able:
            _log.info("teachers of %s (%s): none, because none says anything of %s", task, lang, labels)
            return None
        common = _choose(key, samples, teachers, able, labels)
    # A language's own temperature says nothing of labels that none of its sets has.
    return vote.except_for(silent, common)


def _speaks(at: int, samples: Sequence[list[Sample | None]], labels: NDArray[np.bool_]) -> bool:
    """Say whether the teacher at this place tells of all ``labels``; the logit of what regressions never met is 0."""
    heard = [one.logits.any(0) for each in samples if (one := each[at])]
    return bool(np.any(heard, axis=0)[labels].all())


def _sample(teacher: Teacher, entry: DataSet, rows: list[Row]) -> Sample | None:
    if not teacher.knows(entry.task, entry.lang):
        return None
    said = teacher.logits([row.text for row in rows], [entry.lang] * len(rows))
    logits = np.stack([one[entry.task] for one in said])
    return Sample(Scored(entry, rows, logits), logits)


def _choose(
    key: tuple[str, str],
    samples: Sequence[list[Sample | None]],
    teachers: Sequence[Teacher],
    able: Sequence[int],
    labels: str = "",
) -> Vote:
    """Each able teacher's temperature first, then the quarters and the joint temperature of the highest likelihood.

    ``labels`` are what the vote is of in the log, where it is not of all.
    """
    task, lang = key
    said = {at: [one for each in samples if (one := each[at])] for at in able}
    own = {at: fit_temperature(task, said[at]) for at in able}
    tried: list[tuple[float, tuple[int, ...], Vote]] = []
    for parts in itertools.product(range(_QUARTERS + 1), repeat=len(able)):
        if sum(parts) == _QUARTERS:
            shares = dict(zip(able, parts, strict=True))
            vote = Vote(
                tuple(shares.get(at, 0) / _QUARTERS / own.get(at, 1.0) for at in range(len(teachers)))
            )
            joint = [_joint(each, vote) for each in samples]
            heat = fit_temperature(task, joint)
            cooled = Vote(tuple(factor / heat for factor in vote.factors))
            tried.append((sample_loss(task, joint, heat), parts, cooled))
    loss, parts, best = min(tried, key=lambda one: one[0])
    alone = {parts.index(_QUARTERS): loss for loss, parts, _ in tried if _QUARTERS in parts}
    told = ", ".join(
        f"{teachers[able[at]].name} {part}/{_QUARTERS} (alone {alone[at]:.4f})"
        for at, part in enumerate(parts)
    )
    where = (lang or "other languages") + (f", {labels}" if labels else "")
    _log.info("teachers of %s (%s): %s, because their loss on validation is %.4f", task, where, told, loss)
    return best


def _joint(each: Sequence[Sample | None], vote: Vote) -> Sample:
    first = next(one for one in each if one)
    logits = vote.logits([one.logits if one else None for one in each])
    return Sample(Scored(first.scored.entry, first.scored.rows, logits), logits)
