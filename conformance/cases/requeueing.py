"""What comes back: the order of requeued messages, and basic.recover."""

from conformance.broker import Broker
from conformance.cases.settling import RECOVER, settling, unacked
from conformance.catalogue import EXTENSION, SHOULD
from conformance.mismatch import equal, require

# Order of what comes back


@settling.table(
    "requeue.order",
    "Messages requeued by {} are ahead of later ones, in their old order",
    "RabbitMQ: message ordering",
    [
        ("nack multiple", "nack"),
        ("rejects in order", "forward"),
        ("rejects in reverse", "backward"),
        ("recover", "recover"),
        ("the end of the channel", "close"),
    ],
    EXTENSION,
)
def _(broker: Broker, way: str) -> None:
    channel, queue = unacked(broker, *"abc")
    channel.publish_all(queue, "d")
    if way == "nack":
        channel.nack(3, multiple=True)
    elif way == "recover":
        channel.call("basic.recover", requeue=True)
    elif way == "close":
        channel.close()
        channel.call("channel.open")
    else:
        for tag in (1, 2, 3) if way == "forward" else (3, 2, 1):
            channel.reject(tag)
    channel.must_count(queue, 4)
    channel.must_hold(queue, *"abcd")


@settling.case(
    "requeue.position",
    "A requeued message takes its old place between the others",
    "RabbitMQ: message ordering",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, *"abcd")
    for tag in (4, 2):
        channel.reject(tag)
    channel.must_count(queue, 2)
    channel.must_hold(queue, "b", "d")


@settling.case(
    "requeue.redelivered-only",
    "Only messages that were delivered before are marked redelivered",
    "AMQP 0-9-1 basic.deliver.redelivered",
)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a")
    channel.publish_all(queue, "b")
    channel.reject(1)
    equal("redelivered", [True, False], [channel.await_get(queue).redelivered for _ in range(2)])


@settling.case(
    "requeue.unread",
    "A message sent to a client that did not read it comes back marked redelivered",
    "AMQP 0-9-1 basic.deliver.redelivered",
    EXTENSION,
)
def _(broker: Broker) -> None:
    observer = broker.channel()
    queue = observer.queue(exclusive=False)
    connection, channel = broker.connected()
    channel.consume(queue)
    observer.publish(b"m", routing_key=queue)
    channel.fence(queue)
    channel.delivery()
    connection.drop()
    equal("redelivered", True, observer.await_get(queue).redelivered)


@settling.case(
    "requeue.to-other",
    "A message of a lost connection is delivered to another consumer",
    "AMQP 0-9-1 basic.deliver.redelivered",
)
def _(broker: Broker) -> None:
    observer = broker.channel()
    queue = observer.queue(exclusive=False)
    connection, channel = broker.connected()
    channel.consume(queue)
    observer.publish(b"m", routing_key=queue)
    channel.delivery()
    observer.consume(queue)
    connection.drop()
    message = observer.delivery()
    equal("delivery", (b"m", True), (message.body, message.redelivered))


# Recovering


@settling.case("recover.requeue", "basic.recover with requeue gives all back, and is answered", RECOVER)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a", "b")
    channel.call("basic.recover", requeue=True)
    messages = [channel.await_get(queue) for _ in range(2)]
    equal("messages", [(b"a", True), (b"b", True)], [(message.body, message.redelivered) for message in messages])


@settling.case("recover.async", "basic.recover-async with requeue gives all back, and is not answered", RECOVER, SHOULD)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a")
    channel.send("basic.recover-async", requeue=True)
    channel.must_be_silent()
    equal("body", b"a", channel.await_get(queue).body)


@settling.case("recover.settled", "basic.recover leaves settled messages alone", RECOVER)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a", "b")
    channel.ack(1)
    channel.call("basic.recover", requeue=True)
    channel.must_count(queue, 1)
    channel.must_hold(queue, "b")


@settling.case("recover.consumer", "Recovered messages are delivered again to the consumer", RECOVER)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue)
    channel.publish_all(queue, "a", "b")
    channel.deliveries(2)
    channel.call("basic.recover", requeue=True)
    again = channel.must_receive("a", "b")
    require(all(message.redelivered for message in again), "redelivered set")


@settling.case("recover.old-tags", "After basic.recover the old tags are unknown", RECOVER, EXTENSION)
def _(broker: Broker) -> None:
    channel, _ = unacked(broker, "a")
    channel.call("basic.recover", requeue=True)
    channel.refuses(406, "basic.ack", delivery_tag=1)


@settling.case("recover.other-channel", "basic.recover leaves other channels' messages alone", RECOVER)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = first.queue()
    first.publish(b"m", routing_key=queue)
    first.must_get(queue, no_ack=False)
    second.call("basic.recover", requeue=True)
    second.must_hold(queue)


@settling.table(
    "recover.same-consumer",
    "{} without requeue is refused with 540",
    "RabbitMQ: basic.recover",
    [("basic.recover", "basic.recover"), ("basic.recover-async", "basic.recover-async")],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    connection, channel = broker.connected()
    channel.send(name, requeue=False)
    connection.must_close(540, name)
