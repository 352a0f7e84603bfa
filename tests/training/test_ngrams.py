"""The table of n-grams: what is hashed, what it says, and that the exported graph says the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.support.tiny_model import tiny_tokenizer
from tests.training.tiny import tiny_checkpoint
from trendlark.nlu.tasks import TASKS
from trendlark.training import checkpoint
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.export import exact_graph, network_weights
from trendlark.training.graph import build
from trendlark.training.model import POOLED_TASKS
from trendlark.training.ngrams import DROPPED, FACTORS, WIDTHS, NGrams, features, hashed, piece_hashes
from trendlark.training.predict import build_session, network_predictor, session_predictor

_ROWS = 256
_LABELS = sum(WIDTHS)
_SENTIMENT, _IRONY = 0, WIDTHS[0] + WIDTHS[1]


def _made(state: Checkpoint, languages: int, owners: Sequence[int], labels: Sequence[int]) -> NGrams:
    """Return a table of chance; ``owners`` is the language of each answer, ``labels`` what it is about."""
    chance = np.random.default_rng(5)
    columns = languages + len(owners)
    return NGrams(
        piece_hashes(state.tokenizer),
        chance.standard_normal((_ROWS, columns)).astype(np.float32),
        chance.standard_normal(columns).astype(np.float32),
        np.eye(languages, dtype=np.float32)[:, owners],
        np.eye(_LABELS, dtype=np.float32)[labels],
    )


def _ngrams(state: Checkpoint) -> NGrams:
    """Two languages; the first speaks of sentiment and irony, the second of sentiment."""
    return _made(state, 2, [0, 0, 0, 0, 1, 1, 1], [0, 1, 2, _IRONY, 0, 1, 2])


def _many(state: Checkpoint) -> NGrams:
    """Six languages that each speak of half of all labels: sums of odd widths."""
    owners, labels = np.nonzero(np.random.default_rng(8).random((6, _LABELS)) < 0.5)
    return _made(state, 6, owners.tolist(), labels.tolist())


@pytest.fixture
def both(state: Checkpoint) -> Checkpoint:
    state.ngrams = _ngrams(state)
    state.network.eval()
    return state


def _texts(state: Checkpoint, sizes: tuple[int, ...] = (1, 2, 3, 9, 9, 40)) -> list[list[int]]:
    chance = np.random.default_rng(3)
    return [chance.integers(0, state.network.shape.vocabulary, size).tolist() for size in sizes]


def test_pieces_are_alike_in_any_case_and_without_accents() -> None:
    tokenizer = tiny_tokenizer(["mañana", "manana", "MAÑANA", "other", "Straße"])
    found = piece_hashes(tokenizer)
    one, two, three, other = (
        found[tokenizer.token_to_id(word)] for word in ("mañana", "manana", "MAÑANA", "other")
    )
    assert one == two == three != other
    assert len(found) == tokenizer.get_vocab_size()
    assert found.min() >= 0
    assert found.max() < 2**31


def test_each_piece_pair_and_triple_has_a_row_of_its_own() -> None:
    own = np.arange(1, 6, dtype=np.int64) * 123_456_789
    rows = hashed(own, 2**16)
    assert len(rows) == 5 + 4 + 3
    assert len(set(rows.tolist())) == len(rows)
    assert rows.min() >= 0
    assert rows.max() < 2**16
    # What stands elsewhere in another order is another pair; the same neighbours are the same.
    again = hashed(own[1:], 2**16)
    assert set(again.tolist()) < set(rows.tolist())
    assert set(hashed(own[::-1].copy(), 2**16)[5:].tolist()).isdisjoint(rows[5:].tolist())


def test_the_largest_pieces_do_not_overflow() -> None:
    own = np.full(3, 2**31 - 1, np.int64)
    exact = [int(value) for value in own]
    near, far = FACTORS
    triple = exact[0] * far + exact[1] * near + exact[2]
    assert triple < 2**63
    assert hashed(own, 2**16)[-1] == triple // DROPPED % 2**16


def test_rows_are_spread_evenly() -> None:
    pieces = piece_hashes(tiny_tokenizer([f"word{at}" for at in range(4000)]))
    counts = np.bincount(hashed(pieces, 1024), minlength=1024)
    # Some twelve thousand n-grams, twelve to a row: by chance alone none has three times as many.
    assert counts.max() < 3 * counts.mean()
    assert counts.min() > 0


def test_a_text_counts_the_same_however_long_it_is() -> None:
    pieces = np.arange(100, dtype=np.int64) * 7_654_321
    short, long, none = features(pieces, [[1, 2], list(range(50)), []], 2**12).toarray()
    assert short.sum() == pytest.approx(3 / np.sqrt(3))
    assert long.sum() == pytest.approx(147 / np.sqrt(147), rel=1e-5)
    assert none.sum() == 0
    twice = features(pieces, [[1, 1]], 2**12).toarray()[0]
    assert sorted(twice[twice > 0].tolist()) == pytest.approx([1 / np.sqrt(3), 2 / np.sqrt(3)])


def test_an_answer_counts_as_far_as_the_text_is_in_its_language(both: Checkpoint) -> None:
    ngrams = both.ngrams
    assert ngrams is not None
    weights = np.zeros_like(ngrams.weights)
    bias = np.array([50, 0, 1, 2, 3, 4, 10, 20, 30], np.float32)
    first = NGrams(ngrams.pieces, weights, bias, ngrams.speaks, ngrams.tells).logits([[5, 6]])[0]
    np.testing.assert_allclose(first[_SENTIMENT : _SENTIMENT + 3], [1, 2, 3], rtol=1e-6)
    assert first[_IRONY] == pytest.approx(4)
    bias[:2] = 0
    half = NGrams(ngrams.pieces, weights, bias, ngrams.speaks, ngrams.tells).logits([[5, 6]])[0]
    np.testing.assert_allclose(half[:3], [5.5, 11, 16.5], rtol=1e-6)
    assert half[_IRONY] == pytest.approx(2)
    # Of what no column tells nothing is said.
    silent = np.ones(_LABELS, bool)
    silent[[0, 1, 2, _IRONY]] = False
    assert not half[silent].any()


def test_it_is_added_to_the_network_and_to_nothing_else(both: Checkpoint) -> None:
    texts = _texts(both)
    alone, found = network_predictor(both.network)(texts), both.predictor()(texts)
    assert both.ngrams is not None
    more = both.ngrams.logits(texts)
    for one, other, added in zip(alone, found, more, strict=True):
        starts = np.cumsum([0, *WIDTHS])
        for at, name in enumerate(POOLED_TASKS):
            np.testing.assert_allclose(other[name] - one[name], added[starts[at] : starts[at + 1]], atol=1e-5)
        for name in ("entities", "embedding"):
            np.testing.assert_array_equal(one[name], other[name])
    assert np.abs(more).max() > 0.1
    assert both.predictor()([]) == []


@pytest.mark.parametrize("made", [_ngrams, _many])
def test_single_precision_equals_the_arithmetic_of_numpy(
    both: Checkpoint, made: Callable[[Checkpoint], NGrams]
) -> None:
    both.ngrams, texts = made(both), _texts(both)
    found = session_predictor(build_session(exact_graph(both)))(texts)
    for one, other in zip(found, both.predictor(exact=True)(texts), strict=True):
        for name in TASKS:
            np.testing.assert_allclose(one[name], other[name], atol=5e-5, err_msg=name)


def test_eight_bits_lose_little_of_it(both: Checkpoint) -> None:
    texts = _texts(both, (2, 9, 30, 30, 60))
    weights, shape = network_weights(both), both.network.shape
    plain, found = (
        session_predictor(build_session(build(weights, shape, int8=True, ngrams=ngrams)))(texts)
        for ngrams in (None, both.ngrams)
    )
    assert both.ngrams is not None
    expected = both.ngrams.logits(texts)[:, :3]
    said = np.stack([one["sentiment"] - other["sentiment"] for one, other in zip(found, plain, strict=True)])
    np.testing.assert_allclose(said, expected, atol=0.05)
    assert np.abs(expected).max() > 0.5


@pytest.mark.parametrize("tokens", [1, 2, 7, 96])
def test_a_text_alone_gets_bitwise_what_it_gets_in_a_batch(both: Checkpoint, tokens: int) -> None:
    both.ngrams = _many(both)
    model = build(network_weights(both), both.network.shape, int8=True, ngrams=both.ngrams)
    session = build_session(model)
    vocabulary = both.network.shape.vocabulary
    ids: NDArray[np.int64] = np.random.default_rng(4).integers(4, vocabulary, (33, tokens))
    together = session.run(None, {"input_ids": ids})
    for first, last in ((0, 1), (0, 5), (1, 2), (2, 5), (3, 4), (5, 21), (32, 33)):
        for one, other in zip(session.run(None, {"input_ids": ids[first:last]}), together, strict=True):
            np.testing.assert_array_equal(one, other[first:last])


def test_a_checkpoint_keeps_it(both: Checkpoint, tmp_path: Path) -> None:
    both.save(tmp_path / "one.pt")
    found = checkpoint.load(tmp_path / "one.pt")
    texts = _texts(both)
    assert both.ngrams is not None
    assert found.ngrams is not None
    np.testing.assert_array_equal(found.ngrams.logits(texts), both.ngrams.logits(texts))
    assert found.ngrams.pieces.dtype == np.int64
    assert "ngrams" not in found.more
    plain = tiny_checkpoint()
    plain.save(tmp_path / "plain.pt")
    assert checkpoint.load(tmp_path / "plain.pt").ngrams is None


def test_the_exact_predictor_reads_one_text_at_a_time(both: Checkpoint) -> None:
    texts = _texts(both, (3, 9))
    both.network.train()
    first, second = both.predictor(exact=True)(texts)
    assert (len(first["entities"]), len(second["entities"])) == (3, 9)
    with torch.inference_mode():
        alone = both.network.eval()(torch.tensor([texts[0]]))
    np.testing.assert_array_equal(first["topics"], alone["topics"][0].numpy())
