"""Queue arguments: which values RabbitMQ's x-arguments may have, and which are refused with 406."""

from typing import Any, Final

from conformance.broker import Broker
from conformance.catalogue import BEYOND, EXTENSION, Area
from conformance.wire.values import Field

arguments = Area("queue-arguments", "Queue arguments")

SPEC = "RabbitMQ: optional queue arguments"
INTEGERS: Final = {
    "x-message-ttl": 60000,
    "x-expires": 60000,
    "x-max-length": 10,
    "x-max-length-bytes": 10,
    "x-max-priority": 5,
}
ACCEPTED: Final[list[tuple[str, str, Any]]] = [
    ("x-message-ttl 0", "x-message-ttl", 0),
    ("x-message-ttl of ten years", "x-message-ttl", 315_360_000_000),
    ("x-expires 1000", "x-expires", 1000),
    ("x-max-length 0", "x-max-length", 0),
    ("x-max-length-bytes 0", "x-max-length-bytes", 0),
    ("x-max-priority 1", "x-max-priority", 1),
    ("x-max-priority 255", "x-max-priority", 255),
    ("x-max-priority 0", "x-max-priority", 0),
    ("x-overflow drop-head", "x-overflow", "drop-head"),
    ("x-overflow reject-publish", "x-overflow", "reject-publish"),
    ("x-overflow reject-publish-dlx", "x-overflow", "reject-publish-dlx"),
    ("x-dead-letter-exchange", "x-dead-letter-exchange", "amq.fanout"),
    ("x-dead-letter-exchange empty", "x-dead-letter-exchange", ""),
    ("x-dead-letter-exchange missing", "x-dead-letter-exchange", "not.declared.yet"),
    ("x-single-active-consumer true", "x-single-active-consumer", True),
    ("x-single-active-consumer false", "x-single-active-consumer", False),
    ("x-queue-mode lazy", "x-queue-mode", "lazy"),
    ("x-queue-mode default", "x-queue-mode", "default"),
    ("x-queue-type classic", "x-queue-type", "classic"),
    ("x-queue-master-locator", "x-queue-master-locator", "client-local"),
    ("x-queue-version 1", "x-queue-version", 1),
    ("x-queue-version 2", "x-queue-version", 2),
    ("an unknown number", "x-foo", 1),
    ("an unknown text", "foo", "bar"),
    ("an unknown table", "x-foo", {"a": {"b": [1]}}),
    ("an unknown void", "x-foo", None),
]
REFUSED: Final[list[tuple[str, str, Any]]] = [
    ("x-message-ttl -1", "x-message-ttl", -1),
    ("x-message-ttl beyond ten years", "x-message-ttl", 315_360_000_001),
    ("x-expires 0", "x-expires", 0),
    ("x-expires -1", "x-expires", -1),
    ("x-expires beyond ten years", "x-expires", 315_360_000_001),
    ("x-max-length -1", "x-max-length", -1),
    ("x-max-length-bytes -1", "x-max-length-bytes", -1),
    ("x-max-priority -10", "x-max-priority", -10),
    ("x-max-priority 256", "x-max-priority", 256),
    ("x-max-priority 260", "x-max-priority", 260),
    ("x-overflow unknown", "x-overflow", "drop-tail"),
    ("x-overflow number", "x-overflow", 1),
    ("x-dead-letter-exchange number", "x-dead-letter-exchange", 1),
    ("x-dead-letter-exchange void", "x-dead-letter-exchange", None),
    ("x-dead-letter-routing-key alone", "x-dead-letter-routing-key", "k"),
    ("x-single-active-consumer text", "x-single-active-consumer", "true"),
    ("x-single-active-consumer number", "x-single-active-consumer", 1),
    ("x-queue-mode unknown", "x-queue-mode", "eager"),
    ("x-queue-type unknown", "x-queue-type", "sorted"),
    ("x-queue-type number", "x-queue-type", 1),
    ("x-queue-version 3", "x-queue-version", 3),
    ("x-max-age, which is for streams", "x-max-age", "1h"),
    ("x-delivery-limit, which is for quorum queues", "x-delivery-limit", 5),
    ("x-stream-max-segment-size-bytes, which is for streams", "x-stream-max-segment-size-bytes", 1000),
    ("x-quorum-initial-group-size, which is for quorum queues", "x-quorum-initial-group-size", 1),
]
WIDTHS: Final = ("b", "B", "s", "u", "I", "i", "l")
OTHER_TYPES: Final[list[tuple[str, Any]]] = [
    ("text", "10"),
    ("a float", 10.0),
    ("a boolean", True),
    ("a table", {"a": 1}),
    ("an array", [10]),
    ("void", None),
]


@arguments.table("queue.argument.accepted", "A queue with {} can be declared", SPEC, ACCEPTED, EXTENSION)
def _(broker: Broker, name: str, value: Any) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={name: value})
    channel.must_exist("queue", queue)


@arguments.table("queue.argument.refused", "A queue with {} is refused with 406", SPEC, REFUSED, EXTENSION)
def _(broker: Broker, name: str, value: Any) -> None:
    broker.channel().refuses(406, "queue.declare", queue=broker.name(), exclusive=True, arguments={name: value})


@arguments.table(
    "queue.argument.type",
    "{} is refused with 406",
    SPEC,
    [(f"{name} as {title}", name, value) for name in INTEGERS for title, value in OTHER_TYPES],
    EXTENSION,
)
def _(broker: Broker, name: str, value: Any) -> None:
    broker.channel().refuses(406, "queue.declare", queue=broker.name(), exclusive=True, arguments={name: value})


@arguments.table(
    "queue.argument.width",
    "x-max-length may be an integer of type {}",
    SPEC,
    [(width, width) for width in WIDTHS],
    EXTENSION,
)
def _(broker: Broker, width: str) -> None:
    channel = broker.channel()
    queue = channel.queue(arguments={"x-max-length": Field(width, 2)})
    channel.publish_all(queue, "a", "b", "c")
    channel.must_hold(queue, "b", "c")


@arguments.case(
    "queue.argument.dead-letter-key",
    "x-dead-letter-routing-key is accepted beside x-dead-letter-exchange",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    broker.channel().queue(arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "k"})


@arguments.case(
    "queue.argument.dead-letter-key.type",
    "x-dead-letter-routing-key that is not text is refused with 406",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    given = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": 1}
    broker.channel().refuses(406, "queue.declare", queue=broker.name(), exclusive=True, arguments=given)


@arguments.case("queue.argument.refused-creates-nothing", "A refused declaration creates no queue", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    channel, name = broker.channel(), broker.name()
    channel.refuses(406, "queue.declare", queue=name, arguments={"x-max-length": -1})
    channel.call("channel.open")
    channel.refuses(404, "queue.declare", queue=name, passive=True)


QUORUM: Final = {"x-queue-type": "quorum"}


@arguments.case(
    "queue.quorum", "A durable queue of type quorum can be declared and works", "RabbitMQ: Quorum Queues", EXTENSION
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False, durable=True, arguments=QUORUM)
    channel.call("confirm.select")
    channel.publish(b"m", routing_key=queue)
    channel.confirmed(1)
    equal_body = channel.await_get(queue).body
    if equal_body != b"m":
        raise AssertionError(equal_body)


@arguments.table(
    "queue.quorum.refused",
    "A quorum queue that is {} is refused with 406",
    "RabbitMQ: Quorum Queues",
    [
        ("not durable", {}),
        ("exclusive", {"durable": True, "exclusive": True}),
        ("auto-delete", {"durable": True, "auto_delete": True}),
    ],
    EXTENSION,
)
def _(broker: Broker, flags: dict[str, bool]) -> None:
    broker.channel().refuses(406, "queue.declare", queue=broker.name(), arguments=QUORUM, **flags)


@arguments.table(
    "queue.quorum.argument",
    "A quorum queue refuses {} with 406",
    "RabbitMQ: Quorum Queues",
    [
        ("x-max-priority", "x-max-priority", 5),
        ("x-queue-mode", "x-queue-mode", "lazy"),
        ("x-max-age", "x-max-age", "1h"),
    ],
    EXTENSION,
)
def _(broker: Broker, name: str, value: Any) -> None:
    given = {**QUORUM, name: value}
    broker.channel().refuses(406, "queue.declare", queue=broker.name(), durable=True, arguments=given)


@arguments.case(
    "queue.quorum.delivery-limit",
    "A quorum queue drops a message returned more often than x-delivery-limit",
    "RabbitMQ: Poison Message Handling",
    EXTENSION,
)
def _(broker: Broker) -> None:
    channel = broker.channel()
    queue = channel.queue(exclusive=False, durable=True, arguments={**QUORUM, "x-delivery-limit": 2})
    channel.publish(b"poison", routing_key=queue)
    for _ in range(3):
        channel.reject(channel.await_get(queue, no_ack=False).delivery_tag)
    channel.publish(b"next", routing_key=queue)
    if channel.await_get(queue).body != b"next":
        raise AssertionError("the poison message came back")


@arguments.case("queue.stream", "A durable queue of type stream can be declared", "RabbitMQ: Streams", BEYOND)
def _(broker: Broker) -> None:
    broker.channel().queue(exclusive=False, durable=True, arguments={"x-queue-type": "stream"})
