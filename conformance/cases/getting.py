"""basic.get."""

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.mismatch import equal, require

getting = Area("getting", "basic.get")

SPEC = "AMQP 0-9-1 basic.get"


@getting.case("get.empty", "An empty queue answers get-empty", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    equal("reply", "basic.get-empty", channel.call("basic.get", queue=channel.queue()).name)


@getting.case("get.missing", "basic.get of a missing queue is refused with 404", SPEC)
def _(broker: Broker) -> None:
    broker.channel().refuses(404, "basic.get", queue=broker.name())


@getting.case("get.fields", "get-ok names tag, exchange and routing key", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("topic")
    queue = channel.bound_queue(exchange, "#")
    channel.publish(b"m", exchange=exchange, routing_key="a.b")
    message = channel.must_get(queue)
    facts = message.delivery_tag, message.redelivered, message.exchange, message.routing_key, message.message_count
    equal("get-ok", (1, False, exchange, "a.b", 0), facts)


@getting.case("get.message-count", "message_count of get-ok counts what remains ready", "AMQP 0-9-1 basic.get-ok.message-count")
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, *"abc")
    equal("counts", [2, 1, 0], [channel.must_get(queue, no_ack=False).message_count for _ in range(3)])


@getting.case("get.order", "basic.get takes the oldest message", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, *map(str, range(20)))
    equal("order", list(map(str, range(20))), [channel.must_get(queue).body.decode() for _ in range(20)])


@getting.case("get.no-ack", "With no_ack a message got is gone", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    channel.must_get(queue)
    channel.close()
    connection.channel().must_hold(queue)


@getting.case("get.unacked", "A message got without no_ack is not got again while unacknowledged", SPEC)
def _(broker: Broker) -> None:
    channel, other = broker.channel(), broker.channel()
    queue = channel.queue(exclusive=False)
    channel.publish(b"m", routing_key=queue)
    channel.must_get(queue, no_ack=False)
    require(other.get(queue) is None, "get-empty")


@getting.case("get.requeued", "An unacknowledged message comes back redelivered when its channel closes", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue)
    channel.must_get(queue, no_ack=False)
    channel.close()
    equal("redelivered", True, connection.channel().await_get(queue).redelivered)


@getting.case("get.prefetch", "basic.get is not limited by prefetch", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, *"abcde")
    channel.call("basic.qos", prefetch_count=1, global_=True)
    for _ in range(5):
        channel.must_get(queue, no_ack=False)


@getting.case("get.with-consumer", "basic.get and consumers can share a queue", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.call("basic.qos", prefetch_count=1)
    channel.consume(queue)
    channel.publish_all(queue, "a", "b")
    channel.must_receive("a")
    equal("body", b"b", channel.await_get(queue).body)


@getting.case("get.pipelined", "Ten gets in one write are answered one by one, in order", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue()
    channel.publish_all(queue, *"abcdefgh")
    channel.must_count(queue, 8)
    connection.send_frames(*(channel.method_frame("basic.get", queue=queue, no_ack=True) for _ in range(10)))
    replies = [channel.wait("basic.get-ok", "basic.get-empty") for _ in range(10)]
    equal("replies", ["basic.get-ok"] * 8 + ["basic.get-empty"] * 2, [reply.name for reply in replies])
    equal("bodies", list(b"abcdefgh"), [reply.body[0] for reply in replies[:8]])


@getting.case("get.large", "A message of a megabyte can be got", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"x" * 2**20, routing_key=queue)
    equal("size", 2**20, len(channel.must_get(queue).body))


@getting.case("get.published-before", "What a channel published before, its get finds", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    for n in range(50):
        channel.publish(str(n), routing_key=queue)
        equal("body", str(n).encode(), channel.must_get(queue).body)
