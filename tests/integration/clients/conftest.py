"""What the tests of clients in other languages share."""

from collections.abc import Callable
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[3] / "build" / "clients"


@pytest.fixture
def installed() -> Callable[[str], Path]:
    """A function that returns the folder a client is built in, and skips unless `install` has installed the client."""

    def folder(client: str) -> Path:
        if not (BUILD / f"{client}.installed").exists():
            pytest.skip(f"the client {client} is not installed: run tests/integration/clients/install")
        return BUILD / client

    return folder
