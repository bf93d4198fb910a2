"""A file system without space costs nothing that was confirmed, and service goes on once there is some."""

import random
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.broker import BrokerProcess
from helpers.lives import FULL, await_progress, end_under_load, lead_life_in, put_to_work, resume
from helpers.small_disk import SmallDisk
from helpers.stores import Note, Owner, bodies
from helpers.traffic import connect
from helpers.workloads import Fanout
from persistence.lmdb_store import LmdbStore
from persistence.store import Batch, NoSpace

pytestmark = pytest.mark.timeout(300)  # Several starts, on machines of any speed.

FIRST_STEPS = [0, 4096, 12_288, 49_152, 65_536]
"""Bytes with which a first start comes to the lock, the database's locks, the database, its first commit, the definitions."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A file system for the data folder, which outlives the broker in it."""
    with SmallDisk(tmp_path, 32 << 20) as disk:
        yield disk


@pytest.fixture
def start_small(disk: SmallDisk, start_broker: Callable[..., BrokerProcess]) -> Callable[[], BrokerProcess]:
    """A function that starts a broker in it, which has no limit of free space."""
    assert disk.free()
    return lambda: start_broker("--disk-free-limit", "0", "--http-port", "none")


def test_a_broker_without_space_serves_and_goes_on_later(disk: SmallDisk, start_small: Callable[[], BrokerProcess]) -> None:
    """While nothing can be committed consumers get what there is; when space comes back, publishers go on."""
    broker = start_small()
    workload = Fanout(random.Random(1))
    workload.declare(broker)
    clients = put_to_work(broker, workload)
    disk.fill()
    while FULL not in broker.stderr:
        assert broker.is_running
    consumer = connect(broker)
    assert consumer.channel().get("right", no_ack=False) is not None
    consumer.drop()
    disk.clear()
    await_progress(workload)
    end_under_load(broker, clients, signal.SIGKILL)
    resume(broker, workload, ended_well=False)


def test_a_broker_without_space_can_be_stopped(disk: SmallDisk, start_small: Callable[[], BrokerProcess]) -> None:
    """It does not wait for space then; its next start, without space too, is one or tells why it is none."""
    broker = start_small()
    workload = Fanout(random.Random(1))
    workload.declare(broker)
    lead_life_in(disk, broker, workload, signal.SIGTERM)


@pytest.mark.parametrize("left", FIRST_STEPS)
def test_a_first_start_without_space_says_so(disk: SmallDisk, start_small: Callable[[], BrokerProcess], left: int) -> None:
    """Wherever it stops, it leaves nothing behind that would keep a later start from succeeding."""
    disk.fill(left)
    with pytest.raises(RuntimeError, match=re.compile(r"exit code 1\):\namqpd: .*no space left.*\n$", re.IGNORECASE)):
        start_small()
    disk.clear()
    start_small()


def test_a_map_that_grows_in_a_full_file_system(disk: SmallDisk) -> None:
    """The batch that finds no space is written whole as soon as there is some."""
    disk.fill(8 << 20)
    store = LmdbStore(disk.folder, 1 << 20)
    store.recover({1})
    log = store.log(1, 0, Owner())
    written = 0
    batch = None
    while batch is None:
        log.put(Note(store.first_sequence + written, bytes(100_000)))
        written += 1
        batch = without_space(store)
    disk.clear()
    store.apply(batch)
    store.committed(batch)
    store.close()
    again = LmdbStore(disk.folder)
    again.recover({1})
    assert written == len(bodies(again, again.log(1, 0, Owner())))
    again.close()


def without_space(store: LmdbStore) -> Batch | None:
    """Commit the open batch; it is returned if there is no space for it."""
    batch = store.close_batch()
    assert batch is not None
    try:
        store.apply(batch)
    except NoSpace:
        return batch
    store.committed(batch)
    return None
