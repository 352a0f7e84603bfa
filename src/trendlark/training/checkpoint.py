"""What a training run keeps on disk: enough to export it at any time, or to go on as if never stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from trendlark.errors import NotFoundError
from trendlark.training.model import Network, Shape
from trendlark.training.ngrams import NGrams
from trendlark.training.optimise import save_whole
from trendlark.training.predict import Predictor, exact_predictor, network_predictor


@dataclass(slots=True)
class Checkpoint:
    """A network, its tokenizer, the auxiliary labels, what the run wants to remember, and n-grams beside it."""

    network: Network
    tokenizer: Tokenizer
    emoji: Sequence[str]
    more: dict[str, Any] = field(default_factory=dict)
    ngrams: NGrams | None = None

    def predictor(self, exact: bool = False) -> Predictor:
        """Return a predictor of the network, in the mode that it is in then, and of the n-grams beside it.

        ``exact`` is in single precision, without dropout, one text at a time.
        """
        alone = (exact_predictor if exact else network_predictor)(self.network)
        return self.ngrams.beside(alone) if self.ngrams else alone

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "shape": self.network.shape.to_dict(),
            "tokenizer": self.tokenizer.to_str(),
            "emoji": list(self.emoji),
        }
        if self.ngrams:
            arrays = {one.name: getattr(self.ngrams, one.name) for one in fields(NGrams)}
            state["ngrams"] = {name: torch.from_numpy(array) for name, array in arrays.items()}
        save_whole(state | self.more, path)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint onto the processor."""
    if not path.exists():
        raise NotFoundError(
            f"No checkpoint lies at {path}. Allowed is a .pt file of a training run. Name one."
        )
    state = torch.load(path, map_location="cpu", weights_only=True)
    network = Network(Shape(**state.pop("shape")))
    network.load_state_dict(state.pop("network"))
    tokenizer, emoji = Tokenizer.from_str(state.pop("tokenizer")), state.pop("emoji")
    arrays = {name: value.numpy() for name, value in state.pop("ngrams", {}).items()}
    return Checkpoint(network, tokenizer, emoji, state, NGrams(**arrays) if arrays else None)


def history(state: Checkpoint) -> list[dict[str, Any]]:
    """Return what was done to a checkpoint's network so far, stage by stage."""
    before: list[dict[str, Any]] = list(state.more.get("history", []))
    if "recipe" in state.more:
        done: dict[str, Any] = {"stage": "train"}
        known = ("recipe", "step", "seconds", "soft", "share")
        before.append(done | {name: state.more[name] for name in known if name in state.more})
    return before
