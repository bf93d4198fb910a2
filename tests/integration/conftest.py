"""Fixtures for tests over TCP.

Set AMQPD_TEST_URL=amqp://guest:guest@127.0.0.1:5672 to run the same tests against a broker that already runs there.
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.broker import Broker, BrokerProcess


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that all tests of this process share."""
    with running_broker(tmp_path_factory.mktemp("broker")) as shared:
        yield shared


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker for one test alone, which may stop, kill and restart it."""
    with running_broker(tmp_path) as own:
        yield own


@pytest.fixture
def unique_name(request: pytest.FixtureRequest) -> str:
    """A name for queues and exchanges that no other test uses."""
    return f"{request.node.name[:80]}-{uuid.uuid4().hex[:8]}"


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """Run a broker, which must not log a traceback and must stop with exit code 0 unless a test has ended it."""
    url = os.environ.get("AMQPD_TEST_URL")
    if url:
        yield Broker(url)
        return
    process = BrokerProcess(folder)
    try:
        yield process
    finally:
        exit_code = process.stop() if process.is_running else 0
    assert "Traceback" not in process.stderr, process.stderr
    assert 0 == exit_code, process.stderr
