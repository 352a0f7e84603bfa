"""How sure the model says that it is of an entity, so that it is right as often.

An entity's probability is the mean of its words' probabilities of its type (``nlu/entities.py``). Whether it is right
hangs on more: where it begins and ends. So its temperature is fitted to how often whole entities are right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trendlark.nlu.tasks import entity_tags
from trendlark.training.predict import Floats
from trendlark.training.scoring import Tagged

_CERTAIN = 1e-6


@dataclass(frozen=True, slots=True)
class Said:
    """The entities that were said of a set: logits of their words [words, tags] and which columns are their type's.

    ``begins`` tells where each entity begins among the words, ``right`` whether it is right [entities].
    """

    logits: Floats
    own: NDArray[np.bool_]
    begins: NDArray[np.int64]
    right: NDArray[np.bool_]

    def probabilities(self, temperature: float) -> NDArray[np.float64]:
        """Return the probability [entities] that is told at this temperature."""
        scaled = self.logits.astype(np.float64) / temperature
        powers = np.exp(scaled - scaled.max(-1, keepdims=True))
        words = (powers * self.own).sum(-1) / powers.sum(-1)
        lengths = np.diff(np.append(self.begins, len(words)))
        return np.asarray(np.add.reduceat(words, self.begins) / lengths)

    def loss(self, temperature: float) -> float:
        """Return the mean negative log likelihood of what is right and what is wrong."""
        chance = self.probabilities(temperature).clip(_CERTAIN, 1 - _CERTAIN)
        return float(-np.log(np.where(self.right, chance, 1 - chance)).mean())


def said_of(texts: Iterable[Tagged]) -> Said | None:
    """Return the entities that were said of a set's texts, of types that the set has; None where there is none."""
    tags = entity_tags()
    logits: list[Floats] = []
    own: list[NDArray[np.bool_]] = []
    begins: list[int] = []
    right: list[bool] = []
    for text in texts:
        for start, end, kind in sorted(text.said):
            mine = text.tags[start].partition("-")[2]
            columns = np.array([tag.partition("-")[2] == mine for tag in tags])
            begins.append(len(logits))
            logits += list(text.logits[start:end])
            own += [columns] * (end - start)
            right.append((start, end, kind) in text.gold)
    if not right:
        return None
    return Said(np.stack(logits), np.stack(own), np.array(begins), np.array(right))


def fit_certainty(sets: Sequence[Said], temperatures: Iterable[float]) -> float:
    """Return the temperature of the highest likelihood, every set weighing the same; 1 where nothing was said."""
    if not sets:
        return 1.0
    return float(min(temperatures, key=lambda one: float(np.mean([said.loss(one) for said in sets]))))
