"""Dead lettering: why messages die, where they go, and what their headers tell."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.client.events import Message
from conformance.mismatch import equal, require

dead = Area("dead-lettering", "Dead lettering")

SPEC = "RabbitMQ: Dead Letter Exchanges"
REASONS = ("rejected", "nacked", "expired", "expired by queue", "maxlen")


def mortal(channel: Channel, target: str, **arguments: Any) -> str:
    """A queue whose dead letters go to the target exchange."""
    return channel.queue(arguments={"x-dead-letter-exchange": target, **arguments})


def killed(channel: Channel, reason: str, target: str, **properties: Any) -> str:
    """Publishes a message with the body `m` to a new queue and lets it die for this reason; returns the queue."""
    arguments = {"expired by queue": {"x-message-ttl": 1}, "maxlen": {"x-max-length": 1}}.get(reason, {})
    queue = mortal(channel, target, **arguments)
    if reason == "expired":
        properties = {"expiration": "1", **properties}
    channel.publish(b"m", routing_key=queue, **properties)
    if reason == "maxlen":
        channel.publish(b"survivor", routing_key=queue)
    elif reason in ("rejected", "nacked"):
        tag = channel.must_get(queue, no_ack=False).delivery_tag
        channel.send(f"basic.{'reject' if reason == 'rejected' else 'nack'}", delivery_tag=tag, requeue=False)
    return queue


def buried(channel: Channel, reason: str = "rejected", **properties: Any) -> tuple[Message, str]:
    """A dead message as it arrives in the queue for dead letters, and the queue it died in."""
    target = channel.exchange("fanout")
    grave = channel.bound_queue(target)
    queue = killed(channel, reason, target, **properties)
    return channel.await_get(grave), queue


@dead.table(
    "dead-letter.reason",
    "A message that is {} is dead-lettered",
    SPEC,
    [(reason, reason) for reason in REASONS],
    EXTENSION,
)
def _(broker: Broker, reason: str) -> None:
    message, _ = buried(broker.channel(), reason)
    equal("body", b"m", message.body)


@dead.table(
    "dead-letter.x-death.reason",
    "x-death of a message that is {0} says `{1}`",
    SPEC,
    [("rejected", "rejected"), ("nacked", "rejected"), ("expired", "expired"), ("maxlen", "maxlen")],
    EXTENSION,
)
def _(broker: Broker, word: str) -> None:
    reason = "expired" if word == "expired" else "maxlen" if word == "maxlen" else "rejected"
    message, _ = buried(broker.channel(), reason)
    equal("reason", word, message.headers["x-death"][0]["reason"])


@dead.case("dead-letter.x-death", "x-death tells count, reason, queue, time, exchange and routing keys", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    message, queue = buried(broker.channel())
    (death,) = message.headers["x-death"]
    facts = {name: death.get(name) for name in ("count", "reason", "queue", "exchange", "routing-keys")}
    expected = {"count": 1, "reason": "rejected", "queue": queue, "exchange": "", "routing-keys": [queue]}
    equal("x-death", expected, facts)
    require(isinstance(death.get("time"), int), "a time", death)


@dead.case("dead-letter.x-death.types", "The fields of x-death have the types l, S, S, T, S and A", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    message, _ = buried(broker.channel())
    death = message.header.typed_headers["x-death"].value[0].value
    expected = {"count": "l", "reason": "S", "queue": "S", "time": "T", "exchange": "S", "routing-keys": "A"}
    equal("types", expected, {name: field.tag for name, field in death.items()})


@dead.case("dead-letter.first-death", "x-first-death- headers name queue, reason and exchange", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    message, queue = buried(broker.channel())
    found = [message.headers.get(f"x-first-death-{what}") for what in ("queue", "reason", "exchange")]
    equal("x-first-death", [queue, "rejected", ""], found)


@dead.case(
    "dead-letter.last-death",
    "x-last-death- headers name queue, reason and exchange",
    SPEC,
    EXTENSION,
    deviations={"RabbitMQ 3.10": "version difference: these headers exist since 3.13"},
)
def _(broker: Broker) -> None:
    message, queue = buried(broker.channel())
    found = [message.headers.get(f"x-last-death-{what}") for what in ("queue", "reason", "exchange")]
    equal("x-last-death", [queue, "rejected", ""], found)


@dead.case("dead-letter.expiration-removed", "An expired message loses its expiration, which x-death keeps", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    message, _ = buried(broker.channel(), "expired")
    require("expiration" not in message.properties, "no expiration", message.properties)
    equal("original-expiration", "1", message.headers["x-death"][0].get("original-expiration"))


@dead.case("dead-letter.expiration-removed.rejected", "A rejected message loses its expiration too", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    message, _ = buried(broker.channel(), "rejected", expiration="60000")
    require("expiration" not in message.properties, "no expiration", message.properties)


@dead.case("dead-letter.no-original-expiration", "Without expiration there is no original-expiration", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    message, _ = buried(broker.channel(), "expired by queue")
    require("original-expiration" not in message.headers["x-death"][0], "no original-expiration", message.headers)


@dead.case("dead-letter.properties-kept", "Body, properties and headers are kept", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    message, _ = buried(broker.channel(), correlation_id="c", headers={"mine": 1}, content_type="t", priority=3)
    kept = {name: message.properties.get(name) for name in ("correlation_id", "content_type", "priority")}
    equal("properties", {"correlation_id": "c", "content_type": "t", "priority": 3}, kept)
    equal("header", 1, message.headers.get("mine"))


@dead.case("dead-letter.routing-key", "Without a key of its own a dead letter keeps its routing key", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange, target = channel.exchange("fanout"), channel.exchange("topic")
    grave = channel.bound_queue(target, "a.b")
    queue = mortal(channel, target)
    channel.bind(queue, exchange)
    channel.publish(b"m", exchange=exchange, routing_key="a.b")
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=False)
    message = channel.await_get(grave)
    equal("exchange and key", (target, "a.b"), (message.exchange, message.routing_key))


@dead.case("dead-letter.routing-key.own", "x-dead-letter-routing-key replaces the routing key", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("direct")
    grave = channel.bound_queue(target, "dead")
    queue = mortal(channel, target, **{"x-dead-letter-routing-key": "dead"})
    channel.publish(b"m", routing_key=queue)
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=False)
    message = channel.await_get(grave)
    equal("key", "dead", message.routing_key)
    equal("original keys", [queue], message.headers["x-death"][0]["routing-keys"])


@dead.case("dead-letter.default-exchange", "The dead letter exchange may be the default one", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    grave = channel.queue()
    queue = mortal(channel, "", **{"x-dead-letter-routing-key": grave})
    channel.publish(b"m", routing_key=queue)
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=False)
    equal("body", b"m", channel.await_get(grave).body)


@dead.case("dead-letter.missing-exchange", "Without the exchange a dead letter is dropped", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = killed(channel, "rejected", broker.name("x"))
    channel.must_be_silent(queue)
    channel.must_hold(queue)


@dead.case("dead-letter.exchange-later", "The exchange may be declared after the queue", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, target = broker.channel(), broker.name("x")
    queue = mortal(channel, target)
    grave = channel.bound_queue(channel.exchange("fanout", target))
    channel.publish(b"m", routing_key=queue)
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=False)
    equal("body", b"m", channel.await_get(grave).body)


@dead.case("dead-letter.multiple", "All messages of a nack with multiple are dead-lettered, in order", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    grave, queue = channel.bound_queue(target), mortal(channel, target)
    channel.publish_all(queue, *"abc")
    for _ in range(3):
        channel.must_get(queue, no_ack=False)
    channel.nack(0, multiple=True, requeue=False)
    equal("order", list("abc"), [channel.await_get(grave).body.decode() for _ in range(3)])


@dead.case("dead-letter.requeue", "A requeued message is not dead-lettered", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    grave, queue = channel.bound_queue(target), mortal(channel, target)
    channel.publish(b"m", routing_key=queue)
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue=True)
    channel.await_get(queue)
    channel.must_hold(grave)


@dead.table(
    "dead-letter.not-by",
    "Nothing is dead-lettered when its queue is {}",
    SPEC,
    [("deleted", "delete"), ("purged", "purge")],
    EXTENSION,
)
def _(broker: Broker, way: str) -> None:
    channel = broker.channel()
    target = channel.exchange("fanout")
    grave, queue = channel.bound_queue(target), mortal(channel, target)
    channel.publish(b"m", routing_key=queue)
    channel.call(f"queue.{way}", queue=queue)
    channel.must_be_silent(grave)
    channel.must_hold(grave)
