"""Exchange-to-exchange bindings."""

import itertools

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

bindings = Area("exchange-bindings", "Exchange-to-exchange bindings")

SPEC = "RabbitMQ: Exchange to Exchange Bindings"


def connect(channel: Channel, source: str, destination: str, routing_key: str = "") -> None:
    """Binds one exchange to another."""
    channel.call("exchange.bind", source=source, destination=destination, routing_key=routing_key)


@bindings.case("exchange.bind", "A message passes from the source to the destination's queues", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("direct"), channel.exchange("fanout")
    queue = channel.bound_queue(destination)
    connect(channel, source, destination, "k")
    for key in ("k", "other"):
        channel.publish(key, exchange=source, routing_key=key)
    channel.must_hold(queue, "k")


@bindings.case(
    "exchange.bind.key-kept",
    "The destination routes by the original key, and the delivery names the original exchange",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("topic"), channel.exchange("direct")
    queue = channel.bound_queue(destination, "a.b")
    connect(channel, source, destination, "a.#")
    channel.publish(b"m", exchange=source, routing_key="a.b")
    channel.publish(b"n", exchange=source, routing_key="a.c")
    message = channel.must_get(queue)
    equal("exchange and key", (source, "a.b"), (message.exchange, message.routing_key))
    channel.must_hold(queue)


@bindings.table(
    "exchange.bind.types",
    "A {} exchange can be bound to another",
    SPEC,
    [(kind, kind) for kind in ("direct", "fanout", "topic", "headers")],
    EXTENSION,
)
def _(broker: Broker, kind: str) -> None:
    channel = broker.channel()
    source, destination = channel.exchange(kind), channel.exchange("fanout")
    queue = channel.bound_queue(destination)
    connect(channel, source, destination, "k")
    channel.publish(b"m", exchange=source, routing_key="k")
    channel.must_hold(queue, "m")


@bindings.case("exchange.bind.chain", "A chain of ten exchanges passes a message on", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    chain = [channel.exchange("fanout") for _ in range(10)]
    for source, destination in itertools.pairwise(chain):
        connect(channel, source, destination)
    queue = channel.bound_queue(chain[-1])
    channel.publish(b"m", exchange=chain[0])
    channel.must_hold(queue, "m")


@bindings.case("exchange.bind.cycle", "A cycle of exchanges delivers a message once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    ring = [channel.exchange("fanout") for _ in range(3)]
    queues = [channel.bound_queue(exchange) for exchange in ring]
    for index, source in enumerate(ring):
        connect(channel, source, ring[(index + 1) % 3])
    channel.publish(b"m", exchange=ring[0])
    for queue in queues:
        channel.must_hold(queue, "m")


@bindings.case("exchange.bind.itself", "An exchange may be bound to itself", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange)
    connect(channel, exchange, exchange)
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue, "m")


@bindings.case("exchange.bind.diamond", "A queue reached on two ways gets the message once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, left, right = (channel.exchange("fanout") for _ in range(3))
    queue = channel.bound_queue(left)
    channel.bind(queue, right)
    channel.bind(queue, source)
    connect(channel, source, left)
    connect(channel, source, right)
    channel.publish(b"m", exchange=source)
    channel.must_hold(queue, "m")


@bindings.case("exchange.bind.twice", "Binding twice is the same as binding once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("fanout"), channel.exchange("fanout")
    queue = channel.bound_queue(destination)
    for _ in range(2):
        connect(channel, source, destination)
    channel.call("exchange.unbind", source=source, destination=destination)
    channel.publish(b"m", exchange=source)
    channel.must_hold(queue)


@bindings.case("exchange.unbind", "After exchange.unbind nothing passes", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("direct"), channel.exchange("fanout")
    queue = channel.bound_queue(destination)
    for key in "ab":
        connect(channel, source, destination, key)
    channel.call("exchange.unbind", source=source, destination=destination, routing_key="a")
    for key in "ab":
        channel.publish(key, exchange=source, routing_key=key)
    channel.must_hold(queue, "b")


@bindings.case("exchange.unbind.missing", "Unbinding what is not bound succeeds", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange(), channel.exchange()
    channel.call("exchange.unbind", source=source, destination=destination, routing_key="never")


@bindings.case("exchange.unbind.missing-exchanges", "Unbinding exchanges that do not exist succeeds", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.channel().call("exchange.unbind", source=broker.name("x"), destination=broker.name("x"))


@bindings.table(
    "exchange.bind.missing",
    "exchange.bind with a missing {} is refused with 404",
    SPEC,
    [("source", "source"), ("destination", "destination")],
    EXTENSION,
)
def _(broker: Broker, missing: str) -> None:
    channel = broker.channel()
    ends = {"source": channel.exchange(), "destination": channel.exchange(), missing: broker.name("x")}
    channel.refuses(404, "exchange.bind", **ends)


@bindings.table(
    "exchange.bind.nowait",
    "{} with no-wait is carried out and not answered",
    SPEC,
    [("exchange.bind", 1), ("exchange.unbind", 0)],
    EXTENSION,
)
def _(broker: Broker, copies: int) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("fanout"), channel.exchange("fanout")
    queue = channel.bound_queue(destination)
    channel.send("exchange.bind", source=source, destination=destination, nowait=True)
    if not copies:
        channel.send("exchange.unbind", source=source, destination=destination, nowait=True)
    channel.must_be_silent()
    channel.publish(b"m", exchange=source)
    channel.must_hold(queue, *["m"] * copies)


@bindings.case("exchange.bind.delete-destination", "Deleting the destination removes the binding", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("fanout"), channel.exchange("fanout")
    connect(channel, source, destination)
    channel.call("exchange.delete", exchange=destination)
    channel.call("exchange.delete", exchange=source, if_unused=True)


@bindings.case("exchange.bind.auto-delete", "An auto-delete source goes when its destination is deleted", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("fanout", auto_delete=True), channel.exchange("fanout")
    connect(channel, source, destination)
    channel.call("exchange.delete", exchange=destination)
    channel.must_be_gone("exchange", source)


@bindings.case("exchange.bind.auto-delete.cascade", "Auto-deletion runs through a chain of exchanges", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    first, second = (channel.exchange("fanout", auto_delete=True) for _ in range(2))
    connect(channel, first, second)
    queue = channel.bound_queue(second)
    channel.call("queue.delete", queue=queue)
    channel.must_be_gone("exchange", second)
    channel.must_be_gone("exchange", first)


@bindings.case(
    "exchange.bind.mandatory", "A mandatory message that reaches an exchange but no queue is returned", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("fanout"), channel.exchange("fanout")
    connect(channel, source, destination)
    channel.publish(b"m", exchange=source, mandatory=True)
    equal("code", 312, channel.wait("basic.return").reply_code)


@bindings.case("exchange.bind.alternate", "The alternate exchange of a destination is used", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    spare = channel.exchange("fanout")
    queue = channel.bound_queue(spare)
    source = channel.exchange("fanout")
    destination = channel.exchange("direct", arguments={"alternate-exchange": spare})
    connect(channel, source, destination)
    channel.publish(b"m", exchange=source, routing_key="nowhere")
    channel.must_hold(queue, "m")


@bindings.case("exchange.bind.headers", "Binding arguments count when a headers exchange is the source", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    source, destination = channel.exchange("headers"), channel.exchange("fanout")
    queue = channel.bound_queue(destination)
    channel.call("exchange.bind", source=source, destination=destination, arguments={"x-match": "all", "a": 1})
    for value in (1, 2):
        channel.publish(str(value), exchange=source, headers={"a": value})
    channel.must_hold(queue, "1")
