"""What every test has: an environment without settings of the person who runs it."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("TRENDLARK_", "AWS_")):
            monkeypatch.delenv(name)
