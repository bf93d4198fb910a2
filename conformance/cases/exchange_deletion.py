"""Exchanges: deleting, auto-delete, internal exchanges."""

from conformance.broker import Broker
from conformance.cases.exchanges import DECLARE, DELETE, exchanges
from conformance.catalogue import EXTENSION

# Deleting


@exchanges.case("exchange.delete", "A deleted exchange is gone", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange()
    channel.call("exchange.delete", exchange=exchange)
    channel.must_be_gone("exchange", exchange)


@exchanges.case("exchange.delete.missing", "Deleting a missing exchange succeeds", "RabbitMQ: idempotent deletion", EXTENSION)
def _(broker: Broker) -> None:
    broker.channel().call("exchange.delete", exchange=broker.name("x"))


@exchanges.case("exchange.delete.twice", "Deleting an exchange twice succeeds", "RabbitMQ: idempotent deletion", EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange()
    for _ in range(2):
        channel.call("exchange.delete", exchange=exchange)


@exchanges.case("exchange.delete.nowait", "exchange.delete with no-wait is carried out and not answered", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange()
    channel.send("exchange.delete", exchange=exchange, nowait=True)
    channel.must_be_silent()
    channel.must_be_gone("exchange", exchange)


@exchanges.case(
    "exchange.delete.bindings", "Deleting an exchange deletes its bindings: a new one of that name has none", DELETE
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange)
    channel.call("exchange.delete", exchange=exchange)
    channel.exchange("fanout", exchange)
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue)


@exchanges.case("exchange.delete.if-unused", "exchange.delete if-unused of an exchange without bindings succeeds", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange()
    channel.call("exchange.delete", exchange=exchange, if_unused=True)
    channel.must_be_gone("exchange", exchange)


@exchanges.case(
    "exchange.delete.if-unused.bound",
    "exchange.delete if-unused of an exchange with a bound queue is refused with 406",
    DELETE,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange()
    channel.bound_queue(exchange, "k")
    channel.refuses(406, "exchange.delete", exchange=exchange, if_unused=True)


@exchanges.case("exchange.delete.if-unused.source", "An exchange bound to another as its source is in use", DELETE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange(), channel.exchange()
    channel.call("exchange.bind", source=source, destination=destination, routing_key="k")
    channel.refuses(406, "exchange.delete", exchange=source, if_unused=True)


@exchanges.case(
    "exchange.delete.if-unused.destination",
    "An exchange that is only the destination of a binding is not in use",
    DELETE,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange(), channel.exchange()
    channel.call("exchange.bind", source=source, destination=destination, routing_key="k")
    channel.call("exchange.delete", exchange=destination, if_unused=True)


@exchanges.case("exchange.delete.refused-keeps", "A refused deletion leaves exchange and bindings as they were", DELETE)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange)
    connection.channel().refuses(406, "exchange.delete", exchange=exchange, if_unused=True)
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue, "m")


# Auto-delete


@exchanges.case("exchange.auto-delete.fresh", "An auto-delete exchange that was never bound stays", DECLARE, EXTENSION)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    exchange = channel.exchange(auto_delete=True)
    channel.close()
    connection.channel().must_exist("exchange", exchange)


@exchanges.table(
    "exchange.auto-delete",
    "An auto-delete exchange goes with its last binding, by {}",
    DECLARE,
    [
        ("queue.unbind", "unbind"),
        ("queue.delete", "delete"),
        ("the end of an exclusive queue", "close"),
        ("the end of an auto-delete queue", "cancel"),
    ],
    EXTENSION,
)
def _(broker: Broker, ending: str) -> None:
    observer = broker.channel()
    connection, channel = broker.connected()
    exchange = channel.exchange(auto_delete=True)
    queue = channel.queue(exclusive=ending == "close", auto_delete=ending == "cancel")
    channel.bind(queue, exchange, "k")
    if ending == "unbind":
        channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="k")
    elif ending == "delete":
        channel.call("queue.delete", queue=queue)
    elif ending == "close":
        connection.close()
    else:
        channel.call("basic.cancel", consumer_tag=channel.consume(queue))
    observer.must_be_gone("exchange", exchange)


@exchanges.case("exchange.auto-delete.not-last", "An auto-delete exchange stays while any binding is left", DECLARE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange(auto_delete=True)
    queue = channel.bound_queue(exchange, "a")
    channel.bind(queue, exchange, "b")
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="a")
    channel.must_exist("exchange", exchange)


@exchanges.case(
    "exchange.auto-delete.publish",
    "After its auto-deletion, publishing to an exchange is refused with 404",
    DECLARE,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange(auto_delete=True)
    channel.call("queue.delete", queue=channel.bound_queue(exchange, "k"))
    channel.publish(b"m", exchange=exchange)
    channel.must_close(404, "basic.publish")


# Internal and publishing


@exchanges.case(
    "exchange.internal",
    "Publishing to an internal exchange is refused with 403",
    "AMQP 0-9-1 exchange.declare (internal)",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", exchange=channel.exchange(internal=True))
    channel.must_close(403, "basic.publish")


@exchanges.case(
    "exchange.internal.bound",
    "An internal exchange routes what another exchange passes on",
    "RabbitMQ: exchange.bind",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    outer, inner = channel.exchange("fanout"), channel.exchange("fanout", internal=True)
    queue = channel.bound_queue(inner)
    channel.call("exchange.bind", source=outer, destination=inner)
    channel.publish(b"m", exchange=outer)
    channel.must_hold(queue, "m")


@exchanges.case(
    "exchange.missing.publish",
    "Publishing to a missing exchange closes the channel with 404",
    "AMQP 0-9-1 basic.publish.exchange",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", exchange=broker.name("x"))
    channel.must_close(404, "basic.publish")
