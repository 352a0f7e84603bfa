"""How much teachers count: by who errs where, and by all languages' tweets where one has few."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.training.tiny import write_rows
from trendlark.nlu.tasks import TASKS
from trendlark.training.calibrate import Sample, fit_temperature, sample_loss
from trendlark.training.data import read_rows
from trendlark.training.predict import Floats
from trendlark.training.scoring import Scored
from trendlark.training.sets import SETS
from trendlark.training.soft import SoftRow
from trendlark.training.teachers import label
from trendlark.training.votes import Vote, choose_votes


class _Answers:
    """A teacher that is right of a set's first rows, or of its last, and wrong of the others."""

    name = "someone"

    def __init__(self, data: Path, right: slice, size: float) -> None:
        self._said = {}
        rows = read_rows(data, SETS["tweeteval_sentiment"], "val")
        good = {row.text for row in rows[right]}
        for row in rows:
            at = TASKS["sentiment"].labels.index(row.labels[0])
            logits = np.zeros(3, np.float32)
            logits[at if row.text in good else (at + 1) % 3] = size
            self._said[row.text] = logits

    def knows(self, task: str, lang: str) -> bool:
        return task == "sentiment"

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:
        return [{"sentiment": self._said.get(text, np.zeros(3, np.float32))} for text in texts]


def _judged(data: Path, *answers: _Answers) -> Vote:
    return choose_votes(answers, data, enough=60)["sentiment", "en"]


@pytest.fixture
def one_set(tmp_path: Path) -> Path:
    rows = [{"text": f"tweet number {at}", "label": TASKS["sentiment"].labels[at % 3]} for at in range(60)]
    write_rows(tmp_path / "tweeteval_sentiment" / "val.jsonl.gz", rows)
    return tmp_path


def test_who_errs_elsewhere_gets_a_share_and_who_is_always_wrong_gets_none(one_set: Path) -> None:
    first, last = _Answers(one_set, slice(0, 45), 2.0), _Answers(one_set, slice(15, 60), 2.0)
    both = _judged(one_set, first, last).factors
    assert both[0] == pytest.approx(both[1])
    never = _Answers(one_set, slice(0, 0), 2.0)
    kept, dropped = _judged(one_set, first, never).factors
    assert kept > 0
    assert dropped == 0


def test_a_teacher_that_boasts_is_cooled_first(one_set: Path) -> None:
    modest, boasting = _Answers(one_set, slice(0, 45), 1.0), _Answers(one_set, slice(15, 60), 10.0)
    factors = _judged(one_set, modest, boasting).factors
    assert factors[0] == pytest.approx(10 * factors[1], rel=0.15)


def test_the_chosen_temperature_has_the_least_loss(one_set: Path) -> None:
    rows = read_rows(one_set, SETS["tweeteval_sentiment"], "val")
    said = _Answers(one_set, slice(0, 40), 3.0).logits([row.text for row in rows], ["en"] * len(rows))
    logits = np.stack([one["sentiment"] for one in said])
    sample = Sample(Scored(SETS["tweeteval_sentiment"], rows, logits), logits)
    best = fit_temperature("sentiment", [sample])
    for other in (0.5 * best, 2 * best):
        assert sample_loss("sentiment", [sample], best) < sample_loss("sentiment", [sample], other)


def test_a_language_of_few_tweets_is_voted_on_as_all_are(
    one_set: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "trendlark.training")
    answers = [_Answers(one_set, slice(0, 45), 2.0), _Answers(one_set, slice(15, 60), 2.0)]
    enough, few = (choose_votes(answers, one_set, least) for least in (60, 61))
    assert set(enough) == {("sentiment", "en"), ("sentiment", "")}
    assert set(few) == {("sentiment", "")}
    told = [line for line in caplog.messages if "too few" in line]
    assert told == [
        "teachers of sentiment (en): those of other languages, because 60 validation tweets are too few to choose by"
    ]
    # Its texts are labelled all the same.
    (found,) = label([SoftRow("tweet number 20", "en", "unlabeled", {})], answers, few)
    assert TASKS["sentiment"].labels[found.chances["sentiment"].argmax()] == TASKS["sentiment"].labels[20 % 3]


def test_of_a_set_that_no_teacher_knows_nothing_is_told(one_set: Path) -> None:
    answers = [_Answers(one_set, slice(0, 45), 2.0), _Answers(one_set, slice(15, 60), 2.0)]
    alone = choose_votes(answers, one_set, enough=60)
    rows = [{"text": f"text {at}", "label": "irony" if at % 2 else "non_irony"} for at in range(60)]
    write_rows(one_set / "tweeteval_irony" / "val.jsonl.gz", rows)
    assert choose_votes(answers, one_set, enough=60) == alone


def test_a_vote_takes_what_its_language_says_nothing_of_from_another() -> None:
    own, other = Vote((2.0, 0.0)), Vote((1.0, 0.5))
    joined = own.except_for(np.array([False, True]), other)
    said = joined.logits([np.array([1.0, 1.0], np.float32), np.array([4.0, 4.0], np.float32)])
    np.testing.assert_array_equal(said, [2.0, 3.0])
