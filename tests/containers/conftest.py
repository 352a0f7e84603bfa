"""One engine and one image for all tests of containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.containers import Engine, MissingError, find_engine, make_image


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """podman with the image of the services; without podman the tests are skipped and say so."""
    try:
        found = find_engine(tmp_path_factory.mktemp("podman"))
    except MissingError as missing:
        pytest.skip(str(missing))
    make_image(found)
    return found


@pytest.fixture(scope="session")
def no_shell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that lies over the shell of the image, so that whatever needs one fails."""
    file = tmp_path_factory.mktemp("shell") / "none"
    file.touch(mode=0o644)
    return file
