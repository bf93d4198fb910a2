"""The lives of a broker: it is loaded, ends, is checked and starts again, on the same data folder."""

import errno
import re
import signal
import subprocess
import sys
import time
from typing import Final

from helpers.broker import Broker, BrokerProcess, environment
from helpers.faulty_disk import FaultyDisk
from helpers.small_disk import SmallDisk
from helpers.traffic import PATIENCE, Client
from helpers.workloads import Workload
from persistence import failpoints

LONGEST_LIFE: Final = 0.3
"""Seconds under load, at most."""
LONGEST_WAIT: Final = 20.0
"""Seconds for which a broker under load is waited for to come to what ends it."""
STAY: Final = 3.0
"""Seconds that it is left alone with what it has to live through."""
FULL: Final = "cannot commit for now"
"""What the broker logs when there is no space."""
ENDING: Final = re.compile(":(kill|broken)")


def lead_lives(broker: BrokerProcess, workload: Workload, lives: int, end: signal.Signals) -> None:
    """Load a broker and end it, again and again."""
    workload.declare(broker)
    for _ in range(lives):
        clients = put_to_work(broker, workload)
        time.sleep(workload.chance.uniform(0.02, LONGEST_LIFE))
        end_under_load(broker, clients, end)
        broker.restart()
        workload.check(broker, ended_well=end == signal.SIGTERM)
    broker.stop()
    assert "ok" == checked(broker).split()[0]


def put_to_work(broker: Broker, workload: Workload) -> list[Client]:
    """Start the clients of a workload."""
    clients = workload.clients(broker)
    for client in clients:
        client.start()
    return clients


def resume(broker: BrokerProcess, workload: Workload, *, ended_well: bool) -> None:
    """Start an ended broker again, whose data folder must be sound and hold what it has to."""
    assert "ok" == checked(broker).split()[0]
    broker.restart()
    workload.check(broker, ended_well=ended_well)


def end_under_load(broker: BrokerProcess, clients: list[Client], end: signal.Signals) -> None:
    """End the broker, which must be the reason for its clients' ends."""
    early = [client.end for client in clients if client.end]
    if end == signal.SIGKILL:
        broker.kill()
    else:
        assert 0 == broker.stop()
    assert [] == early
    bury(clients)


def bury(clients: list[Client]) -> None:
    """Wait for the ends of clients, for which the broker must be the reason."""
    for client in clients:
        client.join()
    for client in clients:
        assert "the broker closed the TCP connection" in str(client.end) or "connection.close 320" in str(client.end)


def checked(broker: BrokerProcess) -> str:
    """What `amqpd check` says of the broker's data folder; AssertionError if its exit code is not 0."""
    command = [sys.executable, "-m", "amqpd", "check", "--data-dir", str(broker.data_folder)]
    check = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert 0 == check.returncode, check.stdout + check.stderr
    return check.stdout


def lead_life_to(broker: BrokerProcess, workload: Workload, variables: dict[str, str], setting: str) -> str:
    """Load a broker whose failpoint is set so, and whose environment `variables` are; return how it ended.

    It ends by the failpoint, at its start or under load; or it is killed after a while, if it lived through it.
    """
    variables[failpoints.VARIABLE] = setting
    try:
        broker.restart()
    except RuntimeError:
        how = "died at its start"
    else:
        clients = put_to_work(broker, workload)
        how = _end_at_failpoint(broker, setting)
        bury(clients)
    finally:
        variables.clear()
    resume(broker, workload, ended_well=False)
    return how


def _end_at_failpoint(broker: BrokerProcess, setting: str) -> str:
    deadline = time.monotonic() + (LONGEST_WAIT if ENDING.search(setting) else STAY)
    while broker.is_running and time.monotonic() < deadline:
        time.sleep(0.02)
    if broker.is_running:
        broker.kill()
        return "lived on"
    exit_code = broker.wait()
    assert exit_code == (1 if ":broken:" in setting else -signal.SIGKILL)
    return "stopped itself" if exit_code == 1 else "died under load"


def lead_life_on(disk: FaultyDisk, broker: BrokerProcess, workload: Workload, writes: int, syncs: int, spared: int) -> str:
    """Load a broker whose disk begins to fail with these error numbers; return how it ended.

    A full disk it outlives: it works on once there is space, and is killed then. Everything else ends it.
    """
    clients = put_to_work(broker, workload)
    disk.fail(writes=writes, syncs=syncs, spared=spared)
    deadline = time.monotonic() + LONGEST_WAIT
    while not disk.failures and broker.is_running and time.monotonic() < deadline:
        time.sleep(0.02)
    if writes == errno.ENOSPC and disk.failures:
        time.sleep(workload.chance.uniform(0, 1.5))
        assert broker.is_running
        disk.fail()
        await_progress(workload)
    elif disk.failures:
        assert 1 == broker.wait()
        disk.fail()
        bury(clients)
        resume(broker, workload, ended_well=False)
        return "stopped itself"
    disk.fail()
    end_under_load(broker, clients, signal.SIGKILL)
    resume(broker, workload, ended_well=False)
    return "lived on"


def lead_life_in(disk: SmallDisk, broker: BrokerProcess, workload: Workload, end: signal.Signals | None) -> str:
    """Load a broker until its file system is full; return what came of it.

    It goes on once there is space, and is killed then; or it ends and is started while there is none.
    """
    clients = put_to_work(broker, workload)
    time.sleep(workload.chance.uniform(0.02, LONGEST_LIFE))
    disk.fill(workload.chance.choice((0, 0, workload.chance.randrange(1 << 20))))
    deadline = time.monotonic() + LONGEST_WAIT
    while FULL not in broker.stderr and broker.is_running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert broker.is_running
    how = "went on" if FULL in broker.stderr else "was never full"
    if end is None:
        time.sleep(workload.chance.uniform(0, 1.5))
        disk.clear()
        await_progress(workload)
        end_under_load(broker, clients, signal.SIGKILL)
    else:
        how = _end_without_space(disk, broker, end)
        bury(clients)
        disk.clear()
    resume(broker, workload, ended_well=False)
    return how


def _end_without_space(disk: SmallDisk, broker: BrokerProcess, end: signal.Signals) -> str:
    """End a broker and start it again, while its file system is full; return how it took that."""
    if end == signal.SIGKILL:
        broker.kill()
    else:
        assert broker.stop() in (0, 1)
    disk.fill()
    try:
        broker.restart()
    except RuntimeError as error:
        refusal = str(error)
    else:
        broker.kill()
        return "started without space"
    assert "exit code 1" in refusal
    assert "no space left" in refusal.lower().splitlines()[-1]
    return "did not start without space"


def await_progress(workload: Workload) -> None:
    """Wait until something more is confirmed; AssertionError if nothing is."""
    before = durable(workload)
    deadline = time.monotonic() + PATIENCE
    while durable(workload) == before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert durable(workload) > before


def durable(workload: Workload) -> int:
    """How many messages have been confirmed."""
    return sum(len(fates.durable()) for fates in workload.fates.values())
