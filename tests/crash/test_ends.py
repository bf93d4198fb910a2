"""A broker that ends at any moment under load keeps every promise that it made before."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

import pytest

from helpers.broker import BrokerProcess, environment
from helpers.traffic import Client
from helpers.workloads import WORKLOADS, Workload

pytestmark = pytest.mark.timeout(300)  # Many starts, on machines of any speed.

KILLS: Final = 4
"""Lives of one broker that end with SIGKILL, one after the other on the same data folder."""
STOPS: Final = 2
LONGEST_LIFE: Final = 0.3
"""Seconds under load, at most."""


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_broker_keeps_its_promises(
    start_broker: Callable[..., BrokerProcess], workload: type[Workload], seed: int
) -> None:
    """What was confirmed, committed or declared before SIGKILL is there, what was settled or deleted is not."""
    lead_lives(start_broker(), workload(random.Random(seed)), KILLS, signal.SIGKILL)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_stopped_broker_keeps_its_promises(start_broker: Callable[..., BrokerProcess], workload: type[Workload]) -> None:
    """The same after SIGTERM under load, and what was delivered comes back marked as redelivered."""
    lead_lives(start_broker(), workload(random.Random(3)), STOPS, signal.SIGTERM)


def lead_lives(broker: BrokerProcess, workload: Workload, lives: int, end: signal.Signals) -> None:
    """Load a broker and end it, again and again."""
    workload.declare(broker)
    for _ in range(lives):
        clients = workload.clients(broker)
        for client in clients:
            client.start()
        time.sleep(workload.chance.uniform(0.02, LONGEST_LIFE))
        end_under_load(broker, clients, end)
        assert "ok" == checked(broker).split()[0]
        broker.restart()
        workload.check(broker, ended_well=end == signal.SIGTERM)


def end_under_load(broker: BrokerProcess, clients: list[Client], end: signal.Signals) -> None:
    """End the broker, which must be the reason for its clients' ends."""
    early = [client.end for client in clients if client.end]
    if end == signal.SIGKILL:
        broker.kill()
    else:
        assert 0 == broker.stop()
    for client in clients:
        client.join()
    assert [] == early
    for client in clients:
        assert "the broker closed the TCP connection" in str(client.end) or "connection.close 320" in str(client.end)


def checked(broker: BrokerProcess) -> str:
    """What `amqpd check` says of the broker's data folder; AssertionError if its exit code is not 0."""
    command = [sys.executable, "-m", "amqpd", "check", "--data-dir", str(broker.data_folder)]
    check = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert 0 == check.returncode, check.stdout + check.stderr
    return check.stdout
