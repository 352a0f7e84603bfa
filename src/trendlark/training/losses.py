"""The masked losses: every example pushes only the heads, labels and tags that its set annotates."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from trendlark.nlu.tasks import TASKS
from trendlark.training.data import CHOICE_OR_NONE, NO_CHOICE
from trendlark.training.mixture import Batch

# A logit no label can have: it takes a masked label out of a softmax without making gradients of NaN.
_NEVER = -1e4


def task_losses(out: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
    """Return the loss of each task that the batch supervises, summed over texts and divided by their number."""
    losses = {}
    for name, weight in batch.weights.items():
        if not bool(weight.any()):
            continue
        if TASKS[name].kind == "one_of":
            rows = choice_loss(out[name], batch.values[name], weight)
        else:
            rows = label_loss(out[name], batch.values[name], weight)
            if name == "emotions":
                rows = 0.5 * rows + single_emotion_loss(out[name], batch)
        losses[name] = rows.sum() / len(rows)
    if not bool(batch.allowed_tags.all()):
        losses["entities"] = tag_loss(out["entities"], batch.allowed_tags).sum() / len(batch.ids)
    if bool((batch.emoji >= 0).any()):
        losses["emoji"] = emoji_loss(out["emoji"], batch).sum() / len(batch.ids)
    return losses


def choice_loss(logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy of one-of rows over the labels of weight above 0, times the row's weight; 0 where masked."""
    logp = logits.masked_fill(weights == 0, _NEVER).log_softmax(-1)
    return -(values * weights * logp).sum(-1)


def label_loss(logits: Tensor, values: Tensor, weights: Tensor) -> Tensor:
    """Binary cross-entropy of each element times its weight, summed over the labels."""
    losses = functional.binary_cross_entropy_with_logits(logits, values, reduction="none")
    return (losses * weights).sum(-1)


def single_emotion_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of sets that name one emotion, or none, which stands for a logit of 0 (one half).

    So "the strongest of those annotated, or none where no emotion is likelier than not" is learnt as such.
    """
    values, weights = batch.values["emotions"], batch.weights["emotions"]
    none = torch.where((batch.choice == CHOICE_OR_NONE)[:, None], 0.0, _NEVER)
    joined = torch.cat([logits.masked_fill(weights == 0, _NEVER), none], -1).log_softmax(-1)
    target = torch.cat([values * weights, ((values.sum(-1) == 0).float())[:, None]], -1)
    return -(target * joined).sum(-1) * (batch.choice != NO_CHOICE)


def tag_loss(logits: Tensor, allowed: Tensor) -> Tensor:
    """Negative log of the probability of all tags that a token may have, summed over a text's tokens."""
    logp = logits.log_softmax(-1)
    return -logp.masked_fill(~allowed, _NEVER).logsumexp(-1).sum(-1)


def emoji_loss(logits: Tensor, batch: Batch) -> Tensor:
    """Cross-entropy of the auxiliary emoji over the labels of the example's own set; 0 for other examples."""
    logp = logits.masked_fill(~batch.emoji_allowed, _NEVER).log_softmax(-1)
    picked = logp.gather(1, batch.emoji.clamp_min(0)[:, None])[:, 0]
    return -picked * (batch.emoji >= 0)
