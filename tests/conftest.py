"""What every test has: an environment without settings of the person who runs it, and logs as they come."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A busy machine is no bug: examples may take their time.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_configure() -> None:
    """Hear Ctrl-C as a terminal's programs do, and let those that are started hear it: a shell's `&` turns it off."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("TRENDLARK_", "AWS_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _level_of_logs() -> Iterator[None]:
    """Give back the level that a command of the test before has set in this process."""
    logger = logging.getLogger("trendlark")
    before = logger.level
    yield
    logger.setLevel(before)
