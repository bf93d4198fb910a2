"""Small behaviours of a broker: functions of two channels, each of which returns one observation."""

import os
from collections.abc import Callable
from typing import Any, Final

from conformance.client.channel import Channel
from conformance.client.connection import Connection
from conformance.client.events import Event, Message
from conformance.wire.frames import Frame
from conformance.wire.methods import BY_IDS
from helpers.broker import Broker
from helpers.traffic import connect

Observation = Any
Behaviour = Callable[[Channel, Channel], Observation]
"""A function of two channels, which belong to connections of their own."""

Q: Final = f"compared-{os.getpid()}"
"""The queue and the exchange of all behaviours: each of the parallel processes of a test run has its own."""


def observation(broker: Broker, behave: Behaviour) -> Observation:
    """What is observed over two new connections, which are closed in order so that their exclusive queues are gone."""
    connections = connect(broker), connect(broker)
    try:
        return behave(connections[0].channel(), connections[1].channel())
    finally:
        for connection in connections:
            if connection.is_open:
                connection.close()
            connection.drop()


def refused(code: int, text: str, blamed: str, scope: str = "channel") -> Observation:
    """The observation of a close."""
    return scope, code, text, blamed


def observed(event: Event) -> Observation:
    """A method in short: code, text and the method to blame of a close; a message's body; else the name."""
    if event.name.endswith(".close"):
        blamed = BY_IDS[event.class_id, event.method_id].name if event.class_id else ""
        return event.name.partition(".")[0], event.reply_code, event.reply_text, blamed
    if isinstance(event, Message):
        return event.name, event.body.decode()
    return event.name


def answer(channel: Channel) -> Observation:
    """The next thing that is said on the channel, or on channel 0."""
    event = channel.wait_any_close()
    inbox = channel.inbox or channel.stream.inbox(0)
    inbox.remove(event)
    if event.name == "connection.close":
        channel.stream.send("connection.close-ok")
        assert isinstance(channel.stream, Connection)
        channel.stream.is_open = False
    return observed(event)


def say(name: str, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to one method, where the other connection has an exclusive queue."""

    def behave(channel: Channel, other: Channel) -> Observation:
        other.queue(Q)
        channel.send(name, **arguments)
        return answer(channel)

    return behave


def own(name: str, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to one method, where the channel has an exclusive queue of its own."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.queue(Q)
        channel.send(name, **arguments)
        return answer(channel)

    return behave


def redeclare(first: dict[str, Any], **second: Any) -> Behaviour:  # noqa: ANN401
    """The answer to a second declaration of an exclusive queue."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.queue(Q, **first)
        channel.send("queue.declare", **{"queue": Q, "exclusive": True, **second})
        return answer(channel)

    return behave


def redeclare_exchange(**second: Any) -> Behaviour:  # noqa: ANN401
    """The answer to a second declaration of a direct exchange, which goes with its only queue."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.call("exchange.declare", exchange=Q, type="direct", auto_delete=True)
        channel.queue(Q)
        channel.bind(Q, Q)
        channel.send("exchange.declare", **{"exchange": Q, "type": "direct", "auto_delete": True, **second})
        return answer(channel)

    return behave


def delete_in_use(name: str, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to deleting an exchange that has a binding, or its queue, which has a message and a consumer."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.call("exchange.declare", exchange=Q, type="direct", auto_delete=True)
        channel.queue(Q)
        channel.bind(Q, Q)
        channel.call("basic.qos", prefetch_count=1)
        channel.publish_all(Q, "1", "2")
        channel.consume(Q)
        channel.delivery()
        channel.send(name, **arguments)
        return answer(channel)

    return behave


def publish(*, queue: bool = True, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The first answer to a publish in confirm mode."""

    def behave(channel: Channel, _: Channel) -> Observation:
        if queue:
            channel.queue(Q)
        channel.call("confirm.select")
        channel.publish(b"body", **arguments)
        return answer(channel)

    return behave


def after(first: str, name: str, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """The answer to one method after another one without arguments."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.call(first)
        channel.send(name, **arguments)
        return answer(channel)

    return behave


def consume_twice(*, exclusive: bool, tags: tuple[str, str], second: str = Q) -> Behaviour:
    """The answer to a second consumer, on the same queue or another."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.queue(Q)
        channel.consume(Q, consumer_tag=tags[0], exclusive=exclusive)
        channel.send("basic.consume", queue=second, consumer_tag=tags[1])
        return answer(channel)

    return behave


def settle(name: str, *tags: int, **arguments: Any) -> Behaviour:  # noqa: ANN401
    """How many messages are ready after some of three deliveries were settled, or what was said instead."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.queue(Q)
        channel.publish_all(Q, "1", "2", "3")
        for _number in range(3):
            channel.must_get(Q, no_ack=False)
        for tag in tags:
            channel.send(name, delivery_tag=tag, **arguments)
        for _number in range(2):
            channel.send("queue.declare", queue=Q, passive=True)
        event = channel.wait("queue.declare-ok", "channel.close")
        if event.name == "channel.close":
            return observed(event)
        return "left", channel.wait("queue.declare-ok").message_count

    return behave


def requeue_order(channel: Channel, _: Channel) -> Observation:
    """Bodies and marks after requeues in another order than that of delivery."""
    channel.queue(Q)
    channel.publish_all(Q, "1", "2", "3", "4")
    tags = [channel.must_get(Q, no_ack=False).delivery_tag for _number in range(3)]
    for tag in (tags[2], tags[0], tags[1]):
        channel.nack(tag)
    channel.fence(Q)
    found = [channel.must_get(Q) for _number in range(4)]
    return [(message.body.decode(), message.redelivered) for message in found]


def rollback(channel: Channel, _: Channel) -> Observation:
    """How many messages are ready, and what can still be acknowledged, after tx.rollback."""
    channel.queue(Q)
    channel.publish_all(Q, "1")
    channel.call("tx.select")
    tag = channel.must_get(Q, no_ack=False).delivery_tag
    channel.ack(tag)
    channel.publish("2", routing_key=Q)
    channel.call("tx.rollback")
    ready = channel.count(Q)
    channel.ack(tag)
    channel.send("tx.commit")
    return ready, answer(channel), channel.count(Q)


def return_before_ack(channel: Channel, _: Channel) -> Observation:
    """The order of basic.return and basic.ack."""
    channel.call("confirm.select")
    channel.publish(b"lost", routing_key="nowhere at all", mandatory=True)
    returned = channel.wait_any_close()
    text = returned.reply_code, returned.reply_text, returned.exchange, returned.routing_key
    channel.inbox.popleft()
    return text, answer(channel)


def priorities(channel: Channel, _: Channel) -> Observation:
    """The order of messages whose priorities exceed, meet or lack the queue's."""
    channel.queue(Q, arguments={"x-max-priority": 3})
    for body, priority in (("none", None), ("one", 1), ("nine", 9), ("three", 3), ("zero", 0)):
        channel.publish(body, routing_key=Q, **({} if priority is None else {"priority": priority}))
    return channel.bodies(Q)


def frames_of(*payloads: tuple[int, int, bytes]) -> Behaviour:
    """The answer to frames, each given by type, channel offset from the open one, and payload."""

    def behave(channel: Channel, _: Channel) -> Observation:
        channel.stream.send_frames(*(Frame(kind, channel.number + offset, payload) for kind, offset, payload in payloads))
        return answer(channel)[:2]

    return behave
