"""Priority queues."""

from conformance.broker import Broker, pause
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

priorities = Area("priorities", "Priority queues")

SPEC = "RabbitMQ: Priority Queue Support"


def sorting(channel: Channel, maximum: int = 10, **arguments: int) -> str:
    """A queue with this many priorities."""
    return channel.queue(arguments={"x-max-priority": maximum, **arguments})


def publish_each(channel: Channel, queue: str, *levels: int) -> None:
    """Publishes one message of each priority; its body is the priority."""
    for level in levels:
        channel.publish(str(level), routing_key=queue, priority=level)


@priorities.case("priority.order", "Messages of higher priority come first", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel)
    publish_each(channel, queue, 1, 5, 3, 9, 0)
    channel.must_hold(queue, "9", "5", "3", "1", "0")


@priorities.case("priority.fifo", "Within one priority the order of publishing is kept", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel)
    for n in range(9):
        channel.publish(str(n), routing_key=queue, priority=n % 3)
    channel.must_hold(queue, *"258147036")


@priorities.case("priority.absent", "A message without priority has priority 0", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel)
    channel.publish(b"none", routing_key=queue)
    publish_each(channel, queue, 0, 1)
    channel.must_hold(queue, "1", "none", "0")


@priorities.case("priority.clamped", "Priorities above x-max-priority count as the maximum", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel, 5)
    publish_each(channel, queue, 5, 200, 6)
    channel.must_hold(queue, "5", "200", "6")


@priorities.case("priority.clamped.property", "The priority property is delivered as it was sent", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel, 5)
    publish_each(channel, queue, 200)
    equal("priority", 200, channel.must_get(queue).properties["priority"])


@priorities.case("priority.plain-queue", "A queue without x-max-priority ignores priorities", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    publish_each(channel, queue, 1, 9, 5)
    channel.must_hold(queue, "1", "9", "5")


@priorities.case("priority.zero-queue", "A queue with x-max-priority 0 ignores priorities", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel, 0)
    publish_each(channel, queue, 1, 9, 5)
    channel.must_hold(queue, "1", "9", "5")


@priorities.case("priority.requeue", "A requeued message keeps its priority and place", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel)
    publish_each(channel, queue, 5, 5, 1)
    tag = channel.must_get(queue, no_ack=False).delivery_tag
    publish_each(channel, queue, 9)
    channel.reject(tag)
    channel.must_count(queue, 4)
    channel.must_hold(queue, "9", "5", "5", "1")


@priorities.case(
    "priority.consumer", "A consumer that acknowledges one by one gets the highest priority each time", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel)
    publish_each(channel, queue, 1, 2, 3)
    channel.must_count(queue, 3)
    channel.call("basic.qos", prefetch_count=1)
    channel.consume(queue)
    received = []
    for _ in range(3):
        message = channel.delivery()
        received.append(message.body)
        channel.ack(message.delivery_tag)
    equal("order", [b"3", b"2", b"1"], received)


@priorities.case("priority.count", "message_count counts all priorities", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel)
    publish_each(channel, queue, 0, 5, 10)
    channel.must_count(queue, 3)
    equal("get's message_count", 2, channel.must_get(queue).message_count)


@priorities.case("priority.purge", "queue.purge removes all priorities", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel)
    publish_each(channel, queue, 0, 5, 10)
    equal("message_count", 3, channel.call("queue.purge", queue=queue).message_count)


@priorities.case(
    "priority.max-length", "A full priority queue drops from its head, which is the highest priority", SPEC, EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel, 10, **{"x-max-length": 2})
    publish_each(channel, queue, 5, 1, 9)
    channel.must_hold(queue, "5", "1")


@priorities.case("priority.ttl", "Each priority expires from its own head", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel)
    channel.publish(b"low", routing_key=queue, priority=1, expiration="50")
    channel.publish(b"high", routing_key=queue, priority=9)
    pause(0.12)
    channel.must_hold(queue, "high")


@priorities.case("priority.255", "A queue with 255 priorities tells them all apart", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = sorting(channel, 255)
    publish_each(channel, queue, 254, 255, 1, 128)
    channel.must_hold(queue, "255", "254", "128", "1")
