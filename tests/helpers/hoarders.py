"""Clients that send a broker more than it can hold, so that it ends for want of memory."""

import re
import resource
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from conformance.mismatch import Mismatch
from helpers.broker import BrokerProcess
from helpers.lives import bury, put_to_work, resume
from helpers.traffic import PERSISTENT, connect
from helpers.workloads import Workload

GROUP_BYTES: Final = 128 << 20
"""A control group of this limit holds a broker, but not what hoarders send."""
_LARGE: Final = 8 << 20
_BURST: Final = 10
_HOARDERS: Final = 4


def end_by_hoarding(broker: BrokerProcess, workload: Workload, restrict: Callable[[], None]) -> int:
    """Load a broker, restrict it, send it more than it can hold, and start it again; return how it ended."""
    clients = put_to_work(broker, workload)
    restrict()
    hoarders = [threading.Thread(target=_hoard, args=(broker, number)) for number in range(_HOARDERS)]
    for hoarder in hoarders:
        hoarder.start()
    for hoarder in hoarders:
        hoarder.join()
    end = broker.wait()
    bury(clients)
    resume(broker, workload, ended_well=False)
    return end


def limit_addresses(broker: BrokerProcess, room: int) -> None:
    """Let the broker have so many bytes of address space more than it has."""
    status = Path(f"/proc/{broker.pid}/status").read_text()
    used = re.search(r"VmSize:\s+(\d+) kB", status)
    assert used is not None
    limit = int(used[1]) * 1024 + room
    resource.prlimit(broker.pid, resource.RLIMIT_AS, (limit, limit))


def _hoard(broker: BrokerProcess, number: int) -> None:
    """Publish large messages to a queue that nobody reads, until the broker ends."""
    with suppress(Mismatch, OSError):
        connection = connect(broker)
        try:
            channel = connection.channel()
            channel.call("queue.declare", queue=f"hoard-{number}")
            channel.call("confirm.select")
            while True:
                for _ in range(_BURST):
                    channel.publish(bytes(_LARGE), routing_key=f"hoard-{number}", delivery_mode=PERSISTENT)
                channel.wait("basic.ack")
        finally:
            connection.drop()
