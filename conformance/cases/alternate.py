"""Alternate exchanges: where messages go that an exchange cannot route."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

alternate = Area("alternate", "Alternate exchanges")

SPEC = "RabbitMQ: Alternate Exchanges"


def with_alternate(channel: Channel, target: str, kind: str = "direct") -> str:
    """An exchange whose unroutable messages go to the target."""
    return channel.exchange(kind, arguments={"alternate-exchange": target})


@alternate.case("alternate.unroutable", "An unroutable message goes to the alternate exchange", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    queue = channel.bound_queue(target)
    exchange = with_alternate(channel, target)
    channel.publish(b"m", exchange=exchange, routing_key="nowhere")
    message = channel.must_get(queue)
    equal("exchange and key", (exchange, "nowhere"), (message.exchange, message.routing_key))


@alternate.case("alternate.routable", "A routed message does not go to the alternate exchange", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    spare = channel.bound_queue(target)
    exchange = with_alternate(channel, target)
    queue = channel.bound_queue(exchange, "k")
    channel.publish(b"m", exchange=exchange, routing_key="k")
    channel.must_hold(queue, "m")
    channel.must_hold(spare)


@alternate.case("alternate.missing", "An alternate exchange need not exist: the message is dropped", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", exchange=with_alternate(channel, broker.name("x")), routing_key="nowhere")
    channel.must_be_silent()


@alternate.case("alternate.declared-later", "An alternate exchange declared later is used", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, target = broker.channel(), broker.name("x")
    exchange = with_alternate(channel, target)
    queue = channel.bound_queue(channel.exchange("fanout", target))
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue, "m")


@alternate.case("alternate.chain", "Alternate exchanges can be chained", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    last = channel.exchange("fanout")
    queue = channel.bound_queue(last)
    exchange = with_alternate(channel, with_alternate(channel, last))
    channel.publish(b"m", exchange=exchange, routing_key="nowhere")
    channel.must_hold(queue, "m")


@alternate.case("alternate.cycle", "A cycle of alternate exchanges ends", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, first = broker.channel(), broker.name("x")
    second = with_alternate(channel, first)
    channel.exchange("direct", first, arguments={"alternate-exchange": second})
    channel.publish(b"m", exchange=first, routing_key="nowhere", mandatory=True)
    equal("code", 312, channel.wait("basic.return").reply_code)


@alternate.case("alternate.cycle.queue", "In a cycle of alternate exchanges each is tried", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, first = broker.channel(), broker.name("x")
    second = with_alternate(channel, first)
    channel.exchange("direct", first, arguments={"alternate-exchange": second})
    queue = channel.bound_queue(second, "k")
    channel.publish(b"m", exchange=first, routing_key="k")
    channel.must_hold(queue, "m")


@alternate.case("alternate.itself", "An exchange may be its own alternate", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name("x")
    channel.exchange("direct", name, arguments={"alternate-exchange": name})
    channel.publish(b"m", exchange=name, routing_key="nowhere")
    channel.must_be_silent()


@alternate.case(
    "alternate.mandatory.routed",
    "A mandatory message that the alternate exchange routes is not returned",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    queue = channel.bound_queue(target)
    channel.publish(b"m", exchange=with_alternate(channel, target), routing_key="nowhere", mandatory=True)
    channel.must_hold(queue, "m")
    channel.must_be_silent()


@alternate.case(
    "alternate.mandatory.unrouted",
    "A mandatory message that the alternate exchange cannot route is returned",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = with_alternate(channel, channel.exchange("fanout"))
    channel.publish(b"m", exchange=exchange, routing_key="nowhere", mandatory=True)
    returned = channel.wait("basic.return")
    equal("returned from", (exchange, "nowhere"), (returned.exchange, returned.routing_key))


@alternate.case("alternate.deleted", "After its deletion an alternate exchange is no longer used", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    queue = channel.bound_queue(target)
    exchange = with_alternate(channel, target)
    channel.call("exchange.delete", exchange=target)
    channel.publish(b"m", exchange=exchange, routing_key="nowhere")
    channel.must_hold(queue)


@alternate.table(
    "alternate.kind",
    "A {} exchange uses its alternate exchange",
    SPEC,
    [(kind, kind) for kind in ("direct", "fanout", "topic", "headers")],
    EXTENSION,
)
def _(broker: Broker, kind: str) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    queue = channel.bound_queue(target)
    channel.publish(b"m", exchange=with_alternate(channel, target, kind), routing_key="nowhere")
    channel.must_hold(queue, "m")


@alternate.case("alternate.policy", "A policy can give an exchange its alternate", SPEC, EXTENSION, ["management"])
def _(broker: Broker) -> None:
    channel = broker.channel()
    target, exchange = channel.exchange("fanout"), channel.exchange("direct")
    queue = channel.bound_queue(target)
    broker.policy(f"^{exchange}$", {"alternate-exchange": target})
    channel.publish(b"m", exchange=exchange, routing_key="nowhere")
    channel.must_hold(queue, "m")


@alternate.case(
    "alternate.policy.argument-wins",
    "The alternate-exchange argument wins over a policy",
    SPEC,
    EXTENSION,
    ["management"],
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    by_argument, by_policy = channel.exchange("fanout"), channel.exchange("fanout")
    queue, other = channel.bound_queue(by_argument), channel.bound_queue(by_policy)
    exchange = with_alternate(channel, by_argument)
    broker.policy(f"^{exchange}$", {"alternate-exchange": by_policy})
    channel.publish(b"m", exchange=exchange, routing_key="nowhere")
    channel.must_hold(queue, "m")
    channel.must_hold(other)
