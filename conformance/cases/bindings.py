"""queue.bind and queue.unbind."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area

bindings = Area("bindings", "Bindings")

BIND = "AMQP 0-9-1 queue.bind"
UNBIND = "AMQP 0-9-1 queue.unbind"


@bindings.table(
    "queue.bind.missing",
    "queue.bind with a missing {} is refused with 404",
    BIND,
    [("queue", "queue"), ("exchange", "exchange")],
)
def _(broker: Broker, missing: str) -> None:
    channel = broker.channel()
    ends = {"queue": channel.queue(), "exchange": channel.exchange(), missing: broker.name()}
    channel.refuses(404, "queue.bind", **ends, routing_key="k")


@bindings.case("queue.bind.twice", "Binding twice with the same key is binding once", BIND)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange()
    queue = channel.bound_queue(exchange, "k")
    channel.bind(queue, exchange, "k")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue, "m")
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="k")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue)


@bindings.case("queue.bind.nowait", "queue.bind with no-wait is carried out and not answered", BIND)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, exchange = channel.queue(), channel.exchange("fanout")
    channel.send("queue.bind", queue=queue, exchange=exchange, nowait=True)
    channel.must_be_silent()
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue, "m")


@bindings.case("queue.bind.nowait-error", "A failing queue.bind with no-wait closes the channel", BIND)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.refuses(404, "queue.bind", queue=channel.queue(), exchange=broker.name("x"), nowait=True)


@bindings.case("queue.bind.several-exchanges", "A queue may be bound to several exchanges", BIND)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, exchanges = channel.queue(), [channel.exchange(kind) for kind in ("direct", "fanout", "topic")]
    for exchange in exchanges:
        channel.bind(queue, exchange, "k")
        channel.publish(exchange, exchange=exchange, routing_key="k")
    channel.must_hold(queue, *exchanges)


@bindings.case(
    "queue.bind.arguments-distinct",
    "Bindings with equal keys and different arguments are different bindings",
    BIND,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = channel.bound_queue(exchange, "k", a=1)
    channel.bind(queue, exchange, "k", a=2)
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="k", arguments={"a": 1})
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue, "m")
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="k", arguments={"a": 2})
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue)


@bindings.case("queue.bind.arguments-unknown", "Unknown binding arguments are accepted", BIND, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("topic")
    queue = channel.bound_queue(exchange, "#", **{"x-anything": {"nested": [1, None]}})
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue, "m")


@bindings.case("queue.bind.before-publish", "A binding is effective when bind-ok arrives", BIND)
def _(broker: Broker) -> None:
    channel, publisher = broker.channel(), broker.channel()
    exchange = channel.exchange("direct")
    for n in range(20):
        queue = channel.bound_queue(exchange, str(n))
        publisher.publish(str(n), exchange=exchange, routing_key=str(n))
        publisher.fence()
        channel.must_count(queue, 1)


@bindings.case("queue.bind.durable-to-transient", "A durable queue may be bound to a transient exchange", BIND)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False, durable=True)
    exchange = channel.exchange("fanout")
    channel.bind(queue, exchange)
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue, "m")


@bindings.case("queue.unbind", "After unbind-ok nothing is routed by the binding", UNBIND)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = channel.bound_queue(exchange, "k")
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="k")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue)


@bindings.table(
    "queue.unbind.absent",
    "queue.unbind with {} succeeds",
    "RabbitMQ: idempotent unbinding",
    [
        ("a binding that never was", {}),
        ("a missing queue", {"queue": "conformance.missing"}),
        ("a missing exchange", {"exchange": "conformance.missing"}),
        ("both missing", {"queue": "conformance.missing", "exchange": "conformance.missing"}),
    ],
    EXTENSION,
)
def _(broker: Broker, missing: dict[str, Any]) -> None:
    channel = broker.channel()
    ends = {"queue": channel.queue(), "exchange": channel.exchange(), **missing}
    channel.call("queue.unbind", **ends, routing_key="k")


@bindings.case("queue.unbind.other-key", "Unbinding another key leaves the binding", UNBIND)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = channel.bound_queue(exchange, "k")
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="other")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue, "m")


@bindings.case("queue.unbind.other-arguments", "Unbinding with other arguments leaves the binding", UNBIND, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = channel.bound_queue(exchange, "k", a=1)
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="k")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue, "m")


@bindings.case("queue.unbind.messages-stay", "Messages routed before the unbinding stay in the queue", UNBIND)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("direct")
    queue = channel.bound_queue(exchange, "k")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.call("queue.unbind", queue=queue, exchange=exchange, routing_key="k")
    channel.must_hold(queue, "m")


@bindings.case(
    "queue.bind.vhosts",
    "Virtual hosts are separate: equal names do not meet",
    "AMQP 0-9-1 3.1.1 (virtual hosts)",
    needs=["management"],
)
def _(broker: Broker) -> None:
    here, there = broker.channel(), broker.channel(vhost=broker.new_vhost())
    queue, exchange = broker.name(), broker.name("x")
    for channel in (here, there):
        channel.queue(queue)
        channel.exchange("fanout", exchange)
        channel.bind(queue, exchange)
    here.publish(b"here", exchange=exchange)
    here.must_hold(queue, "here")
    there.must_hold(queue)
