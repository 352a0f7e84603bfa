"""The linear teacher: what it learns, of which languages it speaks, and how it votes with others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.training.tiny import SENTIMENT_WORDS, write_data, write_rows, write_sentiment
from trendlark.nlu.tasks import TASKS
from trendlark.training import linear
from trendlark.training.linear import LinearModel
from trendlark.training.predict import Floats
from trendlark.training.soft import SoftRow
from trendlark.training.teachers import label
from trendlark.training.votes import Vote, choose_votes


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sentiment by one word in two languages, and irony in English."""
    folder = tmp_path_factory.mktemp("linear")
    pattern = dict.fromkeys(SENTIMENT_WORDS, "{split} {at} {word}")
    write_sentiment(folder, {"train": 40, "val": 10}, pattern)
    for split in ("train", "val"):
        rows = [
            {"text": f"{split} {at} {text}", "label": label_of}
            for at in range(20)
            for text, label_of in (("how lovely, rain", "irony"), ("rain at nine", "non_irony"))
        ]
        write_rows(folder / "tweeteval_irony" / f"{split}.jsonl.gz", rows)
    return folder


@pytest.fixture(scope="module")
def model(world: Path) -> LinearModel:
    return linear.fit(world)


def test_it_learns_each_language_from_its_own_sets(model: LinearModel) -> None:
    texts = [f"something {word} here" for lang in SENTIMENT_WORDS for word in SENTIMENT_WORDS[lang]]
    langs = [lang for lang in SENTIMENT_WORDS for _ in SENTIMENT_WORDS[lang]]
    said = [int(one["sentiment"].argmax()) for one in model.logits(texts, langs)]
    assert said == [0, 1, 2, 0, 1, 2]
    # An English word says nothing to the Spanish part: all that is left is the bias.
    strange, nothing = model.logits(["wonderful", ""], ["es", "es"])
    assert np.ptp(strange["sentiment"]) < np.ptp(model.logits(["maravilloso"], ["es"])[0]["sentiment"]) / 2
    assert nothing["sentiment"].shape == (3,)


def test_it_says_nothing_of_what_it_was_not_taught(model: LinearModel) -> None:
    assert model.knows("irony", "en")
    assert not any(model.knows(*other) for other in (("irony", "es"), ("topics", "en"), ("irony", "")))
    first, second, third = model.logits(["a", "b", "c"], ["es", "en", "sw"])
    assert (set(first), set(second), set(third)) == ({"sentiment"}, {"sentiment", "irony"}, set())


def test_the_order_of_texts_and_languages_is_kept(model: LinearModel) -> None:
    texts = ["wonderful", "horrible", "terrible", "martes"]
    langs = ["en", "es", "en", "es"]
    together = model.logits(texts, langs)
    for text, lang, one in zip(texts, langs, together, strict=True):
        np.testing.assert_allclose(one["sentiment"], model.logits([text], [lang])[0]["sentiment"])


def test_a_label_that_no_text_has_stays_at_nothing(tmp_path: Path) -> None:
    data = write_data(tmp_path)
    (one,) = linear.fit(data).logits(["a new song is out"], ["en"])
    topics = dict(zip(TASKS["topics"].labels, one["topics"], strict=True))
    # Every text of this world is of music, and none of family: nothing to learn of either.
    assert topics["music"] == topics["family"] == 0
    assert topics["sports"] < 0
    # Only the emotions that a set annotates are learnt from it.
    emotions = dict(zip(TASKS["emotions"].labels, one["emotions"], strict=True))
    assert emotions["love"] == 0
    assert emotions["anger"] != 0


def test_texts_of_validation_are_not_learnt_from(tmp_path: Path) -> None:
    rows = [
        {"text": f"{at} {word}", "label": label_of}
        for at in range(20)
        for word, label_of in (("up", "positive"), ("down", "negative"))
    ]
    held = {"text": "the marvel of the morning", "label": "positive"}
    write_rows(tmp_path / "tweeteval_sentiment" / "train.jsonl.gz", [*rows, *[held] * 30])
    write_rows(tmp_path / "tweeteval_sentiment" / "val.jsonl.gz", [held, rows[0]])
    seen, unknown = linear.fit(tmp_path).logits(["marvel", "zzzzzz"], ["en", "en"])
    np.testing.assert_allclose(seen["sentiment"], unknown["sentiment"], atol=0.2)


def test_the_same_data_give_the_same_model(world: Path, model: LinearModel) -> None:
    again = linear.fit(world).logits(["a terrible day"], ["en"])[0]
    for task, value in model.logits(["a terrible day"], ["en"])[0].items():
        np.testing.assert_array_equal(value, again[task])


class _Unsure:
    """A network that knows all languages and says next to nothing."""

    name = "unsure"

    def knows(self, task: str, lang: str) -> bool:
        return task in ("sentiment", "irony")

    def logits(self, texts: Sequence[str], langs: Sequence[str]) -> list[dict[str, Floats]]:
        one = {"sentiment": np.array([0.1, 0, 0], np.float32), "irony": np.array([0.1], np.float32)}
        return [one for _ in texts]


def test_it_votes_where_it_was_taught_and_nowhere_else(world: Path, model: LinearModel) -> None:
    votes = choose_votes([_Unsure(), model], world, enough=1)
    assert votes["sentiment", "es"].factors[1] > 0
    assert votes["irony", "en"].factors[1] > 0
    # Of a language without validation only those speak that know any.
    assert votes["irony", ""].factors[1] == 0
    rows = [SoftRow("a day horrible", "es", "unlabeled", {}), SoftRow("day", "sw", "unlabeled", {})]
    spanish, other = label(rows, [_Unsure(), model], votes)
    assert spanish.chances["sentiment"].argmax() == 0
    assert spanish.chances["sentiment"][0] > 0.6
    # Nothing but the network's own answer is left for Swahili, and for Spanish irony.
    plain = Vote((votes["irony", ""].factors[0],)).logits([np.array([0.1], np.float32)])
    for one in (spanish, other):
        assert one.chances["irony"][0] == pytest.approx(1 / (1 + np.exp(-plain[0])), abs=1e-6)
