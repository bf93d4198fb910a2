"""A broker keeps file descriptors for itself, however many clients come."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpers.broker import Broker, environment
from helpers.traffic import PERSISTENT, connect

FILES = 128
RESERVED = 64
STARTED_WITH_FEW_FILES = f"""
import resource, sys
from amqpd.cli import main
resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {FILES}))
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def confined(tmp_path: Path) -> Iterator[Broker]:
    """A broker that may open few files."""
    command = [sys.executable, "-c", STARTED_WITH_FEW_FILES, "--port", "0", "--data-dir", str(tmp_path / "data")]
    with subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        found = re.search(r"amqp://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        yield Broker(f"amqp://127.0.0.1:{found[1]}")
        process.terminate()


def test_clients_get_all_files_but_some(confined: Broker) -> None:
    """Who is one too many is dropped; those who are there work on, and when one of them goes, another one can come."""
    with ExitStack() as stack:
        first = connect(confined)
        stack.callback(first.drop)
        dials = [
            stack.enter_context(socket.create_connection((confined.host, confined.port), 10))
            for _ in range(FILES - RESERVED - 1)
        ]
        with socket.create_connection((confined.host, confined.port), 10) as refused:
            assert b"" == refused.recv(1)
        channel = first.channel()
        channel.call("confirm.select")
        channel.call("queue.declare", queue="durable", durable=True)
        channel.publish(routing_key="durable", delivery_mode=PERSISTENT)
        channel.wait("basic.ack")
        dials[0].shutdown(socket.SHUT_WR)
        assert b"" == dials[0].recv(1)
        connect(confined).close()
