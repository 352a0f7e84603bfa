"""New whole words for an English base: frequent Spanish and Portuguese words, started from their translations.

The base has read no Spanish. A new word's embedding starts as the mean of the pieces of its English
translations (dictionaries ``dictionary_en_*.tsv.gz``, inflected forms through ``lemmas_es.tsv.gz``), or of its
own pieces where it has none, at the length that the base's embeddings have on average.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from trendlark.nlu.text import normalise
from trendlark.training.model import base_folder

_log = logging.getLogger(__name__)

_TRANSLATIONS_USED = 3
_DICTIONARIES = (
    "dictionary_en_es.tsv.gz",
    "dictionary_en_pt.tsv.gz",
    "dictionary_en_es_freedict.tsv.gz",
    "dictionary_en_pt_freedict.tsv.gz",
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The tokenizer with the new words, and for each new word (in order) the base ids that it starts from."""

    tokenizer: Tokenizer
    new_words: tuple[str, ...]
    sources: tuple[tuple[int, ...], ...]
    translated: int


def load_base_tokenizer() -> Tokenizer:
    """Return the base's tokenizer, without truncation and padding."""
    tokenizer = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def fold(tokenizer: Tokenizer, text: str) -> str:
    """Return the text as the tokenizer reads it: lower case, no accents."""
    return str(tokenizer.normalizer.normalize_str(text))


def count_words(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[str]:
    """Count the words of the texts (normalised and folded); only words of letters, two or more."""
    counts: Counter[str] = Counter()
    for text in texts:
        words = fold(tokenizer, normalise(text).text).split()
        counts.update(word for word in words if word.isalpha() and len(word) > 1)
        for word in words:
            if not word.isalpha():
                inner = word.strip(".,;:!?¡¿\"'()…-")
                if inner.isalpha() and len(inner) > 1:
                    counts[inner] += 1
    return counts


def build(
    tokenizer: Tokenizer, counts: Counter[str], translations: dict[str, list[str]], size: int
) -> Vocabulary:
    """Add the ``size`` most frequent unknown words; ties go by the alphabet, so a build can be repeated."""
    known = tokenizer.get_vocab()
    ranked = sorted((-count, word) for word, count in counts.items() if word not in known and count > 2)
    words = tuple(word for _, word in ranked[:size])
    sources, translated = [], 0
    for word in words:
        english = translations.get(word, [])[:_TRANSLATIONS_USED]
        translated += bool(english)
        sources.append(_pieces(tokenizer, english) or _pieces(tokenizer, [word]))
    _log.info(
        "vocabulary: %d new words, %d of them started from translations, the rest from their own pieces",
        len(words),
        translated,
    )
    return Vocabulary(_with_words(tokenizer, words), words, tuple(sources), translated)


def start_embeddings(base: Tensor, sources: Sequence[Sequence[int]]) -> Tensor:
    """Return one row for each new word: the mean of its source rows, at the base's average length."""
    length = base.norm(dim=1).mean()
    rows: Tensor = torch.stack([base[list(ids)].mean(0) for ids in sources])
    scaled: Tensor = rows * (length / rows.norm(dim=1, keepdim=True).clamp_min(1e-6))
    return scaled


def read_translations(data: Path, tokenizer: Tokenizer) -> dict[str, list[str]]:
    """Return folded Spanish or Portuguese word -> English translations, from the dictionaries in ``data``."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in _DICTIONARIES:
        for english, other in _rows(data / name, 2):
            key = fold(tokenizer, other)
            if " " not in key and english not in found[key]:
                found[key].append(english)
    for form, lemma, *_ in _rows(data / "lemmas_es.tsv.gz", 2):
        key = fold(tokenizer, form)
        via = found.get(fold(tokenizer, lemma))
        if via and key not in found:
            found[key] = via
    return dict(found)


def _rows(path: Path, columns: int) -> Iterator[list[str]]:
    if not path.exists():
        _log.warning("%s is absent: its words start from their own pieces", path.name)
        return
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if len(cells) >= columns:
                yield cells


def _pieces(tokenizer: Tokenizer, words: Sequence[str]) -> tuple[int, ...]:
    if not words:
        return ()
    unknown: int = tokenizer.get_vocab()["[UNK]"]
    ids = [at for word in words for at in tokenizer.encode(word, add_special_tokens=False).ids]
    return tuple(at for at in ids if at != unknown) or (unknown,)


def _with_words(tokenizer: Tokenizer, words: Sequence[str]) -> Tokenizer:
    spec = json.loads(tokenizer.to_str())
    vocabulary = spec["model"]["vocab"]
    for word in words:
        vocabulary[word] = len(vocabulary)
    return Tokenizer.from_str(json.dumps(spec, ensure_ascii=False))
