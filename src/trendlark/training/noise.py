"""Training texts as people write otherwise, and without the words by which they were searched."""

from __future__ import annotations

import logging
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from trendlark.training.data import Row, read_file
from trendlark.training.evaluation.perturb import perturb

_log = logging.getLogger(__name__)

# Slang and emoji left out are not among them, so that the card's robustness has what training did not see.
_NOISES = ("upper case", "lower case", "no accents", "typos")
# A set whose tweets were searched by words that hint at their label, and everyday tweets of its language. A network
# takes such words for the label and errs where others were searched (Wiegand et al. 2019, aclanthology.org/N19-1060).
_SEARCHED = {"tweeteval_hate": "tweeteval_sentiment"}
# A word is one of those when such a share of the set's tweets has it, so many times as large as of everyday ones.
_LEAST_SHARE = 0.005
_TIMES = 16
# A word or a whole hashtag; mentions aside.
_WORD = re.compile(r"(?<![@＠\w])[#＃]?\w+")


@dataclass(frozen=True, slots=True)
class Noise:
    """How training texts are changed: which share of them, and of searched sets' which share loses ``searched`` words.

    ``searched`` are the words, in small letters, by the set's folder.
    """

    share: float = 0.0
    unsearched: float = 0.0
    seed: int = 0
    searched: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def change(self, rows: Sequence[Row], lang: str, folder: str) -> list[Row]:
        """Return the rows of a set, which lies in this folder, some of them changed."""
        chance = random.Random(f"unsearched {self.seed}")  # noqa: S311
        words = self.searched.get(folder, frozenset())
        plain = [without(row, words) if chance.random() < self.unsearched else row for row in rows]
        return noised(plain, lang, self.share, self.seed)


def make_noise(data: Path, share: float, unsearched: float, seed: int) -> Noise:
    """Return the noise of these shares; words by which tweets were searched are told by the sets in ``data``."""
    found = {}
    for folder, everyday in _SEARCHED.items() if unsearched else ():
        own, others = (read_file(data / name / "train.jsonl.gz") for name in (folder, everyday))
        if own and others:
            found[folder] = searched_words([row.text for row in own], [row.text for row in others])
            _log.info(
                "%s: %d words are left out of %.0f %% of its tweets, because they are %d times as frequent as "
                "in %s: %s",
                folder,
                len(found[folder]),
                100 * unsearched,
                _TIMES,
                everyday,
                ", ".join(sorted(found[folder])),
            )
    return Noise(share, unsearched, seed, found)


def searched_words(texts: Sequence[str], everyday: Sequence[str]) -> frozenset[str]:
    """Return the words, in small letters, that are far more frequent in these texts than in everyday ones."""
    own, others = _holders(texts), _holders(everyday)
    return frozenset(
        word
        for word, count in own.items()
        if count >= _LEAST_SHARE * len(texts)
        # One more, for words that everyday texts lack.
        and count / len(texts) >= _TIMES * (others[word] + 1) / (len(everyday) + 1)
    )


def _holders(texts: Sequence[str]) -> Counter[str]:
    """Return how many of the texts hold each word."""
    return Counter(word for text in texts for word in {_word(match[0]) for match in _WORD.finditer(text)})


def _word(found: str) -> str:
    return found.lstrip("#＃").lower()


def without(row: Row, words: frozenset[str]) -> Row:
    """Return the row without these words in its text, or as it is where nothing else is said."""
    left = _WORD.sub(lambda match: "" if _word(match[0]) in words else match[0], row.text)
    return replace(row, text=" ".join(left.split())) if left != row.text and _WORD.search(left) else row


def change_row(row: Row, name: str, lang: str, seed: int = 0) -> Row:
    """Return the row with its text, or each of its words, perturbed; a word is never lost or cut in two."""
    if not row.words:
        return replace(row, text=perturb(name, row.text, lang, seed))
    changed = (perturb(name, word, lang, seed) for word in row.words)
    words = tuple(
        new if new and not any(sign.isspace() for sign in new) else old
        for new, old in zip(changed, row.words, strict=True)
    )
    return replace(row, text=" ".join(words), words=words)


def noised(rows: Sequence[Row], lang: str, share: float, seed: int) -> list[Row]:
    """Return the rows, a share of them as people write otherwise and mean the same: shouted, small, mistyped ..."""
    chance = random.Random(seed)  # noqa: S311
    return [
        change_row(row, chance.choice(_NOISES), lang, seed) if chance.random() < share else row
        for row in rows
    ]
