"""A broker that runs out of something goes on, and recovers when there is enough again."""

import resource
import socket
from collections.abc import Callable
from pathlib import Path

from helpers.broker import BrokerProcess
from helpers.traffic import PERSISTENT, connect

SPARE = 10
CLIENTS = 40


def test_exhausted_file_descriptors(start_broker: Callable[..., BrokerProcess]) -> None:
    """Clients that are there are served, others wait and are let in later; the log says why, and not all the time."""
    broker = start_broker()
    assert broker.http_url  # Its start needs file descriptors too.
    connection = connect(broker)
    channel = connection.channel()
    channel.call("confirm.select")
    channel.call("queue.declare", queue="q", durable=True)
    used = len(list(Path(f"/proc/{broker.pid}/fd").iterdir()))
    resource.prlimit(broker.pid, resource.RLIMIT_NOFILE, (used + SPARE, used + SPARE))
    crowd = [socket.create_connection((broker.host, broker.port)) for _ in range(CLIENTS)]
    served = 0
    while not served or "cannot accept connections" not in broker.stderr:
        channel.publish(b"", routing_key="q", delivery_mode=PERSISTENT)
        assert "basic.ack" == channel.wait("basic.ack").name
        served += 1
    assert broker.stderr.count("cannot accept connections") < CLIENTS
    for client in crowd:
        client.close()
    later = connect(broker)
    assert served == later.channel().count("q")
    later.close()
    connection.close()
