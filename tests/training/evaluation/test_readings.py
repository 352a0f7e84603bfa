"""What the public API says, read as each benchmark asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.training.evaluation.analyses import analysis, entity
from trendlark.training.data import Row
from trendlark.training.evaluation.readings import answer, by_label, classes, count, read, word_tags
from trendlark.training.scoring import NONE, type_names
from trendlark.training.sets import SETS

ROW = Row("x", ("joy",))


def test_tweeteval_emotion_is_the_strongest_of_its_four_present_or_not() -> None:
    said = analysis(emotions={"love": 0.9, "optimism": 0.2, "joy": 0.1}, present=("love",))
    assert answer(SETS["tweeteval_emotion"], ROW, said) == "optimism"


def test_emoevent_is_the_strongest_of_its_six_that_is_present_or_none() -> None:
    chances = {"love": 0.9, "anger": 0.6, "joy": 0.7}
    assert (
        answer(SETS["emoevent_es"], ROW, analysis(emotions=chances, present=("love", "joy", "anger")))
        == "joy"
    )
    assert answer(SETS["emoevent_es"], ROW, analysis(emotions=chances, present=("love", "anger"))) == "anger"
    assert answer(SETS["emoevent_es"], ROW, analysis(emotions=chances, present=("love",))) == NONE


def test_flags_are_their_value_whatever_the_probability() -> None:
    said = analysis(flags={"irony": (True, 0.45), "hate": (False, 0.53)})
    assert answer(SETS["tweeteval_irony"], ROW, said) == "yes"
    assert answer(SETS["tweeteval_hate"], ROW, said) == "no"


def test_topics_and_goemotions_are_those_present() -> None:
    said = analysis(topics={"sports": 0.8, "music": 0.4}, emotions={"joy": 0.6}, present=("joy", "optimism"))
    assert answer(SETS["tweet_topicxl_en"], ROW, said) == frozenset({"sports"})
    assert answer(SETS["goemotions"], ROW, said) == frozenset({"joy", "optimism"})


@pytest.mark.parametrize(
    ("entities", "tags"),
    [
        ((entity("Ana Paz", "person", 0),), ["B-PER", "I-PER", "O", "O", "O"]),
        ((entity("Ana", "person", 0), entity("Paz", "person", 4)), ["B-PER", "B-PER", "O", "O", "O"]),
        # A hashtag without its sign, an abbreviation that ends within a word: any overlap counts.
        ((entity("Lima", "location", 12),), ["O", "O", "O", "B-LOC", "O"]),
        ((entity("U.S", "location", 17),), ["O", "O", "O", "O", "B-LOC"]),
        # A type that the set does not have is dropped; a group is one of its organisations.
        ((entity("Ana", "work", 0), entity("Paz", "group", 4)), ["O", "B-ORG", "O", "O", "O"]),
    ],
)
def test_entities_are_laid_on_the_words(entities: tuple[object, ...], tags: list[str]) -> None:
    words = ("Ana", "Paz", "ama", "#Lima", "U.S.")
    row = Row(" ".join(words), words=words, tags=("O",) * 5)
    assert word_tags(SETS["ner_btc"], row, entities) == tags  # type: ignore[arg-type]


def test_types_are_called_as_the_set_calls_them() -> None:
    assert type_names(SETS["ner_btc"]) == {
        "person": "PER",
        "location": "LOC",
        "organization": "ORG",
        "group": "ORG",
    }
    assert type_names(SETS["ner_wnut17"])["work"] == "creative-work"
    assert type_names(SETS["ner_tweebank"])["product"] == "MISC"


def test_an_irony_set_is_scored_by_f1_of_yes_and_its_confidence() -> None:
    rows = [Row("a", ("irony",)), Row("b", ("non_irony",)), Row("c", ("irony",))]
    said = [analysis(flags={"irony": flag}) for flag in ((True, 0.9), (True, 0.8), (False, 0.3))]
    found = read(SETS["tweeteval_irony"], rows, said)
    assert found.said == ["yes", "yes", "no"]
    assert found.tally.score() == pytest.approx(0.5)
    assert found.calibration is not None
    assert found.calibration.score() == pytest.approx((0.1 + 0.8 + 0.7) / 3)
    assert by_label(found)["yes"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "rows": 2}
    assert by_label(found)["no"]["f1"] == 0


def test_sentiment_is_scored_by_recall_and_the_confidence_of_the_label() -> None:
    rows = [Row("a", ("positive",)), Row("b", ("negative",)), Row("c", ("negative",))]
    said = [
        analysis(sentiment={label: 0.6, "neutral": 0.4}) for label in ("positive", "negative", "positive")
    ]
    found = read(SETS["tweeteval_sentiment"], rows, said)
    assert found.tally.score() == pytest.approx((1 + 0.5) / 2)
    assert found.calibration is not None
    assert found.calibration.score() == pytest.approx(2 / 3 - 0.6)


def test_many_labels_are_calibrated_label_by_label() -> None:
    entry = SETS["tweet_topicxl_en"]
    rows = [Row("a", ("sports", "music")), Row("b", ("music",))]
    said = [analysis(topics={"sports": 0.8, "music": 0.8}), analysis(topics={"sports": 0.8, "music": 0.4})]
    found = read(entry, rows, said)
    assert found.tally.score() == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert found.calibration is not None
    assert found.calibration.counts.sum(0)[:15].sum() == 2 * len(entry.annotated)
    assert by_label(found)["music"] == {
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "rows": 2,
    }


def test_entities_are_scored_by_exact_spans_and_calibrated_by_themselves() -> None:
    words = ("Ana", "lives", "in", "Lima")
    row = Row(" ".join(words), words=words, tags=("B-PER", "O", "O", "B-LOC"))
    said = analysis(entities=(entity("Ana", "person", 0, 0.7), entity("in Lima", "location", 10, 0.9)))
    found = read(SETS["ner_btc"], [row, row], [said, analysis()])
    assert found.tally.score() == pytest.approx(2 / 6)
    assert found.calibration is not None
    assert found.calibration.score() == pytest.approx((0.3 + 0.9) / 2)
    assert by_label(found) == {}


def test_answers_without_probabilities_have_no_calibration() -> None:
    rows = [Row("a", ("joy",)), Row("b", ("others",))]
    found = count(SETS["emoevent_en"], rows, ["joy", NONE], None)
    assert found.tally.score() == 1
    assert found.calibration is None
    assert classes(SETS["emoevent_en"])[-1] == NONE
    assert NONE not in classes(SETS["tweeteval_emotion"])


def test_a_set_may_be_judged_by_another_metric() -> None:
    rows = [Row("a", ("irony",)), Row("b", ("non_irony",))]
    entry = replace(SETS["tweeteval_irony"], metric="macro_f1")
    assert count(entry, rows, ["yes", "yes"], None).tally.score() == pytest.approx((2 / 3) / 2)


@pytest.mark.parametrize("task", ["umsab_es", "emoevent_es"])
def test_the_f1_of_yes_is_never_something_else(task: str) -> None:
    rows = [Row("a", (next(iter(SETS[task].labels)),))]
    entry = replace(SETS[task], metric="f1_yes")
    with pytest.raises(KeyError, match="f1_yes"):
        count(entry, rows, [SETS[task].annotated[0]], None)
