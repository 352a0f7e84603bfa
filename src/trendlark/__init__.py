"""Trendlark: every hour, what is trending on Twitter/X and how people feel about it.

The public names are resolved when they are first used, so that ``import trendlark`` stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trendlark.nlu.analyzer import load
    from trendlark.records import Analysis

__version__ = "0.1.0"
__all__ = ["Analysis", "__version__", "load"]

_HOMES = {"load": "trendlark.nlu.analyzer", "Analysis": "trendlark.records"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'trendlark' has no attribute {name!r}; it offers {', '.join(__all__)}")
    from importlib import import_module  # noqa: PLC0415 - only when a public name is first used

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
