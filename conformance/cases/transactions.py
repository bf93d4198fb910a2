"""Transactions: tx.select, tx.commit and tx.rollback on one channel."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

transactions = Area("transactions", "Transactions")

SPEC = "AMQP 0-9-1 class tx"


def transactional(broker: Broker) -> tuple[Channel, str]:
    """A channel in a transaction, and a queue."""
    channel = broker.channel()
    queue = channel.queue()
    channel.call("tx.select")
    return channel, queue


@transactions.case("tx.select", "tx.select is answered, and may be repeated", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    for _ in range(2):
        channel.call("tx.select")


@transactions.table(
    "tx.not-selected",
    "{} without tx.select is refused with 406",
    SPEC,
    [("tx.commit", "tx.commit"), ("tx.rollback", "tx.rollback")],
)
def _(broker: Broker, name: str) -> None:
    broker.channel().refuses(406, name)


@transactions.table(
    "tx.empty", "An empty transaction can end by {}", SPEC, [("tx.commit", "tx.commit"), ("tx.rollback", "tx.rollback")]
)
def _(broker: Broker, name: str) -> None:
    channel, _ = transactional(broker)
    for _ in range(3):
        channel.call(name)


@transactions.case("tx.publish.before-commit", "Published messages are not visible before tx.commit", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.call("tx.select")
    channel.publish_all(queue, "a", "b")
    channel.fence()
    connection.channel().must_hold(queue)
    channel.call("tx.commit")
    channel.must_hold(queue, "a", "b")


@transactions.case("tx.publish.commit", "When commit-ok arrives the messages are in their queues", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    exchange = channel.exchange("fanout")
    queues = [channel.bound_queue(exchange) for _ in range(3)]
    channel.call("tx.select")
    channel.publish(b"m", exchange=exchange)
    channel.call("tx.commit")
    other = connection.channel()
    for queue in queues:
        other.must_hold(queue, "m")


@transactions.case("tx.publish.rollback", "tx.rollback discards published messages", SPEC)
def _(broker: Broker) -> None:
    channel, queue = transactional(broker)
    channel.publish_all(queue, "a", "b")
    channel.call("tx.rollback")
    channel.call("tx.commit")
    channel.must_hold(queue)


@transactions.case("tx.next", "After commit or rollback the next transaction has begun", SPEC)
def _(broker: Broker) -> None:
    channel, queue = transactional(broker)
    for n in range(6):
        channel.publish(str(n), routing_key=queue)
        channel.call("tx.commit" if n % 2 else "tx.rollback")
    channel.must_hold(queue, "1", "3", "5")


@transactions.case("tx.publish.order", "Messages of a transaction keep their order", SPEC)
def _(broker: Broker) -> None:
    channel, queue = transactional(broker)
    channel.publish_all(queue, *map(str, range(100)))
    channel.call("tx.commit")
    channel.must_hold(queue, *map(str, range(100)))


@transactions.table(
    "tx.lost",
    "{} rolls the transaction back",
    SPEC,
    [("channel.close", "close"), ("A lost connection", "drop"), ("A channel error", "error")],
)
def _(broker: Broker, ending: str) -> None:
    observer = broker.channel()
    queue = observer.queue(exclusive=False)
    connection, channel = broker.connected()
    channel.call("tx.select")
    channel.publish(b"m", routing_key=queue)
    channel.fence()
    if ending == "close":
        channel.close()
    elif ending == "drop":
        connection.drop()
    else:
        channel.refuses(404, "queue.declare", queue=broker.name(), passive=True)
    observer.must_be_silent(queue)
    observer.must_hold(queue)


@transactions.case("tx.ack.commit", "Acknowledgements take effect at tx.commit", SPEC)
def _(broker: Broker) -> None:
    channel, queue = transactional(broker)
    channel.publish_all(queue, "a", "b")
    channel.call("tx.commit")
    for _ in range(2):
        channel.must_get(queue, no_ack=False)
    channel.ack(1)
    channel.call("tx.commit")
    channel.close()
    channel.call("channel.open")
    channel.must_count(queue, 1)
    channel.must_hold(queue, "b")


@transactions.case("tx.ack.uncommitted", "Acknowledgements without commit are undone when the channel closes", SPEC)
def _(broker: Broker) -> None:
    channel, queue = transactional(broker)
    channel.publish(b"a", routing_key=queue)
    channel.call("tx.commit")
    channel.ack(channel.must_get(queue, no_ack=False).delivery_tag)
    channel.close()
    channel.call("channel.open")
    equal("redelivered", True, channel.await_get(queue).redelivered)


@transactions.case("tx.ack.rollback", "After tx.rollback a message can be acknowledged again", SPEC)
def _(broker: Broker) -> None:
    channel, queue = transactional(broker)
    channel.publish(b"a", routing_key=queue)
    channel.call("tx.commit")
    tag = channel.must_get(queue, no_ack=False).delivery_tag
    channel.ack(tag)
    channel.call("tx.rollback")
    channel.must_hold(queue)
    channel.ack(tag)
    channel.call("tx.commit")
    channel.must_be_silent()


@transactions.table(
    "tx.refuse",
    "{} in a transaction takes effect at tx.commit",
    SPEC,
    [("reject with requeue", True), ("reject without requeue", False)],
)
def _(broker: Broker, requeue: bool) -> None:
    channel, queue = transactional(broker)
    channel.publish(b"a", routing_key=queue)
    channel.call("tx.commit")
    channel.reject(channel.must_get(queue, no_ack=False).delivery_tag, requeue)
    channel.fence(queue)
    channel.must_count(queue, 0)
    channel.call("tx.commit")
    channel.must_count(queue, 1 if requeue else 0)


@transactions.case("tx.ack.unknown", "An unknown tag is refused at once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, _ = transactional(broker)
    channel.refuses(406, "basic.ack", delivery_tag=9)


@transactions.case("tx.ack.twice", "A tag acknowledged twice in a transaction is refused at once", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, queue = transactional(broker)
    channel.publish(b"a", routing_key=queue)
    channel.call("tx.commit")
    tag = channel.must_get(queue, no_ack=False).delivery_tag
    channel.ack(tag)
    channel.refuses(406, "basic.ack", delivery_tag=tag)


@transactions.case("tx.publish.missing-exchange", "A missing exchange is reported at once, not at commit", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, _ = transactional(broker)
    channel.publish(b"m", exchange=broker.name("x"))
    channel.must_close(404, "basic.publish")


@transactions.case("tx.mandatory", "Mandatory messages are returned at commit, before commit-ok", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, _ = transactional(broker)
    channel.publish(b"m", routing_key=broker.name(), mandatory=True)
    channel.must_be_silent()
    channel.send("tx.commit")
    equal("order", ["basic.return", "tx.commit-ok"], [channel.next().name, channel.next().name])


@transactions.case("tx.mandatory.rollback", "After tx.rollback nothing is returned", SPEC)
def _(broker: Broker) -> None:
    channel, _ = transactional(broker)
    channel.publish(b"m", routing_key=broker.name(), mandatory=True)
    channel.call("tx.rollback")
    channel.call("tx.commit")
    channel.must_be_silent()


@transactions.case("tx.declare", "Declarations are not part of the transaction", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    channel.call("tx.select")
    queue = channel.queue()
    channel.call("tx.rollback")
    connection.channel().must_exist("queue", queue)


@transactions.case("tx.channels", "Transactions of two channels are independent", SPEC)
def _(broker: Broker) -> None:
    connection, first = broker.connected()
    second = connection.channel()
    queue = first.queue()
    for channel, body in ((first, "first"), (second, "second")):
        channel.call("tx.select")
        channel.publish(body, routing_key=queue)
    second.call("tx.commit")
    first.call("tx.rollback")
    first.must_hold(queue, "second")


@transactions.case("tx.routing-at-commit", "A transaction moves messages: publish and ack together", SPEC)
def _(broker: Broker) -> None:
    channel, source = transactional(broker)
    target = channel.queue()
    channel.publish(b"m", routing_key=source)
    channel.call("tx.commit")
    tag = channel.must_get(source, no_ack=False).delivery_tag
    channel.publish(b"m", routing_key=target)
    channel.ack(tag)
    channel.call("tx.commit")
    channel.must_hold(source)
    channel.must_hold(target, "m")


@transactions.case("tx.large", "A transaction of a thousand messages is committed whole", SPEC)
def _(broker: Broker) -> None:
    channel, queue = transactional(broker)
    channel.publish_all(queue, *map(str, range(1000)))
    channel.call("tx.commit")
    channel.must_count(queue, 1000)


@transactions.case("tx.pipelined", "Publishes and tx.commit may come in one write", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.call("tx.select")
    messages = [frame for n in range(10) for frame in channel.content_frames(b"%d" % n, {}, routing_key=queue)]
    connection.send_frames(*messages, channel.method_frame("tx.commit"))
    channel.wait("tx.commit-ok")
    channel.must_hold(queue, *map(str, range(10)))
