"""In which precision matrix products are computed: bfloat16 where the machine has units for it, else single.

Without such units bfloat16 is emulated, which on a CPU takes many times as long.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

_log = logging.getLogger(__name__)

# As PyTorch calls them: Intel's and AMD's vectors, Intel's tiles, ARM.
_UNITS = ("avx512_bf16", "amx_bf16", "bf16")
# Large enough that most of the time is spent multiplying.
_SIDE, _TRIES = 384, 5

# The seconds that a product takes in a precision.
Measure = Callable[[torch.dtype], float]


def autocast(device: torch.device) -> torch.autocast:
    """Return the context in which this device's products are in the precision that suits it."""
    dtype = choose(device.type)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)


@functools.cache
def choose(kind: str) -> torch.dtype:
    """Return the precision for ``cpu`` or ``cuda``, and say once why."""
    if kind == "cuda":
        dtype, why = on_gpu(torch.cuda.is_bf16_supported(including_emulation=False))
    else:
        # Only newer PyTorch tells.
        ask: Callable[[], Mapping[str, Any]] | None = getattr(torch.cpu, "get_capabilities", None)
        dtype, why = on_cpu(ask() if ask else None, measure)
    _log.info("precision: %s, because %s", str(dtype).removeprefix("torch."), why)
    return dtype


def on_gpu(units: bool) -> tuple[torch.dtype, str]:
    """Return the precision for a GPU, and why; ``units`` is whether it computes bfloat16 itself."""
    if units:
        return torch.bfloat16, "this GPU has units for it"
    return torch.float32, "this GPU has no units for bfloat16"


def on_cpu(capabilities: Mapping[str, Any] | None, seconds: Measure) -> tuple[torch.dtype, str]:
    """Return the precision for a CPU, and why: by what PyTorch knows of it, else by what is measured in ``seconds``."""
    if capabilities is not None:
        units = [name for name in _UNITS if capabilities.get(name)]
        if units:
            return torch.bfloat16, f"this CPU has units for it ({', '.join(units)})"
        return torch.float32, "this CPU has no units for bfloat16"
    half, single = seconds(torch.bfloat16), seconds(torch.float32)
    said = f"a product took {1000 * half:.2f} ms in bfloat16 and {1000 * single:.2f} ms in float32"
    return (torch.bfloat16 if half < single else torch.float32), said


def measure(dtype: torch.dtype) -> float:
    """Return the seconds that a product of two square matrices takes on this CPU; the least of some tries."""
    one = torch.ones((_SIDE, _SIDE), dtype=dtype)
    # The first is slower, as what computes it is chosen then.
    _ = one @ one
    times = []
    for _ in range(_TRIES):
        began = time.perf_counter()
        _ = one @ one
        times.append(time.perf_counter() - began)
    return min(times)
