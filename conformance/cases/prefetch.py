"""basic.qos: how many unacknowledged messages a consumer or a channel may have."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, SHOULD, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

prefetch = Area("prefetch", "Prefetch")

SPEC = "AMQP 0-9-1 basic.qos"
RABBIT = "RabbitMQ: Consumer Prefetch"


def filled(channel: Channel, count: int) -> str:
    """A queue with this many messages, bodies counting from 0."""
    queue = channel.queue()
    channel.publish_all(queue, *map(str, range(count)))
    channel.must_count(queue, count)
    return queue


def arrived(channel: Channel, queue: str) -> int:
    """How many deliveries are there when everything has settled."""
    channel.fence(queue)
    channel.fence(queue)
    return sum(event.name == "basic.deliver" for event in channel.inbox)


@prefetch.case("qos", "basic.qos is answered with qos-ok", SPEC)
def _(broker: Broker) -> None:
    broker.channel().call("basic.qos", prefetch_count=10)


@prefetch.table(
    "qos.limit",
    "A consumer with prefetch {} gets no more until it acknowledges",
    SPEC,
    [("1", 1), ("3", 3), ("10", 10)],
)
def _(broker: Broker, limit: int) -> None:
    channel = broker.channel()
    queue = filled(channel, 15)
    channel.call("basic.qos", prefetch_count=limit)
    channel.consume(queue)
    channel.must_receive(*map(str, range(limit)))
    channel.must_be_silent(queue)
    channel.ack(1)
    channel.must_receive(str(limit))
    channel.must_be_silent(queue)


@prefetch.case("qos.unlimited", "Prefetch 0 means no limit", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 100)
    channel.call("basic.qos", prefetch_count=0)
    channel.consume(queue)
    channel.deliveries(100)


@prefetch.case("qos.default", "Without basic.qos there is no limit", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 100)
    channel.consume(queue)
    channel.deliveries(100)


@prefetch.case("qos.multiple-ack", "An ack with multiple gives room for as many", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 10)
    channel.call("basic.qos", prefetch_count=3)
    channel.consume(queue)
    channel.must_receive("0", "1", "2")
    channel.ack(3, multiple=True)
    channel.must_receive("3", "4", "5")


@prefetch.table(
    "qos.room-by",
    "{} without requeue gives room like an ack",
    SPEC,
    [("basic.reject", "basic.reject"), ("basic.nack", "basic.nack")],
)
def _(broker: Broker, name: str) -> None:
    channel = broker.channel()
    queue = filled(channel, 3)
    channel.call("basic.qos", prefetch_count=1)
    channel.consume(queue)
    channel.must_receive("0")
    channel.send(name, delivery_tag=1, requeue=False)
    channel.must_receive("1")


@prefetch.case("qos.requeue-room", "A requeued message gives room, and may come again at once", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 2)
    channel.call("basic.qos", prefetch_count=1)
    channel.consume(queue)
    channel.must_receive("0")
    channel.reject(1)
    channel.must_receive("0")


@prefetch.case("qos.no-ack", "Consumers with no_ack are not limited", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 20)
    channel.call("basic.qos", prefetch_count=1)
    channel.consume(queue, no_ack=True)
    channel.deliveries(20)


@prefetch.case("qos.per-consumer", "Without global each consumer has its own limit", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 10)
    channel.call("basic.qos", prefetch_count=2)
    for _ in range(3):
        channel.consume(queue)
    channel.deliveries(6)
    channel.must_be_silent(queue)


@prefetch.case(
    "qos.later-consumers", "A limit applies to consumers started later, not to those there already", RABBIT, EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    first, second = filled(channel, 5), filled(channel, 5)
    channel.consume(first, consumer_tag="before")
    channel.call("basic.qos", prefetch_count=1)
    channel.consume(second, consumer_tag="after")
    tags = [message.consumer_tag for message in channel.deliveries(6)]
    equal("deliveries", (5, 1), (tags.count("before"), tags.count("after")))
    channel.must_be_silent(second)


@prefetch.case("qos.different", "Consumers of one channel may have different limits", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 20)
    for limit in (2, 5):
        channel.call("basic.qos", prefetch_count=limit)
        channel.consume(queue, consumer_tag=str(limit))
    tags = [message.consumer_tag for message in channel.deliveries(7)]
    equal("deliveries", (2, 5), (tags.count("2"), tags.count("5")))
    channel.must_be_silent(queue)


@prefetch.case("qos.global", "With global the consumers of a channel share one limit", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 10)
    channel.call("basic.qos", prefetch_count=3, global_=True)
    for _ in range(3):
        channel.consume(queue)
    channel.deliveries(3)
    channel.must_be_silent(queue)
    channel.ack(1)
    channel.deliveries(1)
    channel.must_be_silent(queue)


@prefetch.case("qos.global.queues", "A shared limit holds over several queues", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queues = [filled(channel, 5) for _ in range(2)]
    channel.call("basic.qos", prefetch_count=4, global_=True)
    for queue in queues:
        channel.consume(queue)
    channel.deliveries(4)
    equal("more", 0, arrived(channel, queues[1]))


@prefetch.case("qos.global.and-own", "A consumer's own limit and the shared one hold together", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 20)
    channel.call("basic.qos", prefetch_count=4, global_=False)
    channel.call("basic.qos", prefetch_count=6, global_=True)
    channel.consume(queue, consumer_tag="a")
    channel.consume(queue, consumer_tag="b")
    tags = [message.consumer_tag for message in channel.deliveries(6)]
    equal("at most four each", True, max(tags.count("a"), tags.count("b")) <= 4)
    channel.must_be_silent(queue)


@prefetch.case("qos.global.raised", "Raising the shared limit lets more through at once", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 5)
    channel.call("basic.qos", prefetch_count=1, global_=True)
    channel.consume(queue)
    channel.must_receive("0")
    channel.call("basic.qos", prefetch_count=3, global_=True)
    channel.must_receive("1", "2")
    channel.must_be_silent(queue)


@prefetch.case("qos.global.removed", "Removing the shared limit lets everything through", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 5)
    channel.call("basic.qos", prefetch_count=1, global_=True)
    channel.consume(queue)
    channel.must_receive("0")
    channel.call("basic.qos", prefetch_count=0, global_=True)
    channel.must_receive("1", "2", "3", "4")


@prefetch.case("qos.channels", "Channels have limits of their own", SPEC)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = filled(first, 10)
    first.call("basic.qos", prefetch_count=1)
    first.consume(queue)
    first.delivery()
    second.consume(queue)
    second.deliveries(9)


@prefetch.case("qos.fair", "A consumer without credit does not hold up the others", RABBIT)
def _(broker: Broker) -> None:
    connection, slow = broker.connected()
    fast = connection.channel()
    queue = slow.queue()
    for channel in (slow, fast):
        channel.call("basic.qos", prefetch_count=1)
        channel.consume(queue)
    slow.publish_all(queue, *map(str, range(10)))
    slow.delivery()
    for _ in range(9):
        fast.ack(fast.delivery().delivery_tag)


@prefetch.case("qos.size", "prefetch_size other than 0 is refused with 540", "RabbitMQ: basic.qos", EXTENSION)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.send("basic.qos", prefetch_size=1000)
    connection.must_close(540, "basic.qos")


@prefetch.case("qos.maximum", "The largest prefetch, 65535, is accepted", SPEC, SHOULD)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("basic.qos", prefetch_count=65535)
    queue = filled(channel, 50)
    channel.consume(queue)
    channel.deliveries(50)


@prefetch.case("qos.cancelled", "Unacknowledged messages of a cancelled consumer do not limit a new one", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = filled(channel, 4)
    channel.call("basic.qos", prefetch_count=2)
    tag = channel.consume(queue)
    channel.must_receive("0", "1")
    channel.call("basic.cancel", consumer_tag=tag)
    channel.consume(queue)
    channel.must_receive("2", "3")
