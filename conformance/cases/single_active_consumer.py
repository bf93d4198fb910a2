"""Single active consumer: one consumer gets everything until it goes."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

single = Area("single-active-consumer", "Single active consumer")

SPEC = "RabbitMQ: Single Active Consumer"


def one_at_a_time(channel: Channel, exclusive: bool = True) -> str:
    """A queue with a single active consumer."""
    return channel.queue(exclusive=exclusive, arguments={"x-single-active-consumer": True})


@single.case("single-active.first", "Only the first consumer gets messages", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = one_at_a_time(channel)
    for tag in "abc":
        channel.consume(queue, consumer_tag=tag, no_ack=True)
    channel.publish_all(queue, *map(str, range(6)))
    equal("served", {"a"}, {message.consumer_tag for message in channel.deliveries(6)})


@single.case("single-active.next", "When the active consumer is cancelled the next one takes over", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = one_at_a_time(channel)
    for tag in "abc":
        channel.consume(queue, consumer_tag=tag, no_ack=True)
    served = []
    for tag in "abc":
        channel.publish(tag, routing_key=queue)
        served.append(channel.delivery().consumer_tag)
        channel.call("basic.cancel", consumer_tag=tag)
    equal("served", list("abc"), served)


@single.case(
    "single-active.waiting-cancelled",
    "Cancelling a waiting consumer changes nothing for the active one",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = one_at_a_time(channel)
    for tag in "ab":
        channel.consume(queue, consumer_tag=tag, no_ack=True)
    channel.call("basic.cancel", consumer_tag="b")
    channel.publish(b"m", routing_key=queue)
    equal("served", "a", channel.delivery().consumer_tag)


@single.case(
    "single-active.channel-closed",
    "When the active consumer's channel closes its messages go to the next one, in order",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = one_at_a_time(first)
    first.consume(queue)
    second.consume(queue)
    first.publish_all(queue, *"abc")
    first.must_receive(*"abc")
    first.close()
    second.must_receive(*"abc")


@single.case(
    "single-active.connection-lost",
    "When the active consumer's connection is lost the next one takes over",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    observer = broker.channel()
    queue = one_at_a_time(observer, exclusive=False)
    connection, channel = broker.connected()
    channel.consume(queue)
    observer.consume(queue)
    observer.publish(b"m", routing_key=queue)
    channel.must_receive("m")
    connection.drop()
    message = observer.delivery()
    equal("delivery", (b"m", True), (message.body, message.redelivered))


@single.case("single-active.no-credit", "A waiting consumer gets nothing though the active one has no credit", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = one_at_a_time(channel)
    channel.call("basic.qos", prefetch_count=1)
    for tag in "ab":
        channel.consume(queue, consumer_tag=tag)
    channel.publish_all(queue, "1", "2")
    equal("served", "a", channel.delivery().consumer_tag)
    channel.must_be_silent(queue)
    channel.ack(1)
    equal("served", "a", channel.delivery().consumer_tag)


@single.case("single-active.count", "All consumers are counted, the waiting ones too", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = one_at_a_time(channel)
    for _ in range(3):
        channel.consume(queue)
    equal("consumers", 3, channel.call("queue.declare", queue=queue, passive=True).consumer_count)


@single.case("single-active.exclusive", "An exclusive consumer is refused with 403", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.refuses(403, "basic.consume", queue=one_at_a_time(channel), exclusive=True)


@single.case("single-active.off", "With the argument false consumers are served in turn", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-single-active-consumer": False})
    for tag in "ab":
        channel.consume(queue, consumer_tag=tag, no_ack=True)
    channel.publish_all(queue, *map(str, range(4)))
    equal("served", {"a", "b"}, {message.consumer_tag for message in channel.deliveries(4)})


@single.case("single-active.auto-delete", "An auto-delete queue goes when its last waiting consumer has gone", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(exclusive=False, auto_delete=True, arguments={"x-single-active-consumer": True})
    for tag in "ab":
        channel.consume(queue, consumer_tag=tag)
    channel.call("basic.cancel", consumer_tag="a")
    channel.must_exist("queue", queue)
    channel.call("basic.cancel", consumer_tag="b")
    connection.channel().must_be_gone("queue", queue)


@single.case("single-active.get", "basic.get works beside the active consumer on a classic queue", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = one_at_a_time(channel)
    channel.publish(b"m", routing_key=queue)
    equal("body", b"m", channel.must_get(queue).body)
