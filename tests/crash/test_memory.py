"""A broker that gets no memory ends, and its next life holds what it confirmed; it is careful before."""

import random
import signal
from collections.abc import Callable, Iterator

import pytest

from helpers.broker import BrokerProcess
from helpers.hoarders import GROUP_BYTES, end_by_hoarding, limit_addresses
from helpers.memory_group import MemoryGroup
from helpers.traffic import connect
from helpers.workloads import Fanout

pytestmark = pytest.mark.timeout(300)  # Several starts, on machines of any speed.


@pytest.fixture
def group() -> Iterator[MemoryGroup]:
    """A control group that holds a broker, but no load of large messages."""
    with MemoryGroup(GROUP_BYTES) as group:
        yield group


def test_a_broker_without_memory_ends(start_broker: Callable[..., BrokerProcess]) -> None:
    """Where an allocation fails, the broker says so and ends at once; what it confirmed before is there."""
    broker = start_broker("--http-port", "none")
    workload = Fanout(random.Random(1))
    workload.declare(broker)
    assert 1 == end_by_hoarding(broker, workload, lambda: limit_addresses(broker, 16 << 20))
    assert "out of memory" in broker.stderr


def test_a_broker_that_is_killed_for_its_memory(group: MemoryGroup, start_broker: Callable[..., BrokerProcess]) -> None:
    """What the kernel ends for want of memory has lost nothing that was confirmed."""
    broker = start_broker("--http-port", "none", "--memory-high-watermark", "1TB", within=group.within)
    workload = Fanout(random.Random(1))
    workload.declare(broker)
    assert -signal.SIGKILL == end_by_hoarding(broker, workload, lambda: None)


def test_the_watermark_is_one_of_the_control_group(group: MemoryGroup, start_broker: Callable[..., BrokerProcess]) -> None:
    """A fraction is one of what the group allows, not of what the machine has."""
    broker = start_broker("--http-port", "none", "--memory-high-watermark", "0.01", within=group.within)
    connect(broker).close()
    broker.kill()
    assert f"limit_bytes={GROUP_BYTES // 100}" in broker.stderr
