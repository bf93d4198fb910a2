"""Publisher confirms: numbering, what is acked and what nacked, and their order with returns."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal, require

confirms = Area("confirms", "Publisher confirms")

SPEC = "RabbitMQ: Publisher Confirms"


def confirming(broker: Broker) -> Channel:
    """A channel in confirm mode."""
    channel = broker.channel()
    channel.call("confirm.select")
    return channel


@confirms.case("confirm.select", "confirm.select is answered with select-ok", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.channel().call("confirm.select")


@confirms.case("confirm.select.nowait", "confirm.select with no-wait is carried out and not answered", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.send("confirm.select", nowait=True)
    channel.must_be_silent()
    channel.publish(b"m", routing_key=channel.queue())
    channel.confirmed(1)


@confirms.case("confirm.select.twice", "confirm.select may be repeated, and numbering goes on", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    channel.confirmed(1)
    channel.call("confirm.select")
    channel.publish(b"m", routing_key=queue)
    equal("delivery_tag", 2, channel.wait("basic.ack").delivery_tag)


@confirms.case("confirm.select.tx", "confirm.select on a transactional channel is refused with 406", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("tx.select")
    channel.refuses(406, "confirm.select")


@confirms.case("confirm.tx-select", "tx.select on a confirming channel is refused with 406", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    confirming(broker).refuses(406, "tx.select")


@confirms.case("confirm.off", "Without confirm.select nothing is confirmed", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    channel.must_hold(queue, "a", "b")
    channel.must_be_silent()


@confirms.case("confirm.numbering", "Confirms count from 1 per channel", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = first.queue()
    for channel in (first, second):
        channel.call("confirm.select")
        channel.publish(b"m", routing_key=queue)
        equal("delivery_tag", 1, channel.wait("basic.ack").delivery_tag)


@confirms.case("confirm.numbering.before", "Messages published before confirm.select do not count", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b", "c")
    channel.call("confirm.select")
    channel.publish(b"d", routing_key=queue)
    equal("delivery_tag", 1, channel.wait("basic.ack").delivery_tag)


@confirms.case("confirm.every-one", "Every one of a thousand messages is confirmed exactly once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    queue = channel.queue()
    for _ in range(1000):
        channel.publish(b"m", routing_key=queue)
    acks = channel.confirmed()
    channel.must_be_silent()
    singles = [ack.delivery_tag for ack in acks if not ack.multiple]
    equal("single acks without repetition", len(singles), len(set(singles)))
    require(max(ack.delivery_tag for ack in acks) == 1000, "tags up to 1000")


@confirms.table(
    "confirm.message",
    "A {} message is confirmed",
    SPEC,
    [
        ("transient to a transient queue", 1, False),
        ("transient to a durable queue", 1, True),
        ("persistent to a transient queue", 2, False),
        ("persistent to a durable queue", 2, True),
    ],
    EXTENSION,
)
def _(broker: Broker, delivery_mode: int, durable: bool) -> None:
    channel = confirming(broker)
    queue = channel.queue(exclusive=False, durable=durable)
    channel.publish(b"m", routing_key=queue, delivery_mode=delivery_mode)
    channel.confirmed(1)
    channel.must_hold(queue, "m")


@confirms.case("confirm.unroutable", "An unroutable message is acked", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    channel.publish(b"m", routing_key=broker.name())
    channel.confirmed(1)


@confirms.case("confirm.return-first", "An unroutable mandatory message is first returned, then acked", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    channel.publish(b"m", routing_key=broker.name(), mandatory=True)
    equal("order", ["basic.return", "basic.ack"], [channel.next().name, channel.next().name])


@confirms.case("confirm.return-first.many", "Every return comes before the confirm of its message", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, nowhere = confirming(broker), broker.name()
    queue = channel.queue()
    for n in range(1, 31):
        channel.publish(str(n), routing_key=nowhere if n % 3 == 0 else queue, mandatory=True)
    returned: set[int] = set()
    acked = 0
    while acked < 30 or len(returned) < 10:
        event = channel.next()
        if event.name == "basic.return":
            returned.add(int(event.body))
            continue
        first = 1 if event.multiple else event.delivery_tag
        confirmed = set(range(first, event.delivery_tag + 1))
        early = {n for n in confirmed if n % 3 == 0} - returned
        require(not early, "returns before confirms", f"{sorted(early)} acked before they were returned")
        acked = max(acked, event.delivery_tag)


@confirms.case("confirm.fanout", "A message for several queues is confirmed once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    exchange = channel.exchange("fanout")
    queues = [channel.bound_queue(exchange) for _ in range(5)]
    channel.publish(b"m", exchange=exchange)
    channel.confirmed(1)
    channel.must_be_silent()
    for queue in queues:
        channel.must_hold(queue, "m")


@confirms.case("confirm.zero-body", "An empty message is confirmed", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    channel.publish(b"", routing_key=channel.queue())
    channel.confirmed(1)


@confirms.case("confirm.large", "A message of a megabyte is confirmed", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    channel.publish(bytes(2**20), routing_key=channel.queue())
    channel.confirmed(1)


@confirms.case("confirm.consumed", "A message is confirmed though a consumer took it at once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, consumer = confirming(broker), broker.channel()
    queue = channel.queue(exclusive=False)
    consumer.consume(queue, no_ack=True)
    channel.publish_all(queue, *map(str, range(20)))
    for n in range(20):
        equal("body", str(n).encode(), consumer.delivery().body)
    channel.stream.timeout *= 2
    settled = 0
    while settled < 20:
        settled = max(settled, channel.wait("basic.ack").delivery_tag)


@confirms.table(
    "confirm.lost",
    "A message that its queue {} is confirmed all the same",
    SPEC,
    [
        ("expires at once", {"x-message-ttl": 0}),
        ("drops for lack of room", {"x-max-length": 0}),
    ],
    EXTENSION,
)
def _(broker: Broker, arguments: dict[str, int]) -> None:
    channel = confirming(broker)
    channel.publish(b"m", routing_key=channel.queue(arguments=arguments))
    channel.confirmed(1)


@confirms.case(
    "confirm.nack.full", "A full queue with overflow reject-publish nacks", "RabbitMQ: Queue Length Limit", EXTENSION
)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    queue = channel.queue(arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    channel.publish(b"a", routing_key=queue)
    channel.confirmed(1)
    channel.publish(b"b", routing_key=queue)
    equal("delivery_tag", 2, channel.wait("basic.nack").delivery_tag)
    channel.must_hold(queue, "a")


@confirms.case(
    "confirm.nack.one-of-two",
    "A message is nacked when one of its queues is full, and the other queue gets it",
    "RabbitMQ: Queue Length Limit",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    exchange = channel.exchange("fanout")
    free = channel.bound_queue(exchange)
    full = channel.queue(arguments={"x-max-length": 0, "x-overflow": "reject-publish"})
    channel.bind(full, exchange)
    channel.publish(b"m", exchange=exchange)
    channel.wait("basic.nack")
    channel.must_be_silent()
    channel.must_hold(free, "m")


@confirms.case("confirm.deleted", "Messages in a queue that is deleted are confirmed", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    queue = channel.queue(exclusive=False, durable=True)
    for _ in range(50):
        channel.publish(b"m", routing_key=queue, delivery_mode=2)
    channel.call("queue.delete", queue=queue)
    channel.confirmed()


@confirms.case("confirm.purged", "Messages that are purged are confirmed", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    queue = channel.queue(exclusive=False, durable=True)
    for _ in range(50):
        channel.publish(b"m", routing_key=queue, delivery_mode=2)
    channel.call("queue.purge", queue=queue)
    channel.confirmed()


@confirms.case("confirm.channel-error", "No confirm follows channel.close", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.call("confirm.select")
    channel.publish(b"m", exchange=broker.name("x"))
    channel.wait("channel.close")
    connection.channel().fence()
    require(not channel.inbox, "nothing behind channel.close", channel.inbox)


@confirms.case("confirm.reopened", "A reopened channel is not in confirm mode and counts anew", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    channel.confirmed(1)
    channel.close()
    channel.call("channel.open")
    channel.publish(b"m", routing_key=queue)
    channel.must_be_silent(queue)
    channel.call("confirm.select")
    channel.publish(b"m", routing_key=queue)
    equal("delivery_tag", 1, channel.wait("basic.ack").delivery_tag)


@confirms.case("confirm.visible", "A confirmed message is in its queue", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, other = confirming(broker), broker.channel()
    queue = channel.queue(exclusive=False)
    for n in range(1, 21):
        channel.publish(str(n), routing_key=queue)
        channel.confirmed(1)
        equal("body", str(n).encode(), other.must_get(queue).body)


@confirms.case("confirm.tags-apart", "Confirm tags and delivery tags are counted apart", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = confirming(broker)
    queue = channel.queue()
    for n in (1, 2, 3):
        channel.publish(b"m", routing_key=queue)
        equal("confirm", n, channel.wait("basic.ack").delivery_tag)
    equal("delivery", 1, channel.must_get(queue).delivery_tag)
