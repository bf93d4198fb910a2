"""basic.publish and basic.return."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import BEYOND, EXTENSION, Area
from conformance.mismatch import equal

publishing = Area("publishing", "Publishing and returns")

PUBLISH = "AMQP 0-9-1 basic.publish"
MANDATORY = "AMQP 0-9-1 basic.publish.mandatory"
IMMEDIATE = "AMQP 0-9-1 basic.publish.immediate"


@publishing.case("publish.mandatory.unroutable", "A mandatory message without a queue is returned with 312", MANDATORY)
def _(broker: Broker) -> None:
    channel, key = broker.channel(), broker.name("key")
    channel.publish(b"body", exchange="amq.direct", routing_key=key, mandatory=True)
    returned = channel.wait("basic.return")
    facts = returned.reply_code, returned.exchange, returned.routing_key, returned.body
    equal("return", (312, "amq.direct", key, b"body"), facts)


@publishing.case("publish.mandatory.text", "The text of a return is NO_ROUTE", MANDATORY, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", routing_key=broker.name(), mandatory=True)
    equal("reply_text", "NO_ROUTE", channel.wait("basic.return").reply_text)


@publishing.case("publish.mandatory.routable", "A mandatory message with a queue is not returned", MANDATORY)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, mandatory=True)
    channel.must_be_silent()
    channel.must_hold(queue, "m")


@publishing.table(
    "publish.mandatory.exchange",
    "A {} exchange without bindings returns mandatory messages",
    MANDATORY,
    [(kind, kind) for kind in ("direct", "fanout", "topic", "headers")],
)
def _(broker: Broker, kind: str) -> None:
    channel = broker.channel()
    channel.publish(b"m", exchange=channel.exchange(kind), mandatory=True)
    equal("code", 312, channel.wait("basic.return").reply_code)


@publishing.case("publish.mandatory.no-consumer", "mandatory asks for a queue, not for a consumer", MANDATORY)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", routing_key=channel.queue(), mandatory=True)
    channel.must_be_silent()


@publishing.case("publish.mandatory.order", "Returns come in the order of publishing", MANDATORY)
def _(broker: Broker) -> None:
    channel, key = broker.channel(), broker.name("key")
    for n in range(50):
        channel.publish(str(n), routing_key=key, mandatory=True)
    bodies = [channel.wait("basic.return").body.decode() for _ in range(50)]
    equal("order", list(map(str, range(50))), bodies)


@publishing.case("publish.mandatory.own-channel", "A return goes to the channel that published", MANDATORY)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    second.publish(b"m", routing_key=broker.name(), mandatory=True)
    equal("body", b"m", second.wait("basic.return").body)
    first.must_be_silent()


@publishing.case("publish.mandatory.mixed", "Only those of many messages are returned that had no queue", MANDATORY)
def _(broker: Broker) -> None:
    channel, nowhere = broker.channel(), broker.name()
    queue = channel.queue()
    for n in range(40):
        channel.publish(str(n), routing_key=nowhere if n % 4 == 0 else queue, mandatory=True)
    returned = [int(channel.wait("basic.return").body) for _ in range(10)]
    equal("returned", list(range(0, 40, 4)), returned)
    channel.must_hold(queue, *(str(n) for n in range(40) if n % 4))


@publishing.case("publish.mandatory.large", "A large message is returned whole", MANDATORY)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"x" * 500_000, routing_key=broker.name(), mandatory=True)
    equal("size", 500_000, len(channel.wait("basic.return").body))


@publishing.case(
    "publish.immediate.not-implemented",
    "immediate=true is refused with 540 on the connection",
    "RabbitMQ: immediate",
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.publish(b"m", routing_key=channel.queue(), immediate=True)
    connection.must_close(540, "basic.publish")


@publishing.case(
    "publish.immediate.returned",
    "An immediate message without a consumer is returned with 313",
    IMMEDIATE,
    BEYOND,
    deviations={"RabbitMQ": "not implemented: 540 on the connection"},
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.publish(b"m", routing_key=channel.queue(), immediate=True)
    equal("code", 313, channel.wait("basic.return").reply_code)


@publishing.table(
    "publish.expiration.invalid",
    "expiration {!r} is refused with 406",
    "RabbitMQ: per-message TTL",
    [("foobar", "foobar"), ("-1", "-1"), ("100foo", "100foo"), ("1.5", "1.5"), ("empty", ""), ("blank", " 1")],
    EXTENSION,
)
def _(broker: Broker, expiration: str) -> None:
    channel = broker.channel()
    channel.publish(b"m", routing_key="nowhere", expiration=expiration)
    channel.must_close(406, "basic.publish")


@publishing.table(
    "publish.expiration.valid",
    "expiration {!r} is accepted",
    "RabbitMQ: per-message TTL",
    [("60000", "60000"), ("leading zeros", "00060000"), ("ten years", "315360000000")],
    EXTENSION,
)
def _(broker: Broker, expiration: str) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, expiration=expiration)
    equal("expiration", expiration, channel.must_get(queue).properties["expiration"])


@publishing.case(
    "publish.error.stops", "After a failed publish the following ones on that channel are not carried out", PUBLISH
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    observer = connection.channel()
    queue = observer.queue()
    channel.publish(b"before", routing_key=queue)
    channel.publish(b"wrong", exchange=broker.name("x"))
    channel.publish(b"after", routing_key=queue)
    channel.must_close(404, "basic.publish")
    observer.must_hold(queue, "before")


@publishing.table(
    "publish.error.ids",
    "A failed publish ({}) is reported with the ids of basic.publish",
    PUBLISH,
    [
        ("missing exchange", 404, {"exchange": "conformance.missing"}),
        ("bad expiration", 406, {"expiration": "x"}),
        ("other user", 406, {"user_id": "conformance-nobody"}),
    ],
    EXTENSION,
)
def _(broker: Broker, code: int, arguments: dict[str, Any]) -> None:
    channel = broker.channel()
    channel.publish(b"m", **arguments)
    channel.must_close(code, "basic.publish")


@publishing.case("publish.no-reply", "basic.publish is not answered", PUBLISH)
def _(broker: Broker) -> None:
    channel = broker.channel()
    for _ in range(10):
        channel.publish(b"m", routing_key=channel.queue())
    channel.must_be_silent()


@publishing.case("publish.ticket", "The ticket of AMQP 0-8 is ignored", PUBLISH)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, ticket=4711)
    channel.must_hold(queue, "m")


@publishing.case("publish.long-key", "A routing key of 255 octets is delivered as it is", PUBLISH)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange)
    channel.publish(b"m", exchange=exchange, routing_key="k" * 255)
    equal("routing_key", "k" * 255, channel.must_get(queue).routing_key)


@publishing.case("publish.visible", "What one channel published another connection can get", PUBLISH)
def _(broker: Broker) -> None:
    channel, other = broker.channel(), broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish(b"m", routing_key=queue)
    equal("body", b"m", other.await_get(queue).body)


@publishing.case("publish.thousand", "A thousand messages arrive in order", "AMQP 0-9-1 4.7 Content ordering guarantees")
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue, no_ack=True)
    for n in range(1000):
        channel.publish(str(n), routing_key=queue)
    channel.must_receive(*map(str, range(1000)))
