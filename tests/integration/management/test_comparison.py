"""The management against RabbitMQ's own, endpoint by endpoint: the same members of the same types.

Set AMQPD_COMPARE_HTTP=http://127.0.0.1:15672 and AMQPD_COMPARE_URL=amqp://guest:guest@127.0.0.1:5672 to run it.
"""

import os
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

import pika
import pytest

from helpers.api import Api
from helpers.broker import Broker

pytestmark = pytest.mark.skipif("AMQPD_COMPARE_HTTP" not in os.environ, reason="there is no RabbitMQ to compare with")

VHOST: Final = "amqpd-comparison"
PATHS: Final = (
    "overview", "cluster-name", "nodes", "extensions", "definitions", "definitions/{v}", "parameters", "global-parameters",
    "policies", "policies/{v}", "policies/{v}/p", "operator-policies", "operator-policies/{v}/op", "vhost-limits",
    "vhost-limits/{v}", "user-limits", "connections", "connections/{connection}", "connections/{connection}/channels",
    "vhosts/{v}/connections", "vhosts/{v}/channels", "channels", "channels/{channel}", "consumers", "consumers/{v}",
    "exchanges", "exchanges/{v}", "exchanges/{v}/x", "exchanges/{v}/x/bindings/source", "exchanges/{v}/x/bindings/destination",
    "queues", "queues/{v}", "queues/{v}/q", "queues/{v}/q/bindings", "queues/{v}?page=1", "bindings", "bindings/{v}",
    "bindings/{v}/e/x/q/q", "vhosts", "vhosts/{v}", "vhosts/{v}/permissions", "vhosts/{v}/topic-permissions", "users",
    "users/without-permissions", "users/guest", "users/guest/permissions", "users/guest/topic-permissions", "whoami",
    "permissions", "permissions/{v}/guest", "topic-permissions", "topic-permissions/{v}/guest", "feature-flags",
    "aliveness-test/{v}", "healthchecks/node", "health/checks/alarms", "health/checks/local-alarms",
    "health/checks/virtual-hosts", "health/checks/node-is-quorum-critical", "health/checks/node-is-mirror-sync-critical",
    "health/checks/certificate-expiration/1/days", "health/checks/protocol-listener/amqp", "nonsense", "queues/{v}/none",
    "federation-links", "shovels", "top/none", "traces", "stream/connections",
)  # fmt: skip
EXPECTED: Final = {
    "overview.exchange_types[]": "types differ",
    "overview.listeners[].socket_opts.linger": "an option of Erlang's sockets",
    "overview.listeners[].socket_opts.exit_on_close": "an option of Erlang's sockets",
    "nodes[].metrics_gc_queue_length": "queues of Erlang processes",
    "queues.backing_queue_status": "counts of RabbitMQ's own queue implementation",
    "connections.idle_since": "shown only of what is idle",
    "channels.idle_since": "the same",
    "vhosts.idle_since": "the same",
    "queues.idle_since": "the same",
    "vhosts.cluster_state": "its members are names of nodes",
    "definitions.parameters": "of one virtual host: RabbitMQ 3.10 still repeats its name in each item",
    "definitions.policies": "the same",
    "auth": "RabbitMQ 3.10 still names UAA, later versions OAuth 2",
}
"""Members that need not be there, each with the reason; docs/management-api.md tells them to users."""


class Side:
    """One broker with the objects to compare."""

    def __init__(self, url: str, http_url: str) -> None:
        self.api = Api(http_url)
        self._declare()
        parameters = pika.URLParameters(url)
        parameters.virtual_host = VHOST
        self._connection = pika.BlockingConnection(parameters)
        channel = self._connection.channel()
        channel.basic_qos(prefetch_count=3)
        channel.basic_consume("q", lambda *_: None)
        for _ in range(5):
            channel.basic_publish("x", "k", b"x", pika.BasicProperties(delivery_mode=2))
        self.names: dict[str, str] = {}

    def _declare(self) -> None:
        api = self.api
        api.delete(f"/api/vhosts/{VHOST}")
        for path, body in (
            (f"vhosts/{VHOST}", {"description": "d", "tags": "a"}),
            (f"permissions/{VHOST}/guest", {"configure": ".*", "write": ".*", "read": ".*"}),
            (f"topic-permissions/{VHOST}/guest", {"exchange": "amq.topic", "write": ".*", "read": ".*"}),
            (f"queues/{VHOST}/q", {"durable": True, "arguments": {"x-max-length": 10}}),
            (f"exchanges/{VHOST}/x", {"type": "topic", "durable": True}),
            (f"policies/{VHOST}/p", {"pattern": "^z", "definition": {"max-length": 5}}),
            (f"operator-policies/{VHOST}/op", {"pattern": "^z", "definition": {"max-length": 5}}),
            (f"vhost-limits/{VHOST}/max-queues", {"value": 100}),
            ("global-parameters/amqpd-comparison", {"value": {"a": 1}}),
        ):
            assert api.put(f"/api/{path}", body) in (201, 204), path
        api.call("POST", f"/api/bindings/{VHOST}/e/x/q/q", {"routing_key": "k", "arguments": {"a": 1}})

    def wait(self) -> None:
        """Until the statistics know everything."""
        for _ in range(60):
            self._connection.process_data_events(0.25)
            found = [known for known in self.api.get("/api/channels") if known["vhost"] == VHOST]
            shown = self.api.get(f"/api/queues/{VHOST}/q")
            details = found[0]["connection_details"] if found else None  # An empty list as long as they are unknown.
            if details and found[0].get("messages_unacknowledged") == 3 and "messages" in shown and shown["consumer_details"]:
                self.names = {"connection": quote(details["name"], safe=""), "channel": quote(found[0]["name"], safe="")}
                return
        pytest.fail("the statistics stay behind")

    def get(self, path: str) -> tuple[int, Any]:
        """Status and JSON of an endpoint."""
        reply = self.api.call("GET", "/api/" + path.format(v=VHOST, **self.names))
        return reply.status, reply.json if reply.body else None

    def close(self) -> None:
        """Remove the objects."""
        self._connection.close()
        self.api.delete(f"/api/vhosts/{VHOST}")
        self.api.delete("/api/global-parameters/amqpd-comparison")


@pytest.fixture(scope="module")
def sides(broker: Broker) -> Iterator[tuple[Side, Side]]:
    """RabbitMQ, and the broker under test."""
    rabbitmq = Side(os.environ.get("AMQPD_COMPARE_URL", "amqp://guest:guest@127.0.0.1:5672"), os.environ["AMQPD_COMPARE_HTTP"])
    ours = Side(broker.url, broker.http_url)
    try:
        rabbitmq.wait()
        ours.wait()
        yield rabbitmq, ours
    finally:
        rabbitmq.close()
        ours.close()


@pytest.mark.parametrize("path", PATHS)
def test_same_members_of_the_same_types(sides: tuple[Side, Side], path: str) -> None:
    """What RabbitMQ answers with, the broker answers with, too: status, members, types."""
    (status, theirs), (our_status, ours) = (side.get(path) for side in sides)
    assert status == our_status
    name = path.partition("?")[0].partition("/")[0]
    found = list(differences(name, theirs, ours)) if status == 200 else []
    assert [] == [difference for difference in found if not is_expected(difference[0])]


def is_expected(where: str) -> bool:
    """True for a difference with a reason."""
    plain = where.replace("[]", "").replace(".items", "")
    return any(plain.startswith(known.replace("[]", "")) for known in EXPECTED)


def differences(where: str, theirs: object, ours: object) -> Iterator[tuple[str, str]]:
    """Where a member is missing or of another type."""
    if kind(theirs) != kind(ours):
        if theirs is not None and ours is not None and (theirs or ours):
            yield where, f"{kind(theirs)} there, {kind(ours)} here"
    elif (
        isinstance(theirs, dict)
        and isinstance(ours, dict)
        and not where.endswith(("arguments", "client_properties", "definition", "value"))
    ):
        for name, value in theirs.items():
            if name in ours:
                yield from differences(f"{where}.{name}", value, ours[name])
            else:
                yield f"{where}.{name}", "missing"
    elif isinstance(theirs, list) and isinstance(ours, list) and theirs and ours:
        yield from differences(f"{where}[]", richest(theirs), richest(ours))


def richest(items: list[object]) -> object:
    """The item with the most members; that of the comparison's own virtual host, if there is one."""
    own = [item for item in items if isinstance(item, dict) and VHOST in (item.get("vhost"), item.get("name"))]
    return max(own or items, key=lambda item: len(item) if isinstance(item, dict) else 0)


def kind(value: object) -> str:
    """The JSON type; numbers are of one type."""
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else type(value).__name__
