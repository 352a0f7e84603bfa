"""Words blanked in raw tweets and guessed from what is left, and the emoji that were taken out (Devlin et al. 2019,
doi:10.18653/v1/N19-1423; Gururangan et al. 2020, arXiv:2004.10964, for going on with it on the texts of a domain).

Raw tweets are the sets ``text_en``, ``text_es`` and so on of a recipe whose ``masked`` is above 0. Whole words are
blanked, as training's ``word_dropout`` blanks them. Where a text has an emoji that the auxiliary sets know, all of its
emoji are taken out and the first is what the emoji head has to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import emoji as signs
import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from trendlark.training.checkpoint import Checkpoint
from trendlark.training.data import Example, encode
from trendlark.training.mixture import Batch
from trendlark.training.model import Network
from trendlark.training.pools import pool_texts
from trendlark.training.sets import TEXT_SETS

# Marks of a word's first piece (unigram pieces) and of its later ones (word pieces).
_BEGIN, _LATER = "▁", "##"
# What stands in most tweets for other things: nothing is learnt from guessing it.
_PLACEHOLDERS = "@user http"


def text_examples(
    data: Path, tokenizer: Tokenizer, emoji: Sequence[str], seed: int
) -> dict[str, list[Example]]:
    """Return the raw tweets of the pools by the sets that recipes know, ``text_en`` and so on."""
    by_set: dict[str, list[str]] = {}
    for row in pool_texts(data, seed):
        by_set.setdefault(f"text_{row.lang}", []).append(row.text)
    return {key: _examples(texts, tokenizer, emoji) for key, texts in by_set.items() if key in TEXT_SETS}


def _examples(texts: Sequence[str], tokenizer: Tokenizer, emoji: Sequence[str]) -> list[Example]:
    index = {sign: at for at, sign in enumerate(emoji)}
    every = np.ones(len(emoji), bool)
    known = [_known_emoji(text, index) for text in texts]
    read = [text if at < 0 else signs.replace_emoji(text, " ") for text, at in zip(texts, known, strict=True)]
    return [
        Example(ids, emoji=at, emoji_allowed=None if at < 0 else every, raw=True)
        for ids, at in zip(encode(tokenizer, read), known, strict=True)
    ]


def _known_emoji(text: str, index: Mapping[str, int]) -> int:
    """Return the place of a text's first emoji that has one, else -1."""
    found = (index.get(match["emoji"], -1) for match in signs.emoji_list(text))
    return next((at for at in found if at >= 0), -1)


@dataclass(frozen=True, slots=True)
class Blanks:
    """Chooses what is blanked: a share of the words of raw tweets."""

    share: float
    begins: Tensor
    plain: Tensor

    def choose(self, batch: Batch) -> Tensor:
        """Return [texts, tokens], true where a token is to be guessed: all pieces of a word or none."""
        word = self.begins.to(batch.ids.device)[batch.ids].cumsum(1)
        chance = torch.rand(batch.ids.shape[0], batch.ids.shape[1] + 1, device=batch.ids.device)
        chosen = chance.gather(1, word) < self.share
        return chosen & self.plain.to(batch.ids.device)[batch.ids] & batch.mask & batch.raw[:, None]


def blanks(tokenizer: Tokenizer, share: float) -> Blanks:
    """Return what chooses a ``share`` of the words that this tokenizer cuts texts into."""
    size = tokenizer.get_vocab_size()
    pieces = [tokenizer.id_to_token(at) or "" for at in range(size)]
    if any(piece.startswith(_BEGIN) for piece in pieces):
        begins = [piece.startswith(_BEGIN) for piece in pieces]
    else:
        begins = [not piece.startswith(_LATER) for piece in pieces]
    # What every text begins and ends with is among the ids of the placeholders.
    plain = torch.ones(size, dtype=torch.bool)
    plain[tokenizer.encode(_PLACEHOLDERS).ids] = False
    return Blanks(share, torch.tensor(begins, dtype=torch.long), plain)


def word_loss(guesses: Tensor, batch: Batch, blank: Tensor) -> Tensor:
    """Return the cross-entropy of the guesses [blanked, vocabulary], summed and divided by the number of texts."""
    return functional.cross_entropy(guesses, batch.ids[blank], reduction="sum") / len(batch.ids)


def with_guesses(state: Checkpoint, wanted: bool) -> Checkpoint:
    """Return the model with a new head that guesses words, or without one; with what it has where that is wanted."""
    network = state.network
    if network.shape.guesses == wanted:
        return state
    changed = Network(replace(network.shape, guesses=wanted))
    own = changed.state_dict()
    own.update({name: value for name, value in network.state_dict().items() if name in own})
    changed.load_state_dict(own)
    return Checkpoint(changed, state.tokenizer, state.emoji, state.more)


def begin(network: Network, examples: Iterable[Example]) -> None:
    """Let the head start from how frequent each piece is, which it would need thousands of steps to learn."""
    counts = Counter(piece for example in examples if example.raw for piece in example.ids)
    seen = torch.ones(network.shape.vocabulary)
    for piece, count in counts.items():
        seen[piece] += count
    if network.guess is not None:
        with torch.no_grad():
            network.guess.frequency.copy_((seen / seen.sum()).log())
