"""Texts that no one labelled for what they are read for: raw tweets, and the sets of one task for all others."""

from __future__ import annotations

import gzip
import itertools
import logging
import random
from dataclasses import dataclass
from pathlib import Path

from trendlark.training.data import digest, file_digest, fingerprint, read_file, validation_fingerprints
from trendlark.training.sets import EMOJI_SETS, SETS
from trendlark.training.soft import SoftRow

_log = logging.getLogger(__name__)

_SHORTEST = 12
_PLAIN = ".txt.gz"


@dataclass(frozen=True, slots=True)
class Pool:
    """Texts to label: files of ``data`` by pattern, their language, and how many of them at most."""

    pattern: str
    lang: str
    most: int


# Everyday tweets first, of news and single events a part, and the sets of one task for all the others.
POOLS = (
    Pool("unlabeled/en.txt.gz", "en", 34_000),
    Pool("tweeteval_emoji/train.jsonl.gz", "en", 20_000),
    Pool("tweeteval_sentiment/train.jsonl.gz", "en", 20_000),
    Pool("tweeteval_offensive/train.jsonl.gz", "en", 10_000),
    Pool("tweeteval_hate/train.jsonl.gz", "en", 8_000),
    Pool("tweeteval_irony/train.jsonl.gz", "en", 3_000),
    Pool("tweeteval_emotion/train.jsonl.gz", "en", 4_000),
    Pool("tweeteval_stance_*/train.jsonl.gz", "en", 600),
    Pool("davidson_en/train.jsonl.gz", "en", 5_000),
    Pool("crisislex_t6/train.jsonl.gz", "en", 10_000),
    Pool("goemotions/train.jsonl.gz", "en", 6_000),
    Pool("emoevent_en/train.jsonl.gz", "en", 5_000),
    Pool("unlabeled/es.txt.gz", "es", 8_000),
    Pool("unlabeled/es2.txt.gz", "es", 16_000),
    Pool("trend_events_es/train.jsonl.gz", "es", 12_000),
    Pool("emojispace_es/train.jsonl.gz", "es", 16_000),
    Pool("mozetic_sentiment/train_spa.jsonl.gz", "es", 10_000),
    Pool("offendes_es/train.jsonl.gz", "es", 10_000),
    Pool("emoevent_es/train.jsonl.gz", "es", 6_000),
    Pool("umsab_es/train.jsonl.gz", "es", 2_000),
    Pool("umsab_pt/train.jsonl.gz", "pt", 2_000),
    Pool("mozetic_sentiment/train_por.jsonl.gz", "pt", 6_500),
    Pool("toldbr_pt/train.jsonl.gz", "pt", 9_000),
    Pool("umsab_fr/train.jsonl.gz", "fr", 2_000),
    Pool("umsab_de/train.jsonl.gz", "de", 2_000),
    Pool("mozetic_sentiment/train_deu.jsonl.gz", "de", 5_000),
    Pool("xlime_sentiment_de/train.jsonl.gz", "de", 2_400),
    Pool("umsab_it/train.jsonl.gz", "it", 2_000),
    Pool("xlime_sentiment_it/train.jsonl.gz", "it", 4_000),
)


def pool_texts(data: Path, seed: int = 0) -> list[SoftRow]:
    """Return the texts of the pools, shuffled, none twice and none that a validation file holds."""
    seen = validation_fingerprints(data)
    found: list[SoftRow] = []
    for pool in POOLS:
        for path in sorted(data.glob(pool.pattern)):
            texts = _texts(path)
            random.Random(seed).shuffle(texts)  # noqa: S311
            new = (text for text in texts if len(text) >= _SHORTEST and not _seen(text, seen))
            fresh = list(itertools.islice(new, pool.most))
            _log.info("pool %s: %d of %d texts", path.relative_to(data), len(fresh), len(texts))
            found += [SoftRow(text, pool.lang, path.parent.name, {}) for text in fresh]
    random.Random(seed).shuffle(found)  # noqa: S311
    return found


def text_digests(data: Path) -> dict[str, str]:
    """Return the SHA-256 by name of what gives its texts alone: a set whose labels we do not take, a file of tweets.

    Sets whose labels are taken, too, are told of in ``sets.py``.
    """
    labelled = {entry.name for entry in SETS.values()} | set(EMOJI_SETS)
    found: dict[str, str] = {}
    for path in (path for pool in POOLS for path in sorted(data.glob(pool.pattern))):
        if path.name.endswith(_PLAIN):
            found[f"{path.parent.name}/{path.name.removesuffix(_PLAIN)}"] = file_digest(path)
        elif path.parent.name not in labelled:
            found[path.parent.name] = digest(path.parent)
    return found


def _seen(text: str, seen: set[str]) -> bool:
    mark = fingerprint(text)
    if mark in seen:
        return True
    seen.add(mark)
    return False


def _texts(path: Path) -> list[str]:
    if path.name.endswith(".jsonl.gz"):
        return [row.text for row in read_file(path)]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [line.rstrip("\n") for line in lines]
