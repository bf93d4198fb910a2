"""Declaring a queue again: which declarations count as equal, and which are refused with 406."""

from typing import Any, Final

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.mismatch import require
from conformance.wire.values import Field

equivalence = Area("queue-equivalence", "Declaring queues again")

SPEC = "AMQP 0-9-1 queue.declare (rule: equivalent)"
RABBIT = "RabbitMQ: property equivalence"
VALUES: Final[dict[str, tuple[Any, Any]]] = {
    "x-message-ttl": (60000, 30000),
    "x-expires": (60000, 30000),
    "x-max-length": (10, 20),
    "x-max-length-bytes": (10, 20),
    "x-max-priority": (5, 6),
    "x-overflow": ("drop-head", "reject-publish"),
    "x-dead-letter-exchange": ("amq.fanout", "amq.direct"),
    "x-single-active-consumer": (True, False),
    "x-queue-mode": ("lazy", "default"),
}


def again(broker: Broker, first: dict[str, Any], second: dict[str, Any], refused: bool) -> None:
    """Declares a queue twice; the second declaration must be refused with 406, or not."""
    channel, name = broker.channel(), broker.name()
    channel.call("queue.declare", queue=name, **first)
    if refused:
        channel.refuses(406, "queue.declare", queue=name, **second)
    else:
        channel.call("queue.declare", queue=name, **second)


@equivalence.table(
    "queue.redeclare.equal",
    "Declaring a {} queue again, unchanged, succeeds",
    SPEC,
    [
        ("plain", {}),
        ("durable", {"durable": True}),
        ("auto-delete", {"auto_delete": True}),
        ("durable auto-delete", {"durable": True, "auto_delete": True}),
    ],
)
def _(broker: Broker, flags: dict[str, Any]) -> None:
    again(broker, flags, flags, refused=False)


@equivalence.table(
    "queue.redeclare.different",
    "Declaring a queue again with {} is refused with 406",
    SPEC,
    [
        ("durable added", {}, {"durable": True}),
        ("durable removed", {"durable": True}, {}),
        ("auto-delete added", {}, {"auto_delete": True}),
        ("auto-delete removed", {"auto_delete": True}, {}),
    ],
)
def _(broker: Broker, first: dict[str, Any], second: dict[str, Any]) -> None:
    again(broker, first, second, refused=True)


@equivalence.table(
    "queue.redeclare.argument.equal",
    "Declaring a queue again with the same {} succeeds",
    RABBIT,
    [(name, name) for name in VALUES],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    same = {"arguments": {name: VALUES[name][0]}}
    again(broker, same, same, refused=False)


@equivalence.table(
    "queue.redeclare.argument.different",
    "Declaring a queue again with another {} is refused with 406",
    RABBIT,
    [(name, name) for name in VALUES],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    first, second = VALUES[name]
    again(broker, {"arguments": {name: first}}, {"arguments": {name: second}}, refused=True)


@equivalence.table(
    "queue.redeclare.argument.added",
    "Declaring a queue again with {} added is refused with 406",
    RABBIT,
    [(name, name) for name in VALUES],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    again(broker, {}, {"arguments": {name: VALUES[name][0]}}, refused=True)


@equivalence.table(
    "queue.redeclare.argument.removed",
    "Declaring a queue again without its {} is refused with 406",
    RABBIT,
    [(name, name) for name in VALUES],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    again(broker, {"arguments": {name: VALUES[name][0]}}, {}, refused=True)


@equivalence.table(
    "queue.redeclare.width",
    "Integers of types {} with equal values are equal",
    RABBIT,
    [("b and l", "b", "l"), ("s and I", "s", "I"), ("I and l", "I", "l"), ("u and b", "u", "b"), ("B and i", "B", "i")],
    EXTENSION,
)
def _(broker: Broker, first: str, second: str) -> None:
    one, other = ({"arguments": {"x-max-length": Field(tag, 10)}} for tag in (first, second))
    again(broker, one, other, refused=False)


@equivalence.table(
    "queue.redeclare.ignored",
    "{} makes no difference",
    RABBIT,
    [
        ("An unknown argument added", {}, {"arguments": {"x-foo": 1}}),
        ("An unknown argument changed", {"arguments": {"x-foo": 1}}, {"arguments": {"x-foo": "2"}}),
        ("An unknown argument removed", {"arguments": {"foo": 1}}, {}),
        ("x-queue-type classic added", {}, {"arguments": {"x-queue-type": "classic"}}),
        ("x-queue-type classic removed", {"arguments": {"x-queue-type": "classic"}}, {}),
        (
            "The order of arguments",
            {"arguments": {"x-max-length": 1, "x-expires": 9999}},
            {"arguments": {"x-expires": 9999, "x-max-length": 1}},
        ),
        ("The ticket", {}, {"ticket": 1}),
    ],
    EXTENSION,
)
def _(broker: Broker, first: dict[str, Any], second: dict[str, Any]) -> None:
    again(broker, first, second, refused=False)


@equivalence.case("queue.redeclare.type", "A classic queue cannot be declared again as a quorum queue", RABBIT, EXTENSION)
def _(broker: Broker) -> None:
    again(broker, {"durable": True}, {"durable": True, "arguments": {"x-queue-type": "quorum"}}, refused=True)


@equivalence.case("queue.redeclare.unchanged", "A refused declaration leaves queue and messages as they were", SPEC)
def _(broker: Broker) -> None:
    connection, channel = broker.connected()
    queue = channel.queue(exclusive=False)
    channel.publish(b"m", routing_key=queue)
    connection.channel().refuses(406, "queue.declare", queue=queue, durable=True)
    channel.must_hold(queue, "m")


@equivalence.case("queue.redeclare.counts", "Declaring again tells the current counts", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue()
    channel.publish_all(queue, "a", "b")
    channel.must_count(queue, 2)
    declared = channel.call("queue.declare", queue=queue, exclusive=True)
    require(declared.message_count == 2, "message_count 2", declared)


@equivalence.case("queue.redeclare.nowait", "A declaration with no-wait that differs still closes the channel", SPEC)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False)
    channel.refuses(406, "queue.declare", queue=queue, durable=True, nowait=True)
