"""Durability: what survives an orderly restart and a SIGKILL. Each rule is proved for both.

A body yields where the broker goes down; its connections are gone when it goes on.
"""

from collections.abc import Callable, Generator
from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area, Level
from conformance.client.channel import Channel
from conformance.mismatch import Mismatch, equal

durability = Area("durability", "Durability over restart and SIGKILL")

QUEUE = "AMQP 0-9-1 queue.declare.durable"
EXCHANGE = "AMQP 0-9-1 exchange.declare.durable"
MESSAGE = "AMQP 0-9-1 3.1.1 (durable queues, persistent messages)"
Steps = Generator[None, None, None]


def survival(
    id: str, title: str, reference: str, level: Level = Level.MUST, deviations_of_kill: dict[str, str] | None = None
) -> Callable[[Any], Any]:
    """Registers a body for an orderly restart and for a SIGKILL."""

    def register(body: Callable[[Broker], Steps]) -> Callable[[Broker], Steps]:
        durability.case(f"restart.{id}", f"{title}, over an orderly restart", reference, level, ["restart"])(body)
        durability.case(f"kill.{id}", f"{title}, over SIGKILL", reference, level, ["kill"], deviations_of_kill)(body)
        return body

    return register


def lasting(channel: Channel, **arguments: Any) -> str:
    """A durable queue."""
    return channel.queue(exclusive=False, durable=True, **arguments)


def publish_safely(channel: Channel, queue: str, *bodies: str, **properties: Any) -> None:
    """Publishes persistent messages and waits for their confirms."""
    channel.call("confirm.select")
    channel.publish_all(queue, *bodies, **{"delivery_mode": 2, **properties})
    channel.confirmed()


@survival("queue.durable", "A durable queue survives", QUEUE)
def _(broker: Broker) -> Steps:
    queue = lasting(broker.channel())
    yield
    broker.channel().must_exist("queue", queue)


@survival("queue.transient", "A transient queue does not survive", QUEUE)
def _(broker: Broker) -> Steps:
    queue = broker.channel().queue(exclusive=False)
    yield
    broker.channel().refuses(404, "queue.declare", queue=queue, passive=True)


@survival("queue.exclusive", "A durable exclusive queue does not survive", QUEUE)
def _(broker: Broker) -> Steps:
    queue = broker.channel().queue(durable=True)
    yield
    broker.channel().refuses(404, "queue.declare", queue=queue, passive=True)


@survival("queue.arguments", "A durable queue keeps its arguments", QUEUE)
def _(broker: Broker) -> Steps:
    arguments = {"x-max-length": 3, "x-message-ttl": 3600000, "x-overflow": "drop-head", "x-any": "thing"}
    queue = lasting(broker.channel(), arguments=arguments)
    yield
    connection, channel = broker.connected()
    channel.call("queue.declare", queue=queue, durable=True, arguments=arguments)
    connection.channel().refuses(406, "queue.declare", queue=queue, durable=True)


@survival("queue.auto-delete", "A durable auto-delete queue survives while it has no consumer", QUEUE)
def _(broker: Broker) -> Steps:
    queue = lasting(broker.channel(), auto_delete=True)
    yield
    broker.channel().must_exist("queue", queue)


@survival("exchange.durable", "Durable exchanges of every type survive", EXCHANGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    exchanges = {kind: channel.exchange(kind, durable=True) for kind in ("direct", "fanout", "topic", "headers")}
    yield
    for kind, exchange in exchanges.items():
        broker.channel().call("exchange.declare", exchange=exchange, type=kind, durable=True)


@survival("exchange.transient", "A transient exchange does not survive", EXCHANGE)
def _(broker: Broker) -> Steps:
    exchange = broker.channel().exchange("direct")
    yield
    broker.channel().refuses(404, "exchange.declare", exchange=exchange, passive=True)


@survival("exchange.alternate", "A durable exchange keeps its alternate exchange", EXCHANGE, EXTENSION)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    target, queue = channel.exchange("fanout", durable=True), lasting(channel)
    channel.bind(queue, target)
    exchange = channel.exchange("direct", durable=True, arguments={"alternate-exchange": target})
    yield
    channel = broker.channel()
    channel.publish(b"m", exchange=exchange, routing_key="nowhere")
    channel.must_hold(queue, "m")


@survival("binding.durable", "A binding between durable queue and exchange survives", QUEUE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    exchange, queue = channel.exchange("topic", durable=True), lasting(channel)
    channel.bind(queue, exchange, "a.#")
    yield
    channel = broker.channel()
    channel.publish(b"m", exchange=exchange, routing_key="a.b.c")
    channel.must_hold(queue, "m")


@survival("binding.headers", "A binding keeps its arguments", QUEUE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    exchange, queue = channel.exchange("headers", durable=True), lasting(channel)
    channel.bind(queue, exchange, "", **{"x-match": "any", "a": 1, "b": "two"})
    yield
    channel = broker.channel()
    for headers in ({"a": 1}, {"a": 2}, {"b": "two"}):
        channel.publish(str(headers), exchange=exchange, headers=headers)
    channel.must_hold(queue, "{'a': 1}", "{'b': 'two'}")


@survival("binding.removed", "A binding that was removed does not come back", QUEUE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    exchange, queue = channel.exchange("fanout", durable=True), lasting(channel)
    channel.bind(queue, exchange)
    channel.call("queue.unbind", queue=queue, exchange=exchange)
    yield
    channel = broker.channel()
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue)


@survival("binding.exchanges", "A binding between durable exchanges survives", EXCHANGE, EXTENSION)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    source, destination, queue = (*(channel.exchange("fanout", durable=True) for _ in range(2)), lasting(channel))
    channel.call("exchange.bind", source=source, destination=destination)
    channel.bind(queue, destination)
    yield
    channel = broker.channel()
    channel.publish(b"m", exchange=source)
    channel.must_hold(queue, "m")


@survival("deleted", "Deleted queues and exchanges do not come back", QUEUE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    exchange, queue = channel.exchange("direct", durable=True), lasting(channel)
    channel.call("exchange.delete", exchange=exchange)
    channel.call("queue.delete", queue=queue)
    yield
    broker.channel().refuses(404, "queue.declare", queue=queue, passive=True)
    broker.channel().refuses(404, "exchange.declare", exchange=exchange, passive=True)


@survival("message.persistent", "Confirmed persistent messages of a durable queue survive, in order", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    publish_safely(channel, queue, *map(str, range(200)))
    yield
    broker.channel().must_hold(queue, *map(str, range(200)))


@survival("message.transient", "Transient messages of a durable queue do not survive", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    publish_safely(channel, queue, "a", delivery_mode=1)
    publish_safely(channel, queue, "b")
    publish_safely(channel, queue, "c", delivery_mode=1)
    yield
    broker.channel().must_hold(queue, "b")


@survival("message.properties", "A persistent message keeps properties, headers and body", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    properties = {"correlation_id": "c", "priority": 3, "headers": {"a": [1, {"b": None}]}, "timestamp": 1700000000}
    publish_safely(channel, queue, "body", **properties)
    yield
    message = broker.channel().must_get(queue)
    equal("properties", {**properties, "delivery_mode": 2}, message.properties)
    equal("body", b"body", message.body)


@survival("message.address", "A persistent message keeps exchange and routing key", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    exchange, queue = channel.exchange("topic", durable=True), lasting(channel)
    channel.bind(queue, exchange, "#")
    channel.call("confirm.select")
    channel.publish(b"m", exchange=exchange, routing_key="a.b", delivery_mode=2)
    channel.confirmed()
    yield
    message = broker.channel().must_get(queue)
    equal("exchange and key", (exchange, "a.b"), (message.exchange, message.routing_key))


@survival("message.large", "A persistent message of a megabyte survives", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    publish_safely(channel, queue, "x" * 2**20)
    yield
    equal("size", 2**20, len(broker.channel().must_get(queue).body))


@survival("message.empty", "An empty persistent message survives", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    publish_safely(channel, queue, "")
    yield
    broker.channel().must_hold(queue, "")


@survival("message.acked", "An acknowledged message does not come back", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    publish_safely(channel, queue, *"abcd")
    for _ in range(3):
        channel.must_get(queue, no_ack=False)
    channel.ack(1)
    channel.ack(3)
    channel.fence(queue)
    publish_safely(channel, queue, "e")
    yield
    channel = broker.channel()
    channel.must_hold(queue, "b", "d", "e")


@survival("message.unacked", "An unacknowledged message comes back, marked redelivered", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    publish_safely(channel, queue, "a", "b")
    channel.must_get(queue, no_ack=False)
    yield
    channel = broker.channel()
    equal("bodies", [b"a", b"b"], [channel.must_get(queue).body for _ in range(2)])


@survival("message.purged", "Purged messages do not come back", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    publish_safely(channel, queue, "a", "b")
    channel.call("queue.purge", queue=queue)
    publish_safely(channel, queue, "c")
    yield
    broker.channel().must_hold(queue, "c")


@survival("message.fanout", "A persistent message in several durable queues survives in each", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    exchange, queues = channel.exchange("fanout", durable=True), [lasting(channel) for _ in range(3)]
    for queue in queues:
        channel.bind(queue, exchange)
    channel.call("confirm.select")
    channel.publish(b"m", exchange=exchange, delivery_mode=2)
    channel.confirmed()
    yield
    for queue in queues:
        broker.channel().must_hold(queue, "m")


@survival("message.priority", "A priority queue keeps its order", MESSAGE, EXTENSION)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel, arguments={"x-max-priority": 5})
    channel.call("confirm.select")
    for priority in (1, 5, 3):
        channel.publish(str(priority), routing_key=queue, delivery_mode=2, priority=priority)
    channel.confirmed()
    yield
    broker.channel().must_hold(queue, "5", "3", "1")


@survival("message.expired", "A message whose time passed while the broker was down is not delivered", MESSAGE, EXTENSION)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    publish_safely(channel, queue, "short", expiration="100")
    publish_safely(channel, queue, "long", expiration="3600000")
    yield
    channel = broker.channel()
    equal("body", b"long", channel.await_get(queue).body)


@survival("tx.committed", "What was published in a committed transaction survives", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    channel.call("tx.select")
    channel.publish_all(queue, "a", "b", delivery_mode=2)
    channel.call("tx.commit")
    yield
    broker.channel().must_hold(queue, "a", "b")


@survival("tx.uncommitted", "What was published in a transaction without commit does not survive", MESSAGE)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel)
    channel.call("tx.select")
    channel.publish_all(queue, "a", "b", delivery_mode=2)
    channel.fence()
    yield
    broker.channel().must_hold(queue)


@survival("dead-letter", "Dead letters that were confirmed into a durable queue survive", MESSAGE, EXTENSION)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    grave = lasting(channel)
    queue = lasting(channel, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": grave, "x-message-ttl": 0})
    publish_safely(channel, queue, "m")
    channel.must_count(grave, 1)
    publish_safely(channel, grave, "marker")
    yield
    channel = broker.channel()
    equal("reason", "expired", channel.must_get(grave).headers["x-death"][0]["reason"])


def first_of(broker: Broker, queue: str) -> tuple[Channel, bytes]:
    """Gets the first message of a quorum queue, which has no leader at first and may lose what it was asked meanwhile."""
    for _ in range(10):
        channel = broker.channel()
        channel.stream.timeout = 2
        try:
            return channel, channel.must_get(queue, no_ack=False).body
        except Mismatch:
            channel.stream.link.drop()
    raise Mismatch("a quorum queue with a leader", "no answers")


@survival(
    "quorum",
    "Confirmed messages of a quorum queue survive",
    "RabbitMQ: Quorum Queues",
    EXTENSION,
    {"RabbitMQ 3.10": "RabbitMQ bug: now and then the queue does not answer for more than 20 seconds after SIGKILL"},
)
def _(broker: Broker) -> Steps:
    channel = broker.channel()
    queue = lasting(channel, arguments={"x-queue-type": "quorum"})
    publish_safely(channel, queue, "a", "b")
    yield
    channel, first = first_of(broker, queue)
    equal("bodies", [b"a", b"b"], [first, channel.must_get(queue).body])


@survival("predeclared", "The standard exchanges exist", EXCHANGE)
def _(broker: Broker) -> Steps:
    yield
    for name in ("amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match"):
        broker.channel().must_exist("exchange", name)


@durability.case(
    "restart.close-code",
    "An orderly stop closes connections with 320",
    "AMQP 0-9-1 connection-forced",
    EXTENSION,
    ["restart"],
)
def _(broker: Broker) -> Steps:
    connection = broker.connect()
    yield
    connection.must_end_by_close(320)
