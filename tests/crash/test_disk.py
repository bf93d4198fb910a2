"""A disk that fails or is full costs no confirmed message, and the broker never pretends."""

import errno
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.broker import BrokerProcess
from helpers.faulty_disk import FaultyDisk
from helpers.governed import Imports
from helpers.lives import lead_life_on
from helpers.workloads import Fanout, Workload

pytestmark = pytest.mark.timeout(300)  # Several starts, on machines of any speed.

FAILURES = [
    # workload, what writes and syncs fail with, how the broker ends
    (Fanout, 0, errno.EIO, "stopped itself"),
    (Fanout, errno.EIO, 0, "stopped itself"),
    (Fanout, errno.ENOSPC, 0, "lived on"),
    (Imports, 0, errno.EIO, "stopped itself"),
    (Imports, errno.ENOSPC, 0, "lived on"),
]


@pytest.mark.parametrize(("workload", "writes", "syncs", "end"), FAILURES)
def test_a_failing_disk_costs_nothing_that_was_confirmed(
    start_broker: Callable[..., BrokerProcess], tmp_path: Path, workload: type[Workload], writes: int, syncs: int, end: str
) -> None:
    """After an error of the disk the broker stops, with exit code 1; when the disk is full it waits, and goes on."""
    disk = FaultyDisk(tmp_path)
    work = workload(random.Random(1))
    broker = start_broker(variables=disk.variables)
    work.declare(broker)
    assert end == lead_life_on(disk, broker, work, writes, syncs, 3)
