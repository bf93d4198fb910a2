"""amqpctl against a running broker, and where there is one against RabbitMQ, too."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpers.api import Api
from helpers.broker import Broker

Ctl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def ctl(broker: Broker) -> Ctl:
    """A function that runs a command."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "amqpd.ctl.main", "--url", broker.http_url, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environment, timeout=50)

    return run


@pytest.fixture
def vhost(ctl: Ctl, unique_name: str) -> Iterator[str]:
    """A virtual host that a command made."""
    assert 0 == ctl("add_vhost", unique_name, "--description", "for a test").returncode
    yield unique_name
    assert 0 == ctl("delete_vhost", unique_name).returncode


def lines(found: subprocess.CompletedProcess[str]) -> list[list[str]]:
    """The values of a list without headers."""
    assert 0 == found.returncode, found.stderr
    return [line.split("\t") for line in found.stdout.splitlines()]


def test_users_come_and_go(ctl: Ctl, vhost: str, unique_name: str) -> None:
    """With a password, tags and rights."""
    assert 0 == ctl("add_user", unique_name, stdin="secret\n").returncode
    try:
        assert 0 == ctl("set_user_tags", unique_name, "monitoring").returncode
        assert 0 == ctl("authenticate_user", unique_name, "secret").returncode
        assert 77 == ctl("authenticate_user", unique_name, "wrong").returncode
        assert [unique_name, "[monitoring]"] in lines(ctl("list_users", "-s"))
        assert 0 == ctl("set_permissions", "-p", vhost, unique_name, "^c", "^w", "^r").returncode
        assert [[vhost, "^c", "^w", "^r"]] == lines(ctl("list_user_permissions", "-s", unique_name))
    finally:
        assert 0 == ctl("delete_user", unique_name).returncode
    assert 67 == ctl("delete_user", unique_name).returncode


def test_a_policy_is_set_and_cleared(ctl: Ctl, vhost: str) -> None:
    """With its columns as rabbitmqctl has them."""
    options = ("-p", vhost)
    assert 0 == ctl("set_policy", *options, "p", "^a", '{"max-length":5}', "--priority", "3").returncode
    assert [[vhost, "p", "^a", "all", '{"max-length":5}', "3"]] == lines(ctl("list_policies", "-s", *options))
    assert 0 == ctl("clear_policy", *options, "p").returncode
    assert [] == lines(ctl("list_policies", "-s", *options))


def test_definitions_are_imported_and_exported(ctl: Ctl, vhost: str, tmp_path: Path) -> None:
    """Through files."""
    document = {"queues": [{"name": "q", "durable": True, "auto_delete": False, "arguments": {"x-max-length": 5}}]}
    first, second = tmp_path / "in.json", tmp_path / "out.json"
    first.write_text(json.dumps(document))
    imported = ctl("import_definitions", str(first), "--only", vhost)
    assert (0, "Imported 1 queues\n") == (imported.returncode, imported.stderr)
    assert 0 == ctl("export_definitions", str(second), "--only", vhost).returncode
    assert ["q"] == [queue["name"] for queue in json.loads(second.read_text())["queues"]]
    columns = ("name", "durable", "arguments")
    assert [["q", "true", '[{"x-max-length",5}]']] == lines(ctl("list_queues", "-s", "-p", vhost, *columns))


def test_messages_are_moved_and_purged(ctl: Ctl, broker: Broker, vhost: str) -> None:
    """What goes beyond rabbitmqctl works where the broker knows it."""
    api = Api(broker.http_url)
    if "amqpd_version" not in api.get("/api/overview"):
        pytest.skip("RabbitMQ moves no messages")
    for name in ("a", "b"):
        assert 201 == api.put(f"/api/queues/{vhost}/{name}", {"durable": True})
    for _ in range(3):
        body = {"properties": {}, "routing_key": "a", "payload": "x", "payload_encoding": "string"}
        api.post(f"/api/exchanges/{vhost}/amq.default/publish", body)
    moved = ctl("move_messages", "-p", vhost, "a", "b", "--count", "2", "--formatter", "json")
    assert {"moved": 2, "refused": 0} == json.loads(moved.stdout)
    assert 2 == len(lines(ctl("peek", "-s", "-p", vhost, "b")))
    assert 0 == ctl("purge_queue", "-p", vhost, "b").returncode
    assert [["a", "1"], ["b", "0"]] == sorted(lines(ctl("list_queues", "-s", "-p", vhost)))


def test_a_scheduled_message_is_cancelled(ctl: Ctl, broker: Broker, vhost: str) -> None:
    """By the name that the list shows; a second time there is nothing to cancel."""
    api = Api(broker.http_url)
    if "amqpd_version" not in api.get("/api/overview"):
        pytest.skip("RabbitMQ shows no scheduled messages")
    arguments = {"x-delayed-type": "fanout"}
    assert 201 == api.put(f"/api/exchanges/{vhost}/late", {"type": "x-delayed-message", "arguments": arguments})
    properties = {"headers": {"x-delay": 60_000}, "message_id": "first"}
    body = {"properties": properties, "routing_key": "a", "payload": "hello", "payload_encoding": "string"}
    api.post(f"/api/exchanges/{vhost}/late/publish", body)
    listing = ("list_scheduled_messages", "-s", "-p", vhost, "late")
    [[name, _, keys, size]] = lines(ctl(*listing))
    assert ("[a]", "5") == (keys, size)
    assert [["first", "hello"]] == lines(ctl(*listing, "message_id", "payload"))
    cancel = ("cancel_scheduled_message", "-p", vhost, "late", name)
    assert (0, 69) == (ctl(*cancel).returncode, ctl(*cancel).returncode)
    assert [] == lines(ctl(*listing))


def test_the_state_of_the_broker_is_told(ctl: Ctl) -> None:
    """By status and checks."""
    status = json.loads(ctl("status", "--formatter", "json").stdout)
    assert status["uptime_seconds"] >= 0
    for command in ("ping", "check_running", "check_alarms", "check_virtual_hosts", "await_startup"):
        assert (command, 0) == (command, ctl(command).returncode)
    assert 1 == ctl("check_port_listener", "1").returncode


@pytest.mark.parametrize(
    "command",
    [
        "list_vhosts", "list_users", "list_queues", "list_exchanges", "list_bindings", "list_connections",
        "list_channels", "list_consumers", "list_permissions", "list_topic_permissions", "list_policies",
        "list_operator_policies", "list_parameters", "list_global_parameters", "list_vhost_limits",
        "list_user_limits", "list_feature_flags", "listeners", "memory_breakdown", "cluster_status",
    ],
)  # fmt: skip
def test_every_list_can_be_had(ctl: Ctl, command: str) -> None:
    """As a table and as JSON."""
    assert "" == "".join([line for line in ctl(command).stderr.splitlines() if line.startswith("Error")])
    json.loads(ctl(command, "--formatter", "json").stdout)
