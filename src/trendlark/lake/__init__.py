"""The lake: Delta Lake tables under one URI, written hour by hour."""

from __future__ import annotations

from collections.abc import Mapping

from trendlark.lake.read import DistinctTweet, Reader
from trendlark.lake.tables import TABLES, Column, TableSpec
from trendlark.lake.upkeep import Keeper, TableInfo
from trendlark.lake.write import Writer

__all__ = ["TABLES", "Column", "DistinctTweet", "Lake", "TableInfo", "TableSpec", "open_lake"]


class Lake(Writer, Reader, Keeper):
    """The tables under one folder or ``s3://`` address; made on the first write."""


def open_lake(uri: str, storage_options: Mapping[str, str] | None = None) -> Lake:
    """The lake at an address; raises LakeError where there can be none."""
    lake = Lake(uri, storage_options)
    lake.check()
    return lake
