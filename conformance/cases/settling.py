"""Acknowledging, rejecting and recovering deliveries, and the order in which they come back."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

settling = Area("settling", "Ack, nack, reject, recover")

ACK = "AMQP 0-9-1 basic.ack"
REJECT = "AMQP 0-9-1 basic.reject"
NACK = "RabbitMQ: Negative Acknowledgements"
RECOVER = "AMQP 0-9-1 basic.recover"


def unacked(broker: Broker, *bodies: str) -> tuple[Channel, str]:
    """A channel that got these messages of a queue and did not acknowledge them; their tags count from 1."""
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, *bodies)
    for _ in bodies:
        channel.must_get(queue, no_ack=False)
    return channel, queue


def left(channel: Channel, queue: str) -> list[str]:
    """What comes back when the channel closes, in order."""
    channel.close()
    channel.call("channel.open")
    bodies = []
    channel.fence(queue)
    while message := channel.get(queue):
        bodies.append(message.body.decode())
    return bodies


@settling.case("ack", "An acknowledged message does not come back", ACK)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a", "b")
    channel.ack(1)
    equal("left", ["b"], left(channel, queue))


@settling.case("ack.any-order", "Messages may be acknowledged in any order", ACK)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, *"abcd")
    for tag in (3, 1, 4):
        channel.ack(tag)
    equal("left", ["b"], left(channel, queue))


@settling.case("ack.multiple", "multiple acknowledges all up to the tag", "AMQP 0-9-1 basic.ack.multiple")
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, *"abcd")
    channel.ack(3, multiple=True)
    equal("left", ["d"], left(channel, queue))


@settling.case("ack.multiple.gaps", "multiple skips what is settled already", "AMQP 0-9-1 basic.ack.multiple")
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, *"abcd")
    channel.ack(2)
    channel.ack(3, multiple=True)
    equal("left", ["d"], left(channel, queue))


@settling.case("ack.multiple.zero", "Tag 0 with multiple acknowledges everything", "AMQP 0-9-1 basic.ack.multiple")
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, *"abcd")
    channel.ack(0, multiple=True)
    equal("left", [], left(channel, queue))


@settling.case(
    "ack.multiple.zero-nothing",
    "Tag 0 with multiple is no error when nothing is outstanding",
    "AMQP 0-9-1 basic.ack.multiple",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.ack(0, multiple=True)
    channel.must_be_silent()


@settling.case("ack.multiple.queues", "multiple acknowledges over all queues of the channel", "AMQP 0-9-1 basic.ack.multiple")
def _(broker: Broker) -> None:
    channel = broker.channel()
    queues = [channel.queue() for _ in range(3)]
    for queue in queues:
        channel.publish(b"m", routing_key=queue)
        channel.must_get(queue, no_ack=False)
    channel.ack(2, multiple=True)
    channel.close()
    channel.call("channel.open")
    channel.must_count(queues[2], 1)
    equal("left", [0, 0], [channel.count(queue) for queue in queues[:2]])


METHODS: list[tuple[str, dict[str, Any]]] = [
    ("basic.ack", {}),
    ("basic.nack", {"requeue": True}),
    ("basic.nack", {"requeue": False}),
    ("basic.reject", {"requeue": True}),
    ("basic.reject", {"requeue": False}),
]
ROWS = [(f"{name}{' requeue' if extra.get('requeue') else ''}", name, extra) for name, extra in METHODS]


@settling.table("settle.unknown-delivery-tag", "{} of an unknown tag closes the channel with 406", ACK, ROWS)
def _(broker: Broker, name: str, extra: dict[str, Any]) -> None:
    broker.channel().refuses(406, name, delivery_tag=7, **extra)


@settling.table("settle.twice", "{} of a settled message closes the channel with 406", ACK, ROWS)
def _(broker: Broker, name: str, extra: dict[str, Any]) -> None:
    channel, _ = unacked(broker, "a", "b")
    channel.ack(1)
    channel.refuses(406, name, delivery_tag=1, **extra)


@settling.table("settle.zero", "{} of tag 0 without multiple closes the channel with 406", ACK, ROWS)
def _(broker: Broker, name: str, extra: dict[str, Any]) -> None:
    channel, _ = unacked(broker, "a")
    channel.refuses(406, name, delivery_tag=0, **extra)


@settling.table("settle.other-channel", "{} of another channel's tag closes the channel with 406", ACK, ROWS)
def _(broker: Broker, name: str, extra: dict[str, Any]) -> None:
    connection, first = broker.connected()
    queue = first.queue()
    first.publish(b"m", routing_key=queue)
    first.must_get(queue, no_ack=False)
    connection.channel().refuses(406, name, delivery_tag=1, **extra)


@settling.table(
    "settle.multiple-too-high",
    "{} with multiple and a tag that was never given closes the channel with 406",
    ACK,
    [("basic.ack", "basic.ack"), ("basic.nack", "basic.nack")],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    channel, _ = unacked(broker, "a", "b")
    channel.refuses(406, name, delivery_tag=3, multiple=True)


@settling.case("ack.multiple.again", "multiple with a tag that is settled already closes the channel with 406", ACK, EXTENSION)
def _(broker: Broker) -> None:
    channel, _ = unacked(broker, "a", "b", "c")
    channel.ack(2, multiple=True)
    channel.refuses(406, "basic.ack", delivery_tag=2, multiple=True)


@settling.case("ack.no-ack-delivery", "Acknowledging a delivery that needs none closes the channel with 406", ACK)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue, no_ack=True)
    channel.publish(b"m", routing_key=queue)
    channel.refuses(406, "basic.ack", delivery_tag=channel.delivery().delivery_tag)


@settling.case("ack.after-error", "Messages of a channel closed by an error are requeued", ACK)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a", "b")
    channel.refuses(406, "basic.ack", delivery_tag=99)
    channel.call("channel.open")
    equal("bodies", [b"a", b"b"], [channel.await_get(queue).body for _ in range(2)])


@settling.case("ack.other-consumer", "A tag may be acknowledged after its consumer was cancelled", ACK)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    tag = channel.consume(queue)
    channel.publish(b"m", routing_key=queue)
    delivery = channel.delivery()
    channel.call("basic.cancel", consumer_tag=tag)
    channel.ack(delivery.delivery_tag)
    equal("left", [], left(channel, queue))


# Rejecting


@settling.case("reject.requeue", "A message rejected with requeue comes back redelivered", REJECT)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a")
    channel.reject(1)
    message = channel.await_get(queue)
    equal("message", (b"a", True), (message.body, message.redelivered))


@settling.case("reject.drop", "A message rejected without requeue is gone", REJECT)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a", "b")
    channel.reject(1, requeue=False)
    equal("left", ["b"], left(channel, queue))


@settling.case("reject.consumer", "A rejected message is delivered again to the only consumer", REJECT)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue)
    channel.publish(b"m", routing_key=queue)
    channel.reject(channel.delivery().delivery_tag)
    message = channel.delivery()
    equal("delivery", (b"m", 2, True), (message.body, message.delivery_tag, message.redelivered))


@settling.case("nack.requeue", "A message nacked with requeue comes back redelivered", NACK, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a")
    channel.nack(1)
    equal("redelivered", True, channel.await_get(queue).redelivered)


@settling.case("nack.drop", "A message nacked without requeue is gone", NACK, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, "a", "b")
    channel.nack(1, requeue=False)
    equal("left", ["b"], left(channel, queue))


@settling.case("nack.multiple", "nack with multiple refuses all up to the tag", NACK, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, *"abc")
    channel.nack(2, multiple=True, requeue=False)
    equal("left", ["c"], left(channel, queue))


@settling.case("nack.multiple.zero", "nack of tag 0 with multiple refuses everything", NACK, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = unacked(broker, *"abc")
    channel.nack(0, multiple=True)
    equal("bodies", list("abc"), [channel.await_get(queue).body.decode() for _ in range(3)])


@settling.case(
    "nack.multiple.zero-nothing", "nack of tag 0 with multiple is no error when nothing is outstanding", NACK, EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.nack(0, multiple=True)
    channel.must_be_silent()
