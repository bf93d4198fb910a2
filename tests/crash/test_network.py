"""A network that stalls, cuts or resets costs no message and no other client anything."""

import random
import time
from collections.abc import Callable

import pytest

from helpers.bad_network import BadNetwork
from helpers.broker import BrokerProcess
from helpers.lives import bury, put_to_work
from helpers.traffic import connect
from helpers.workloads import Fanout

CUTS = 5
PATIENCE = 20.0


@pytest.mark.parametrize("reset", [False, True], ids=["cut", "reset"])
def test_connections_that_are_cut_lose_nothing(start_broker: Callable[..., BrokerProcess], reset: bool) -> None:
    """Whatever clients were saying, what was confirmed is there, what they held comes back, and nothing is there twice."""
    broker = start_broker()
    workload = Fanout(random.Random(1))
    workload.declare(broker)
    for _ in range(CUTS):
        with BadNetwork(broker) as network:
            clients = put_to_work(network, workload)
            time.sleep(workload.chance.uniform(0.02, 0.3))
            network.cut(reset=reset)
            bury(clients)
        await_alone(broker)
        workload.check(broker, ended_well=False)


def test_a_network_that_stalls_gives_messages_back(start_broker: Callable[..., BrokerProcess]) -> None:
    """The heartbeat tells that a consumer is unreachable: what it held comes back; others are served all the time."""
    broker = start_broker()
    near = connect(broker)
    channel = near.channel()
    channel.call("queue.declare", queue="q")
    with BadNetwork(broker) as network:
        far = connect(network, heartbeat=1)
        consumer = far.channel()
        consumer.consume("q")
        channel.publish(b"message", routing_key="q")
        consumer.delivery()
        network.stall()
        channel.must_count("q", 1, timeout=PATIENCE)
        far.drop()
    near.close()


def await_alone(broker: BrokerProcess) -> None:
    """Wait until no connection to the broker is left."""
    deadline = time.monotonic() + PATIENCE
    while connections(broker) and time.monotonic() < deadline:
        time.sleep(0.02)


def connections(broker: BrokerProcess) -> int:
    """How many TCP connections to the broker are open."""
    with open("/proc/net/tcp", encoding="ascii") as table:  # noqa: PTH123  (no regular file)
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(row[1].endswith(f":{broker.port:04X}") and row[3] == "01" for row in rows)
