"""Queues: declaring, names, the last declared queue, counts, purging, deleting, auto-delete."""

import re
from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, SHOULD, Area
from conformance.mismatch import equal, require

queues = Area("queues", "Queues")

DECLARE = "AMQP 0-9-1 queue.declare"
NAME = "AMQP 0-9-1 queue.declare.queue"
PURGE = "AMQP 0-9-1 queue.purge"
DELETE = "AMQP 0-9-1 queue.delete"


@queues.case("queue.declare", "queue.declare is answered with the name and zero counts", DECLARE)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    declared = channel.call("queue.declare", queue=name)
    equal("declare-ok", (name, 0, 0), (declared.queue, declared.message_count, declared.consumer_count))


@queues.table(
    "queue.declare.flags",
    "A queue can be declared {}",
    DECLARE,
    [
        ("durable", {"durable": True}),
        ("exclusive", {"exclusive": True}),
        ("auto-delete", {"auto_delete": True}),
        ("durable and auto-delete", {"durable": True, "auto_delete": True}),
        ("durable and exclusive", {"durable": True, "exclusive": True}),
        ("exclusive and auto-delete", {"exclusive": True, "auto_delete": True}),
        ("with nothing set", {}),
    ],
)
def _(broker: Broker, flags: dict[str, Any]) -> None:
    channel = broker.channel()
    queue = channel.queue(**{"exclusive": False, **flags})
    channel.publish(b"m", routing_key=queue)
    channel.must_hold(queue, "m")


@queues.case("queue.declare.nowait", "queue.declare with no-wait is carried out and not answered", DECLARE)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    channel.send("queue.declare", queue=name, nowait=True, exclusive=True)
    channel.must_be_silent()
    channel.must_exist("queue", name)


@queues.case("queue.declare.passive", "Passive declaration tells name and counts", DECLARE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    channel.must_count(queue, 2)
    channel.consume(channel.queue())
    declared = channel.call("queue.declare", queue=queue, passive=True)
    equal("declare-ok", (queue, 2, 0), (declared.queue, declared.message_count, declared.consumer_count))


@queues.case("queue.declare.passive.missing", "Passive declaration of a missing queue is refused with 404", DECLARE)
def _(broker: Broker) -> None:
    broker.channel().refuses(404, "queue.declare", queue=broker.name(), passive=True)


@queues.case("queue.declare.passive.flags", "Passive declaration ignores flags and arguments", DECLARE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    flags = {"durable": True, "auto_delete": True, "arguments": {"x-max-length": 5}}
    channel.call("queue.declare", queue=queue, passive=True, **flags)


@queues.case("queue.declare.passive.nothing-created", "Passive declaration creates nothing", DECLARE)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    for _ in range(2):
        channel.refuses(404, "queue.declare", queue=name, passive=True)
        channel.call("channel.open")


@queues.case(
    "queue.declare.passive.nowait",
    "Passive declaration with no-wait of a queue that exists is not answered",
    DECLARE,
    SHOULD,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.send("queue.declare", queue=channel.queue(), passive=True, nowait=True)
    channel.must_be_silent()


@queues.case("queue.declare.other-connection", "A queue is visible to all connections of its virtual host", DECLARE)
def _(broker: Broker) -> None:
    queue = broker.channel().queue(exclusive=False)
    broker.channel().must_exist("queue", queue)


# Names


@queues.case("queue.name.generated", "An empty name asks the server for a new one", NAME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    first, second = channel.queue(""), channel.queue("")
    require(first != "" and first != second, "two new names", (first, second))
    channel.publish(b"m", routing_key=first)
    channel.must_hold(first, "m")


@queues.case(
    "queue.name.generated.form",
    "Generated names are amq.gen- and 22 characters",
    "RabbitMQ: server-named queues",
    EXTENSION,
)
def _(broker: Broker) -> None:
    name = broker.channel().queue("")
    require(re.fullmatch(r"amq\.gen-[A-Za-z0-9_-]{22}", name) is not None, "amq.gen-…", name)


@queues.table(
    "queue.name.reserved",
    "A new queue called {!r} is refused with 403",
    NAME,
    [(name, name) for name in ("amq.mine", "amq.", "amq.gen-mine")],
)
def _(broker: Broker, name: str) -> None:
    broker.channel().refuses(403, "queue.declare", queue=name, exclusive=True)


@queues.case("queue.name.reserved.passive", "Passive declaration of a missing amq. queue is 404, not 403", NAME)
def _(broker: Broker) -> None:
    broker.channel().refuses(404, "queue.declare", queue="amq.missing", passive=True)


@queues.case(
    "queue.name.reserved.redeclare",
    "A generated amq. name may be declared again by its owner, as the queue already exists",
    NAME,
    SHOULD,
    deviations={"RabbitMQ": "it refuses every amq. name before it looks for the queue; the specification allows existing ones"},
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.queue(channel.queue(""))


@queues.table(
    "queue.name",
    "A queue name may contain {}",
    NAME,
    [
        ("spaces", "a b"),
        ("punctuation", "a:b;c/d\\e?%#*"),
        ("unicode", "käse-☃-日本"),
        ("255 octets", "+"),
        ("capitals", "ABC"),
    ],
    EXTENSION,
)
def _(broker: Broker, text: str) -> None:
    channel, name = broker.channel(), broker.name()
    queue = name.ljust(255, "q") if text == "+" else name + text
    equal("declared name", queue, channel.queue(queue))
    channel.publish(b"m", routing_key=queue)
    channel.must_hold(queue, "m")


@queues.case("queue.name.case", "Queue names are case-sensitive", NAME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.refuses(404, "queue.declare", queue=queue.upper(), passive=True)


@queues.case("queue.name.line-breaks", "CR and LF are removed from queue names", "RabbitMQ: names", EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    equal("declared name", name, channel.queue(f"\r{name}\n\r\n"))


# The queue declared last on the channel


@queues.table(
    "queue.last-declared",
    "{} with an empty queue name means the queue declared last on this channel",
    NAME,
    [
        ("queue.bind", "queue.bind", {"exchange": "amq.direct", "routing_key": "conformance"}),
        ("queue.unbind", "queue.unbind", {"exchange": "amq.direct", "routing_key": "conformance"}),
        ("queue.purge", "queue.purge", {}),
        ("queue.delete", "queue.delete", {}),
        ("basic.consume", "basic.consume", {}),
        ("basic.get", "basic.get", {"no_ack": True}),
    ],
)
def _(broker: Broker, name: str, arguments: dict[str, Any]) -> None:
    channel = broker.channel()
    other, last = channel.queue(), channel.queue()
    channel.publish(b"m", routing_key=other)
    channel.call(name, **arguments)
    channel.must_hold(other, "m")
    if name == "queue.delete":
        channel.refuses(404, "queue.declare", queue=last, passive=True)


@queues.table(
    "queue.last-declared.none",
    "{} with an empty queue name is refused with 404 when no queue was declared on this channel",
    NAME,
    [
        ("queue.bind", "queue.bind", {"exchange": "amq.direct"}),
        ("queue.purge", "queue.purge", {}),
        ("queue.delete", "queue.delete", {}),
        ("basic.consume", "basic.consume", {}),
        ("basic.get", "basic.get", {}),
        ("queue.declare passive", "queue.declare", {"passive": True}),
    ],
)
def _(broker: Broker, name: str, arguments: dict[str, Any]) -> None:
    connection, channel = broker.connected()
    connection.channel().queue()
    channel.refuses(404, name, **arguments)


@queues.case("queue.last-declared.generated", "The last declared queue may have a generated name", NAME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue("")
    channel.publish(b"m", routing_key=queue)
    equal("body", b"m", channel.must_get("").body)


@queues.case("queue.last-declared.passive", "A passive declaration sets the last declared queue too", NAME, EXTENSION)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = connection.channel().queue()
    channel.must_exist("queue", queue)
    channel.publish(b"m", routing_key=queue)
    equal("body", b"m", channel.must_get("").body)


@queues.case(
    "queue.last-declared.binding-key",
    "queue.bind with empty queue and empty key binds the last queue by its name",
    "AMQP 0-9-1 queue.bind.routing-key",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, exchange = channel.queue(), channel.exchange("direct")
    channel.bind("", exchange, "")
    channel.publish(b"m", exchange=exchange, routing_key=queue)
    channel.must_hold(queue, "m")
