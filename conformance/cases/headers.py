"""Headers exchanges: x-match all, any, all-with-x and any-with-x."""

from typing import Any, Final

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, MUST, Area
from conformance.wire.values import Field, Table

headers = Area("headers", "Routing: headers")

SPEC = "AMQP 0-9-1 3.1.3.4 The headers exchange type"
RABBIT = "RabbitMQ: headers exchange"
# title: binding arguments, message headers, whether they match
Row = tuple[str, Table, Table | None, bool]
STANDARD: Final[list[Row]] = [
    ("all: one of one", {"x-match": "all", "a": 1}, {"a": 1}, True),
    ("all: both of two", {"x-match": "all", "a": 1, "b": 2}, {"a": 1, "b": 2}, True),
    ("all: one of two", {"x-match": "all", "a": 1, "b": 2}, {"a": 1}, False),
    ("all: one differs", {"x-match": "all", "a": 1, "b": 2}, {"a": 1, "b": 3}, False),
    ("all: further headers", {"x-match": "all", "a": 1}, {"a": 1, "z": 9}, True),
    ("all: no headers", {"x-match": "all", "a": 1}, None, False),
    ("all: order", {"x-match": "all", "a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ("all: nothing asked", {"x-match": "all"}, {"a": 1}, True),
    ("all: nothing asked and no headers", {"x-match": "all"}, None, True),
    ("any: one of two", {"x-match": "any", "a": 1, "b": 2}, {"a": 1}, True),
    ("any: the other of two", {"x-match": "any", "a": 1, "b": 2}, {"b": 2, "z": 0}, True),
    ("any: both", {"x-match": "any", "a": 1, "b": 2}, {"a": 1, "b": 2}, True),
    ("any: one right and one wrong", {"x-match": "any", "a": 1, "b": 2}, {"a": 1, "b": 9}, True),
    ("any: none", {"x-match": "any", "a": 1, "b": 2}, {"z": 1}, False),
    ("any: other values", {"x-match": "any", "a": 1, "b": 2}, {"a": 2, "b": 1}, False),
    ("any: no headers", {"x-match": "any", "a": 1}, None, False),
    ("text equal", {"x-match": "all", "k": "text"}, {"k": "text"}, True),
    ("text in other case", {"x-match": "all", "k": "text"}, {"k": "TEXT"}, False),
    ("name in other case", {"x-match": "all", "k": 1}, {"K": 1}, False),
    ("number and text", {"x-match": "all", "k": 1}, {"k": "1"}, False),
    ("boolean equal", {"x-match": "all", "k": True}, {"k": True}, True),
    ("boolean differs", {"x-match": "all", "k": True}, {"k": False}, False),
    ("void: header present", {"x-match": "all", "k": None}, {"k": "anything"}, True),
    ("void: header absent", {"x-match": "all", "k": None}, {"z": 1}, False),
]
EXTENDED: Final[list[Row]] = [
    ("no x-match means all", {"a": 1, "b": 2}, {"a": 1}, False),
    ("no x-match, all match", {"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
    ("no arguments match everything", {}, {"a": 1}, True),
    ("any: nothing asked", {"x-match": "any"}, {"a": 1}, False),
    ("numbers of two widths", {"k": Field("b", 7)}, {"k": Field("l", 7)}, True),
    ("all ignores x- keys", {"x-match": "all", "a": 1, "x-b": 2}, {"a": 1}, True),
    ("any ignores x- keys", {"x-match": "any", "a": 1, "x-b": 2}, {"x-b": 2}, False),
    ("all-with-x: x- key matches", {"x-match": "all-with-x", "a": 1, "x-b": 2}, {"a": 1, "x-b": 2}, True),
    ("all-with-x: x- key missing", {"x-match": "all-with-x", "a": 1, "x-b": 2}, {"a": 1}, False),
    ("any-with-x: x- key matches", {"x-match": "any-with-x", "a": 1, "x-b": 2}, {"x-b": 2}, True),
    ("any-with-x: nothing matches", {"x-match": "any-with-x", "a": 1, "x-b": 2}, {"x-b": 3}, False),
    ("tables equal", {"k": {"a": 1}}, {"k": {"a": 1}}, True),
    ("tables differ", {"k": {"a": 1}}, {"k": {"a": 2}}, False),
    ("arrays equal", {"k": [1, "a"]}, {"k": [1, "a"]}, True),
    ("arrays differ", {"k": [1, "a"]}, {"k": ["a", 1]}, False),
    ("timestamps equal", {"k": Field("T", 10**9)}, {"k": Field("T", 10**9)}, True),
]


def prove(broker: Broker, binding: Table, sent: Table | None, matches: bool) -> None:
    """A message with these headers must reach (or miss) a queue with this binding."""
    channel = broker.channel()
    exchange = channel.exchange("headers")
    queue = channel.bound_queue(exchange, "", **binding)
    properties: dict[str, Any] = {} if sent is None else {"headers": sent}
    channel.publish(b"m", exchange=exchange, routing_key="ignored", **properties)
    channel.must_hold(queue, *["m"] * matches)


headers.table("headers.match", "Headers binding: {}", SPEC, STANDARD, MUST)(prove)
headers.table("headers.match.rabbitmq", "Headers binding: {}", RABBIT, EXTENDED, EXTENSION)(prove)


@headers.case("headers.ignores-key", "A headers exchange ignores routing and binding keys", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("headers")
    queue = channel.bound_queue(exchange, "binding key", a=1)
    channel.publish(b"m", exchange=exchange, routing_key="routing.key", headers={"a": 1})
    channel.must_hold(queue, "m")


@headers.case("headers.once", "A queue with two matching headers bindings gets the message once", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("headers")
    queue = channel.bound_queue(exchange, "", a=1)
    channel.bind(queue, exchange, "", b=2)
    channel.publish(b"m", exchange=exchange, headers={"a": 1, "b": 2})
    channel.must_hold(queue, "m")


@headers.case("headers.two-bindings", "Each of a queue's headers bindings matches on its own", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("headers")
    queue = channel.bound_queue(exchange, "", a=1)
    channel.bind(queue, exchange, "", b=2)
    for name, value in (("a", 1), ("b", 2), ("a", 2)):
        channel.publish(f"{name}{value}", exchange=exchange, headers={name: value})
    channel.must_hold(queue, "a1", "b2")


@headers.case("headers.unbind", "queue.unbind removes the headers binding with the same arguments", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("headers")
    queue = channel.bound_queue(exchange, "", a=1)
    channel.bind(queue, exchange, "", b=2)
    channel.call("queue.unbind", queue=queue, exchange=exchange, arguments={"a": 1})
    channel.publish(b"a", exchange=exchange, headers={"a": 1})
    channel.publish(b"b", exchange=exchange, headers={"b": 2})
    channel.must_hold(queue, "b")


@headers.table(
    "headers.x-match.invalid",
    "x-match that is {} is refused with 406",
    RABBIT,
    [("another word", "some"), ("a number", 23), ("empty", ""), ("in capitals", "ALL"), ("a boolean", True)],
    EXTENSION,
)
def _(broker: Broker, value: Any) -> None:
    channel = broker.channel()
    queue, exchange = channel.queue(), channel.exchange("headers")
    channel.refuses(406, "queue.bind", queue=queue, exchange=exchange, arguments={"x-match": value})


@headers.table("headers.predeclared", "{} routes by headers", SPEC, [(name, name) for name in ("amq.headers", "amq.match")])
def _(broker: Broker, name: str) -> None:
    channel, value = broker.channel(), broker.name("value")
    queue = channel.bound_queue(name, "", **{"x-match": "all", "conformance": value})
    channel.publish(b"m", exchange=name, headers={"conformance": value})
    channel.must_hold(queue, "m")
