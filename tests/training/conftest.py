"""Training needs the extra ``trendlark[train]``; without it these tests are left out, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs trendlark[train]")
pytest.importorskip("safetensors", reason="needs trendlark[train]")

import torch

from tests.training.tiny import tiny_checkpoint, write_data
from trendlark.training.checkpoint import Checkpoint


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def state() -> Checkpoint:
    return tiny_checkpoint()


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """Return a checkpoint of the untrained network for a run to begin from."""
    path = tmp_path / "start.pt"
    tiny_checkpoint().save(path)
    return path
