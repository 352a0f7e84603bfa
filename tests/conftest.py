"""What every test has: an environment without settings of the person who runs it."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

# A busy machine is no bug: examples may take their time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("TRENDLARK_", "AWS_")):
            monkeypatch.delenv(name)
