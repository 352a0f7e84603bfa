"""How much teachers count: by who errs where, and by all languages' tweets where one has few."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.training.tiny import write_data, write_rows
from trendlark.nlu.tasks import TASKS
from trendlark.training import linear
from trendlark.training.calibrate import Sample, fit_temperature, sample_loss
from trendlark.training.data import read_rows
from trendlark.training.predict import Floats
from trendlark.training.scoring import Scored
from trendlark.training.sets import SETS
from trendlark.training.soft import SoftRow
from trendlark.training.teachers import find_shifts, label
from trendlark.training.votes import Vote, choose_votes


class _Answers:
    """A teacher that is right of a set's first rows, or of its last, and wrong of the others."""

    name = "someone"

    def __init__(self, data: Path, right: slice, size: float, only: str = "") -> None:
        self._only = only
        self._said = {}
        rows = read_rows(data, SETS["tweeteval_sentiment"], "val")
        good = {row.text for row in rows[right]}
        for row in rows:
            at = TASKS["sentiment"].labels.index(row.labels[0])
            logits = np.zeros(3, np.float32)
            logits[at if row.text in good else (at + 1) % 3] = size
            self._said[row.text] = logits

    def knows(self, task: str, lang: str) -> bool:
        return task == "sentiment" and self._only in ("", lang)

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


def test_where_each_teacher_knows_english_alone_there_is_no_vote_for_other_languages(
    one_set: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "trendlark.training")
    slices = (slice(0, 45), slice(15, 60))
    english = [_Answers(one_set, right, 2.0, "en") for right in slices]
    votes = choose_votes(english, one_set, enough=60)
    assert set(votes) == {("sentiment", "en")}
    assert "teachers of sentiment (other languages): none, because no teacher knows them" in caplog.messages
    # English is voted on as it is beside a vote for other languages.
    both = choose_votes([_Answers(one_set, right, 2.0) for right in slices], one_set, enough=60)
    assert set(both) == {("sentiment", "en"), ("sentiment", "")}
    assert votes["sentiment", "en"] == both["sentiment", "en"]
    rows = [SoftRow("tweet number 20", lang, "unlabeled", {}) for lang in ("en", "nl")]
    assert find_shifts(rows, english, votes) == {}
    here, elsewhere = label(rows, english, votes)
    assert here.chances["sentiment"].argmax() == 20 % 3
    assert elsewhere.chances == {}


def test_one_teacher_of_any_language_is_enough_for_a_vote_on_others(one_set: Path) -> None:
    english, any_language = (_Answers(one_set, slice(0, 45), 2.0, only) for only in ("en", ""))
    votes = choose_votes([english, any_language], one_set, enough=60)
    assert set(votes) == {("sentiment", "en"), ("sentiment", "")}
    assert votes["sentiment", ""].factors[0] == 0
    assert votes["sentiment", ""].factors[1] > 0


def test_few_tweets_decide_where_there_is_no_vote_of_other_languages(
    one_set: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "trendlark.training")
    english = [_Answers(one_set, right, 2.0, "en") for right in (slice(0, 45), slice(0, 0))]
    votes = choose_votes(english, one_set, enough=61)
    assert votes == choose_votes(english, one_set, enough=60)
    assert votes["sentiment", "en"].factors[1] == 0
    told = [line for line in caplog.messages if "validation tweets" in line]
    assert len(told) == 1
    assert told[0].startswith(
        "teachers of sentiment (en): chosen by 60 validation tweets, though these are few, "
    )


class _Feels:
    """A teacher of Spanish emotions alone, that says the logit ``love`` of love and -1 of all others."""

    name = "feels"

    def __init__(self, love: float) -> None:
        self._logits = np.full(TASKS["emotions"].width, -1, np.float32)
        self._logits[TASKS["emotions"].labels.index("love")] = love

    def knows(self, task: str, lang: str) -> bool:
        return (task, lang) == ("emotions", "es")

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:
        return [{"emotions": self._logits} for _ in texts]


def test_labels_that_no_set_of_the_only_language_has_are_told_by_its_own_teachers(tmp_path: Path) -> None:
    data = write_data(tmp_path)
    votes = choose_votes([_Feels(0.5)], data, enough=1)
    assert set(votes) == {("emotions", "es")}
    vote = votes["emotions", "es"]
    silent = [TASKS["emotions"].labels[at] for at in range(len(vote.silent)) if not vote.tells(at)]
    assert silent == ["love", "optimism"]
    (factor,) = set(np.asarray(vote.factors[0]).tolist())
    assert factor > 0
    (found,) = label([SoftRow("hola", "es", "unlabeled", {})], [_Feels(0.5)], votes)
    chances = dict(zip(TASKS["emotions"].labels, found.chances["emotions"].tolist(), strict=True))
    assert chances["love"] == pytest.approx(1 / (1 + np.exp(-0.5 * factor)), rel=1e-5)
    assert chances["joy"] == pytest.approx(1 / (1 + np.exp(factor)), rel=1e-5)


def test_who_says_nothing_of_some_emotions_leaves_these_to_who_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "trendlark.training")
    data = write_data(tmp_path)
    regressions, network = linear.fit(data), _Feels(0.5)
    vote = choose_votes([regressions, network], data, enough=1)["emotions", "es"]
    learnt, guessed = (np.broadcast_to(one, len(vote.silent)) for one in vote.factors)
    silent = np.array(vote.silent)
    # The linear model counts in what the set tells of, and not in love, of which it has learnt nothing.
    assert (learnt[~silent] > 0).all()
    assert not learnt[silent].any()
    assert (guessed[silent] > 0).all()
    assert any(
        line.startswith("teachers of emotions (es, love, optimism): feels 4/4") for line in caplog.messages
    )


def test_who_says_nothing_of_some_emotions_gives_no_soft_labels_of_emotions(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "trendlark.training")
    data = write_data(tmp_path)
    # Half a chance of love, of every text, is what a logit of 0 would teach.
    assert choose_votes([_Feels(0.0)], data, enough=1) == {}
    assert "teachers of emotions (es): none, because none says anything of love, optimism" in caplog.messages
    # The real linear model of each language is such a teacher, and knows all three sentiments.
    votes = choose_votes([linear.fit(data)], data, enough=1)
    assert {("sentiment", "en"), ("sentiment", "es"), ("irony", "en")} <= set(votes)
    assert not {key for key in votes if key[1] == "" or key == ("emotions", "es")}
    assert "teachers of emotions (es): none, because none says anything of love, optimism" in caplog.messages


def test_a_vote_takes_what_its_language_says_nothing_of_from_another() -> None:
    own, other = Vote((2.0, 0.0)), Vote((1.0, 0.5))
    joined = own.except_for(np.array([False, True]), other)
    said = joined.logits([np.array([1.0, 1.0], np.float32), np.array([4.0, 4.0], np.float32)])
    np.testing.assert_array_equal(said, [2.0, 3.0])
