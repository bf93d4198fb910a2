"""Publishing and getting messages over the management API."""

import base64
from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.management import path
from conformance.mismatch import equal, require

messages = Area("management-messages", "Management API: messages", ["management"])

SPEC = "RabbitMQ: HTTP API"
GET = {"count": 10, "ackmode": "ack_requeue_false", "encoding": "auto"}


def publish(broker: Broker, status: int, routing_key: str, **body: Any) -> Any:
    """Publishes by the default exchange; the answer must have this status."""
    request = {"routing_key": routing_key, "properties": {}, "payload": "m", "payload_encoding": "string", **body}
    target = path("exchanges", broker.vhost, "amq.default", "publish")
    return broker.http.must(status, "POST", target, {key: value for key, value in request.items() if value is not None}).json


def get(broker: Broker, queue: str, status: int = 200, **body: Any) -> Any:
    """Gets messages; the answer must have this status."""
    request = {key: value for key, value in {**GET, **body}.items() if value is not None}
    return broker.http.must(status, "POST", path("queues", broker.vhost, queue, "get"), request).json


def holding(broker: Broker, *bodies: str) -> tuple[Channel, str]:
    """A queue with these messages."""
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish_all(queue, *bodies)
    channel.must_count(queue, len(bodies))
    return channel, queue


@messages.case("http.publish", "A published message arrives, and routed is true", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = holding(broker)
    equal("answer", {"routed": True}, publish(broker, 200, queue))
    channel.must_hold(queue, "m")


@messages.case("http.publish.unroutable", "Without a queue routed is false", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    equal("answer", {"routed": False}, publish(broker, 200, broker.name()))


@messages.case("http.publish.properties", "Properties and headers are published", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = holding(broker)
    properties = {"delivery_mode": 2, "priority": 4, "correlation_id": "c", "headers": {"a": 1, "b": [True, "x"]}}
    publish(broker, 200, queue, properties=properties)
    equal("properties", properties, channel.must_get(queue).properties)


@messages.case("http.publish.base64", "A base64 payload is published decoded", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = holding(broker)
    publish(broker, 200, queue, payload=base64.b64encode(b"\xff\x00").decode(), payload_encoding="base64")
    equal("body", b"\xff\x00", channel.must_get(queue).body)


@messages.table(
    "http.publish.invalid",
    "Publishing {} is answered with 400",
    SPEC,
    [
        ("without routing_key", {"routing_key": None}),
        ("without properties", {"properties": None}),
        ("without payload", {"payload": None}),
        ("without payload_encoding", {"payload_encoding": None}),
        ("a payload that is a number", {"payload": 7}),
        ("with an unknown encoding", {"payload_encoding": "rot13"}),
    ],
    EXTENSION,
)
def _(broker: Broker, wrong: dict[str, Any]) -> None:
    publish(broker, 400, **{"routing_key": broker.name(), **wrong})


@messages.case(
    "http.publish.missing-exchange", "Publishing to a missing exchange is answered with 400 and the reason", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    body = {"routing_key": "k", "properties": {}, "payload": "m", "payload_encoding": "string"}
    response = broker.http.must(400, "POST", path("exchanges", broker.vhost, broker.name("x"), "publish"), body)
    require("NOT_FOUND" in response.json["reason"], "NOT_FOUND", response.text)


@messages.case("http.get", "Got messages show payload, exchange, key, count and redelivered", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    _, queue = holding(broker, "a", "b")
    first, second = get(broker, queue)
    facts = {key: first[key] for key in ("payload", "payload_encoding", "exchange", "routing_key", "redelivered")}
    expected = {
        "payload": "a",
        "payload_encoding": "string",
        "exchange": "",
        "routing_key": queue,
        "redelivered": False,
    }
    equal("first", expected, facts)
    equal("counts", [1, 0], [first["message_count"], second["message_count"]])
    equal("payload_bytes", 1, first["payload_bytes"])


@messages.case("http.get.count", "No more messages are got than asked for", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = holding(broker, *"abcd")
    equal("payloads", ["a", "b"], [message["payload"] for message in get(broker, queue, count=2)])
    channel.must_hold(queue, "c", "d")


@messages.table(
    "http.get.ackmode",
    "The ackmode {} leaves {} messages",
    SPEC,
    [
        ("ack_requeue_true", 2, "ack_requeue_true"),
        ("ack_requeue_false", 0, "ack_requeue_false"),
        ("reject_requeue_true", 2, "reject_requeue_true"),
        ("reject_requeue_false", 0, "reject_requeue_false"),
    ],
    EXTENSION,
)
def _(broker: Broker, left: int, mode: str) -> None:
    channel, queue = holding(broker, "a", "b")
    get(broker, queue, ackmode=mode)
    channel.must_count(queue, left)


@messages.case("http.get.requeued", "Requeued messages are marked redelivered", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = holding(broker, "a")
    get(broker, queue, ackmode="ack_requeue_true")
    channel.must_count(queue, 1)
    equal("redelivered", True, channel.must_get(queue).redelivered)


@messages.case("http.get.base64", "A payload that is not UTF-8 comes as base64", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = holding(broker)
    channel.publish(b"\xff\xfe", routing_key=queue)
    channel.must_count(queue, 1)
    (message,) = get(broker, queue)
    equal("payload", ("base64", "//4="), (message["payload_encoding"], message["payload"]))


@messages.case("http.get.base64-asked", "With the encoding base64 every payload comes as base64", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    _, queue = holding(broker, "text")
    equal("payload", "dGV4dA==", get(broker, queue, encoding="base64")[0]["payload"])


@messages.case("http.get.truncate", "truncate cuts payloads", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    _, queue = holding(broker, "0123456789")
    (message,) = get(broker, queue, truncate=4)
    equal("payload", ("0123", 10), (message["payload"], message["payload_bytes"]))


@messages.case("http.get.properties", "Properties are shown, and only those that are set", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = holding(broker)
    channel.publish(b"m", routing_key=queue, message_id="id", headers={"a": 1})
    channel.must_count(queue, 1)
    equal("properties", {"message_id": "id", "headers": {"a": 1}}, get(broker, queue)[0]["properties"])


@messages.case("http.get.empty", "An empty queue gives an empty list", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    _, queue = holding(broker)
    equal("messages", [], get(broker, queue))


@messages.table(
    "http.get.invalid",
    "Getting {} is answered with 400",
    SPEC,
    [
        ("without count", {"count": None}),
        ("without ackmode", {"ackmode": None}),
        ("with an unknown ackmode", {"ackmode": "maybe"}),
        ("without encoding", {"encoding": None}),
        ("with an unknown encoding", {"encoding": "rot13"}),
        ("a textual count", {"count": "many"}),
    ],
    EXTENSION,
    deviations={"with an unknown ackmode": {"RabbitMQ 3.10": "RabbitMQ bug: it answers 500"}},
)
def _(broker: Broker, wrong: dict[str, Any]) -> None:
    _, queue = holding(broker)
    get(broker, queue, 400, **wrong)


@messages.case("http.get.missing", "Getting from a missing queue is answered with 404", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    get(broker, broker.name(), 404)
