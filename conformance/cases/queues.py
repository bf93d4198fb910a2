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


# Counts


@queues.case(
    "queue.count.ready",
    "message_count does not count unacknowledged messages",
    "AMQP 0-9-1 queue.declare-ok.message-count",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b", "c")
    channel.must_get(queue, no_ack=False)
    channel.must_count(queue, 2)


@queues.case(
    "queue.count.consumers",
    "consumer_count counts the consumers of all channels",
    "AMQP 0-9-1 queue.declare-ok.consumer-count",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    other = connection.channel()
    queue = channel.queue()
    for consumer in (channel, channel, other):
        consumer.consume(queue)
    equal("consumers", 3, channel.call("queue.declare", queue=queue, passive=True).consumer_count)


# Purging


@queues.case("queue.purge", "queue.purge removes the ready messages and tells how many", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b", "c")
    equal("message_count", 3, channel.call("queue.purge", queue=queue).message_count)
    channel.must_hold(queue)


@queues.case("queue.purge.empty", "Purging an empty queue tells zero", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    equal("message_count", 0, channel.call("queue.purge", queue=channel.queue()).message_count)


@queues.case("queue.purge.unacked", "queue.purge leaves messages that await acknowledgement", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    message = channel.must_get(queue, no_ack=False)
    equal("message_count", 1, channel.call("queue.purge", queue=queue).message_count)
    channel.reject(message.delivery_tag)
    channel.must_hold(queue, "a")


@queues.case("queue.purge.missing", "Purging a missing queue is refused with 404", PURGE)
def _(broker: Broker) -> None:
    broker.channel().refuses(404, "queue.purge", queue=broker.name())


@queues.case("queue.purge.nowait", "queue.purge with no-wait is carried out and not answered", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    channel.send("queue.purge", queue=queue, nowait=True)
    channel.must_be_silent()
    channel.must_hold(queue)


@queues.case("queue.purge.then-publish", "What is published after a purge stays", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    channel.call("queue.purge", queue=queue)
    channel.publish_all(queue, "c")
    channel.must_hold(queue, "c")


# Deleting


@queues.case("queue.delete", "queue.delete tells how many messages were ready, and the queue is gone", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish_all(queue, "a", "b")
    equal("message_count", 2, channel.call("queue.delete", queue=queue).message_count)
    channel.must_be_gone("queue", queue)


@queues.case(
    "queue.delete.missing", "Deleting a missing queue succeeds with count 0", "RabbitMQ: idempotent deletion", EXTENSION
)
def _(broker: Broker) -> None:
    equal("message_count", 0, broker.channel().call("queue.delete", queue=broker.name()).message_count)


@queues.case("queue.delete.nowait", "queue.delete with no-wait is carried out and not answered", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.send("queue.delete", queue=queue, nowait=True)
    channel.must_be_silent()
    channel.must_be_gone("queue", queue)


@queues.case("queue.delete.bindings", "A queue declared again after its deletion has no bindings and no messages", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange)
    channel.publish(b"old", routing_key=queue)
    channel.call("queue.delete", queue=queue)
    channel.queue(queue)
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue)


@queues.case("queue.delete.if-unused", "queue.delete if-unused of a queue without consumers succeeds", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish(b"m", routing_key=queue)
    equal("message_count", 1, channel.call("queue.delete", queue=queue, if_unused=True).message_count)


@queues.case("queue.delete.if-unused.consumer", "queue.delete if-unused of a queue with a consumer is refused with 406", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue)
    channel.refuses(406, "queue.delete", queue=queue, if_unused=True)


@queues.case("queue.delete.if-unused.bound", "Bindings are no use in the sense of if-unused", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.bound_queue(channel.exchange(), "k")
    channel.call("queue.delete", queue=queue, if_unused=True)


@queues.case("queue.delete.if-empty", "queue.delete if-empty of an empty queue succeeds", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("queue.delete", queue=channel.queue(), if_empty=True)


@queues.case("queue.delete.if-empty.messages", "queue.delete if-empty of a queue with messages is refused with 406", DELETE)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    channel.refuses(406, "queue.delete", queue=queue, if_empty=True)
    connection.channel().must_hold(queue, "m")


@queues.case("queue.delete.if-empty.consumer", "queue.delete if-empty of an empty queue with a consumer succeeds", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue)
    channel.call("queue.delete", queue=queue, if_empty=True)


@queues.case("queue.delete.both", "With both conditions an empty queue with a consumer is refused with 406", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue)
    channel.refuses(406, "queue.delete", queue=queue, if_empty=True, if_unused=True)


@queues.case("queue.delete.publish-after", "A mandatory message for a deleted queue is returned", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.call("queue.delete", queue=queue)
    channel.publish(b"m", routing_key=queue, mandatory=True)
    equal("code", 312, channel.wait("basic.return").reply_code)


@queues.case("queue.delete.ack-after", "Acknowledging a message of a deleted queue is no error", DELETE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    message = channel.must_get(queue, no_ack=False)
    channel.call("queue.delete", queue=queue)
    channel.ack(message.delivery_tag)
    channel.must_be_silent()


# Auto-delete


@queues.table(
    "queue.auto-delete",
    "An auto-delete queue goes with its last consumer, by {}",
    "AMQP 0-9-1 queue.declare.auto-delete",
    [
        ("basic.cancel", "cancel"),
        ("channel.close", "channel"),
        ("connection.close", "connection"),
        ("a lost connection", "drop"),
    ],
)
def _(broker: Broker, ending: str) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(exclusive=False, auto_delete=True)
    tag = channel.consume(queue)
    if ending == "cancel":
        channel.call("basic.cancel", consumer_tag=tag)
    elif ending == "channel":
        channel.close()
    elif ending == "connection":
        connection.close()
    else:
        connection.drop()
    broker.channel().must_be_gone("queue", queue)


@queues.case(
    "queue.auto-delete.fresh",
    "An auto-delete queue that never had a consumer stays",
    "AMQP 0-9-1 queue.declare.auto-delete",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(exclusive=False, auto_delete=True)
    channel.publish(b"m", routing_key=queue)
    channel.must_get(queue)
    connection.close()
    broker.channel().must_exist("queue", queue)


@queues.case(
    "queue.auto-delete.not-last",
    "An auto-delete queue stays while one consumer is left",
    "AMQP 0-9-1 queue.declare.auto-delete",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(exclusive=False, auto_delete=True)
    first, second = channel.consume(queue), channel.consume(queue)
    channel.call("basic.cancel", consumer_tag=first)
    channel.must_exist("queue", queue)
    channel.call("basic.cancel", consumer_tag=second)
    connection.channel().must_be_gone("queue", queue)
