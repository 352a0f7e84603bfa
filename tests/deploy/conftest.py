"""One walk through the guide to AWS for all tests that look at what it makes; the last of them undoes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.aws_walk import Walk, walking


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Every step of the guide was done, in a stand-in for AWS that runs as long as the tests do."""
    with walking(tmp_path_factory.mktemp("walk")) as begun:
        begun.do()
        yield begun
