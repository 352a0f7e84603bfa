"""Several models teach the next: what they say together of tweets that no person labelled (Hinton et al. 2015,
arXiv:1503.02531).

    trendlark teach --data DATA --model FOLDER --model FOLDER ... --out FILE

Models that erred in different places are right together more often than any of them. A linear model of n-grams, fitted
here and then, is always one more (``linear.py``), and where an encoder is given, regressions over what it makes of a
text as it is (``embedded.py``). How much each counts is chosen in ``votes.py``.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trendlark.errors import ModelError
from trendlark.nlu.artifact import load_artifact
from trendlark.nlu.tasks import TASKS
from trendlark.training import checkpoint, embedded, linear
from trendlark.training.data import encode
from trendlark.training.model import POOLED_TASKS
from trendlark.training.pools import pool_texts
from trendlark.training.predict import Floats, Predictor, build_session, session_predictor
from trendlark.training.scoring import Calibration
from trendlark.training.sets import SETS, SOFT_SETS
from trendlark.training.soft import SoftRow, write_soft
from trendlark.training.votes import Teacher, Vote, choose_votes

_log = logging.getLogger(__name__)

_CHUNK = 1000
# What people said of a set's own tweets, by the set's folder.
_SAID = {(entry.name, entry.task) for entry in SETS.values()} | {
    (entry.name, "hate") for entry in SETS.values() if entry.hate
}
# Half of the irony set is ironic, because it was gathered by "#irony" and "#sarcasm"; so a model of it calls two in
# five tweets ironic that nobody gathered for that. Of those this share is, about, and the odds are lowered to give it
# (Saerens et al. 2002, doi:10.1162/089976602753284446).
SHARE_ELSEWHERE = {"irony": 0.1}
# As many steps of halving as single precision can tell apart.
_HALVINGS = 24
_LARGEST_SHIFT = 10.0
# Texts that shares are told by.
_SHIFT_TEXTS = 3000

# Probabilities [width] by task and text.
Told = Mapping[str, Mapping[str, Floats]]
# What is added to joint logits by task and language; language "" is all others.
Shifts = Mapping[tuple[str, str], float | Floats]


@dataclass(frozen=True, slots=True)
class NetworkTeacher:
    """A trained model as a function of texts; ``langs`` are the languages that it was taught."""

    name: str
    tokenizer: Tokenizer
    predict: Predictor
    langs: frozenset[str]

    def knows(self, task: str, lang: str) -> bool:
        """Say whether it was taught the language: of several what is learnt in one is said in any, of one it is not."""
        return task in POOLED_TASKS and (len(self.langs) > 1 or lang in self.langs)

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:  # noqa: ARG002
        """Return the raw logits [width] of each pooled task, for each text."""
        found = self.predict(encode(self.tokenizer, texts))
        return [{name: one[name] for name in POOLED_TASKS} for one in found]


def load_teacher(model: Path) -> NetworkTeacher:
    """Return the model of an artefact's folder, or a checkpoint (.pt).

    Raises ModelError where an artefact is damaged or has other labels than ours, NotFoundError where nothing is there.
    """
    if model.suffix == ".pt":
        state = checkpoint.load(model)
        state.network.eval()
        return NetworkTeacher(
            model.stem,
            state.tokenizer,
            state.predictor(),
            _langs(state.more.get("recipe", {})),
        )
    artifact = load_artifact(model)
    for task in POOLED_TASKS:
        theirs = tuple(artifact.manifest.tasks[task].labels)
        if theirs != TASKS[task].labels:
            raise ModelError(
                f"Found other labels of {task} in {model}: {', '.join(theirs)}. Allowed are those of this version, in "
                f"their order: {', '.join(TASKS[task].labels)}. Let a model teach that has these."
            )
    tokenizer = Tokenizer.from_file(str(artifact.tokenizer_file))
    predict = session_predictor(build_session(artifact.model_file))
    return NetworkTeacher(model.name, tokenizer, predict, _langs(artifact.manifest.recipe))


def _langs(recipe: Mapping[str, Any]) -> frozenset[str]:
    boosts: Mapping[str, float] = recipe.get("boosts", {})
    own = {entry.lang for key, entry in SETS.items() if boosts.get(key, 1.0) > 0}
    # Soft labels are there only where a run was given them, for which a recipe then has shares.
    return frozenset(own | {lang for key, lang in SOFT_SETS.items() if boosts.get(key, 0.0) > 0})


def run(
    data: Path,
    out: Path,
    models: Sequence[Path],
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    most: int | None = None,
    encoder: Path | None = None,
) -> Path:
    """Label the pools' texts by these models (folders or checkpoints) together and write them to ``out``.

    ``encoder`` is a folder as ``bert.py`` reads it, over which regressions of English are fitted, which tell labelled
    tweets again, too (``embedded.py``); ``most`` takes so many texts, drawn from all pools by ``seed``; ``progress`` is
    called with the number of texts that are labelled and of all. The file appears when it is whole.
    """
    teachers: list[Teacher] = [*(load_teacher(folder) for folder in models), linear.fit(data, seed)]
    told: Told = {}
    if encoder:
        untuned = embedded.fit(encoder, data, seed)
        teachers.append(untuned)
        told = untuned.told
    votes = choose_votes(teachers, data)
    rows = pool_texts(data, seed)[:most]
    chunks = [rows[at : at + _CHUNK] for at in range(0, len(rows), _CHUNK)]
    shifts = find_shifts(rows[:_SHIFT_TEXTS], teachers, votes)
    with ThreadPoolExecutor(cpu_count()) as threads:
        labelled = threads.map(lambda chunk: label(chunk, teachers, votes, shifts, told), chunks)
        part = out.with_name(out.name + ".part")
        write_soft(part, itertools.chain.from_iterable(_counted(labelled, len(rows), progress)))
    part.replace(out)
    return out


def _counted(
    chunks: Iterator[list[SoftRow]], total: int, progress: Callable[[int, int], None] | None
) -> Iterator[list[SoftRow]]:
    done = 0
    for chunk in chunks:
        done += len(chunk)
        if progress:
            progress(done, total)
        yield chunk


def label(
    rows: Sequence[SoftRow],
    teachers: Sequence[Teacher],
    votes: Mapping[tuple[str, str], Vote],
    shifts: Shifts = MappingProxyType({}),
    told: Told = MappingProxyType({}),
) -> list[SoftRow]:
    """Return the rows with the teachers' joint probabilities of every task but that of the row's own set.

    ``shifts`` are added to the joint logits; ``told`` are, by task and text, the probabilities of texts of a
    task's own sets.
    """
    said = [_answers(teacher, at, rows, votes) for at, teacher in enumerate(teachers)]
    plain = Calibration()
    found = []
    for row, each in zip(rows, zip(*said, strict=True), strict=True):
        chances = {}
        for task in POOLED_TASKS:
            vote = _vote(votes, task, row.lang)
            if vote and (row.origin, task) not in _SAID:
                joint = vote.logits([one.get(task) for one in each])
                joint = joint + shifts.get((task, row.lang), shifts.get((task, ""), 0.0))
                chances[task] = plain.probabilities(task, joint)
            elif row.text in told.get(task, ()):
                chances[task] = told[task][row.text]
        found.append(SoftRow(row.text, row.lang, row.origin, chances))
    return found


def _answers(
    teacher: Teacher, at: int, rows: Sequence[SoftRow], votes: Mapping[tuple[str, str], Vote]
) -> list[dict[str, Floats]]:
    """Return what the teacher says of each row; it is not asked in languages where its word counts for no task."""
    asked = {
        row.lang
        for row in rows
        if any(np.any(vote.factors[at]) for task in POOLED_TASKS if (vote := _vote(votes, task, row.lang)))
    }
    heard = [row for row in rows if row.lang in asked]
    said = iter(teacher.logits([row.text for row in heard], [row.lang for row in heard]) if heard else [])
    return [next(said) if row.lang in asked else {} for row in rows]


def _vote(votes: Mapping[tuple[str, str], Vote], task: str, lang: str) -> Vote | None:
    return votes.get((task, lang)) or votes.get((task, ""))


def find_shifts(
    rows: Sequence[SoftRow], teachers: Sequence[Teacher], votes: Mapping[tuple[str, str], Vote]
) -> dict[tuple[str, str], float | Floats]:
    """Return by task and language what is added to logits so that mean probabilities over ``rows`` are as expected.

    Nothing is ever made likelier.
    """
    found: dict[tuple[str, str], float | Floats] = {}
    labelled = label(rows, teachers, votes)
    for task, share in SHARE_ELSEWHERE.items():
        chances = [row.chances[task] for row in labelled if task in row.chances]
        if chances:
            logits = _log_odds(np.concatenate(chances))
            found[task, ""] = shift = _shift_to(share, logits)
            _log.info(
                "soft labels of %s: odds times %.2f, because the teachers say it of %.0f %% of texts, not of %.0f %%",
                task,
                math.exp(shift),
                100 * _mean(logits),
                100 * share,
            )
    for (task, lang), vote in votes.items():
        if lang and any(vote.silent):
            found[task, lang] = _as_elsewhere(task, lang, votes, labelled)
    return found


def _as_elsewhere(
    task: str, lang: str, votes: Mapping[tuple[str, str], Vote], labelled: Sequence[SoftRow]
) -> Floats:
    """Return what makes labels that no set of a language tells of as frequent as in languages that have such sets.

    Nothing else holds them: a network that learns them from teachers, and teaches the next, says them more each time.
    """
    shifts = np.zeros(TASKS[task].width, np.float32)
    told = [row for row in labelled if task in row.chances]
    own = [row.chances[task] for row in told if row.lang == lang]
    for at in np.flatnonzero(votes[task, lang].silent).tolist():
        others = [
            row.chances[task][at] for row in told if (vote := votes.get((task, row.lang))) and vote.tells(at)
        ]
        if own and others:
            logits = _log_odds(np.stack(own)[:, at])
            shifts[at] = _shift_to(float(np.mean(others)), logits)
            _log.info(
                "soft labels of %s (%s): odds times %.2f, because the teachers say it of %.0f %% of texts, of %.0f %% "
                "in languages whose sets have it",
                TASKS[task].labels[at],
                lang,
                math.exp(shifts[at]),
                100 * _mean(logits),
                100 * float(np.mean(others)),
            )
    return shifts


def _log_odds(chances: Floats) -> NDArray[np.float64]:
    chance = np.clip(chances.astype(np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(chance / (1 - chance)))


def _mean(logits: NDArray[np.float64]) -> float:
    return float(np.mean(1 / (1 + np.exp(-logits))))


def _shift_to(share: float, logits: NDArray[np.float64]) -> float:
    low, high = -_LARGEST_SHIFT, 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _mean(logits + middle) > share:
            high = middle
        else:
            low = middle
    return high if high < -1e-3 else 0.0
