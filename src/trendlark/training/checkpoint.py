"""What a training run keeps on disk: enough to export it at any time, or to go on as if never stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from trendlark.errors import NotFoundError
from trendlark.training.model import Network, Shape
from trendlark.training.optimise import save_whole


@dataclass(slots=True)
class Checkpoint:
    """A network, its tokenizer, the auxiliary labels, and what the run wants to remember."""

    network: Network
    tokenizer: Tokenizer
    emoji: Sequence[str]
    more: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write it whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "shape": self.network.shape.to_dict(),
            "tokenizer": self.tokenizer.to_str(),
            "emoji": list(self.emoji),
        }
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
    return Checkpoint(network, Tokenizer.from_str(state.pop("tokenizer")), state.pop("emoji"), state)
