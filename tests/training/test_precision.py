"""Products are in bfloat16 where the machine has units for it, and the log says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import torch

from trendlark.training import precision
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.predict import exact_predictor, network_predictor


@pytest.fixture(autouse=True)
def _not_chosen_yet() -> Iterator[None]:
    precision.choose.cache_clear()
    yield
    precision.choose.cache_clear()


def _never(dtype: torch.dtype) -> float:
    raise AssertionError(dtype)


@pytest.mark.parametrize(
    ("capabilities", "dtype", "why"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, torch.bfloat16, "this CPU has units for it (avx512_bf16)"),
        (
            {"avx512_bf16": True, "amx_bf16": True},
            torch.bfloat16,
            "this CPU has units for it (avx512_bf16, amx_bf16)",
        ),
        ({"architecture": "aarch64", "bf16": True}, torch.bfloat16, "this CPU has units for it (bf16)"),
        ({"avx512_f": True, "avx512_bf16": False}, torch.float32, "this CPU has no units for bfloat16"),
        ({}, torch.float32, "this CPU has no units for bfloat16"),
    ],
)
def test_a_cpu_is_taken_at_its_word(capabilities: Mapping[str, object], dtype: torch.dtype, why: str) -> None:
    assert precision.on_cpu(capabilities, _never) == (dtype, why)


@pytest.mark.parametrize(
    ("half", "single", "dtype"),
    [(0.001, 0.002, torch.bfloat16), (0.02, 0.001, torch.float32), (0.001, 0.001, torch.float32)],
)
def test_a_cpu_of_which_nothing_is_known_is_measured(half: float, single: float, dtype: torch.dtype) -> None:
    times = {torch.bfloat16: half, torch.float32: single}
    found, why = precision.on_cpu(None, times.__getitem__)
    assert found == dtype
    assert why == f"a product took {1000 * half:.2f} ms in bfloat16 and {1000 * single:.2f} ms in float32"


def test_a_measurement_is_some_time_and_is_made_where_pytorch_does_not_tell(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert precision.measure(torch.float32) > 0
    chosen = precision.choose("cpu")
    (said,) = caplog.messages
    assert said.startswith(f"precision: {str(chosen).removeprefix('torch.')}, because a product took")


def test_a_gpu_with_units_is_told_from_one_without() -> None:
    assert precision.on_gpu(units=True) == (torch.bfloat16, "this GPU has units for it")
    assert precision.on_gpu(units=False) == (torch.float32, "this GPU has no units for bfloat16")


@pytest.mark.parametrize("units", [True, False])
def test_what_is_chosen_is_what_products_are_in_and_is_told_once(
    units: bool, state: Checkpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": units}, raising=False)
    caplog.set_level("INFO")
    device = torch.device("cpu")
    one = torch.ones(2, 2)
    with precision.autocast(device):
        assert (one @ one).dtype == (torch.bfloat16 if units else torch.float32)
    assert (one @ one).dtype == torch.float32
    ids = [[2, 5, 6, 3], [2, 9, 3]]
    found, exact = network_predictor(state.network.eval(), batch=1)(ids), exact_predictor(state.network)(ids)
    gaps = [
        float(abs(row[name] - right[name]).max())
        for row, right in zip(found, exact, strict=True)
        for name in ("sentiment", "topics", "entities")
    ]
    # bfloat16 has three digits.
    assert (max(gaps) > 1e-4) == units
    assert max(gaps) < 0.1
    assert [line.split(",")[0] for line in caplog.messages] == [
        f"precision: {'bfloat16' if units else 'float32'}"
    ]
