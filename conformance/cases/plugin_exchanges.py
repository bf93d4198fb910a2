"""Exchange types that RabbitMQ has as plugins; skipped where a broker does not know the type."""

from typing import Any

from conformance.broker import Broker, pause
from conformance.catalogue import BEYOND, EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import Mismatch, Unsupported, equal, require

plugins = Area("plugin-exchanges", "Exchange types of plugins")

HASH = "RabbitMQ: consistent hash exchange"
RANDOM = "RabbitMQ: random exchange"
HISTORY = "RabbitMQ: recent history exchange"
DELAYED = "RabbitMQ: delayed message exchange"


def exchange_of(broker: Broker, kind: str, **arguments: Any) -> tuple[Channel, str]:
    """A channel and an exchange of this type; Unsupported when the broker does not know it."""
    channel = broker.channel()
    try:
        return channel, channel.exchange(kind, arguments=arguments)
    except Mismatch as mismatch:
        if "unknown exchange type" in mismatch.observed or "503" in mismatch.observed:
            raise Unsupported(f"no exchange type {kind}") from None
        raise


def filled(broker: Broker, weights: list[str], keys: list[str], **arguments: Any) -> list[list[str]]:
    """What each queue gets of the keys published to a consistent hash exchange."""
    channel, exchange = exchange_of(broker, "x-consistent-hash", **arguments)
    queues = [channel.bound_queue(exchange, weight) for weight in weights]
    for key in keys:
        channel.publish(key, exchange=exchange, routing_key=key, headers={"hash-on": key}, correlation_id=key)
    return [channel.bodies(queue) for queue in queues]


KEYS = [f"key-{n}" for n in range(400)]


@plugins.case("hash.partition", "A consistent hash exchange gives every message to exactly one queue", HASH, EXTENSION)
def _(broker: Broker) -> None:
    shares = filled(broker, ["1", "1", "1"], KEYS)
    equal("all messages", sorted(KEYS), sorted(key for share in shares for key in share))
    require(all(len(share) > 40 for share in shares), "a fair share each", [len(share) for share in shares])


@plugins.case("hash.stable", "Messages with equal keys go to the same queue", HASH, EXTENSION)
def _(broker: Broker) -> None:
    shares = filled(broker, ["1", "1", "1"], KEYS[:40] * 3)
    equal("queues of each key", {1}, {sum(key in share for share in shares) for key in KEYS[:40]})


@plugins.case("hash.weight", "The binding key is a weight: 9 gets far more than 1", HASH, EXTENSION)
def _(broker: Broker) -> None:
    light, heavy = filled(broker, ["1", "9"], KEYS)
    require(len(heavy) > 2 * len(light), "most messages for the weight 9", (len(light), len(heavy)))


@plugins.table(
    "hash.input",
    "A consistent hash exchange can hash a {}",
    HASH,
    [("header", {"hash-header": "hash-on"}), ("property", {"hash-property": "correlation_id"})],
    EXTENSION,
)
def _(broker: Broker, arguments: dict[str, str]) -> None:
    shares = filled(broker, ["1", "1"], KEYS[:100], **arguments)
    require(all(shares) and sum(map(len, shares)) == 100, "both queues get some", [len(share) for share in shares])


@plugins.table(
    "hash.binding-key",
    "The binding key {!r} of a consistent hash exchange is refused with 406",
    HASH,
    [("text", "text"), ("zero", "0"), ("negative", "-1"), ("empty", "")],
    EXTENSION,
)
def _(broker: Broker, key: str) -> None:
    channel, exchange = exchange_of(broker, "x-consistent-hash")
    channel.refuses(406, "queue.bind", queue=channel.queue(), exchange=exchange, routing_key=key)


@plugins.case("hash.both-inputs", "Hashing a header and a property at once is refused with 406", HASH, EXTENSION)
def _(broker: Broker) -> None:
    channel, _ = exchange_of(broker, "x-consistent-hash")
    arguments = {"hash-header": "h", "hash-property": "correlation_id"}
    channel.refuses(406, "exchange.declare", exchange=broker.name("x"), type="x-consistent-hash", arguments=arguments)


@plugins.case(
    "random.one", "A random exchange gives every message to exactly one queue, and in time to each", RANDOM, EXTENSION
)
def _(broker: Broker) -> None:
    channel, exchange = exchange_of(broker, "x-random")
    queues = [channel.bound_queue(exchange) for _ in range(3)]
    for n in range(120):
        channel.publish(str(n), exchange=exchange)
    shares = [channel.bodies(queue) for queue in queues]
    equal("messages", 120, sum(map(len, shares)))
    require(all(shares), "every queue gets some", [len(share) for share in shares])


@plugins.case(
    "history.replay",
    "A queue bound to a recent history exchange gets the last messages, oldest first",
    HISTORY,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel, exchange = exchange_of(broker, "x-recent-history", **{"x-recent-history-length": 3})
    for n in range(5):
        channel.publish(str(n), exchange=exchange)
    channel.fence()
    queue = channel.bound_queue(exchange)
    channel.must_count(queue, 3)
    equal("messages", {"2", "3", "4"}, set(channel.bodies(queue)))


@plugins.case("history.default", "Without a length, twenty messages are kept", HISTORY, EXTENSION)
def _(broker: Broker) -> None:
    channel, exchange = exchange_of(broker, "x-recent-history")
    for n in range(30):
        channel.publish(str(n), exchange=exchange)
    channel.fence()
    channel.must_count(channel.bound_queue(exchange), 20)


@plugins.case("history.no-store", "A message with x-recent-history-no-store is not kept", HISTORY, EXTENSION)
def _(broker: Broker) -> None:
    channel, exchange = exchange_of(broker, "x-recent-history")
    channel.publish(b"kept", exchange=exchange)
    channel.publish(b"secret", exchange=exchange, headers={"x-recent-history-no-store": True})
    channel.fence()
    queue = channel.bound_queue(exchange)
    channel.must_count(queue, 1)
    channel.must_hold(queue, "kept")


@plugins.case("delayed.delay", "A delayed exchange keeps a message for x-delay milliseconds", DELAYED, BEYOND)
def _(broker: Broker) -> None:
    channel, exchange = exchange_of(broker, "x-delayed-message", **{"x-delayed-type": "direct"})
    queue = channel.bound_queue(exchange, "k")
    channel.publish(b"late", exchange=exchange, routing_key="k", headers={"x-delay": 300})
    channel.publish(b"now", exchange=exchange, routing_key="k")
    equal("first", b"now", channel.await_get(queue).body)
    equal("second", b"late", channel.await_get(queue).body)


@plugins.case("delayed.order", "Delayed messages leave in the order of their deadlines", DELAYED, BEYOND)
def _(broker: Broker) -> None:
    channel, exchange = exchange_of(broker, "x-delayed-message", **{"x-delayed-type": "fanout"})
    queue = channel.bound_queue(exchange)
    for delay in (500, 100, 300):
        channel.publish(str(delay), exchange=exchange, headers={"x-delay": delay})
    equal("order", [b"100", b"300", b"500"], [channel.await_get(queue).body for _ in range(3)])


@plugins.case("delayed.header", "A message delivered after its delay carries x-delay negated", DELAYED, BEYOND)
def _(broker: Broker) -> None:
    channel, exchange = exchange_of(broker, "x-delayed-message", **{"x-delayed-type": "fanout"})
    queue = channel.bound_queue(exchange)
    channel.publish(b"m", exchange=exchange, headers={"x-delay": 50})
    pause(0.05)
    equal("x-delay", -50, channel.await_get(queue).headers.get("x-delay"))


@plugins.case("delayed.no-type", "A delayed exchange without x-delayed-type is refused with 406", DELAYED, BEYOND)
def _(broker: Broker) -> None:
    channel, _ = exchange_of(broker, "x-delayed-message", **{"x-delayed-type": "fanout"})
    channel.refuses(406, "exchange.declare", exchange=broker.name("x"), type="x-delayed-message")
