"""Words that tweets have most get a piece of their own, which begins as what they were cut into."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from tests.training.tiny import tiny_checkpoint, write_rows
from trendlark.errors import InputError
from trendlark.nlu.text import normalise
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.model import Network
from trendlark.training.recipe import Recipe
from trendlark.training.train import start_state
from trendlark.training.whole_words import frequent, with_words

# What the base's vocabulary has, but for its specials: single letters, and a few longer pieces.
_PIECES = ["▁", *"abcdefghijklmnopqrstuvwxyz@#'", "▁ja", "ja", "▁the", "▁user", "user", "▁@", "▁bus", "ing"]
_PARTS = r"▁?[\p{L}\p{M}\p{N}]+|▁?[^\p{L}\p{M}\p{N}▁]+"


def _tokenizer() -> Tokenizer:
    specials = ["<pad>", "<s>", "</s>", "<unk>"]
    begin, end = ({"SpecialToken": {"id": one, "type_id": 0}} for one in ("<s>", "</s>"))
    steps = [
        {"type": "WhitespaceSplit"},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False},
        {"type": "Split", "pattern": {"Regex": _PARTS}, "behavior": "Isolated", "invert": False},
    ]
    spec: dict[str, Any] = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "NFKC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [begin, {"Sequence": {"id": "A", "type_id": 0}}, end],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {
                one: {"id": one, "ids": [at], "tokens": [one]}
                for at, one in enumerate(specials)
                if 0 < at < 3
            },
        },
        "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False},
        "model": {
            "type": "Unigram",
            "unk_id": 3,
            "vocab": [
                *([one, 0.0] for one in specials),
                *([piece, -4.0 if len(piece) > 1 else -6.0] for piece in _PIECES),
            ],
            "byte_fallback": False,
        },
    }
    return Tokenizer.from_str(json.dumps(spec))


def _start() -> Checkpoint:
    state, tokenizer = tiny_checkpoint(), _tokenizer()
    network = Network(replace(state.network.shape, vocabulary=tokenizer.get_vocab_size()))
    return Checkpoint(network, tokenizer, state.emoji, {"history": []})


@pytest.fixture
def tweets(tmp_path: Path) -> Path:
    """Write thirty English tweets with a mention and laughter, and as many Spanish ones with a longer word."""
    english = ({"text": f"@bob jajaja the bus {'xyz' * (at % 2)}", "label": "neutral"} for at in range(30))
    spanish = ({"text": "RT @bob: riendo jajaja", "label": "neutral"} for _ in range(30))
    write_rows(tmp_path / "tweeteval_sentiment" / "train.jsonl.gz", english)
    write_rows(tmp_path / "umsab_es" / "train.jsonl.gz", spanish)
    return tmp_path


def _tokens(state: Checkpoint, text: str) -> list[str]:
    return state.tokenizer.encode(normalise(text).text).tokens[1:-1]


def test_words_that_were_cut_up_get_a_piece_of_their_own(tweets: Path) -> None:
    start = _start()
    assert _tokens(start, "@bob jajaja the bus") == ["▁@", "user", "▁ja", "ja", "ja", "▁the", "▁bus"]
    grown = with_words(start, tweets, 3)
    assert _tokens(grown, "@bob jajaja the bus") == ["▁@user", "▁jajaja", "▁the", "▁bus"]
    assert (
        grown.network.shape.vocabulary
        == grown.tokenizer.get_vocab_size()
        == start.network.shape.vocabulary + 3
    )


def test_a_new_piece_begins_as_the_mean_of_those_it_was_cut_into(tweets: Path) -> None:
    start = _start()
    grown = with_words(start, tweets, 3)
    old, new = start.network.words.weight, grown.network.words.weight
    assert torch.equal(new[: len(old)], old)
    for word, pieces in {"▁@user": ["▁@", "user"], "▁jajaja": ["▁ja", "ja", "ja"]}.items():
        ids = [start.tokenizer.token_to_id(piece) for piece in pieces]
        torch.testing.assert_close(new[grown.tokenizer.token_to_id(word)], old[ids].mean(0))
    kept = {name: value for name, value in start.network.state_dict().items() if name != "words.weight"}
    assert all(torch.equal(grown.network.state_dict()[name], value) for name, value in kept.items())


def test_the_words_that_save_most_tokens_come_first() -> None:
    texts = {"en": ["the bus jajaja", "jajaja zzz"] * 10, "es": ["riendo riendo", "the bus", "the bus"] * 20}
    found = frequent(_tokenizer(), texts, 9)
    # Three pieces in twenty of fifty words; seven in twenty texts of a hundred and twenty words.
    assert [word.piece for word in found] == ["▁riendo", "▁jajaja"]
    assert found[1].share == pytest.approx(20 / 50)
    assert [word.piece for word in frequent(_tokenizer(), texts, 1)] == ["▁riendo"]


def test_rare_words_short_ones_numbers_and_what_is_one_piece_get_none() -> None:
    texts = {"en": ["qqq " * 3] * 19 + ["zq the bus q2q " * 2] * 30}
    assert frequent(_tokenizer(), texts, 9) == []
    assert [word.piece for word in frequent(_tokenizer(), {"en": ["qqq"] * 20}, 9)] == ["▁qqq"]


def test_a_mention_alone_is_kept_with_its_sign(tweets: Path) -> None:
    grown = with_words(_start(), tweets, 3)
    read = grown.tokenizer.encode("a@user.c @user's #user")
    words = [read.tokens[at] for at in range(1, len(read.tokens) - 1)]
    assert words[:3] == ["▁", "a", "@"]
    assert words.count("▁@user") == 1
    assert [read.offsets[at] for at, token in enumerate(read.tokens) if token == "▁@user"] == [(9, 14)]


def test_a_run_tells_which_words_and_takes_the_same_each_time(
    tweets: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "start.pt"
    _start().save(path)
    with caplog.at_level(logging.INFO, logger="trendlark.training"):
        begun = start_state(tweets, Recipe(whole_words=2), path)
    assert "vocabulary: 2 words more, because the recipe has 2: " in caplog.text
    assert begun.network.shape.vocabulary == begun.tokenizer.get_vocab_size()
    # The same words each time: a mean of the start and the end of a run needs one shape.
    again = start_state(tweets, Recipe(whole_words=2), path)
    assert again.tokenizer.to_str() == begun.tokenizer.to_str()
    assert torch.equal(again.network.words.weight, begun.network.words.weight)


def test_pieces_of_another_kind_are_refused(tweets: Path) -> None:
    with pytest.raises(InputError, match="of the kind WordPiece; allowed for whole_words are Unigram pieces"):
        with_words(tiny_checkpoint(), tweets, 3)
