"""x-message-deduplication on exchanges and queues, through pika."""

from collections.abc import Callable

import pika
from pika.adapters.blocking_connection import BlockingChannel

from helpers.broker import Broker

Open = Callable[[Broker], BlockingChannel]


def identified(identifier: object, header: str = "x-deduplication-header") -> pika.BasicProperties:
    """The properties of a message with an identifier."""
    return pika.BasicProperties(delivery_mode=2, headers={header: identifier})


def bodies(channel: BlockingChannel, queue: str) -> list[bytes]:
    """All that waits in a queue, which is empty afterwards."""
    found: list[bytes] = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return found
        found.append(body)


def test_duplicates_are_confirmed_and_dropped_also_after_kill(own_broker: Broker, pika_channel: Open) -> None:
    """By an exchange and by a queue; the identifiers outlive the messages and the broker."""
    own_broker.require_restart()
    channel = pika_channel(own_broker)
    channel.exchange_declare("x", "fanout", durable=True, arguments={"x-message-deduplication": True, "x-cache-size": 3})
    channel.queue_declare("behind", durable=True)
    channel.queue_bind("behind", "x")
    arguments = {"x-message-deduplication": True, "x-deduplication-header": "id"}
    channel.queue_declare("q", durable=True, arguments=arguments)
    channel.confirm_delivery()
    for identifier in ("a", "b", "a"):
        channel.basic_publish("x", "", identifier.encode(), identified(identifier), mandatory=True)
        channel.basic_publish("", "q", identifier.encode(), identified(identifier, "id"), mandatory=True)
    own_broker.kill()
    own_broker.restart()
    channel = pika_channel(own_broker)
    channel.queue_declare("q", durable=True, arguments=arguments)
    channel.confirm_delivery()
    for identifier in ("b", "c", "a", "d", "a"):
        channel.basic_publish("x", "", identifier.encode(), identified(identifier))
        channel.basic_publish("", "q", identifier.encode(), identified(identifier, "id"))
    assert [b"a", b"b", b"c", b"d", b"a"] == bodies(channel, "behind")
    assert [b"a", b"b", b"c", b"d"] == bodies(channel, "q")
