"""Stage 0: teach the English encoder Spanish and Portuguese with parallel sentences.

A sentence must land where the base puts its English translation (Reimers and Gurevych 2020,
arXiv:2004.09813): cosine and mean squared error between the student's mean-pooled state and the base's.

    python -m trendlark.training.teach --data DATA --out OUT --minutes 12
"""

from __future__ import annotations

import argparse
import gzip
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from trendlark.training.data import encode, spanish_and_portuguese
from trendlark.training.model import Network, load_base
from trendlark.training.optimise import Clock, Optimiser, Rates, pad, rate_factor, save_whole
from trendlark.training.vocabulary import (
    build,
    count_words,
    load_base_tokenizer,
    read_translations,
    start_embeddings,
)

_log = logging.getLogger(__name__)

_PAIRS = ("parallel_en_es", "parallel_en_pt")
_MAX_TOKENS = 64
_ENGLISH_SHARE = 0.15
_WARM_UP = 0.05
_RATES = Rates(encoder=2e-4, heads=2e-4, words=1e-3)
_TOKENS_PER_BATCH = 1536
_LOG_EVERY = 100


@dataclass(slots=True)
class Pairs:
    """Sentences with where the base puts their English side: ``targets`` [sentences, width], half precision."""

    ids: list[list[int]]
    english: list[list[int]]
    targets: NDArray[np.float16]

    def __len__(self) -> int:
        return len(self.ids)


def read_pairs(data: Path) -> list[tuple[str, str]]:
    """Return the (English, other) sentences of the parallel files in ``data``."""
    pairs = []
    for name in _PAIRS:
        path = data / name / "train.tsv.gz"
        if not path.exists():
            _log.warning("%s is absent: nothing is taught from it", name)
            continue
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                english, _, other = line.rstrip("\n").partition("\t")
                pairs.append((english, other))
    return pairs


def prepare_network(data: Path, size: int, auxiliary: int) -> tuple[Network, Tokenizer]:
    """Return the base with ``size`` new words, started from translations, and its tokenizer."""
    base = load_base_tokenizer()
    counts = count_words(base, spanish_and_portuguese(data))
    vocabulary = build(base, counts, read_translations(data, base), size)
    known = base.get_vocab_size()
    network = load_base(known + len(vocabulary.new_words), auxiliary)
    if vocabulary.new_words:
        with torch.no_grad():
            rows = start_embeddings(network.words.weight[:known].clone(), vocabulary.sources)
            network.words.weight[known:] = rows
    return network, vocabulary.tokenizer


def load_pairs(data: Path, tokenizer: Tokenizer, cache: Path | None = None) -> Pairs:
    """Return the parallel sentences with their targets; ``cache`` keeps the targets between runs."""
    texts = read_pairs(data)
    if cache is not None and cache.exists():
        targets = np.load(cache)
    else:
        targets = base_embeddings([english for english, _ in texts])
        if cache is not None:
            cache.parent.mkdir(parents=True, exist_ok=True)
            np.save(cache, targets)
    english = encode(tokenizer, [english for english, _ in texts], _MAX_TOKENS)
    return Pairs(encode(tokenizer, [other for _, other in texts], _MAX_TOKENS), english, targets)


def base_embeddings(texts: Sequence[str]) -> NDArray[np.float16]:
    """Return where the untouched base puts the texts: mean of the token states, not normalised."""
    ids = encode(load_base_tokenizer(), texts, _MAX_TOKENS)
    network = load_base().eval()
    out = np.zeros((len(ids), network.shape.width), np.float16)
    order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        for start in range(0, len(order), 128):
            part = order[start : start + 128]
            rows, mask = pad(ids[at] for at in part)
            out[part] = mean_state(network, rows, mask).numpy().astype(np.float16)
    return out


def mean_state(network: Network, ids: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the token states, [batch, width], in single precision."""
    weights = mask[:, :, None].float()
    return (network.encode(ids, mask).float() * weights).sum(1) / weights.sum(1)


def teaching_loss(student: Tensor, target: Tensor) -> Tensor:
    """One minus cosine, plus the squared error in units of the targets' own mean square."""
    cosine = 1 - functional.cosine_similarity(student, target, dim=-1).mean()
    return cosine + functional.mse_loss(student, target) / target.pow(2).mean()


def batches(
    pairs: Pairs, tokens_per_batch: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield (ids, mask, targets) for ever: every pair once a round, now and then by its English side."""
    while True:
        english = rng.random(len(pairs)) < _ENGLISH_SHARE
        rows = [pairs.english[at] if english[at] else pairs.ids[at] for at in range(len(pairs))]
        order = rng.permutation(len(pairs))
        for start in range(0, len(order), 8192):
            part = sorted(order[start : start + 8192], key=lambda at: len(rows[at]))
            groups = list(_by_tokens([(at, len(rows[at])) for at in part], tokens_per_batch))
            for group in rng.permutation(len(groups)):
                chosen = groups[group]
                ids, mask = pad(rows[at] for at in chosen)
                yield ids, mask, torch.from_numpy(pairs.targets[chosen].astype(np.float32))


def _by_tokens(sized: Sequence[tuple[int, int]], budget: int) -> Iterator[list[int]]:
    group: list[int] = []
    for at, size in sized:
        if group and size * (len(group) + 1) > budget:
            yield group
            group = []
        group.append(at)
    if group:
        yield group


def teach(network: Network, pairs: Pairs, clock: Clock, seed: int = 0) -> float:
    """Teach the network until the clock has run down; return the last mean loss."""
    network.train()
    optimiser = Optimiser(network, _RATES)
    stream = batches(pairs, _TOKENS_PER_BATCH, np.random.default_rng(seed))
    mean = 0.0
    while not clock.done:
        ids, mask, targets = next(stream)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = teaching_loss(mean_state(network, ids, mask), targets)
        optimiser.step(loss, rate_factor(clock.progress, _WARM_UP))
        clock.tick()
        mean = loss.item() if clock.step == 1 else 0.98 * mean + 0.02 * loss.item()
        if clock.step % _LOG_EVERY == 0:
            _log.info("teaching: step %d, %.0f s, loss %.4f", clock.step, clock.seconds, mean)
    return mean


def save(network: Network, tokenizer: Tokenizer, emoji: Sequence[str], path: Path, **more: Any) -> None:
    """Write what the next stage starts from."""
    state = {
        "network": network.state_dict(),
        "shape": network.shape.to_dict(),
        "tokenizer": tokenizer.to_str(),
        "emoji": list(emoji),
    }
    save_whole(state | more, path)


def main() -> None:
    """Run the stage from the command line."""
    from trendlark.training.data import emoji_labels  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--words", type=int, default=30000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    torch.manual_seed(given.seed)
    emoji = emoji_labels(given.data)
    network, tokenizer = prepare_network(given.data, given.words, len(emoji))
    save(network, tokenizer, emoji, given.out / "untaught.pt")
    pairs = load_pairs(given.data, tokenizer, given.out / "targets.npy")
    loss = teach(network, pairs, Clock(10**9, given.minutes), given.seed)
    save(network, tokenizer, emoji, given.out / "taught.pt", teach={"minutes": given.minutes, "loss": loss})
    _log.info("taught: %s, loss %.4f", given.out / "taught.pt", loss)


if __name__ == "__main__":
    main()
