"""RabbitMQ's own command line tool, fetched from a RabbitMQ, runs each of its commands against both brokers alike.

Set AMQPD_COMPARE_HTTP=http://127.0.0.1:15672 to run it.
"""

import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from helpers.broker import Broker

pytestmark = pytest.mark.skipif("AMQPD_COMPARE_HTTP" not in os.environ, reason="there is no RabbitMQ to fetch the tool from")

LISTS: Final = (
    "users", "vhosts", "connections", "exchanges", "bindings", "permissions", "channels", "parameters", "consumers",
    "queues", "policies", "operator_policies", "vhost_limits", "nodes",
)  # fmt: skip
COMMANDS: Final = (
    "declare vhost name=rmqa tracing=true",
    "declare user name=rmqa password=p tags=management",
    "declare permission vhost=rmqa user=guest configure=.* write=.* read=.*",
    "declare permission vhost=rmqa user=rmqa configure=.* write=.* read=.*",
    "-V rmqa declare exchange name=x type=topic durable=true",
    '-V rmqa declare queue name=q durable=false arguments={"x-max-length":10}',
    "-V rmqa declare queue name=p",
    "-V rmqa declare binding source=x destination=q routing_key=a.#",
    '-V rmqa declare binding source=x destination=p destination_type=queue routing_key=k arguments={"q":1}',
    "-V rmqa declare parameter component=shovel name=s value={}",
    '-V rmqa declare policy name=p pattern=^a definition={"max-length":5} priority=2',
    '-V rmqa declare operator_policy name=o pattern=^a definition={"expires":500000}',
    "-V rmqa declare vhost_limit vhost=rmqa name=max-queues value=100",
    "-V rmqa list policies",
    "-V rmqa list operator_policies",
    '-V rmqa publish exchange=x routing_key=a.b payload=hello properties={"delivery_mode":2}',
    "-V rmqa publish routing_key=nowhere payload=x",
    "-V rmqa publish routing_key=p payload=x",
    "-V rmqa get queue=q count=2 ackmode=ack_requeue_true",
    "-V rmqa get queue=q ackmode=ack_requeue_false payload_file=payload",
    "-V rmqa get queue=none",
    "-V rmqa purge queue name=p",
    "-V rmqa purge queue name=none",
    "-V rmqa export definitions.json",
    "-V rmqa import definitions.json",
    "-V rmqa -f raw_json list bindings source destination destination_type routing_key",
    "-V rmqa delete binding source=x destination_type=queue destination=q properties_key=a.%23",
    "-V rmqa delete binding source=x destination_type=queue destination=q properties_key=none",
    "-V rmqa delete queue name=q",
    "-V rmqa delete queue name=none",
    "-V rmqa delete exchange name=x",
    "-V rmqa delete policy name=p",
    "-V rmqa delete operator_policy name=o",
    "-V rmqa delete vhost_limit name=max-queues vhost=rmqa",
    "delete permission vhost=rmqa user=rmqa",
    "delete user name=rmqa",
    "delete vhost name=rmqa",
    "close connection name=none",
)


class Tool:
    """The tool against one broker, in a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        self.folder = folder
        self.port = str(urlsplit(url).port)

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output."""
        tool = str(self.folder.parent / "rabbitmqadmin")
        command = [sys.executable, "-W", "ignore", tool, "-P", self.port, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout


@pytest.fixture
def tools(tmp_path: Path, broker: Broker) -> tuple[Tool, Tool]:
    """The tool against RabbitMQ, and against the broker under test."""
    url = os.environ["AMQPD_COMPARE_HTTP"]
    with urllib.request.urlopen(f"{url}/cli/rabbitmqadmin", timeout=30) as response:  # noqa: S310 - on this machine
        (tmp_path / "rabbitmqadmin").write_bytes(response.read())
    return Tool(tmp_path / "theirs", url), Tool(tmp_path / "ours", broker.http_url)


def test_every_command_does_the_same(tools: tuple[Tool, Tool]) -> None:
    """Each command ends with the same exit code and says the same."""
    theirs, ours = tools
    different = [
        (command, expected, found)
        for command in COMMANDS
        if (expected := theirs.run(*command.split(" "))) != (found := ours.run(*command.split(" ")))
    ]
    assert [] == different
    assert (theirs.folder / "payload").read_bytes() == (ours.folder / "payload").read_bytes()


def test_every_list_is_shown(tools: tuple[Tool, Tool]) -> None:
    """Everything that can be listed is listed, and the overview is shown."""
    codes = {name: tools[1].run("list", name)[0] for name in LISTS}
    assert (dict.fromkeys(LISTS, 0), 0) == (codes, tools[1].run("show", "overview")[0])
