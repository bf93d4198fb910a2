"""Queues: counts, purging, deleting, auto-delete."""

from conformance.broker import Broker
from conformance.cases.queues import DELETE, PURGE, queues
from conformance.catalogue import EXTENSION
from conformance.mismatch import equal

# Counts


@queues.case(
    "queue.count.ready",
    "message_count does not count unacknowledged messages",
    "AMQP 0-9-1 queue.declare-ok.message-count",
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b", "c")
    channel.must_get(queue, no_ack=False)
    channel.must_count(queue, 2)


@queues.case(
    "queue.count.consumers",
    "consumer_count counts the consumers of all channels",
    "AMQP 0-9-1 queue.declare-ok.consumer-count",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    other = connection.channel()
    queue = channel.queue()
    for consumer in (channel, channel, other):
        consumer.consume(queue)
    equal("consumers", 3, channel.call("queue.declare", queue=queue, passive=True).consumer_count)


# Purging


@queues.case("queue.purge", "queue.purge removes the ready messages and tells how many", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b", "c")
    equal("message_count", 3, channel.call("queue.purge", queue=queue).message_count)
    channel.must_hold(queue)


@queues.case("queue.purge.empty", "Purging an empty queue tells zero", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    equal("message_count", 0, channel.call("queue.purge", queue=channel.queue()).message_count)


@queues.case("queue.purge.unacked", "queue.purge leaves messages that await acknowledgement", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    message = channel.must_get(queue, no_ack=False)
    equal("message_count", 1, channel.call("queue.purge", queue=queue).message_count)
    channel.reject(message.delivery_tag)
    channel.must_hold(queue, "a")


@queues.case("queue.purge.missing", "Purging a missing queue is refused with 404", PURGE)
def _(broker: Broker) -> None:
    broker.channel().refuses(404, "queue.purge", queue=broker.name())


@queues.case("queue.purge.nowait", "queue.purge with no-wait is carried out and not answered", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    channel.send("queue.purge", queue=queue, nowait=True)
    channel.must_be_silent()
    channel.must_hold(queue)


@queues.case("queue.purge.then-publish", "What is published after a purge stays", PURGE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    channel.call("queue.purge", queue=queue)
    channel.publish_all(queue, "c")
    channel.must_hold(queue, "c")


# Deleting


@queues.case("queue.delete", "queue.delete tells how many messages were ready, and the queue is gone", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish_all(queue, "a", "b")
    equal("message_count", 2, channel.call("queue.delete", queue=queue).message_count)
    channel.must_be_gone("queue", queue)


@queues.case(
    "queue.delete.missing", "Deleting a missing queue succeeds with count 0", "RabbitMQ: idempotent deletion", EXTENSION
)
def _(broker: Broker) -> None:
    equal("message_count", 0, broker.channel().call("queue.delete", queue=broker.name()).message_count)


@queues.case("queue.delete.nowait", "queue.delete with no-wait is carried out and not answered", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.send("queue.delete", queue=queue, nowait=True)
    channel.must_be_silent()
    channel.must_be_gone("queue", queue)


@queues.case("queue.delete.bindings", "A queue declared again after its deletion has no bindings and no messages", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    queue = channel.bound_queue(exchange)
    channel.publish(b"old", routing_key=queue)
    channel.call("queue.delete", queue=queue)
    channel.queue(queue)
    channel.publish(b"m", exchange=exchange)
    channel.must_hold(queue)


@queues.case("queue.delete.if-unused", "queue.delete if-unused of a queue without consumers succeeds", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish(b"m", routing_key=queue)
    equal("message_count", 1, channel.call("queue.delete", queue=queue, if_unused=True).message_count)


@queues.case("queue.delete.if-unused.consumer", "queue.delete if-unused of a queue with a consumer is refused with 406", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue)
    channel.refuses(406, "queue.delete", queue=queue, if_unused=True)


@queues.case("queue.delete.if-unused.bound", "Bindings are no use in the sense of if-unused", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.bound_queue(channel.exchange(), "k")
    channel.call("queue.delete", queue=queue, if_unused=True)


@queues.case("queue.delete.if-empty", "queue.delete if-empty of an empty queue succeeds", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("queue.delete", queue=channel.queue(), if_empty=True)


@queues.case("queue.delete.if-empty.messages", "queue.delete if-empty of a queue with messages is refused with 406", DELETE)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    channel.refuses(406, "queue.delete", queue=queue, if_empty=True)
    connection.channel().must_hold(queue, "m")


@queues.case("queue.delete.if-empty.consumer", "queue.delete if-empty of an empty queue with a consumer succeeds", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue)
    channel.call("queue.delete", queue=queue, if_empty=True)


@queues.case("queue.delete.both", "With both conditions an empty queue with a consumer is refused with 406", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue)
    channel.refuses(406, "queue.delete", queue=queue, if_empty=True, if_unused=True)


@queues.case("queue.delete.publish-after", "A mandatory message for a deleted queue is returned", DELETE)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.call("queue.delete", queue=queue)
    channel.publish(b"m", routing_key=queue, mandatory=True)
    equal("code", 312, channel.wait("basic.return").reply_code)


@queues.case("queue.delete.ack-after", "Acknowledging a message of a deleted queue is no error", DELETE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    message = channel.must_get(queue, no_ack=False)
    channel.call("queue.delete", queue=queue)
    channel.ack(message.delivery_tag)
    channel.must_be_silent()


# Auto-delete


@queues.table(
    "queue.auto-delete",
    "An auto-delete queue goes with its last consumer, by {}",
    "AMQP 0-9-1 queue.declare.auto-delete",
    [
        ("basic.cancel", "cancel"),
        ("channel.close", "channel"),
        ("connection.close", "connection"),
        ("a lost connection", "drop"),
    ],
)
def _(broker: Broker, ending: str) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(exclusive=False, auto_delete=True)
    tag = channel.consume(queue)
    if ending == "cancel":
        channel.call("basic.cancel", consumer_tag=tag)
    elif ending == "channel":
        channel.close()
    elif ending == "connection":
        connection.close()
    else:
        connection.drop()
    broker.channel().must_be_gone("queue", queue)


@queues.case(
    "queue.auto-delete.fresh",
    "An auto-delete queue that never had a consumer stays",
    "AMQP 0-9-1 queue.declare.auto-delete",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(exclusive=False, auto_delete=True)
    channel.publish(b"m", routing_key=queue)
    channel.must_get(queue)
    connection.close()
    broker.channel().must_exist("queue", queue)


@queues.case(
    "queue.auto-delete.not-last",
    "An auto-delete queue stays while one consumer is left",
    "AMQP 0-9-1 queue.declare.auto-delete",
)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(exclusive=False, auto_delete=True)
    first, second = channel.consume(queue), channel.consume(queue)
    channel.call("basic.cancel", consumer_tag=first)
    channel.must_exist("queue", queue)
    channel.call("basic.cancel", consumer_tag=second)
    connection.channel().must_be_gone("queue", queue)
