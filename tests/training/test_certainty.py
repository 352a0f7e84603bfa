"""How sure entities are said to be: what serving tells, fitted to how often whole entities are right."""

from __future__ import annotations

import numpy as np
import pytest

from trendlark.nlu.entities import Pieces, decode
from trendlark.nlu.tasks import entity_tags
from trendlark.nlu.text import normalise
from trendlark.training.certainty import Said, fit_certainty, said_of
from trendlark.training.predict import Floats
from trendlark.training.scoring import Tagged

TAGS = entity_tags()
HEATS = np.linspace(0.5, 5.0, 91)


def _logits(*words: dict[str, float]) -> Floats:
    return np.array([[one.get(tag, -9.0) for tag in TAGS] for one in words], np.float32)


def _of(text: str, margin: float, right: bool) -> Tagged:
    """A word of a person that is a person, or is none."""
    logits = _logits({"B-person": margin, "O": 0.0}, {"O": 30.0})
    return Tagged({(0, 1, "PER")} if right else set(), {(0, 1, "PER")}, ["B-person", "O"], logits)


def test_an_entity_is_as_sure_as_serving_says() -> None:
    raw = "new york sleeps"
    logits = _logits(
        {"B-location": 2.0, "I-location": 1.0, "O": 0.0}, {"I-location": 1.5, "O": 1.0}, {"O": 9.0}
    )
    normalised = normalise(raw)
    pieces = Pieces([(0, 3), (4, 8), (9, 15)], [0, 1, 2])
    served = decode(logits, TAGS, 1.7, pieces, normalised, raw)
    assert [(one.text, one.type) for one in served] == [("new york", "location")]
    said = said_of([Tagged(set(), {(0, 2, "LOC")}, ["B-location", "I-location", "O"], logits)])
    assert said is not None
    assert said.probabilities(1.7) == pytest.approx([served[0].probability], rel=1e-9)
    assert said.right.tolist() == [False]


def test_each_entity_has_its_own_words() -> None:
    logits = _logits(
        {"B-person": 3.0, "O": 0.0},
        {"O": 8.0},
        {"B-product": 1.0, "O": 0.0},
        {"I-product": 0.5, "O": 0.0},
    )
    tags = ["B-person", "O", "B-product", "I-product"]
    said = said_of([Tagged({(0, 1, "PER")}, {(0, 1, "PER"), (2, 4, "MISC")}, tags, logits)] * 2)
    assert said is not None
    one, other = said.probabilities(1.0)[:2]
    # The odds of the other tags are next to nothing.
    assert one == pytest.approx(1 / (1 + np.exp(-3)), abs=1e-3)
    assert other == pytest.approx((1 / (1 + np.exp(-1)) + 1 / (1 + np.exp(-0.5))) / 2, abs=3e-3)
    assert said.right.tolist() == [True, False, True, False]


def test_an_entity_that_ends_elsewhere_is_wrong() -> None:
    logits = _logits({"B-person": 3.0}, {"I-person": 3.0})
    said = said_of([Tagged({(0, 1, "PER")}, {(0, 2, "PER")}, ["B-person", "I-person"], logits)])
    assert said is not None
    assert said.right.tolist() == [False]


@pytest.mark.parametrize("share", [0.6, 0.75, 0.9])
def test_the_temperature_makes_it_as_sure_as_it_is_right(share: float) -> None:
    texts = [_of("x", 3.0, at < 100 * share) for at in range(100)]
    said = said_of(texts)
    assert said is not None
    found = fit_certainty([said], HEATS)
    assert float(said.probabilities(found).mean()) == pytest.approx(share, abs=0.02)


def test_every_set_weighs_the_same() -> None:
    many, few = (
        said_of([_of("x", 3.0, right) for _ in range(count)]) for count, right in ((300, True), (3, False))
    )
    assert isinstance(many, Said)
    assert isinstance(few, Said)
    # Half of what is said is right, set for set, although three hundred of 303 are.
    assert float(many.probabilities(fit_certainty([many, few], HEATS)).mean()) == pytest.approx(0.5, abs=0.02)
    assert fit_certainty([many], HEATS) == HEATS[0]


def test_where_nothing_is_said_there_is_nothing_to_fit() -> None:
    silent = Tagged({(0, 1, "PER")}, set(), ["O"], _logits({"O": 5.0}))
    assert said_of([silent, silent]) is None
    assert fit_certainty([], HEATS) == 1.0
