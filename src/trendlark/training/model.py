"""The network: a BERT encoder in plain PyTorch, one pooled head for each task, an entity head for each token.

Each task pools the tokens with an attention of its own that starts as the plain mean. Where the encoder's weights
come from is said in ``e5.py`` and ``bert.py``.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from trendlark.nlu.tasks import TASKS, entity_tags

MAX_TOKENS = 96
_FARTHEST = 128
# Heads that only help training.
AUXILIARY = ("emoji.", "guess.")
POOLED_TASKS = tuple(task.name for task in TASKS.values() if task.kind != "spans")


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes that make a network; ``auxiliary`` heads, and with ``guesses`` one of words, help training alone.

    With ``buckets`` attention also knows how far apart two tokens are, by a weight for each of so many distances.
    """

    vocabulary: int
    width: int = 384
    layers: int = 6
    heads: int = 12
    inner: int = 1536
    positions: int = MAX_TOKENS
    dropout: float = 0.1
    auxiliary: int = 0
    buckets: int = 0
    guesses: int = 0

    def to_dict(self) -> dict[str, int | float]:
        """Return the sizes as plain data, for checkpoints and manifests."""
        return asdict(self)


class Layer(nn.Module):
    """One transformer layer, normalised after each half as BERT does."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.norm1 = nn.LayerNorm(shape.width, eps=1e-12)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.norm2 = nn.LayerNorm(shape.width, eps=1e-12)
        self.drop = nn.Dropout(shape.dropout)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """Map [batch, tokens, width] to the same shape; ``mask`` is added to the attention scores."""
        batch, tokens, width = hidden.shape
        qkv = self.qkv(hidden).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        # Written out: going back through PyTorch's fused attention takes seven times as long on a CPU.
        scores = (query @ key.transpose(-1, -2)).float() * (width // self.heads) ** -0.5
        if mask is not None:
            scores = scores + mask
        mixed = scores.softmax(-1).to(value.dtype) @ value
        mixed = mixed.transpose(1, 2).reshape(batch, tokens, width)
        hidden = self.norm1(hidden + self.drop(self.out(mixed)))
        inner = functional.gelu(self.up(hidden))
        return self.norm2(hidden + self.drop(self.down(inner)))  # type: ignore[no-any-return]


class Head(nn.Module):
    """A hidden layer and the logits of one task."""

    def __init__(self, width: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)
        self.logits = nn.Linear(width, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Map [..., width] to raw logits [..., outputs]."""
        return self.logits(self.drop(functional.gelu(self.inner(features))))  # type: ignore[no-any-return]


class Guess(nn.Module):
    """Which piece a blanked token was; each is known by its embedding, and by how frequent it is."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.inner = nn.Linear(shape.width, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.frequency = nn.Parameter(torch.zeros(shape.vocabulary))

    def forward(self, features: Tensor, words: Tensor) -> Tensor:
        """Map [tokens, width] to raw logits [tokens, vocabulary]; ``words`` [vocabulary, width] stay as they are."""
        inner = self.norm(functional.gelu(self.inner(features)))
        return functional.linear(inner, words.detach(), self.frequency)


class Network(nn.Module):
    """Token ids in, raw logits of every task out; training blanks a share ``word_dropout`` of the words."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        # Sparse gradients: a batch touches some hundred rows of tens of thousands.
        self.words = nn.Embedding(shape.vocabulary, shape.width, sparse=True)
        self.positions = nn.Parameter(torch.zeros(shape.positions, shape.width))
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.distances = nn.Embedding(shape.buckets, shape.heads) if shape.buckets else None
        self.drop = nn.Dropout(shape.dropout)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.pool = nn.Linear(shape.width, len(POOLED_TASKS), bias=False)
        nn.init.zeros_(self.pool.weight)
        self.heads = nn.ModuleDict(
            {name: Head(shape.width, TASKS[name].width, shape.dropout) for name in POOLED_TASKS}
        )
        self.entities = Head(shape.width, len(entity_tags()), shape.dropout)
        self.emoji = Head(shape.width, shape.auxiliary, shape.dropout) if shape.auxiliary else None
        self.guess = Guess(shape) if shape.guesses else None
        self.word_dropout = 0.0

    def freeze(self, layers: int) -> None:
        """Let training leave the words, where they stand and the lowest ``layers`` as they are; 0 leaves nothing."""
        still = [self.norm, self.words, self.distances, *self.layers[:layers]] if layers else []
        for part in still:
            if part is not None:
                part.requires_grad_(requires_grad=False)
        self.positions.requires_grad = not layers

    def encode(self, ids: Tensor, mask: Tensor | None = None, blank: Tensor | None = None) -> Tensor:
        """Return hidden states [batch, tokens, width]; ``mask`` is True at tokens and False at padding.

        Tokens where ``blank`` [batch, tokens] is True are not read.
        """
        tokens = ids.shape[1]
        words = self.words(ids)
        if self.training and self.word_dropout:
            words = words * (torch.rand(ids.shape, device=ids.device) >= self.word_dropout)[:, :, None]
        if blank is not None:
            words = words * ~blank[:, :, None]
        hidden = self.drop(self.norm(words + self.positions[:tokens]))
        scores = None
        if mask is not None:
            scores = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -1e4)[:, None, None, :]
        if self.distances is not None:
            near = self.distances(buckets(tokens, self.shape.buckets).to(ids.device)).permute(2, 0, 1)
            scores = near if scores is None else scores + near
        for layer in self.layers:
            hidden = layer(hidden, scores)
        return hidden  # type: ignore[no-any-return]

    def embed(self, hidden: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the mean of the token states, [batch, width], of length one."""
        if mask is None:
            mean = hidden.mean(1)
        else:
            weights = mask.to(hidden.dtype)[:, :, None]
            mean = (hidden * weights).sum(1) / weights.sum(1)
        return functional.normalize(mean.float(), dim=-1)

    def forward(
        self, ids: Tensor, mask: Tensor | None = None, blank: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return raw logits by task, ``embedding``, and ``emoji`` where that head exists.

        Where that of words does and there are tokens to ``blank``, also ``guesses``, [blanked, vocabulary].
        """
        hidden = self.encode(ids, mask, blank)
        scores = self.pool(hidden).float()
        if mask is not None:
            scores = scores.masked_fill(~mask[:, :, None], -1e4)
        pooled = torch.einsum("btk,btd->kbd", scores.softmax(1).to(hidden.dtype), hidden)
        out = {name: self.heads[name](pooled[at]).float() for at, name in enumerate(POOLED_TASKS)}
        out["entities"] = self.entities(hidden).float()
        out["embedding"] = self.embed(hidden, mask)
        if self.emoji is not None:
            out["emoji"] = self.emoji(pooled[0]).float()
        if self.guess is not None and blank is not None:
            out["guesses"] = self.guess(hidden[blank], self.words.weight).float()
        return out


def buckets(tokens: int, count: int) -> Tensor:
    """Return the bucket [tokens, tokens] of the distance from each token to each (Raffel et al. 2020, JMLR 21(140)).

    Half of the buckets are for tokens behind; of each half one half holds single distances, the other grows with their
    logarithm up to 128.
    """
    place = torch.arange(tokens)
    ahead = place[None, :] - place[:, None]
    half, exact = count // 2, count // 4
    far = ahead.abs().clamp_min(1) / exact
    grown = exact + (far.log() / math.log(_FARTHEST / exact) * (half - exact)).long()
    return (ahead > 0) * half + torch.where(ahead.abs() < exact, ahead.abs(), grown.clamp_max(half - 1))
