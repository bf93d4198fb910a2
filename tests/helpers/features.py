"""Behaviours of RabbitMQ's extensions: functions of two channels, each of which returns one observation."""

from typing import Any, Final

from conformance.client.channel import Channel
from conformance.client.events import Message
from helpers.behaviours import Behaviour, Observation, Q, answer

Arguments = dict[str, Any]

QUORUM: Final[Arguments] = {"x-queue-type": "quorum"}
DURABLE: Final = f"{Q}-durable"
"""The queue of behaviours that cannot have an exclusive one; they delete it."""


def declare(**arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to the declaration of an exclusive queue; underscores in names of arguments stand for hyphens."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.send("queue.declare", queue=Q, exclusive=True, arguments=hyphened(arguments))
        return answer(channel)

    return behave


def declare_quorum(flags: dict[str, Any], **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to the declaration of a durable quorum queue with other flags."""

    def behave(channel: Channel, other: Channel) -> Observation:
        table = QUORUM | hyphened(arguments)
        channel.send("queue.declare", **{"queue": DURABLE, "durable": True, "arguments": table, **flags})
        found = answer(channel)
        other.call("queue.delete", queue=DURABLE)
        return found

    return behave


def hyphened(arguments: Arguments) -> Arguments:
    """The arguments with hyphens in their names."""
    return {name.replace("_", "-"): value for name, value in arguments.items()}


def declare_exchange(kind: str, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to the declaration of an exchange, which is deleted again."""

    def behave(channel: Channel, other: Channel) -> Observation:
        channel.send("exchange.declare", exchange=Q, type=kind, arguments=hyphened(arguments))
        found = answer(channel)
        other.call("exchange.delete", exchange=Q)
        return found

    return behave


def bind_exchange(kind: str, routing_key: str, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to a binding of an exchange, which is deleted again."""

    def behave(channel: Channel, other: Channel) -> Observation:
        channel.queue(Q)
        channel.send("exchange.declare", exchange=Q, type=kind, arguments=hyphened(arguments))
        found = answer(channel)
        if isinstance(found, str):
            channel.send("queue.bind", queue=Q, exchange=Q, routing_key=routing_key)
            found = answer(channel)
        other.call("exchange.delete", exchange=Q)
        return found

    return behave


def with_quorum(name: str, *, shared_limit: bool = False, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to a method about a quorum queue, which is deleted again."""

    def behave(channel: Channel, other: Channel) -> Observation:
        channel.call("queue.declare", queue=DURABLE, durable=True, arguments=QUORUM)
        if shared_limit:
            channel.call("basic.qos", prefetch_count=1, global_=True)
        channel.send(name, queue=DURABLE, **arguments)
        found = answer(channel)
        other.call("queue.delete", queue=DURABLE)
        return found if isinstance(found, tuple) else name + "-ok"

    return behave


def delivery_count(channel: Channel, other: Channel) -> Observation:
    """The header x-delivery-count of each delivery of a message that a quorum queue gives up after two returns."""
    channel.call("queue.declare", queue=DURABLE, durable=True, arguments={**QUORUM, "x-delivery-limit": 2})
    channel.consume(DURABLE)
    channel.publish(b"m", routing_key=DURABLE)
    found = []
    for _ in range(3):
        message = channel.delivery()
        found.append(message.properties.get("headers", {}).get("x-delivery-count"))
        channel.nack(message.delivery_tag)
    channel.must_be_silent(DURABLE)
    left = channel.count(DURABLE)
    other.call("queue.delete", queue=DURABLE)
    return found, left


def dead(headers: Arguments, arguments: Arguments, *, rejections: int = 1) -> Behaviour:
    """The keys and the headers with which a message arrives that was rejected so often, without the times."""

    def behave(channel: Channel, _: Channel) -> Observation:
        source, grave = f"{Q}-source", f"{Q}-grave"
        channel.queue(grave)
        channel.queue(source, arguments={"x-dead-letter-exchange": "", **arguments})
        channel.publish(b"m", routing_key=source, headers=headers)
        for _number in range(rejections):
            channel.reject(channel.await_get(source, no_ack=False).delivery_tag, requeue=False)
        message = channel.await_get(grave)
        return message.routing_key.replace(Q, "Q"), told(message)

    return behave


def told(message: Message) -> Observation:
    """Headers in their order, the entries of x-death as lists of pairs, times left out and the queue's name shortened."""
    found: list[Any] = []
    for name, value in message.properties["headers"].items():
        if name == "x-death":
            deaths = [[(key, short(item)) for key, item in death.items() if key != "time"] for death in value]
            found.append((name, deaths))
        else:
            found.append((name, short(value)))
    return found


def short(value: Any) -> Any:  # noqa: ANN401
    """The value with Q for the name of the queue."""
    if isinstance(value, str):
        return value.replace(Q, "Q")
    return [short(item) for item in value] if isinstance(value, list) else value


def copies(**headers: Any) -> Behaviour:  # noqa: ANN401
    """The answer to a confirmed publish with these headers, or the headers with which it arrives."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.queue(Q)
        channel.call("confirm.select")
        channel.publish(b"m", routing_key="nowhere at all", headers=headers)
        said = answer(channel)
        return said if said != "basic.ack" else told(channel.await_get(Q))

    return behave


def bounded(channel: Channel, _: Channel) -> Observation:
    """How each of three messages of two octets is confirmed by a queue for five that refuses, and how many it has."""
    channel.queue(Q, arguments={"x-max-length-bytes": 5, "x-overflow": "reject-publish"})
    channel.call("confirm.select")
    found = []
    for _number in range(3):
        channel.publish(b"ab", routing_key=Q)
        found.append(answer(channel))
    return found, channel.count(Q)


def alone_among_others(channel: Channel, other: Channel) -> Observation:
    """The answers to three consumers of a quorum queue, of which two want to be the only one."""
    channel.call("queue.declare", queue=DURABLE, durable=True, arguments=QUORUM)
    found = []
    for tag, exclusive in (("1", True), ("2", False), ("3", True)):
        channel.send("basic.consume", queue=DURABLE, consumer_tag=tag, exclusive=exclusive)
        found.append(answer(channel))
    other.call("queue.delete", queue=DURABLE)
    return found


def got_and_rejected(channel: Channel, other: Channel) -> Observation:
    """The header x-delivery-count of a message that a quorum queue is asked for twice, and of the dead letter."""
    grave = channel.queue(Q)
    table = {**QUORUM, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": grave}
    channel.call("queue.declare", queue=DURABLE, durable=True, arguments=table)
    channel.publish(b"m", routing_key=DURABLE)
    first = channel.await_get(DURABLE, no_ack=False)
    channel.nack(first.delivery_tag)
    second = channel.await_get(DURABLE, no_ack=False)
    channel.reject(second.delivery_tag, requeue=False)
    letter = channel.await_get(grave)
    other.call("queue.delete", queue=DURABLE)
    return [message.headers.get("x-delivery-count") for message in (first, second, letter)]


def consume_with(**arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to a consumer with these arguments."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.queue(Q)
        channel.send("basic.consume", queue=Q, arguments=hyphened(arguments))
        found = answer(channel)
        return found if isinstance(found, tuple) else "basic.consume-ok"

    return behave


def replies(name: str, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to a method about the name for direct replies, where the channel waits for replies."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.call("basic.consume", queue="amq.rabbitmq.reply-to", no_ack=True)
        channel.send(name, **arguments)
        return answer(channel)

    return behave


def modulus(channel: Channel, other: Channel) -> Observation:
    """How many of three queues messages of one key reach, and how many those of fifty keys reach; each message one."""
    channel.send("exchange.declare", exchange=Q, type="x-modulus-hash")
    refusal = answer(channel)
    if isinstance(refusal, tuple):
        return refusal
    queues = [channel.bound_queue(Q, "whatever") for _ in range(3)]
    for _ in range(30):
        channel.publish(b"", exchange=Q, routing_key="same")
    same = [len(channel.bodies(queue)) for queue in queues]
    for number in range(50):
        channel.publish(b"", exchange=Q, routing_key=f"key-{number}")
    different = [len(channel.bodies(queue)) for queue in queues]
    other.call("exchange.delete", exchange=Q)
    return sorted(same), sum(different), min(different) > 0


def transaction_of_unknown_tag(channel: Channel, _: Channel) -> Observation:
    """The answer to the acknowledgement of an unknown tag within a transaction, before its commit."""
    channel.call("tx.select")
    channel.send("basic.ack", delivery_tag=5)
    return answer(channel)


def commit_order(channel: Channel, _: Channel) -> Observation:
    """What comes of a transaction with a mandatory message that no queue takes, in order."""
    channel.call("tx.select")
    channel.publish(b"", routing_key="nowhere at all", mandatory=True)
    channel.send("tx.commit")
    return channel.next().name, channel.next().name


def remaining(channel: Channel, _: Channel) -> Observation:
    """The message counts that basic.get tells."""
    channel.queue(Q)
    channel.publish_all(Q, "1", "2", "3")
    return [channel.must_get(Q).message_count for _ in range(3)]


def unconfirmed(channel: Channel, _: Channel) -> Observation:
    """The confirm of a message whose queue is deleted behind it."""
    channel.queue(Q)
    channel.call("confirm.select")
    channel.publish(b"m", routing_key=Q, delivery_mode=2)
    channel.send("queue.delete", queue=Q)
    return sorted((answer(channel), answer(channel)))
