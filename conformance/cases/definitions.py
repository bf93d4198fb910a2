"""Definitions: exporting and importing what a broker holds."""

from typing import Any

from conformance.broker import Broker
from conformance.cases.management_api import must_have
from conformance.catalogue import EXTENSION, Area
from conformance.management import path
from conformance.mismatch import equal, require

definitions = Area("definitions", "Management API: definitions", ["management"])

SPEC = "RabbitMQ: Schema Definition Export and Import"
PARTS = [
    "users",
    "vhosts",
    "permissions",
    "topic_permissions",
    "parameters",
    "global_parameters",
    "policies",
    "queues",
    "exchanges",
    "bindings",
]


def named(items: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    """The item of this name."""
    return next((item for item in items if item.get("name") == name), None)


@definitions.table("http.definitions", "Exported definitions have {}", SPEC, [(part, part) for part in PARTS], EXTENSION)
def _(broker: Broker, part: str) -> None:
    must_have(broker.http.get("definitions"), part)


@definitions.case("http.definitions.version", "Exported definitions tell the version", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    must_have(broker.http.get("definitions"), "rabbit_version", "rabbitmq_version", "product_name", "product_version")


@definitions.case("http.definitions.queue", "A durable queue is exported with its arguments", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = broker.channel().queue(exclusive=False, durable=True, arguments={"x-max-length": 3})
    found = named(broker.http.get("definitions")["queues"], queue) or {}
    expected = {
        "name": queue,
        "vhost": broker.vhost,
        "durable": True,
        "auto_delete": False,
        "arguments": {"x-max-length": 3},
    }
    equal("queue", expected, {key: found.get(key) for key in expected})


@definitions.case("http.definitions.exclusive", "Exclusive queues are not exported", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = broker.channel().queue()
    equal("queue", None, named(broker.http.get("definitions")["queues"], queue))


@definitions.case("http.definitions.system", "System exchanges are not exported", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    names = [exchange["name"] for exchange in broker.http.get("definitions")["exchanges"]]
    require(not any(name == "" or name.startswith("amq.") for name in names), "no amq. names", names)


@definitions.case(
    "http.definitions.vhost", "The definitions of a virtual host hold its own objects without its name", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    vhost = broker.new_vhost()
    channel = broker.channel(vhost=vhost)
    queue = channel.queue(exclusive=False, durable=True)
    found = broker.http.get("definitions", vhost)
    equal("queues", [queue], [item["name"] for item in found["queues"]])
    require("vhost" not in found["queues"][0] and "users" not in found, "no virtual host and no users", sorted(found))


@definitions.case("http.definitions.import", "Imported queues, exchanges and bindings work", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost, queue, exchange = broker.new_vhost(), "imported.queue", "imported.exchange"
    body = {
        "queues": [{"name": queue, "durable": True, "auto_delete": False, "arguments": {"x-max-length": 1}}],
        "exchanges": [
            {
                "name": exchange,
                "type": "topic",
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
        ],
        "bindings": [
            {
                "source": exchange,
                "destination": queue,
                "destination_type": "queue",
                "routing_key": "a.#",
                "arguments": {},
            }
        ],
    }
    imported(broker, path("definitions", vhost), body)
    channel = broker.channel(vhost=vhost)
    for key in ("a.1", "b.1", "a.2"):
        channel.publish(key, exchange=exchange, routing_key=key)
    channel.must_hold(queue, "a.2")


def imported(broker: Broker, target: str, body: dict[str, Any]) -> None:
    """Posts definitions; 200, 201 and 204 are all success."""
    status = broker.http.request("POST", target, body).status
    require(status in (200, 201, 204), "success", status)


@definitions.case(
    "http.definitions.import-cluster",
    "An imported document makes virtual hosts, users, permissions and policies",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    vhost, user = broker.name("vhost"), broker.name("user")
    broker.on_cleanup(lambda: broker.http.delete("vhosts", vhost))
    broker.on_cleanup(lambda: broker.http.delete("users", user))
    hashed = broker.http.get("users", broker.new_user()[0])
    body = {
        "vhosts": [{"name": vhost}],
        "users": [
            {
                "name": user,
                "tags": ["management"],
                **{key: hashed[key] for key in ("password_hash", "hashing_algorithm")},
            }
        ],
        "permissions": [{"user": user, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}],
        "policies": [
            {
                "vhost": vhost,
                "name": "limit",
                "pattern": "^q$",
                "apply-to": "queues",
                "definition": {"max-length": 1},
                "priority": 0,
            }
        ],
    }
    imported(broker, "/api/definitions", body)
    channel = broker.channel(user=(user, "secret"), vhost=vhost)
    channel.queue("q")
    channel.publish_all("q", "a", "b")
    channel.must_hold("q", "b")


@definitions.case("http.definitions.again", "Importing what is there already changes nothing", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.new_vhost()
    channel = broker.channel(vhost=vhost)
    queue = channel.queue(exclusive=False, durable=True)
    channel.publish(b"m", routing_key=queue)
    imported(broker, path("definitions", vhost), broker.http.get("definitions", vhost))
    channel.must_hold(queue, "m")


@definitions.case("http.definitions.copy", "The definitions of one virtual host can be imported into another", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    source, copy = broker.new_vhost(), broker.new_vhost()
    channel = broker.channel(vhost=source)
    exchange, queue = channel.exchange("topic", durable=True), channel.queue(exclusive=False, durable=True)
    channel.bind(queue, exchange, "a.*")
    imported(broker, path("definitions", copy), broker.http.get("definitions", source))
    channel = broker.channel(vhost=copy)
    channel.publish(b"m", exchange=exchange, routing_key="a.b")
    channel.must_hold(queue, "m")


@definitions.case("http.definitions.invalid", "Definitions that are no JSON are answered with 400", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.http.must(400, "POST", "/api/definitions", "{")


@definitions.case("http.definitions.unknown-vhost", "A queue for a missing virtual host is answered with 400", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    queue = {"name": "q", "vhost": broker.name("vhost"), "durable": True, "auto_delete": False, "arguments": {}}
    broker.http.must(400, "POST", "/api/definitions", {"queues": [queue]})
