"""basic.consume, basic.deliver and basic.cancel, also by the server."""

import re
from typing import Any

from conformance.broker import Broker
from conformance.catalogue import BEYOND, EXTENSION, SHOULD, Area
from conformance.client.connection import CAPABILITIES
from conformance.mismatch import Mismatch, equal, require

consuming = Area("consuming", "Consuming and cancelling")

CONSUME = "AMQP 0-9-1 basic.consume"
CANCEL = "AMQP 0-9-1 basic.cancel"
NOTIFY = "RabbitMQ: Consumer Cancellation Notifications"
PRIORITY = "RabbitMQ: Consumer Priorities"


@consuming.case("consume", "basic.consume is answered with the tag that was asked for", CONSUME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    equal("consumer_tag", "my tag", channel.consume(channel.queue(), consumer_tag="my tag"))


@consuming.case("consume.tag.generated", "An empty tag asks the server for a new one, each time another", CONSUME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    tags = {channel.consume(queue) for _ in range(5)}
    require(len(tags) == 5 and "" not in tags, "five tags", tags)


@consuming.case(
    "consume.tag.generated.form", "Generated tags are amq.ctag- and 22 characters", "RabbitMQ: consumer tags", EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    tag = channel.consume(channel.queue())
    require(re.fullmatch(r"amq\.ctag-[A-Za-z0-9_-]{22}", tag) is not None, "amq.ctag-…", tag)


@consuming.case(
    "consume.tag.reuse",
    "A tag in use on the channel is refused with 530 on the connection",
    "AMQP 0-9-1 basic.consume.consumer-tag",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.consume(queue, consumer_tag="tag")
    channel.send("basic.consume", queue=queue, consumer_tag="tag")
    connection.must_close(530, "basic.consume")


@consuming.case("consume.tag.per-channel", "Two channels may use the same tag", "AMQP 0-9-1 basic.consume.consumer-tag")
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = first.queue()
    for channel in (first, second):
        equal("consumer_tag", "tag", channel.consume(queue, consumer_tag="tag"))


@consuming.case("consume.tag.after-cancel", "A cancelled tag can be used again", "AMQP 0-9-1 basic.consume.consumer-tag")
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    for _ in range(3):
        channel.consume(queue, consumer_tag="tag")
        channel.call("basic.cancel", consumer_tag="tag")


@consuming.case("consume.missing", "Consuming from a missing queue is refused with 404", CONSUME)
def _(broker: Broker) -> None:
    broker.channel().refuses(404, "basic.consume", queue=broker.name())


@consuming.case("consume.nowait", "basic.consume with no-wait is not answered, and delivers", CONSUME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.send("basic.consume", queue=queue, consumer_tag="tag", nowait=True, no_ack=True)
    channel.must_be_silent(queue)
    channel.publish(b"m", routing_key=queue)
    equal("consumer_tag", "tag", channel.delivery().consumer_tag)


@consuming.case("consume.ok-first", "consume-ok comes before the first delivery", CONSUME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    channel.send("basic.consume", queue=queue, no_ack=True)
    names = [channel.next().name for _ in range(3)]
    equal("order", ["basic.consume-ok", "basic.deliver", "basic.deliver"], names)


@consuming.case("consume.backlog", "A consumer gets what was in the queue before it, in order", CONSUME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, *map(str, range(100)))
    channel.consume(queue, no_ack=True)
    channel.must_receive(*map(str, range(100)))


@consuming.case(
    "consume.deliver.fields", "A delivery names consumer, tag, exchange and routing key", "AMQP 0-9-1 basic.deliver"
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("topic")
    queue = channel.bound_queue(exchange, "a.*")
    channel.consume(queue, consumer_tag="tag")
    channel.publish(b"m", exchange=exchange, routing_key="a.b")
    message = channel.delivery()
    facts = message.consumer_tag, message.delivery_tag, message.redelivered, message.exchange, message.routing_key
    equal("delivery", ("tag", 1, False, exchange, "a.b"), facts)


@consuming.case(
    "consume.tags.increasing",
    "Delivery tags of a channel count up by one over all its consumers",
    "AMQP 0-9-1 basic.deliver.delivery-tag",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    first, second = channel.queue(), channel.queue()
    channel.consume(first)
    channel.consume(second)
    for n in range(20):
        channel.publish(b"m", routing_key=(first, second)[n % 2])
    equal("tags", list(range(1, 21)), [message.delivery_tag for message in channel.deliveries(20)])


@consuming.case("consume.tags.get", "basic.get and deliveries share the channel's tags", "AMQP 0-9-1 basic.get-ok.delivery-tag")
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, other = channel.queue(), channel.queue()
    channel.consume(queue)
    channel.publish(b"m", routing_key=queue)
    equal("first", 1, channel.delivery().delivery_tag)
    channel.publish(b"m", routing_key=other)
    equal("second", 2, channel.must_get(other).delivery_tag)


@consuming.case("consume.round-robin", "Consumers of equal standing are served in turn", CONSUME, SHOULD)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    tags = [channel.consume(queue, no_ack=True) for _ in range(3)]
    channel.publish_all(queue, *map(str, range(30)))
    counts = [message.consumer_tag for message in channel.deliveries(30)]
    equal("deliveries each", [10, 10, 10], [counts.count(tag) for tag in tags])


@consuming.case("consume.once", "Every message goes to one consumer only", CONSUME)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = first.queue()
    for channel in (first, second):
        channel.consume(queue, no_ack=True)
    first.publish_all(queue, *map(str, range(50)))
    received: list[int] = []
    while len(received) < 50:
        for channel in (first, second):
            while channel.inbox:
                received.append(int(channel.delivery().body))
        if len(received) < 50:
            first.fence(queue)
    equal("messages", list(range(50)), sorted(received))


@consuming.case("consume.no-ack", "With no_ack a delivered message is gone", "AMQP 0-9-1 basic.consume.no-ack")
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.consume(queue, no_ack=True)
    channel.publish_all(queue, "a", "b")
    channel.deliveries(2)
    channel.close()
    connection.channel().must_hold(queue)


@consuming.case("consume.no-local", "no_local is ignored: own messages are delivered", "RabbitMQ: no-local", EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue, no_local=True, no_ack=True)
    channel.publish(b"m", routing_key=queue)
    channel.must_receive("m")


@consuming.case("consume.arguments-unknown", "Unknown consumer arguments are accepted", CONSUME, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.consume(channel.queue(), arguments={"x-anything": {"a": 1}})


@consuming.case("consume.queue-with-consumers-elsewhere", "Consumers on different connections share a queue", CONSUME)
def _(broker: Broker) -> None:
    first, second = broker.channel(), broker.channel()
    queue = first.queue(exclusive=False)
    for channel in (first, second):
        channel.consume(queue)
        channel.call("basic.qos", prefetch_count=0)
    first.publish_all(queue, *map(str, range(10)))
    equal("shares", 10, len(first.deliveries(5)) + len(second.deliveries(5)))


@consuming.case("consume.large", "A delivery of a megabyte arrives unchanged", CONSUME)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue, body = channel.queue(), bytes(range(256)) * 4096
    channel.consume(queue, no_ack=True)
    channel.publish(body, routing_key=queue)
    require(channel.delivery().body == body, "the same octets")


# Cancelling


@consuming.case("cancel", "basic.cancel is answered, and deliveries stop", CANCEL)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    tag = channel.consume(queue, no_ack=True)
    equal("consumer_tag", tag, channel.call("basic.cancel", consumer_tag=tag).consumer_tag)
    channel.publish(b"m", routing_key=queue)
    channel.must_hold(queue, "m")


@consuming.case("cancel.nowait", "basic.cancel with no-wait is carried out and not answered", CANCEL)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.send("basic.cancel", consumer_tag=channel.consume(queue), nowait=True)
    channel.must_be_silent()
    channel.publish(b"m", routing_key=queue)
    channel.must_hold(queue, "m")


@consuming.case("cancel.unknown", "Cancelling an unknown tag succeeds", "RabbitMQ: basic.cancel", EXTENSION)
def _(broker: Broker) -> None:
    equal("consumer_tag", "nobody", broker.channel().call("basic.cancel", consumer_tag="nobody").consumer_tag)


@consuming.case("cancel.twice", "Cancelling a tag twice succeeds", "RabbitMQ: basic.cancel", EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    tag = channel.consume(channel.queue())
    for _ in range(2):
        channel.call("basic.cancel", consumer_tag=tag)


@consuming.case("cancel.keeps-unacked", "Cancelling does not requeue: what was delivered can still be acknowledged", CANCEL)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    tag = channel.consume(queue)
    channel.publish_all(queue, "a", "b")
    deliveries = channel.deliveries(2)
    channel.call("basic.cancel", consumer_tag=tag)
    channel.must_hold(queue)
    channel.ack(deliveries[1].delivery_tag, multiple=True)
    channel.must_be_silent()


@consuming.case("cancel.other-consumers", "Cancelling one consumer leaves the others", CANCEL)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    first, second = (channel.consume(queue, no_ack=True) for _ in range(2))
    channel.call("basic.cancel", consumer_tag=first)
    channel.publish_all(queue, "a", "b")
    equal("served", {second}, {message.consumer_tag for message in channel.deliveries(2)})


# Cancelled by the server


def died(broker: Broker, capabilities: dict[str, Any]) -> Any:
    """A channel whose consumer `tag` lost its queue."""
    connection = broker.connect(capabilities=capabilities)
    channel = connection.channel()
    queue = channel.queue()
    channel.consume(queue, consumer_tag="tag")
    connection.channel().call("queue.delete", queue=queue)
    return channel


@consuming.case("cancel.by-server", "A consumer whose queue is deleted gets basic.cancel", NOTIFY, EXTENSION)
def _(broker: Broker) -> None:
    cancel = died(broker, CAPABILITIES).wait("basic.cancel")
    equal("cancel", ("tag", True), (cancel.consumer_tag, cancel.nowait))


@consuming.case(
    "cancel.by-server.incapable",
    "A client without the capability consumer_cancel_notify gets no basic.cancel",
    NOTIFY,
    EXTENSION,
)
def _(broker: Broker) -> None:
    died(broker, {}).must_be_silent()


@consuming.case(
    "cancel.by-server.answered",
    "A superfluous cancel-ok from the client is accepted",
    NOTIFY,
    BEYOND,
    deviations={"RabbitMQ 3.10": "it answers 503; it asks for no answer, so none should come"},
)
def _(broker: Broker) -> None:
    channel = died(broker, CAPABILITIES)
    channel.wait("basic.cancel")
    channel.consume(channel.queue(), consumer_tag="tag")


@consuming.case("cancel.by-server.every-consumer", "Every consumer of a deleted queue is cancelled", NOTIFY, EXTENSION)
def _(broker: Broker) -> None:
    channel, other = broker.channel(), broker.channel()
    queue = channel.queue(exclusive=False)
    tags = {channel.consume(queue) for _ in range(3)}
    other_tag = other.consume(queue)
    broker.channel().call("queue.delete", queue=queue)
    equal("cancelled", tags, {channel.wait("basic.cancel").consumer_tag for _ in range(3)})
    equal("cancelled elsewhere", other_tag, other.wait("basic.cancel").consumer_tag)


@consuming.case(
    "cancel.by-server.own-cancel",
    "A client's own basic.cancel is not answered by another basic.cancel",
    NOTIFY,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("basic.cancel", consumer_tag=channel.consume(channel.queue()))
    channel.must_be_silent()


# Consumer priorities


@consuming.case("consume.priority", "The consumer with the higher x-priority is served first", PRIORITY, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    for tag, priority in (("low", -5), ("high", 10), ("middle", 0)):
        channel.consume(queue, consumer_tag=tag, no_ack=True, arguments={"x-priority": priority})
    channel.publish_all(queue, *"abc")
    equal("served", ["high"] * 3, [message.consumer_tag for message in channel.deliveries(3)])


@consuming.case(
    "consume.priority.busy",
    "While the consumer of higher priority has no credit the next one is served",
    PRIORITY,
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.call("basic.qos", prefetch_count=1)
    channel.consume(queue, consumer_tag="low", arguments={"x-priority": 1})
    channel.consume(queue, consumer_tag="high", arguments={"x-priority": 2})
    channel.publish_all(queue, *"ab")
    equal("served", ["high", "low"], [message.consumer_tag for message in channel.deliveries(2)])


@consuming.table(
    "consume.priority.type",
    "x-priority that is {} is refused with 406",
    PRIORITY,
    [("text", "7"), ("a float", 1.5), ("a boolean", True), ("a table", {})],
    EXTENSION,
)
def _(broker: Broker, value: Any) -> None:
    channel = broker.channel()
    channel.refuses(406, "basic.consume", queue=channel.queue(), arguments={"x-priority": value})


@consuming.case("consume.refused-keeps-channel-closed", "A refused basic.consume leaves no consumer behind", CONSUME)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.refuses(406, "basic.consume", queue=queue, arguments={"x-priority": "x"})
    declared = connection.channel().call("queue.declare", queue=queue, passive=True)
    if declared.consumer_count:
        raise Mismatch("no consumer", repr(declared))
