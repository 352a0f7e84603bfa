"""Texts changed for training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.tiny import EMOJI, write_rows
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import Row, encode
from trendlark.training.examples import load_examples
from trendlark.training.noise import Noise, make_noise, noised, searched_words, without

_EVERYDAY = [f"good morning from house {at}" for at in range(400)]


def test_noise_reaches_the_share_that_was_asked_for_and_spares_names() -> None:
    rows = [Row(f"Llegará mañana a Bogotá, @Ana_{at} #Feria https://t.co/aB{at}") for at in range(400)]
    assert noised(rows, "es", 0.0, seed=1) == rows
    found = noised(rows, "es", 0.25, seed=1)
    changed = sum(one != other for one, other in zip(rows, found, strict=True))
    assert 60 < changed < 140
    assert all(f"@Ana_{at} #Feria https://t.co/aB{at}" in row.text for at, row in enumerate(found))
    assert any("LLEGARÁ" in row.text for row in found)
    assert any("Llegara manana" in row.text for row in found)
    assert noised(rows, "es", 0.25, seed=1) == found
    assert noised(rows, "es", 0.25, seed=2) != found


def test_words_with_tags_are_noisy_too_and_every_tag_keeps_its_word() -> None:
    words, tags = ("Ana", "vive", "en", "Bogotá", "@Luz", ","), ("B-PER", "O", "O", "B-LOC", "O", "O")
    rows = [Row(" ".join(words), words=words, tags=tags)] * 200
    found = noised(rows, "es", 0.5, seed=3)
    assert {"ana", "ANA", "Ana"} <= {row.words[0] for row in found}
    assert {"bogotá", "BOGOTÁ", "Bogota"} <= {row.words[3] for row in found}
    for row in found:
        assert row.tags == tags
        assert len(row.words) == len(tags)
        assert row.words[4:] == ("@Luz", ",")
        assert row.text == " ".join(row.words)


def test_examples_are_noisy_where_the_recipe_says_so(data: Path, state: Checkpoint) -> None:
    clean = load_examples(data, state.tokenizer, EMOJI)
    noisy = load_examples(data, state.tokenizer, EMOJI, Noise(1.0))
    for key in ("tweeteval_sentiment", "ner_wnut17"):
        assert [one.ids for one in noisy[key]] != [one.ids for one in clean[key]]
        assert len(noisy[key]) == len(clean[key])
    for one, other in zip(noisy["tweeteval_emotion"], clean["tweeteval_emotion"], strict=True):
        np.testing.assert_array_equal(one.values["emotions"], other.values["emotions"])


def test_examples_of_a_searched_set_lose_its_words_and_no_others_do(
    tmp_path: Path, state: Checkpoint
) -> None:
    hate = [{"text": "those boats again", "label": "hate"}]
    write_rows(tmp_path / "tweeteval_hate" / "train.jsonl.gz", hate)
    write_rows(tmp_path / "davidson_en" / "train.jsonl.gz", hate)
    noise = Noise(unsearched=1.0, searched={"tweeteval_hate": frozenset({"boats"})})
    found = load_examples(tmp_path, state.tokenizer, (), noise)
    (bare,), (whole,) = found["tweeteval_hate"], found["davidson_en"]
    assert [bare.ids, whole.ids] == encode(state.tokenizer, ["those again", "those boats again"])
    assert bare.values["hate"].tolist() == [1.0]


def test_words_by_which_tweets_were_searched_are_far_more_frequent_than_elsewhere() -> None:
    texts = ["@boats the Boats of #OurHouse are good" for _ in range(20)]
    # "good" is everywhere, "the" is in none of these everyday tweets, and a mention is nobody's word.
    assert searched_words(texts, _EVERYDAY) == {"the", "boats", "of", "ourhouse", "are"}
    rare = [*texts, *("nothing at all" for _ in range(4000))]
    assert "boats" not in searched_words(rare, _EVERYDAY)
    assert searched_words(_EVERYDAY, _EVERYDAY) == frozenset()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Those BOATS again, #OurHouse!", "Those again, !"),
        ("@boats said: boatswain", "@boats said: boatswain"),
        ("the  spaces   stay where nothing is left out", "the  spaces   stay where nothing is left out"),
        # Of a tweet of such words alone nothing would be left to learn from.
        ("Boats, boats #boats", "Boats, boats #boats"),
        ("＃boats ahead", "ahead"),
    ],
)
def test_searched_words_are_left_out_with_their_hashtags(text: str, left: str) -> None:
    row = Row(text, ("hate",))
    assert without(row, frozenset({"boats", "ourhouse"})) == Row(left, ("hate",))
    assert without(row, frozenset()) is row


def test_half_of_a_searched_set_loses_its_words_and_no_other_set_does() -> None:
    noise = Noise(unsearched=0.5, seed=4, searched={"tweeteval_hate": frozenset({"boats"})})
    rows = [Row(f"Those boats again, {at}") for at in range(400)]
    found = noise.change(rows, "en", "tweeteval_hate")
    lost = sum("boats" not in row.text for row in found)
    assert 160 < lost < 240
    assert noise.change(rows, "en", "tweeteval_hate") == found
    assert noise.change(rows, "en", "davidson_en") == rows


def test_searched_words_are_told_by_the_sets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hate = [{"text": f"Those boats in house {at}", "label": "hate"} for at in range(100)]
    everyday = [{"text": text, "label": "neutral"} for text in [*_EVERYDAY, "those in there"]]
    write_rows(tmp_path / "tweeteval_hate" / "train.jsonl.gz", hate)
    # Without everyday tweets nothing is known of what is frequent elsewhere.
    assert make_noise(tmp_path, 0.1, 0.5, 3) == Noise(0.1, 0.5, 3)
    write_rows(tmp_path / "tweeteval_sentiment" / "train.jsonl.gz", everyday)
    with caplog.at_level("INFO"):
        noise = make_noise(tmp_path, 0.1, 0.5, 3)
    assert noise.searched["tweeteval_hate"] >= {"boats", "those"}
    assert "house" not in noise.searched["tweeteval_hate"]
    assert "left out of 50 % of its tweets, because they are 16 times as frequent" in caplog.text
    assert make_noise(tmp_path, 0.1, 0.0, 3) == Noise(0.1, 0.0, 3)
