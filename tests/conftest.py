"""What every test relies on, and brokers for those that need one.

Set AMQPD_TEST_URL=amqp://guest:guest@127.0.0.1:5672 to run tests over TCP against a broker that already runs there.
"""

import os
import signal
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from amqpd.version import describe
from helpers.broker import Broker, BrokerProcess

# Programs that tests interrupt would not heed it, if these tests run behind a shell that has others in the foreground.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A slow machine is no reason to fail.
settings.register_profile("amqpd", deadline=None)
settings.load_profile("amqpd")


def pytest_report_header() -> str:
    """Say at the top of a run which build it tests."""
    return describe()


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that all tests of this process share."""
    url = os.environ.get("AMQPD_TEST_URL")
    if url:
        yield Broker(url)
    else:
        with running_broker(tmp_path_factory.mktemp("broker")) as shared:
            yield shared


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker for one test alone, which may stop, kill and restart it."""
    url = os.environ.get("AMQPD_TEST_URL")
    if url:
        yield Broker(url)
    else:
        with running_broker(tmp_path) as own:
            yield own


@pytest.fixture
def start_broker(tmp_path: Path) -> Iterator[Callable[..., BrokerProcess]]:
    """A function that starts an amqpd with the given command line arguments, environment and surroundings."""
    if "AMQPD_TEST_URL" in os.environ:
        pytest.skip("the test is about a process of its own")
    with ExitStack() as stack:

        def start(*arguments: str, variables: dict[str, str] | None = None, within: Sequence[str] = ()) -> BrokerProcess:
            return stack.enter_context(running_broker(tmp_path, *arguments, variables=variables, within=within))

        yield start


@pytest.fixture
def unique_name(request: pytest.FixtureRequest) -> str:
    """A name for queues and exchanges that no other test uses."""
    return f"{request.node.name[:80]}-{uuid.uuid4().hex[:8]}"


@contextmanager
def running_broker(
    folder: Path, *arguments: str, variables: dict[str, str] | None = None, within: Sequence[str] = ()
) -> Iterator[BrokerProcess]:
    """Run a broker, which must not log a traceback and must stop with exit code 0 unless a test has ended it."""
    process = BrokerProcess(folder, *arguments, variables=variables, within=within)
    try:
        yield process
    finally:
        exit_code = process.stop() if process.is_running else 0
    assert "Traceback" not in process.stderr, process.stderr
    assert 0 == exit_code, process.stderr
