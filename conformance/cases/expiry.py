"""Message TTL, expiration and queue expiry."""

from typing import Any

from conformance.broker import Broker, pause
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal, require

expiry = Area("expiry", "TTL and expiry")

QUEUE = "RabbitMQ: Time-To-Live, per-queue message TTL"
MESSAGE = "RabbitMQ: Time-To-Live, per-message TTL"
LEASE = "RabbitMQ: Time-To-Live, queue TTL"
SHORT = 60
LONG = 3_600_000


def must_lose(channel: Channel, queue: str) -> None:
    """All messages of the queue, which have a TTL of SHORT, must expire."""
    pause(2 * SHORT / 1000)
    channel.must_count(queue, 0)
    channel.must_hold(queue)


@expiry.case("ttl.queue", "A message disappears when the queue's TTL has passed", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": SHORT})
    channel.publish(b"m", routing_key=queue)
    must_lose(channel, queue)


@expiry.case("ttl.queue.not-before", "A message does not disappear before its time", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": 2000})
    channel.publish(b"m", routing_key=queue)
    pause(0.3)
    channel.must_hold(queue, "m")


@expiry.case("ttl.queue.order", "Messages of a queue expire in their order", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": 400})
    channel.publish(b"old", routing_key=queue)
    pause(0.25)
    channel.publish(b"new", routing_key=queue)
    pause(0.2)
    channel.must_hold(queue, "new")


@expiry.case("ttl.queue.zero", "TTL 0 drops a message that no consumer takes at once", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": 0})
    channel.publish(b"m", routing_key=queue)
    channel.must_hold(queue)


@expiry.case("ttl.queue.zero.consumer", "TTL 0 lets a waiting consumer have the message", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": 0})
    channel.consume(queue, no_ack=True)
    channel.publish(b"m", routing_key=queue)
    channel.must_receive("m")


@expiry.case("ttl.unacked", "A delivered message does not expire while it awaits acknowledgement", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": SHORT})
    channel.consume(queue)
    channel.publish(b"m", routing_key=queue)
    tag = channel.delivery().delivery_tag
    pause(2 * SHORT / 1000)
    channel.ack(tag)
    channel.must_be_silent(queue)


@expiry.case("ttl.requeued", "A message requeued after its time expires at once", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": 150})
    channel.publish(b"m", routing_key=queue)
    tag = channel.must_get(queue, no_ack=False).delivery_tag
    pause(0.2)
    channel.reject(tag)
    channel.fence()
    require(channel.get(queue) is None, "get-empty")


@expiry.case("ttl.requeued.keeps-deadline", "Requeueing does not renew a message's time", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": 300})
    channel.publish(b"m", routing_key=queue)
    for _ in range(2):
        pause(0.12)
        if message := channel.get(queue, no_ack=False):
            channel.reject(message.delivery_tag)
    pause(0.15)
    channel.must_count(queue, 0, timeout=0.15)


@expiry.case("ttl.never-delivered", "Consumers never get an expired message", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": SHORT})
    channel.publish_all(queue, *map(str, range(50)))
    pause(2 * SHORT / 1000)
    channel.consume(queue)
    channel.must_be_silent(queue)


@expiry.case("ttl.message", "A message disappears when its expiration has passed", MESSAGE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, expiration=str(SHORT))
    must_lose(channel, queue)


@expiry.case("ttl.message.zero", "expiration 0 drops a message that no consumer takes at once", MESSAGE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, expiration="0")
    channel.must_hold(queue)


@expiry.case("ttl.message.zero.consumer", "expiration 0 lets a waiting consumer have the message", MESSAGE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.consume(queue, no_ack=True)
    channel.publish(b"m", routing_key=queue, expiration="0")
    channel.must_receive("m")


@expiry.case("ttl.message.delivered", "A message delivered in time carries its expiration", MESSAGE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"m", routing_key=queue, expiration="60000")
    equal("expiration", "60000", channel.must_get(queue).properties.get("expiration"))


@expiry.table(
    "ttl.minimum",
    "The shorter of queue TTL and expiration counts: {}",
    MESSAGE,
    [("the queue's", SHORT, LONG), ("the message's", LONG, SHORT)],
    EXTENSION,
)
def _(broker: Broker, of_queue: int, of_message: int) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": of_queue})
    channel.publish(b"m", routing_key=queue, expiration=str(of_message))
    must_lose(channel, queue)


@expiry.case(
    "ttl.message.head", "A message expires when it reaches the head, not while others are before it", MESSAGE, EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish(b"lasting", routing_key=queue)
    channel.publish(b"short", routing_key=queue, expiration=str(SHORT))
    channel.publish(b"later", routing_key=queue)
    pause(2 * SHORT / 1000)
    channel.must_hold(queue, "lasting", "later")


@expiry.case("ttl.per-queue-copy", "Each queue applies its own TTL to its copy", QUEUE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    lasting = channel.bound_queue(exchange)
    short = channel.queue(arguments={"x-message-ttl": SHORT})
    channel.bind(short, exchange)
    channel.publish(b"m", exchange=exchange)
    must_lose(channel, short)
    channel.must_hold(lasting, "m")


@expiry.case("ttl.policy", "A policy can set a queue's TTL", QUEUE, EXTENSION, ["management"])
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    broker.policy(f"^{queue}$", {"message-ttl": SHORT})
    channel.publish(b"m", routing_key=queue)
    must_lose(channel, queue)


@expiry.table(
    "ttl.policy.minimum",
    "The shorter of argument and policy counts: {}",
    QUEUE,
    [("the argument", SHORT, LONG), ("the policy", LONG, SHORT)],
    EXTENSION,
    ["management"],
)
def _(broker: Broker, argument: int, policy: int) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-message-ttl": argument})
    broker.policy(f"^{queue}$", {"message-ttl": policy})
    channel.publish(b"m", routing_key=queue)
    must_lose(channel, queue)


# Queues that expire


def leased(channel: Channel, milliseconds: int = 300, **flags: Any) -> str:
    """A queue that is deleted when it was not used for so long."""
    return channel.queue(exclusive=False, arguments={"x-expires": milliseconds}, **flags)


@expiry.case("expires.unused", "An unused queue is deleted after x-expires", LEASE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = leased(channel, SHORT)
    pause(0.4)
    channel.refuses(404, "queue.declare", queue=queue, passive=True)


@expiry.case("expires.with-messages", "Messages do not keep a queue from expiring, and are lost with it", LEASE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = leased(channel, SHORT)
    channel.publish(b"m", routing_key=queue)
    pause(0.4)
    channel.refuses(404, "queue.declare", queue=queue, passive=True)


@expiry.case("expires.not-before", "A queue does not expire before its time", LEASE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = leased(channel, 3000)
    pause(0.3)
    channel.must_exist("queue", queue)


@expiry.case("expires.consumer", "A queue with a consumer does not expire", LEASE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = leased(channel, 100)
    tag = channel.consume(queue)
    pause(0.4)
    channel.publish(b"m", routing_key=queue)
    equal("consumer_tag", tag, channel.delivery().consumer_tag)


@expiry.case("expires.after-consumer", "After its last consumer has gone a queue expires", LEASE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = leased(channel, SHORT)
    channel.call("basic.cancel", consumer_tag=channel.consume(queue))
    pause(0.4)
    channel.refuses(404, "queue.declare", queue=queue, passive=True)


@expiry.table(
    "expires.renewed",
    "{} renews a queue's time",
    LEASE,
    [("basic.get", "get"), ("queue.declare", "declare"), ("passive queue.declare", "passive")],
    EXTENSION,
)
def _(broker: Broker, way: str) -> None:
    channel = broker.channel()
    queue = leased(channel, 500)
    for _ in range(5):
        pause(0.2)
        if way == "get":
            channel.get(queue)
        elif way == "declare":
            leased_again = {"arguments": {"x-expires": 500}}
            channel.call("queue.declare", queue=queue, **leased_again)
        else:
            channel.must_exist("queue", queue)
    channel.must_exist("queue", queue)


@expiry.case("expires.publish-is-no-use", "Publishing does not renew a queue's time", LEASE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = leased(channel, 400)
    for _ in range(8):
        pause(0.1)
        channel.publish(b"m", routing_key=queue)
    channel.refuses(404, "queue.declare", queue=queue, passive=True)


@expiry.case("expires.policy", "A policy can make queues expire", LEASE, EXTENSION, ["management"])
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    broker.policy(f"^{queue}$", {"expires": SHORT})
    pause(0.5)
    channel.refuses(404, "queue.declare", queue=queue, passive=True)


@expiry.case("expires.cancels-nothing", "An expired queue's bindings are gone", LEASE, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    exchange = channel.exchange("fanout")
    channel.bind(leased(channel, SHORT), exchange)
    pause(0.4)
    channel.call("exchange.delete", exchange=exchange, if_unused=True)
