"""Exchanges: declaring, the ones that exist from the start, deleting, auto-delete and internal."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, SHOULD, Area
from conformance.client.channel import Channel
from conformance.mismatch import require

exchanges = Area("exchanges", "Exchanges")

DECLARE = "AMQP 0-9-1 exchange.declare"
DELETE = "AMQP 0-9-1 exchange.delete"
STANDARD = "AMQP 0-9-1 3.1.3 Exchange types"
TYPES = ("direct", "fanout", "topic", "headers")
PREDECLARED = {
    "amq.direct": "direct",
    "amq.fanout": "fanout",
    "amq.topic": "topic",
    "amq.headers": "headers",
    "amq.match": "headers",
}


def must_route(channel: Channel, exchange: str, routing_key: str = "k") -> None:
    """A message published to the exchange must reach a queue bound to it."""
    queue = channel.bound_queue(exchange, routing_key)
    channel.publish(b"m", exchange=exchange, routing_key=routing_key)
    channel.must_hold(queue, "m")


@exchanges.table("exchange.declare", "An exchange of type {} can be declared", DECLARE, [(kind, kind) for kind in TYPES])
def _(broker: Broker, kind: str) -> None:
    channel = broker.channel()
    channel.must_exist("exchange", channel.exchange(kind))


@exchanges.table(
    "exchange.declare.flags",
    "An exchange can be declared {}",
    DECLARE,
    [
        ("durable", {"durable": True}),
        ("auto-delete", {"auto_delete": True}),
        ("internal", {"internal": True}),
        ("durable and auto-delete", {"durable": True, "auto_delete": True}),
        ("with unknown arguments", {"arguments": {"x-unknown": 1}}),
    ],
)
def _(broker: Broker, flags: dict[str, Any]) -> None:
    channel = broker.channel()
    channel.must_exist("exchange", channel.exchange("direct", **flags))


@exchanges.case("exchange.declare.nowait", "exchange.declare with no-wait is carried out and not answered", DECLARE)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name("x")
    channel.send("exchange.declare", exchange=name, type="direct", nowait=True)
    channel.must_be_silent()
    channel.must_exist("exchange", name)


@exchanges.case("exchange.declare.nowait-error", "An error with no-wait still closes the channel", DECLARE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.refuses(403, "exchange.declare", exchange="amq.forbidden", type="direct", nowait=True)


@exchanges.case(
    "exchange.declare.unknown-type",
    "An exchange type that does not exist is refused with 503, or with 406 on the channel",
    DECLARE,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.send("exchange.declare", exchange=broker.name("x"), type="no-such-type")
    close = channel.wait_any_close()
    refusal = close.name, close.reply_code
    require(refusal in (("connection.close", 503), ("channel.close", 406)), "503 or 406", refusal)


@exchanges.case(
    "exchange.declare.unknown-type.channel",
    "An exchange type that does not exist costs the channel (406), not the connection",
    "RabbitMQ 3.13.3",
    EXTENSION,
    deviations={"RabbitMQ 3.10": "version difference: until 3.13.2 it is 503 on the connection"},
)
def _(broker: Broker) -> None:
    broker.channel().refuses(406, "exchange.declare", exchange=broker.name("x"), type="no-such-type")


@exchanges.case("exchange.declare.case", "Exchange types are case-sensitive: `Direct` does not exist", DECLARE, SHOULD)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.send("exchange.declare", exchange=broker.name("x"), type="Direct")
    require(channel.wait_any_close().reply_code in (406, 503), "406 or 503")


@exchanges.table(
    "exchange.declare.reserved",
    "A new exchange called {!r} is refused with 403",
    "AMQP 0-9-1 exchange.declare.exchange",
    [(name, name) for name in ("amq.mine", "amq.", "amq.direct.2")],
)
def _(broker: Broker, name: str) -> None:
    broker.channel().refuses(403, "exchange.declare", exchange=name, type="direct")


@exchanges.table(
    "exchange.declare.unreserved",
    "An exchange called {!r} is not reserved",
    "AMQP 0-9-1 exchange.declare.exchange",
    [(name, name) for name in ("amq", "AMQ.x", "xamq.x")],
)
def _(broker: Broker, name: str) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct", f"{name}.{broker.name('x')}" if name != "amq" else f"amq{broker.name('x')}")
    must_route(channel, exchange)


@exchanges.table(
    "exchange.name",
    "An exchange name may contain {}",
    "AMQP 0-9-1 exchange.declare.exchange",
    [("spaces", "a b"), ("punctuation", "a:b;c/d\\e?#*%"), ("unicode", "käse-☃-日本"), ("255 octets", "")],
    EXTENSION,
)
def _(broker: Broker, text: str) -> None:
    channel, name = broker.channel(), broker.name("x")
    must_route(channel, channel.exchange("direct", name + text if text else name.ljust(255, "x")))


@exchanges.case("exchange.name.line-breaks", "CR and LF are removed from exchange names", "RabbitMQ: names", EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name("x")
    channel.call("exchange.declare", exchange=f"{name}\r\n", type="direct")
    channel.stream.declared.append(("exchange", name))
    channel.must_exist("exchange", name)


# Passive


@exchanges.case(
    "exchange.declare.passive",
    "Passive declaration of an exchange that exists succeeds, whatever type it names",
    DECLARE,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    channel.call("exchange.declare", exchange=exchange, type="fanout", durable=True, passive=True)


@exchanges.case("exchange.declare.passive.missing", "Passive declaration of a missing exchange is refused with 404", DECLARE)
def _(broker: Broker) -> None:
    broker.channel().refuses(404, "exchange.declare", exchange=broker.name("x"), type="direct", passive=True)


@exchanges.case("exchange.declare.passive.no-type", "Passive declaration needs no type", DECLARE, SHOULD)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("exchange.declare", exchange=channel.exchange(), passive=True)


@exchanges.case("exchange.declare.passive.reserved", "Passive declaration of a missing amq. exchange is 404, not 403", DECLARE)
def _(broker: Broker) -> None:
    broker.channel().refuses(404, "exchange.declare", exchange="amq.missing", passive=True)


@exchanges.case("exchange.declare.passive.nothing-created", "Passive declaration creates nothing", DECLARE)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name("x")
    for _ in range(2):
        channel.refuses(404, "exchange.declare", exchange=name, type="direct", passive=True)
        channel.call("channel.open")


# The exchanges that exist from the start


@exchanges.table("exchange.predeclared", "The exchange {} exists", STANDARD, [(name, name) for name in PREDECLARED])
def _(broker: Broker, name: str) -> None:
    broker.channel().must_exist("exchange", name)


@exchanges.table(
    "exchange.predeclared.type",
    "{} is a durable exchange of type {}: declaring it so succeeds",
    STANDARD,
    list(PREDECLARED.items()),
    EXTENSION,
)
def _(broker: Broker, kind: str) -> None:
    name = next(name for name, its in PREDECLARED.items() if its == kind)
    broker.channel().call("exchange.declare", exchange=name, type=kind, durable=True)


@exchanges.table(
    "exchange.predeclared.other-type",
    "Declaring {} with another type is refused with 406",
    STANDARD,
    [(name, name, "fanout" if kind != "fanout" else "direct") for name, kind in PREDECLARED.items()],
    EXTENSION,
)
def _(broker: Broker, name: str, kind: str) -> None:
    broker.channel().refuses(406, "exchange.declare", exchange=name, type=kind, durable=True)


@exchanges.table(
    "exchange.predeclared.delete",
    "Deleting {} is refused with 403",
    "RabbitMQ: system exchanges",
    [(name, name) for name in PREDECLARED],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    broker.channel().refuses(403, "exchange.delete", exchange=name)


@exchanges.case("exchange.trace", "amq.rabbitmq.trace exists and is internal", "RabbitMQ: Firehose", EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.must_exist("exchange", "amq.rabbitmq.trace")
    channel.publish(b"m", exchange="amq.rabbitmq.trace")
    channel.must_close(403, "basic.publish")


# The default exchange


@exchanges.table(
    "exchange.default",
    "{} on the default exchange is refused with 403",
    "RabbitMQ: default exchange",
    [
        ("declare", "exchange.declare", {"type": "direct", "durable": True}),
        ("passive declare", "exchange.declare", {"type": "direct", "passive": True}),
        ("delete", "exchange.delete", {}),
        ("delete if-unused", "exchange.delete", {"if_unused": True}),
        ("bind as source", "exchange.bind", {"destination": "amq.fanout"}),
        ("bind as destination", "exchange.bind", {"source": "amq.fanout"}),
        ("unbind as source", "exchange.unbind", {"destination": "amq.fanout"}),
        ("unbind as destination", "exchange.unbind", {"source": "amq.fanout"}),
    ],
    EXTENSION,
)
def _(broker: Broker, name: str, arguments: dict[str, Any]) -> None:
    broker.channel().refuses(403, name, **arguments)


@exchanges.table(
    "exchange.default.queue",
    "queue.{} with the default exchange is refused with 403",
    "RabbitMQ: default exchange",
    [("bind", "queue.bind"), ("unbind", "queue.unbind")],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    channel = broker.channel()
    channel.refuses(403, name, queue=channel.queue(), routing_key="k")
