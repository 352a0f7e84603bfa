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


def task_losses(out: Mapping[str, Tensor], batch: Batch, smoothing: float = 0.0) -> dict[str, Tensor]:
    """Return the loss of each task that the batch supervises, summed over texts and divided by their number.

    ``smoothing`` is the share of people's labels that ``smooth`` spreads; entities, emoji and which single emotion a
    text has are left as they are.
    """
    losses = {}
    for name, weight in batch.weights.items():
        if not bool(weight.any()):
            continue
        values = smooth(name, batch.values[name], weight, smoothing)
        if TASKS[name].kind == "one_of":
            rows = choice_loss(out[name], values, weight)
        else:
            rows = label_loss(out[name], values, weight)
            if name == "emotions":
                rows = 0.5 * rows + single_emotion_loss(out[name], batch)
        losses[name] = rows.sum() / len(rows)
    if not bool(batch.allowed_tags.all()):
        losses["entities"] = tag_loss(out["entities"], batch.allowed_tags).sum() / len(batch.ids)
    if bool((batch.emoji >= 0).any()):
        losses["emoji"] = emoji_loss(out["emoji"], batch).sum() / len(batch.ids)
    return losses


def smooth(task: str, values: Tensor, weights: Tensor, share: float) -> Tensor:
    """Return ``values`` [texts, width] with a share of each spread evenly over what might have been said instead.

    That is every label of weight above 0 of a task that chooses one, and yes and no of every other (Szegedy et al.
    2016, arXiv:1512.00567). Teachers' probabilities are spread already and stay as they are.
    """
    if not share:
        return values
    if TASKS[task].kind == "one_of":
        even = (weights > 0) / (weights > 0).sum(-1, keepdim=True).clamp_min(1)
    else:
        even = torch.full_like(values, 0.5)
    by_people = ((values == 0) | (values == 1)).all(-1, keepdim=True)
    return torch.where(by_people, values.lerp(even, share), values)


def disagreement(out: Mapping[str, Tensor], batch: Batch) -> Tensor:
    """Return how far apart the two answers to each text of ``Batch.twice`` are; what was dropped makes them differ.

    It is the mean of Kullback and Leibler's divergences both ways, in nats, summed over the labels that the batch
    supervises and divided by the number of texts: R-Drop (Liang et al. 2021, arXiv:2106.14448).
    """
    total = out["sentiment"].new_zeros(())
    for name, weight in batch.weights.items():
        half = len(weight) // 2
        one, other, said = out[name][:half], out[name][half:], weight[:half] > 0
        if TASKS[name].kind == "one_of":
            first = one.masked_fill(~said, _NEVER).log_softmax(-1)
            second = other.masked_fill(~said, _NEVER).log_softmax(-1)
            apart = (first.exp() - second.exp()) * (first - second)
        else:
            apart = (one.sigmoid() - other.sigmoid()) * (one - other)
        total = total + (apart * said).sum() / (2 * half)
    return total


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
