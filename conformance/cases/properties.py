"""Message properties and header tables: they arrive as they were sent."""

from typing import Any, Final

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, SHOULD, Area
from conformance.mismatch import equal
from conformance.wire import frames
from conformance.wire.content import encode_header
from conformance.wire.frames import Frame
from conformance.wire.values import Field

properties = Area("properties", "Message properties and tables")

SPEC = "AMQP 0-9-1 4.2.6.1 The content header; class basic"
TABLES = "AMQP 0-9-1 4.2.5.5 Field tables, with RabbitMQ's errata"
PROPERTIES: Final[dict[str, Any]] = {
    "content_type": "text/plain; charset=utf-8",
    "content_encoding": "gzip",
    "headers": {"a": 1},
    "delivery_mode": 1,
    "priority": 9,
    "correlation_id": "c" * 255,
    "reply_to": "reply.queue",
    "expiration": "3600000",
    "message_id": "id ☃",
    "timestamp": 1_700_000_000,
    "type": "type",
    "app_id": "conformance",
    "cluster_id": "cluster",
}
FIELDS: Final[list[tuple[str, Field]]] = [
    ("t true", Field("t", True)),
    ("t false", Field("t", False)),
    ("b minimum", Field("b", -128)),
    ("b maximum", Field("b", 127)),
    ("B maximum", Field("B", 255)),
    ("s minimum", Field("s", -(2**15))),
    ("u maximum", Field("u", 2**16 - 1)),
    ("I minimum", Field("I", -(2**31))),
    ("I maximum", Field("I", 2**31 - 1)),
    ("i maximum", Field("i", 2**32 - 1)),
    ("l minimum", Field("l", -(2**63))),
    ("l maximum", Field("l", 2**63 - 1)),
    ("f", Field("f", 1.5)),
    ("d", Field("d", 0.1)),
    ("d huge", Field("d", 1e300)),
    ("D", Field("D", (2, 31415))),
    ("S", Field("S", b"text")),
    ("S empty", Field("S", b"")),
    ("S not UTF-8", Field("S", b"\xff\x00\xfe")),
    ("S of 10000 octets", Field("S", b"x" * 10000)),
    ("x", Field("x", b"\x00\x01\x02")),
    ("T", Field("T", 1_700_000_000)),
    ("V", Field("V", None)),
    ("F empty", Field("F", {})),
    ("F", Field("F", {"k": Field("I", 1), "n": Field("F", {"deep": Field("t", True)})})),
    ("A empty", Field("A", [])),
    ("A mixed", Field("A", [Field("I", 1), Field("S", b"two"), Field("V", None), Field("A", [Field("t", False)])])),
    ("A of tables", Field("A", [Field("F", {"k": Field("l", 2**40)})])),
]


@properties.table("property", "The property {} arrives as it was sent", SPEC, [(name, name) for name in PROPERTIES])
def _(broker: Broker, name: str) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, **{name: PROPERTIES[name]})
    equal("properties", {name: PROPERTIES[name]}, channel.must_get(queue).properties)


@properties.case("property.all", "All properties together arrive as they were sent", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, **PROPERTIES)
    equal("properties", PROPERTIES, channel.must_get(queue).properties)


@properties.case("property.none", "A message without properties is delivered without properties", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    equal("properties", {}, channel.must_get(queue).properties)


@properties.table(
    "property.empty",
    "The property {} arrives even when it is empty or zero",
    SPEC,
    [
        ("content_type", {"content_type": ""}),
        ("correlation_id", {"correlation_id": ""}),
        ("priority", {"priority": 0}),
        ("timestamp", {"timestamp": 0}),
        ("headers", {"headers": {}}),
        ("type", {"type": ""}),
    ],
    SHOULD,
)
def _(broker: Broker, sent: dict[str, Any]) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, **sent)
    equal("properties", sent, channel.must_get(queue).properties)


@properties.table(
    "property.delivery-mode.unknown",
    "delivery_mode {} is refused with 406",
    "RabbitMQ: invalid message",
    [("0", 0), ("3", 3), ("255", 255)],
    EXTENSION,
)
def _(broker: Broker, delivery_mode: int) -> None:
    channel = broker.channel()
    channel.publish(b"m", routing_key=channel.queue(), delivery_mode=delivery_mode)
    channel.must_close(406, "basic.publish")


@properties.case("property.priority.large", "A priority beyond 9 is passed on", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, priority=255)
    equal("priority", 255, channel.must_get(queue).properties["priority"])


@properties.case(
    "property.user-id",
    "user_id equal to the user's name is accepted and delivered",
    "RabbitMQ: Validated User-ID",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel, user = broker.channel(), broker.target.amqp.user
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, user_id=user)
    equal("user_id", user, channel.must_get(queue).properties["user_id"])


@properties.case(
    "property.user-id.other", "user_id of another user is refused with 406", "RabbitMQ: Validated User-ID", EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", routing_key="nowhere", user_id="somebody else")
    channel.must_close(406, "basic.publish")


@properties.case(
    "property.user-id.impersonator",
    "A user with the tag impersonator may set any user_id",
    "RabbitMQ: Validated User-ID",
    EXTENSION,
    ["management"],
)
def _(broker: Broker) -> None:
    user = broker.new_user("impersonator", configure=".*", write=".*", read=".*")
    channel = broker.channel(user=user)
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, user_id="somebody else")
    equal("user_id", "somebody else", channel.must_get(queue).properties["user_id"])


@properties.table("table.field", "A header of type {} arrives with its type and value", TABLES, FIELDS)
def _(broker: Broker, field: Field) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, headers={"field": field})
    equal("headers", {"field": field}, channel.must_get(queue).header.typed_headers)


@properties.case("table.order", "The entries of a table arrive in the order in which they were sent", TABLES, SHOULD)
def _(broker: Broker) -> None:
    channel, names = broker.channel(), ["zebra", "apple", "Mango", "_x", "1"]
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, headers={name: index for index, name in enumerate(names)})
    equal("order", names, list(channel.must_get(queue).headers))


@properties.table(
    "table.name",
    "A header name may be {}",
    TABLES,
    [("of 255 octets", "n" * 255), ("unicode", "schlüssel-☃"), ("with spaces", "a b"), ("of 128 octets", "n" * 128)],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, headers={name: 1})
    equal("headers", {name: 1}, channel.must_get(queue).headers)


@properties.case("table.large", "A table of a thousand entries arrives whole", TABLES)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, headers = channel.queue(), {f"header-{n}": n for n in range(1000)}
    channel.publish(b"m", routing_key=queue, headers=headers)
    equal("headers", headers, channel.must_get(queue).headers)


@properties.case("table.deep", "Tables nested fifty deep arrive whole", TABLES, SHOULD)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, nested = channel.queue(), {"bottom": 1}
    for _ in range(50):
        nested = {"down": nested}  # type: ignore[dict-item]
    channel.publish(b"m", routing_key=queue, headers=nested)
    equal("headers", nested, channel.must_get(queue).headers)


@properties.case("property.same-for-all", "All queues get the same properties", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queues = [channel.bound_queue(exchange) for _ in range(3)]
    channel.publish(b"m", exchange=exchange, **PROPERTIES)
    for queue in queues:
        equal("properties", PROPERTIES, channel.must_get(queue).properties)


@properties.case("property.return", "A returned message carries its properties and body", "AMQP 0-9-1 basic.return")
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"body", routing_key=broker.name(), mandatory=True, **PROPERTIES)
    returned = channel.wait("basic.return")
    equal("properties and body", (PROPERTIES, b"body"), (returned.properties, returned.body))


@properties.case("property.redelivered", "A message delivered again has the same properties and body", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"body", routing_key=queue, **PROPERTIES)
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag)
    message = channel.await_get(queue)
    equal("properties and body", (PROPERTIES, b"body"), (message.properties, message.body))


@properties.table(
    "body",
    "A body of {} arrives unchanged",
    SPEC,
    [
        ("zero octets", b"\x00" * 10),
        ("frame end octets", b"\xce" * 10),
        ("all octets", bytes(range(256))),
        ("something like a frame", b"\x01\x00\x01\x00\x00\x00\x00\xce"),
        ("a protocol header", b"AMQP\x00\x00\x09\x01"),
    ],
)
def _(broker: Broker, octets: bytes) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(octets, routing_key=queue)
    equal("body", octets, channel.must_get(queue).body)


@properties.case(
    "property.flags-undefined", "A content header whose property flags announce more than it holds is refused", SPEC
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    broken = bytearray(encode_header(0, {}))
    broken[-2:] = b"\xff\xfc"
    publish = channel.method_frame("basic.publish", routing_key="nowhere")
    connection.send_frames(publish, Frame(frames.HEADER, channel.number, bytes(broken)))
    if channel.wait_any_close().name == "connection.close":
        connection.must_end(501, 502, 505, 541)
