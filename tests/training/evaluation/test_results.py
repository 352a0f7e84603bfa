"""Scores with intervals, by set, task, language and slice, against rivals on the same draws."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.tiny import write_rows
from trendlark.training.data import Row
from trendlark.training.evaluation.folders import Benchmark
from trendlark.training.evaluation.readings import Reading, Said, count
from trendlark.training.evaluation.results import Judged, summarise
from trendlark.training.evaluation.rivals import RIVALS, read_rival
from trendlark.training.evaluation.slices import slice_rows
from trendlark.training.evaluation.tallies import Tally, bins, calibration_error
from trendlark.training.sets import SETS

Answerer = Callable[[int, str], str]


def _judged(key: str, rows: int, right: Answerer, rival: Answerer | None = None) -> Judged:
    """A set of alternating labels, every third text with an emoji."""
    entry = SETS[key]
    labels = list(entry.labels)[:2]
    texts = [f"text {at} {'😂' if at % 3 == 0 else '.'}" for at in range(rows)]
    listed = [Row(text, (labels[at % 2],)) for at, text in enumerate(texts)]

    def reading(answer: Answerer, *, sure: bool) -> Reading:
        said = [answer(at, entry.labels[row.labels[0]]) for at, row in enumerate(listed)]
        gold = [entry.labels[row.labels[0]] for row in listed]
        correct = np.array([one == other for one, other in zip(gold, said, strict=True)])
        counts = bins(np.arange(rows), np.full(rows, 0.75), correct, rows)
        return count(entry, listed, said, Tally(counts, calibration_error) if sure else None)

    rivals = {"rival": reading(rival, sure=False)} if rival else {}
    return Judged(Benchmark(entry, listed, Path()), reading(right, sure=True), rivals)


def _always(at: int, gold: str) -> str:
    return gold


def _mostly(at: int, gold: str) -> str:
    return gold if at % 4 else "neutral"


def _never(at: int, gold: str) -> str:
    return "neutral"


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    judged = [
        _judged("umsab_en", 120, _mostly, _never),
        _judged("umsab_es", 90, _always, _mostly),
        _judged("tweeteval_irony", 60, _always),
    ]
    return summarise(judged, draws=200)


def test_a_score_lies_in_its_interval(found: dict[str, Any]) -> None:
    score = found["sets"]["umsab_en"]["score"]
    assert 0.6 < score["low"] < score["value"] < score["high"] < 1
    assert found["sets"]["umsab_es"]["score"] == {"value": 1.0, "low": 1.0, "high": 1.0}


def test_rivals_are_compared_on_the_same_draws(found: dict[str, Any]) -> None:
    rival = found["sets"]["umsab_en"]["rivals"]["rival"]
    assert rival["value"] == pytest.approx(1 / 3)
    own = found["sets"]["umsab_en"]["score"]["value"]
    assert rival["difference"]["value"] == pytest.approx(own - 1 / 3)
    assert 0 < rival["difference"]["low"] < rival["difference"]["high"]
    # The model beats it on the same tweets in every draw, however wide both intervals are.
    assert found["sets"]["umsab_es"]["rivals"]["rival"]["difference"]["low"] > 0


def test_tasks_and_languages_are_means_over_sets(found: dict[str, Any]) -> None:
    sentiment = found["tasks"]["sentiment"]
    english, spanish = (found["sets"][key]["score"]["value"] for key in ("umsab_en", "umsab_es"))
    assert sentiment["score"]["value"] == pytest.approx((english + spanish) / 2)
    assert sentiment["languages"]["es"]["score"]["value"] == spanish
    assert (sentiment["rows"], sentiment["sets"]) == (210, ["umsab_en", "umsab_es"])
    mean = (sentiment["score"]["value"] + found["tasks"]["irony"]["score"]["value"]) / 2
    assert found["mean"]["score"]["value"] == pytest.approx(mean)
    # Irony has no rival, so there is none of the mean of tasks.
    assert "rivals" in sentiment
    assert "rivals" not in found["mean"]


def test_calibration_is_over_all_answers_of_a_language(found: dict[str, Any]) -> None:
    sentiment = found["tasks"]["sentiment"]
    assert sentiment["languages"]["es"]["calibration_error"]["value"] == pytest.approx(0.25)
    assert sentiment["languages"]["en"]["calibration_error"]["value"] == pytest.approx(0)
    pooled = abs((90 + 90) / 210 - 0.75)
    assert sentiment["calibration_error"]["value"] == pytest.approx(pooled)
    (only,) = sentiment["languages"]["en"]["reliability"]
    assert only == {"from": 11 / 15, "answers": 120, "confidence": 0.75, "accuracy": pytest.approx(0.75)}


def test_slices_are_scored_by_themselves(found: dict[str, Any]) -> None:
    slices = found["sets"]["umsab_en"]["slices"]
    assert slices["with emoji"]["rows"] == 40
    assert slices["without emoji"]["rows"] == 80
    whole = found["tasks"]["sentiment"]["slices"]["with emoji"]
    assert (whole["rows"], whole["sets"]) == (70, 2)
    assert "with hashtag" not in slices


def test_labels_and_confusion(found: dict[str, Any]) -> None:
    one = found["sets"]["umsab_en"]
    assert one["labels"]["negative"]["recall"] == pytest.approx(0.5)
    assert one["confusion"] == {
        "labels": ["negative", "neutral", "positive"],
        "counts": [[30, 30, 0], [0, 60, 0], [0, 0, 0]],
    }


def test_it_is_json_and_the_same_again(found: dict[str, Any]) -> None:
    judged = [
        _judged("umsab_en", 120, _mostly, _never),
        _judged("umsab_es", 90, _always, _mostly),
        _judged("tweeteval_irony", 60, _always),
    ]
    assert json.loads(json.dumps(found)) == summarise(judged, draws=200)


def test_slices_by_trait() -> None:
    rows = [Row("short")] * 40 + [Row("x" * 130)] * 40
    rows += [Row("@ana #gol https://t.co/a1 😂 " + "y" * 60)] * 40
    found = {name: int(mask.sum()) for name, mask in slice_rows(rows).items()}
    assert found == {
        "up to 60 characters": 40,
        "61 to 120 characters": 40,
        "over 120 characters": 40,
        "with emoji": 40,
        "without emoji": 80,
        "with hashtag": 40,
        "with mention": 40,
        "with link": 40,
    }


def _test_set(key: str, data: Path) -> Benchmark:
    from trendlark.training.evaluation.folders import find_sets

    (found,) = find_sets(data / key)
    return found


def _said(name: str, judged: Benchmark) -> list[Any] | None:
    reading = read_rival(name, judged)
    return None if reading is None else list(reading.said)


def test_majority_says_the_most_frequent_answer(data: Path) -> None:
    assert set(_said("majority", _test_set("emoevent_es", data)) or []) == {"anger"}
    assert set(_said("majority", _test_set("tweet_topicxl_en", data)) or []) == {frozenset({"music"})}
    assert _said("majority", _test_set("ner_btc", data)) is None


def test_the_svm_learns_what_words_tell(data: Path) -> None:
    for key in ("tweeteval_sentiment", "tweet_topicxl_en"):
        reading = read_rival("svm", _test_set(key, data))
        assert reading is not None
        # The invented sets repeat their sentences with another ending: words are enough.
        assert reading.tally.score() > 0.9
    assert _said("svm", _test_set("ner_btc", data)) is None


def test_what_is_judged_teaches_no_rival(tmp_path: Path) -> None:
    judged = Benchmark(SETS["umsab_es"], [Row("hola", ("neutral",))], tmp_path)
    assert _said("svm", judged) is None
    assert _said("majority", judged) is None


@pytest.mark.parametrize(
    ("key", "rows", "usual"),
    [
        ("umsab_es", [{"text": "hola hola", "label": "neutral"}] * 4, "neutral"),
        (
            "umsab_es",
            [{"text": "hola", "label": "neutral"}, {"text": "bien", "label": "positive"}],
            "neutral",
        ),
        ("tweet_topicxl_es", [{"text": "gol gol", "labels": ["sports"]}] * 4, frozenset({"sports"})),
        ("tweet_topicxl_es", [{"text": "el bus", "labels": []}] * 4, frozenset()),
    ],
    ids=["one label", "no word twice", "one label of all", "no label"],
)
def test_a_training_file_that_teaches_nothing_stops_nobody(
    key: str, rows: list[dict[str, Any]], usual: Said, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    write_rows(tmp_path / "train.jsonl.gz", rows)
    judged = Benchmark(SETS[key], [Row("hola", ("neutral", "sports"))], tmp_path)
    assert _said("svm", judged) is None
    assert f"svm: nothing is said of {key}, because its training file teaches nothing: " in caplog.text
    assert _said("majority", judged) == [usual]


def test_vader_reads_english_sentiment_alone(data: Path) -> None:
    pytest.importorskip("vaderSentiment")
    assert _said("vader", _test_set("tweeteval_sentiment", data)) == [
        "positive",
        "positive",
        "negative",
        "negative",
        "neutral",
        "neutral",
    ]
    assert _said("vader", _test_set("umsab_es", data)) is None
    assert _said("vader", _test_set("tweeteval_hate", data)) is None
    assert set(RIVALS) == {"majority", "svm", "vader"}
