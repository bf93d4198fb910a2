"""What a real network does to packets costs no message and no promise: it stalls, loses, resets, and comes back."""

import random
import time
from collections.abc import Callable, Iterator

import pytest

from helpers.broker import BrokerProcess
from helpers.lives import await_progress, bury, put_to_work
from helpers.traffic import connect
from helpers.wire import Wire
from helpers.workloads import Fanout

PATIENCE = 20.0
RESETS = 3


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A wire that outlives the broker at its end."""
    with Wire(random.Random(1)) as wire:
        yield wire


@pytest.fixture
def broker(wire: Wire, start_broker: Callable[..., BrokerProcess]) -> BrokerProcess:
    """A broker that is reached over the wire alone."""
    broker = start_broker("--host", wire.address, "--loopback-users", "none", "--http-port", "none", within=wire.within)
    broker.host = wire.address
    return broker


def test_packets_that_get_lost(wire: Wire, broker: BrokerProcess) -> None:
    """A wire that loses packets, and then all of them for a while, makes clients slower, nothing else."""
    workload = Fanout(random.Random(1))
    workload.declare(broker)
    clients = put_to_work(broker, workload)
    wire.loss = 0.02
    time.sleep(1)
    wire.cut()
    time.sleep(1)
    wire.mend()
    await_progress(workload)
    assert [None] * len(clients) == [client.end for client in clients]
    wire.reset(broker.port)
    bury(clients)
    workload.check(broker, ended_well=False)


def test_connections_that_are_reset(wire: Wire, broker: BrokerProcess) -> None:
    """Whatever clients were saying, what was confirmed is there, and what they held comes back once."""
    workload = Fanout(random.Random(1))
    workload.declare(broker)
    for _ in range(RESETS):
        clients = put_to_work(broker, workload)
        time.sleep(workload.chance.uniform(0.02, 0.3))
        wire.reset(broker.port)
        bury(clients)
        workload.check(broker, ended_well=False)


def test_a_wire_that_is_cut_for_longer_than_a_heartbeat(wire: Wire, broker: BrokerProcess) -> None:
    """The broker takes the client for gone, and gives its message to the next one."""
    lost = connect(broker, heartbeat=1)
    channel = lost.channel()
    channel.call("queue.declare", queue="q")
    channel.publish(b"message", routing_key="q")
    channel.consume("q")
    channel.delivery()
    wire.cut()
    deadline = time.monotonic() + PATIENCE
    while "missed heartbeats from client" not in broker.stderr and time.monotonic() < deadline:
        time.sleep(0.02)
    wire.mend()
    next_one = connect(broker)
    found = next_one.channel().get("q")
    assert found is not None
    assert found.redelivered
    next_one.close()
    lost.drop()
