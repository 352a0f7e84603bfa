"""Words blanked in raw tweets: which ones, what is made of the guesses, and a run that reads them."""

from __future__ import annotations

import gzip
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace

from tests.training.tiny import EMOJI, tiny_checkpoint, write_data
from trendlark.training import average, checkpoint, export, masked, pools, train
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import Example, encode
from trendlark.training.mixture import Batch, collate
from trendlark.training.optimise import Optimiser, Rates
from trendlark.training.pools import Pool
from trendlark.training.recipe import Recipe, load_recipe

TWEETS = [
    "I love this wonderful day 😂😂 really",
    "the bus leaves at nine 🚌",
    "full of joy today 🚌 and then 😍 😂",
    *(f"the shop is on main street, number {at}" for at in range(40)),
]


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny sets, with raw tweets beside them."""
    folder = write_data(tmp_path / "data")
    (folder / "unlabeled").mkdir()
    with gzip.open(folder / "unlabeled" / "en.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(TWEETS))
    chosen = (Pool("unlabeled/en.txt.gz", "en", 99), Pool("umsab_es/train.jsonl.gz", "es", 3))
    monkeypatch.setattr(pools, "POOLS", chosen)
    return folder


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "reads.toml"
    path.write_text(
        "steps = 6\ntokens_per_batch = 96\nmasked = 0.3\ncheckpoint_minutes = 0\nvalidate_minutes = 60\n"
        "validate_rows = 2\nnoise = 0.1\n[boosts]\ntext_en = 30\ntext_es = 5\n[weights]\nwords = 0.1\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def guessing() -> Checkpoint:
    return masked.with_guesses(tiny_checkpoint(), wanted=True)


def _batch(state: Checkpoint, texts: list[str], raw: bool = True) -> Batch:
    return collate([Example(ids, raw=raw) for ids in encode(state.tokenizer, texts)], len(EMOJI))


def test_raw_tweets_come_by_language_without_a_label_but_their_emoji(raw: Path, state: Checkpoint) -> None:
    found = masked.text_examples(raw, state.tokenizer, EMOJI, 0)
    assert {key: len(examples) for key, examples in found.items()} == {"text_en": len(TWEETS), "text_es": 3}
    every = [example for examples in found.values() for example in examples]
    assert all(example.raw and not example.values and example.allowed_tags is None for example in every)
    assert Counter(example.emoji for example in every) == {-1: len(every) - 2, 0: 1, 1: 1}


def test_an_emoji_to_be_guessed_is_nowhere_in_the_text(raw: Path, state: Checkpoint) -> None:
    by_emoji = {one.emoji: one for one in masked.text_examples(raw, state.tokenizer, EMOJI, 0)["text_en"]}
    laughing, loving = (by_emoji[EMOJI.index(sign)] for sign in ("😂", "😍"))
    plain = encode(state.tokenizer, ["I love this wonderful day really", "full of joy today and then"])
    assert [laughing.ids, loving.ids] == plain
    assert laughing.emoji_allowed is not None
    assert laughing.emoji_allowed.all()
    # One that no auxiliary set has is read by its name, as ever.
    bus = encode(state.tokenizer, [TWEETS[1]])[0]
    assert bus in [one.ids for one in masked.text_examples(raw, state.tokenizer, EMOJI, 0)["text_en"]]


def test_about_the_share_of_words_is_blanked_in_raw_tweets_alone(state: Checkpoint) -> None:
    blanks = masked.blanks(state.tokenizer, 0.3)
    torch.manual_seed(1)
    batch = _batch(state, ["the shop is on main street today"] * 400 + ["the bus"])
    chosen = blanks.choose(batch)
    assert float(chosen[:400, 1:-1].float().mean()) == pytest.approx(0.3, abs=0.04)
    assert not chosen[:, 0].any()
    assert not chosen[~batch.mask].any()
    assert not blanks.choose(_batch(state, ["the shop is on main street"] * 50, raw=False)).any()
    assert not masked.blanks(state.tokenizer, 0.0).choose(batch).any()


def test_a_placeholder_is_never_guessed(state: Checkpoint) -> None:
    batch = _batch(state, ["@ana http://t.co/x lives in new york"])
    kept = set(state.tokenizer.encode("@user http").ids)
    chosen = masked.blanks(state.tokenizer, 1.0).choose(batch)[0].tolist()
    assert [one not in kept for one in batch.ids[0].tolist()] == chosen
    assert sum(chosen) == 4


def _unigram() -> Tokenizer:
    pieces = ["<unk>", "@", "user", "http", "▁te", "ars", "▁of", "▁joy"]
    tokenizer = Tokenizer(Unigram([(piece, -1.0) for piece in pieces], 0, byte_fallback=False))
    tokenizer.pre_tokenizer = Metaspace()
    return tokenizer


def test_all_pieces_of_a_word_are_blanked_or_none() -> None:
    tokenizer = _unigram()
    ids = tokenizer.encode("tears of joy tears").ids
    assert [tokenizer.id_to_token(one) for one in ids] == ["▁te", "ars", "▁of", "▁joy", "▁te", "ars"]
    blanks = masked.blanks(tokenizer, 0.5)
    torch.manual_seed(2)
    chosen = blanks.choose(collate([Example(ids, raw=True)] * 300, 0))
    assert torch.equal(chosen[:, 0], chosen[:, 1])
    assert torch.equal(chosen[:, 4], chosen[:, 5])
    for one, other in ((1, 2), (2, 3), (0, 4)):
        assert not torch.equal(chosen[:, one], chosen[:, other])


def test_word_pieces_of_bert_are_known_by_their_mark(state: Checkpoint) -> None:
    blanks = masked.blanks(state.tokenizer, 0.5)
    later = [at for piece, at in state.tokenizer.get_vocab().items() if piece.startswith("##")]
    assert later
    assert blanks.begins.sum() == state.tokenizer.get_vocab_size() - len(later)


def test_what_is_blanked_is_not_read(guessing: Checkpoint) -> None:
    network = guessing.network.eval()
    one, other = _batch(guessing, ["so angry today"]).ids, _batch(guessing, ["so sad today"]).ids
    blank = torch.zeros_like(one, dtype=torch.bool)
    assert not torch.equal(network.encode(one, blank=blank), network.encode(other, blank=blank))
    blank[0, 2] = True
    assert torch.equal(network.encode(one, blank=blank), network.encode(other, blank=blank))
    out = network(one, blank=blank)
    assert out["guesses"].shape == (1, guessing.tokenizer.get_vocab_size())
    assert "guesses" not in network(one)


def test_the_loss_of_words_is_that_of_the_right_pieces_by_text(guessing: Checkpoint) -> None:
    batch = _batch(guessing, ["so angry today", "full of joy"])
    blank = torch.zeros_like(batch.ids, dtype=torch.bool)
    blank[0, 1] = blank[1, 3] = True
    even = torch.zeros(2, guessing.tokenizer.get_vocab_size())
    assert masked.word_loss(even, batch, blank).item() == pytest.approx(math.log(even.shape[1]), rel=1e-5)
    even[0, batch.ids[0, 1]] = even[1, batch.ids[1, 3]] = 40.0
    assert masked.word_loss(even, batch, blank).item() == pytest.approx(0.0, abs=1e-4)


def test_guessing_gets_better_and_leaves_the_words_as_what_they_are_compared_with(
    guessing: Checkpoint,
) -> None:
    network = guessing.network.train()
    assert network.guess is not None
    batch = _batch(guessing, ["so angry at this", "full of joy today"] * 8)
    blank = torch.zeros_like(batch.ids, dtype=torch.bool)
    blank[:, 2] = True
    optimiser = Optimiser(network, Rates(3e-3, 3e-3, 3e-3))
    losses = []
    for _ in range(30):
        loss = masked.word_loss(network(batch.ids, batch.mask, blank)["guesses"], batch, blank)
        optimiser.step(loss, 1.0)
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    # Only what was read has moved, by its own gradient; what was blanked is known by how it was.
    before = tiny_checkpoint().network.words.weight
    assert torch.equal(network.words.weight[batch.ids[0, 2]], before[batch.ids[0, 2]])


def test_the_head_begins_with_how_frequent_pieces_are(guessing: Checkpoint) -> None:
    network = guessing.network
    assert network.guess is not None
    examples = [Example([5, 5, 5, 6], raw=True), Example([7] * 9)]
    masked.begin(network, examples)
    chance = network.guess.frequency.detach().exp()
    assert float(chance.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(chance[5] / chance[7]) == pytest.approx(4.0, rel=1e-4)
    assert float(chance[6] / chance[7]) == pytest.approx(2.0, rel=1e-4)
    plain = tiny_checkpoint().network
    masked.begin(plain, examples)
    assert plain.guess is None


def test_the_head_of_words_comes_and_goes_and_nothing_else_changes(state: Checkpoint) -> None:
    before = {name: value.clone() for name, value in state.network.state_dict().items()}
    with_it = masked.with_guesses(state, wanted=True)
    assert masked.with_guesses(with_it, wanted=True) is with_it
    assert {name for name in with_it.network.state_dict() if name not in before} == {
        f"guess.{name}" for name in ("inner.weight", "inner.bias", "norm.weight", "norm.bias", "frequency")
    }
    after = masked.with_guesses(with_it, wanted=False).network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in after.items())


def test_a_run_reads_raw_tweets_goes_on_and_hands_its_network_over(
    raw: Path,
    start: Path,
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(train, "_LOG_EVERY", 2)
    caplog.set_level("INFO")
    done = checkpoint.load(train.run(raw, tmp_path / "out", str(recipe), start=start))
    line = next(one for one in caplog.messages if one.startswith("step 6,"))
    assert all(f" {name} " in line for name in ("words", "emoji", "sentiment")), line
    assert done.network.shape.guesses
    # What comes after has no such head, and neither has an artefact.
    again = Recipe(base=str(tmp_path), layers=0)
    assert not train.start_state(raw, again, tmp_path / "out" / "last.pt").network.shape.guesses
    halfway = average.between(train.start_state(raw, load_recipe(str(recipe)), start), done, 0.5)
    assert torch.equal(
        halfway.network.state_dict()["guess.frequency"], done.network.state_dict()["guess.frequency"]
    )
    export.write_model(done, raw, tmp_path / "model", "reads")
    back = train.start_state(raw, replace(again, masked=0.1), tmp_path / "model").network
    assert back.shape.guesses
    assert float((back.words.weight - done.network.words.weight).detach().abs().max()) < 0.02


def test_an_interrupted_run_keeps_what_its_head_of_words_learnt(
    raw: Path, start: Path, recipe: Path, tmp_path: Path
) -> None:
    straight = checkpoint.load(train.run(raw, tmp_path / "one", str(recipe), start=start))

    def stop(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.run(raw, tmp_path / "two", str(recipe), start=start, progress=stop)
    resumed = checkpoint.load(train.run(raw, tmp_path / "two", str(recipe), start=start))
    for name, value in straight.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name


def test_the_recipe_of_reading_blanks_words_of_raw_tweets_of_six_languages() -> None:
    recipe = load_recipe("reader")
    texts = {key for key, boost in recipe.boosts.items() if key.startswith("text_") and boost > 0}
    assert texts == {f"text_{lang}" for lang in ("en", "es", "pt", "fr", "de", "it")}
    assert (recipe.name, recipe.base, recipe.masked) == ("reader", "e5", 0.15)
