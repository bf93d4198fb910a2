"""Queue length limits and what happens when they are reached."""

from typing import Any

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.client.channel import Channel
from conformance.mismatch import equal

limits = Area("length-limits", "Queue length limits")

SPEC = "RabbitMQ: Queue Length Limit"


def limited(channel: Channel, **arguments: Any) -> str:
    """A queue with these arguments, underscores standing for dashes behind x-."""
    return channel.queue(arguments={f"x-{name.replace('_', '-')}": value for name, value in arguments.items()})


@limits.table(
    "max-length",
    "A queue with x-max-length {} keeps its newest messages",
    SPEC,
    [("1", 1), ("2", 2), ("5", 5)],
    EXTENSION,
)
def _(broker: Broker, limit: int) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=limit)
    channel.publish_all(queue, *map(str, range(8)))
    channel.must_hold(queue, *map(str, range(8 - limit, 8)))


@limits.case("max-length.zero", "With x-max-length 0 a message without a waiting consumer is dropped", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=0)
    channel.publish(b"m", routing_key=queue)
    channel.must_hold(queue)


@limits.case("max-length.zero.consumer", "With x-max-length 0 a waiting consumer gets the message", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=0)
    channel.consume(queue, no_ack=True)
    channel.publish_all(queue, "a", "b")
    channel.must_receive("a", "b")


@limits.case("max-length.unacked", "Unacknowledged messages do not count", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=2)
    channel.publish_all(queue, "a", "b")
    for _ in range(2):
        channel.must_get(queue, no_ack=False)
    channel.publish_all(queue, "c", "d")
    channel.must_hold(queue, "c", "d")


@limits.case("max-length.requeue", "Requeued messages can push the queue over its limit, and the oldest go", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=2)
    channel.publish_all(queue, "a", "b")
    tag = channel.must_get(queue, no_ack=False).delivery_tag
    channel.publish_all(queue, "c")
    channel.reject(tag)
    channel.fence(queue)
    channel.publish_all(queue, "d")
    channel.must_hold(queue, "c", "d")


@limits.case("max-length-bytes", "x-max-length-bytes counts the octets of bodies", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length_bytes=10)
    channel.publish_all(queue, "aaaa", "bbbb", "cccc", "dd")
    channel.must_hold(queue, "bbbb", "cccc", "dd")


@limits.case("max-length-bytes.exact", "A queue may hold exactly its limit of octets", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length_bytes=10)
    channel.publish_all(queue, "aaaaa", "bbbbb")
    channel.must_hold(queue, "aaaaa", "bbbbb")


@limits.case("max-length-bytes.headers", "Properties and headers do not count", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length_bytes=4)
    channel.publish_all(queue, "aa", "bb", headers={"padding": "x" * 1000})
    channel.must_hold(queue, "aa", "bb")


@limits.case("max-length-bytes.empty", "Empty messages count nothing", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length_bytes=1)
    channel.publish_all(queue, *[""] * 20)
    channel.must_hold(queue, *[""] * 20)


@limits.case("max-length-bytes.too-large", "A message larger than the limit leaves the queue empty", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length_bytes=3)
    channel.publish_all(queue, "a", "bbbb")
    channel.must_hold(queue)


@limits.case("max-length.both", "Whichever limit is reached first counts", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=3, max_length_bytes=6)
    channel.publish_all(queue, "1", "2", "3", "4", "55555")
    channel.must_hold(queue, "4", "55555")


@limits.case("overflow.reject-publish", "With reject-publish new messages are refused and the old ones stay", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=2, overflow="reject-publish")
    channel.publish_all(queue, *"abcd")
    channel.must_hold(queue, "a", "b")


@limits.case("overflow.reject-publish.silent", "Without confirms a refused message disappears without a word", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=0, overflow="reject-publish")
    channel.publish(b"m", routing_key=queue, mandatory=True)
    channel.must_be_silent(queue)


@limits.case("overflow.reject-publish.room", "When there is room again messages are accepted", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("confirm.select")
    queue = limited(channel, max_length=1, overflow="reject-publish")
    names = []
    for body in "abc":
        channel.publish(body, routing_key=queue)
        names.append(channel.wait("basic.ack", "basic.nack").name)
        if body == "b":
            equal("body", b"a", channel.must_get(queue).body)
    equal("answers", ["basic.ack", "basic.nack", "basic.ack"], names)


@limits.case("overflow.reject-publish.bytes", "reject-publish holds for octets too", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("confirm.select")
    queue = limited(channel, max_length_bytes=4, overflow="reject-publish")
    names = []
    for body in ("aaaa", "b"):
        channel.publish(body, routing_key=queue)
        names.append(channel.wait("basic.ack", "basic.nack").name)
    equal("answers", ["basic.ack", "basic.nack"], names)


@limits.case("overflow.drop-head.confirmed", "With drop-head every message is acked", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel = broker.channel()
    channel.call("confirm.select")
    queue = limited(channel, max_length=1, overflow="drop-head")
    for body in "abc":
        channel.publish(body, routing_key=queue)
    channel.confirmed()
    channel.must_hold(queue, "c")


@limits.case(
    "max-length.policy",
    "A policy limits a queue that exists already, and drops the surplus",
    SPEC,
    EXTENSION,
    ["management"],
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, *"abcd")
    channel.must_count(queue, 4)
    broker.policy(f"^{queue}$", {"max-length": 2})
    channel.must_count(queue, 2)
    channel.must_hold(queue, "c", "d")


@limits.table(
    "max-length.policy.minimum",
    "The lower of argument and policy counts: {}",
    SPEC,
    [("the argument", 1, 5), ("the policy", 5, 1)],
    EXTENSION,
    ["management"],
)
def _(broker: Broker, argument: int, policy: int) -> None:
    channel = broker.channel()
    queue = limited(channel, max_length=argument)
    broker.policy(f"^{queue}$", {"max-length": policy})
    channel.publish_all(queue, *"abc")
    channel.must_hold(queue, "c")


@limits.case("overflow.policy", "A policy can set reject-publish", SPEC, EXTENSION, ["management"])
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    broker.policy(f"^{queue}$", {"max-length": 1, "overflow": "reject-publish"})
    channel.publish_all(queue, *"abc")
    channel.must_hold(queue, "a")
