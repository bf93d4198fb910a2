"""Declaring an exchange again: equal declarations succeed, different ones are refused with 406."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.mismatch import equal

equivalence = Area("exchange-equivalence", "Declaring exchanges again")

SPEC = "AMQP 0-9-1 exchange.declare (rule: equivalent)"
PLAIN: dict[str, Any] = {"type": "direct"}


@equivalence.table(
    "exchange.redeclare.equal",
    "Declaring {} again, unchanged, succeeds",
    SPEC,
    [
        ("a direct exchange", {"type": "direct"}),
        ("a fanout exchange", {"type": "fanout"}),
        ("a topic exchange", {"type": "topic"}),
        ("a headers exchange", {"type": "headers"}),
        ("a durable exchange", {"type": "direct", "durable": True}),
        ("an auto-delete exchange", {"type": "direct", "auto_delete": True}),
        ("an internal exchange", {"type": "direct", "internal": True}),
        ("an exchange with an alternate", {"type": "direct", "arguments": {"alternate-exchange": "amq.fanout"}}),
    ],
)
def _(broker: Broker, declaration: dict[str, Any]) -> None:
    channel, name = broker.channel(), broker.name("x")
    for _ in range(2):
        channel.call("exchange.declare", exchange=name, **declaration)


@equivalence.table(
    "exchange.redeclare.different",
    "Declaring an exchange again with another {} is refused with 406",
    SPEC,
    [
        ("type", PLAIN, {"type": "fanout"}),
        ("type of its family", {"type": "topic"}, {"type": "headers"}),
        ("durable", PLAIN, {"type": "direct", "durable": True}),
        ("durable, the other way", {"type": "direct", "durable": True}, PLAIN),
        ("auto-delete", PLAIN, {"type": "direct", "auto_delete": True}),
        ("auto-delete, the other way", {"type": "direct", "auto_delete": True}, PLAIN),
        ("internal", PLAIN, {"type": "direct", "internal": True}),
        ("internal, the other way", {"type": "direct", "internal": True}, PLAIN),
    ],
)
def _(broker: Broker, first: dict[str, Any], second: dict[str, Any]) -> None:
    channel, name = broker.channel(), broker.name("x")
    channel.call("exchange.declare", exchange=name, **first)
    channel.refuses(406, "exchange.declare", exchange=name, **second)


ALTERNATE = {"type": "direct", "arguments": {"alternate-exchange": "amq.fanout"}}


@equivalence.table(
    "exchange.redeclare.alternate",
    "Declaring an exchange again {} alternate exchange is refused with 406",
    "RabbitMQ: Alternate Exchanges",
    [
        ("with an added", PLAIN, ALTERNATE),
        ("without its", ALTERNATE, PLAIN),
        ("with another", ALTERNATE, {"type": "direct", "arguments": {"alternate-exchange": "amq.direct"}}),
    ],
    EXTENSION,
)
def _(broker: Broker, first: dict[str, Any], second: dict[str, Any]) -> None:
    channel, name = broker.channel(), broker.name("x")
    channel.call("exchange.declare", exchange=name, **first)
    channel.refuses(406, "exchange.declare", exchange=name, **second)


@equivalence.table(
    "exchange.redeclare.ignored",
    "{} makes no difference when an exchange is declared again",
    "RabbitMQ: exchange equivalence",
    [
        ("An unknown argument added", PLAIN, {"type": "direct", "arguments": {"x-any": 1}}),
        (
            "An unknown argument changed",
            {"type": "direct", "arguments": {"x-any": 1}},
            {"type": "direct", "arguments": {"x-any": "2"}},
        ),
        ("no-wait", PLAIN, {"type": "direct", "nowait": True}),
        ("The ticket", PLAIN, {"type": "direct", "ticket": 7}),
    ],
    EXTENSION,
)
def _(broker: Broker, first: dict[str, Any], second: dict[str, Any]) -> None:
    channel, name = broker.channel(), broker.name("x")
    channel.call("exchange.declare", exchange=name, **first)
    channel.send("exchange.declare", exchange=name, **second)
    if not second.get("nowait"):
        channel.wait("exchange.declare-ok")
    channel.must_be_silent()


@equivalence.case("exchange.redeclare.unchanged", "A refused declaration changes nothing", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange, "k")
    connection.channel().refuses(406, "exchange.declare", exchange=exchange, type="direct")
    channel.publish(b"m", exchange=exchange, routing_key="other")
    channel.must_hold(queue, "m")


@equivalence.case("exchange.redeclare.other-connection", "Another connection may declare the same exchange", SPEC)
def _(broker: Broker) -> None:
    exchange = broker.channel().exchange("topic")
    broker.channel().exchange("topic", exchange)


@equivalence.table(
    "exchange.alternate.type",
    "An alternate-exchange argument that is {} is refused with 406",
    "RabbitMQ: Alternate Exchanges",
    [("a number", 7), ("a boolean", True), ("a table", {"a": 1})],
    EXTENSION,
)
def _(broker: Broker, value: Any) -> None:
    arguments = {"alternate-exchange": value}
    broker.channel().refuses(406, "exchange.declare", exchange=broker.name("x"), type="direct", arguments=arguments)


@equivalence.case(
    "exchange.redeclare.text",
    "The text names the first property that differs, and both values",
    "RabbitMQ: reply text",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    close = channel.refuses(406, "exchange.declare", exchange=exchange, type="fanout", durable=True)
    place = f"exchange '{exchange}' in vhost '{broker.vhost}'"
    expected = f"inequivalent arg 'type' for {place}: received 'fanout' but current is 'direct'"
    equal("text", f"PRECONDITION_FAILED - {expected}", close.reply_text)
