"""Where tweets come from: one protocol (``base.py``), and one module for each source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trendlark.errors import SettingsError

if TYPE_CHECKING:
    from trendlark.settings import Settings
    from trendlark.sources.base import Source

SAMPLE = Path(__file__).parent / "sample"

__all__ = ["SAMPLE", "make_source"]


def make_source(settings: Settings) -> Source:
    """The source that the settings name: x, replay, or the sample in the package (invented tweets)."""
    name = settings.source_name()
    if name == "x":
        from trendlark.sources.x import XSource  # noqa: PLC0415 - replay needs no HTTP client

        return XSource.of(settings)
    from trendlark.sources.replay import ReplaySource  # noqa: PLC0415

    if name == "sample":
        return ReplaySource(SAMPLE, name="sample", loop=True)
    if settings.replay_folder is None:
        raise SettingsError(
            "Found source = replay without replay_folder; name a folder of recorded tweets, "
            "which `trendlark import` makes."
        )
    if not settings.replay_folder.is_dir():
        raise SettingsError(
            f"Found no folder {settings.replay_folder}, which replay_folder names; `trendlark import FILE --to FOLDER` "
            "makes one. Name a folder that exists."
        )
    return ReplaySource(settings.replay_folder)
