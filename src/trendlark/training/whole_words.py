"""Pieces of their own for the words that tweets have most and a vocabulary of the web's texts cuts up.

Slang, words of hashtags and of emoji's names, stems with their endings, and the mention, which nearly every tweet has.
Each begins as the mean of the pieces that it was cut into, so that little changes at first (Yao et al. 2021,
arXiv:2106.13474, for a vocabulary adapted to a domain).
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from trendlark.errors import InputError
from trendlark.nlu.text import normalise
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.model import Network
from trendlark.training.pieces import LANGUAGE_WEIGHTS, OTHER_WEIGHT, texts_by_language

_log = logging.getLogger(__name__)

MENTION = "▁@user"
# A word that fewer texts have says more of these than of its language.
_FEWEST_TEXTS = 20
_SHORTEST = 3
_SHOWN = 20
# By how much a new piece is likelier than the pieces that its word was cut into, at least.
_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Word:
    """A word as the tokenizer splits texts, its share of a language's words, and the ids that it is cut into."""

    piece: str
    share: float
    ids: tuple[int, ...]


def with_words(state: Checkpoint, data: Path, size: int) -> Checkpoint:
    """Return the model with pieces for the ``size`` words of ``data`` that save it the most tokens.

    Raises InputError where the tokenizer is not one of unigram pieces.
    """
    spec: dict[str, Any] = json.loads(state.tokenizer.to_str())
    if spec["model"]["type"] != "Unigram":
        raise InputError(
            f"Found a tokenizer of the kind {spec['model']['type']}; allowed for whole_words are Unigram pieces, "
            "those of multilingual-e5. Set whole_words to 0, or start from a model of that base."
        )
    tokenizer = _with_mention(spec)
    found = frequent(tokenizer, texts_by_language(data), size)
    network = state.network
    grown = Network(replace(network.shape, vocabulary=network.shape.vocabulary + len(found)))
    weights = network.state_dict()
    old = weights["words.weight"]
    new = [old[list(word.ids)].mean(0) for word in found]
    weights["words.weight"] = torch.stack([*old, *new])
    grown.load_state_dict(weights)
    scores = [score for _, score in spec["model"]["vocab"]]
    spec["model"]["vocab"] += [[word.piece, _score(word, scores)] for word in found]
    _log.info(
        "vocabulary: %d words more, because the recipe has %d: %s ...",
        len(found),
        size,
        ", ".join(word.piece.lstrip("▁") for word in found[:_SHOWN]),
    )
    return Checkpoint(grown, Tokenizer.from_str(json.dumps(spec)), state.emoji, state.more)


def _with_mention(spec: dict[str, Any]) -> Tokenizer:
    """Return the tokenizer of ``spec``, which is changed so that a mention is not split from its sign."""
    for step in spec["pre_tokenizer"].get("pretokenizers", []):
        if step["type"] == "Split" and not step["pattern"]["Regex"].startswith(MENTION):
            step["pattern"]["Regex"] = f"{MENTION}|{step['pattern']['Regex']}"
    return Tokenizer.from_str(json.dumps(spec))


def frequent(tokenizer: Tokenizer, texts: Mapping[str, Iterable[str]], size: int) -> list[Word]:
    """Return the ``size`` words that are cut up and whose pieces are the largest share of a language's tokens.

    ``texts`` are by language; English and Spanish count most, as in the choice of pieces (``pieces.py``).
    """
    worth: dict[str, float] = {}
    shares: dict[str, float] = {}
    cut: dict[str, tuple[int, ...]] = {}
    for lang, own in texts.items():
        counts, total = _words(tokenizer, own)
        for word, count in counts.items():
            if count < _FEWEST_TEXTS:
                continue
            ids = cut.setdefault(word, _pieces(tokenizer, word))
            if len(ids) > 1:
                saved = LANGUAGE_WEIGHTS.get(lang, OTHER_WEIGHT) * count * (len(ids) - 1) / total
                worth[word] = max(worth.get(word, 0.0), saved)
                shares[word] = max(shares.get(word, 0.0), count / total)
    ranked = sorted(worth, key=lambda word: (-worth[word], word))[:size]
    return [Word(word, shares[word], cut[word]) for word in ranked]


def _words(tokenizer: Tokenizer, texts: Iterable[str]) -> tuple[Counter[str], int]:
    """Count the texts that have each word, and all words."""
    counts: Counter[str] = Counter()
    total = 0
    for text in texts:
        read = tokenizer.normalizer.normalize_str(normalise(text).text)
        parts = [part for part, _ in tokenizer.pre_tokenizer.pre_tokenize_str(read)]
        total += len(parts)
        counts.update({part for part in parts if _is_word(part)})
    return counts, total


def _is_word(part: str) -> bool:
    letters = part.lstrip("▁")
    return part == MENTION or (letters.isalpha() and len(letters) >= _SHORTEST)


def _pieces(tokenizer: Tokenizer, word: str) -> tuple[int, ...]:
    return tuple(token.id for token in tokenizer.model.tokenize(word))


def _score(word: Word, scores: Sequence[float]) -> float:
    """Return a piece's log-probability: how frequent the word is, and enough that it is not cut up again."""
    return round(max(math.log(word.share), sum(scores[at] for at in word.ids) + _MARGIN), 4)
