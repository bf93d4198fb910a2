"""Exclusive queues: one connection alone may use them, and they end with it."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area

exclusive = Area("exclusive-queues", "Exclusive queues")

SPEC = "AMQP 0-9-1 queue.declare.exclusive"


@exclusive.table(
    "queue.exclusive.locked",
    "{} of another connection's exclusive queue is refused with 405",
    SPEC,
    [
        ("queue.declare", "queue.declare", {"exclusive": True}),
        ("queue.declare without exclusive", "queue.declare", {}),
        ("passive queue.declare", "queue.declare", {"passive": True}),
        ("queue.bind", "queue.bind", {"exchange": "amq.direct"}),
        ("queue.unbind", "queue.unbind", {"exchange": "amq.direct"}),
        ("queue.purge", "queue.purge", {}),
        ("queue.delete", "queue.delete", {}),
        ("basic.consume", "basic.consume", {}),
        ("basic.get", "basic.get", {}),
    ],
)
def _(broker: Broker, name: str, arguments: dict[str, Any]) -> None:
    owner = broker.channel()
    queue = owner.queue()
    owner.bind(queue, "amq.direct", queue)
    broker.channel().refuses(405, name, queue=queue, **_with_key(name, queue), **arguments)


def _with_key(name: str, key: str) -> dict[str, str]:
    return {"routing_key": key} if name.endswith("bind") else {}


@exclusive.case("queue.exclusive.own-channels", "Every channel of the owning connection may use an exclusive queue", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    other = connection.channel()
    other.publish(b"m", routing_key=queue)
    other.must_hold(queue, "m")
    channel.close()
    other.must_exist("queue", queue)


@exclusive.case("queue.exclusive.publish", "Other connections may publish to an exclusive queue", SPEC)
def _(broker: Broker) -> None:
    channel, other = broker.channel(), broker.channel()
    queue = channel.queue()
    other.publish(b"m", routing_key=queue)
    channel.consume(queue, no_ack=True)
    channel.must_receive("m")


@exclusive.case(
    "queue.exclusive.flag-added",
    "The owner cannot make its shared queue exclusive: 405",
    "RabbitMQ: exclusive queues",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.refuses(405, "queue.declare", queue=queue, exclusive=True)


@exclusive.case(
    "queue.exclusive.flag-removed",
    "The owner cannot declare its exclusive queue as shared: 405",
    "RabbitMQ: exclusive queues",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.refuses(405, "queue.declare", queue=channel.queue())


@exclusive.table(
    "queue.exclusive.end",
    "An exclusive queue ends with its connection, by {}",
    SPEC,
    [("connection.close", "close"), ("a lost connection", "drop"), ("a connection error", "error")],
)
def _(broker: Broker, ending: str) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    if ending == "close":
        connection.close()
    elif ending == "drop":
        connection.drop()
    else:
        channel.send("channel.open")
        connection.must_close(504)
    broker.channel().must_be_gone("queue", queue)


@exclusive.case("queue.exclusive.durable", "A durable exclusive queue ends with its connection too", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(durable=True)
    connection.close()
    broker.channel().must_be_gone("queue", queue)


@exclusive.case("queue.exclusive.name-free", "After the owner is gone its queue's name is free at once", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    connection.close()
    broker.channel().queue(queue)


@exclusive.case("queue.exclusive.bindings-gone", "Bindings of an exclusive queue end with it", SPEC)
def _(broker: Broker) -> None:
    observer = broker.channel()
    exchange = observer.exchange("direct")
    connection, channel = broker.connected()
    channel.bound_queue(exchange, "k")
    connection.close()
    observer.call("exchange.delete", exchange=exchange, if_unused=True)


@exclusive.case(
    "queue.exclusive.consumers-elsewhere",
    "The lock is the queue's, not the consumer's: exclusive and auto-delete go together",
    SPEC,
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(auto_delete=True)
    channel.call("basic.cancel", consumer_tag=channel.consume(queue))
    connection.channel().must_be_gone("queue", queue)


@exclusive.case("queue.exclusive.error-channel", "A channel error of the owner leaves the exclusive queue", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.refuses(404, "queue.declare", queue=broker.name(), passive=True)
    connection.channel().must_exist("queue", queue)


# Exclusive consumers


@exclusive.case(
    "consume.exclusive", "An exclusive consumer keeps others from consuming: 403", "AMQP 0-9-1 basic.consume.exclusive"
)
def _(broker: Broker) -> None:
    channel, other = broker.channel(), broker.channel()
    queue = channel.queue(exclusive=False)
    channel.consume(queue, exclusive=True)
    other.refuses(403, "basic.consume", queue=queue)


@exclusive.case(
    "consume.exclusive.late",
    "An exclusive consumer is refused with 403 where another consumes already",
    "AMQP 0-9-1 basic.consume.exclusive",
)
def _(broker: Broker) -> None:
    channel, other = broker.channel(), broker.channel()
    queue = channel.queue(exclusive=False)
    channel.consume(queue)
    other.refuses(403, "basic.consume", queue=queue, exclusive=True)


@exclusive.case(
    "consume.exclusive.same-channel",
    "An exclusive consumer keeps its own channel from a second one",
    "AMQP 0-9-1 basic.consume.exclusive",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue, exclusive=True)
    channel.refuses(403, "basic.consume", queue=queue)


@exclusive.case(
    "consume.exclusive.cancelled",
    "After the exclusive consumer is cancelled others may consume",
    "AMQP 0-9-1 basic.consume.exclusive",
)
def _(broker: Broker) -> None:
    channel, other = broker.channel(), broker.channel()
    queue = channel.queue(exclusive=False)
    channel.call("basic.cancel", consumer_tag=channel.consume(queue, exclusive=True))
    other.consume(queue, exclusive=True)


@exclusive.case(
    "consume.exclusive.get",
    "An exclusive consumer does not keep others from basic.get",
    "AMQP 0-9-1 basic.consume.exclusive",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel, other = broker.channel(), broker.channel()
    queue = channel.queue(exclusive=False)
    channel.consume(queue, exclusive=True)
    other.get(queue)
