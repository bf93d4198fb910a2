"""Queues that are longer than memory should be."""

from collections.abc import Callable
from typing import Final

import pytest

from conformance.client.channel import Channel
from conformance.client.connection import Connection
from helpers.broker import Broker, BrokerProcess, resident_peak

Connect = Callable[[Broker], Connection]

LENGTH: Final = 100_000
BODY: Final = 1024
BURST: Final = 500
PAGE: Final = 1024
"""Messages that the broker reads from disk at once."""
MEMORY: Final = 150 * 1024 * 1024


def fill(channel: Channel, queue: str, first: int, length: int, delivery_mode: int = 2, size: int = BODY) -> None:
    """Publish numbered messages and wait until all are confirmed."""
    channel.call("confirm.select")
    for start in range(first, first + length, BURST):
        frames = []
        for number in range(start, min(start + BURST, first + length)):
            properties = {"delivery_mode": delivery_mode}
            frames += channel.content_frames(numbered(number, size), properties, routing_key=queue)
        channel.stream.send_frames(*frames)
    while channel.wait("basic.ack").delivery_tag < length:
        pass


def numbered(number: int, size: int = BODY) -> bytes:
    """A body that begins with its number."""
    return (b"%d " % number).ljust(size, b"~")


def drain(channel: Channel, queue: str, first: int, length: int, size: int = BODY) -> None:
    """Consume and acknowledge so many messages, which must come in order."""
    channel.call("basic.qos", prefetch_count=BURST)
    tag = channel.consume(queue)
    for number in range(first, first + length):
        message = channel.delivery()
        assert numbered(number, size) == message.body
        if number % 100 == 99 or number == first + length - 1:
            channel.ack(message.delivery_tag, multiple=True)
    channel.call("basic.cancel", consumer_tag=tag)
    assert 0 == channel.count(queue)


@pytest.mark.timeout(120)
def test_a_hundred_thousand_messages_take_little_memory(start_broker: Callable[..., BrokerProcess], connect: Connect) -> None:
    """They are delivered in order, also by a broker that was restarted, and each life stays below 150 MB."""
    broker = start_broker()
    channel = connect(broker).channel()
    channel.call("queue.declare", queue="long", durable=True)
    fill(channel, "long", 0, LENGTH)
    assert LENGTH == channel.count("long")
    assert resident_peak(broker.pid) < MEMORY
    broker.restart()
    drain(connect(broker).channel(), "long", 0, LENGTH)
    assert resident_peak(broker.pid) < MEMORY


def test_get_goes_on_across_pages(broker: Broker, connect: Connect, unique_name: str) -> None:
    """Fetching one by one, with requeues in between, knows no gaps where pages end."""
    length = 6 * PAGE
    channel = connect(broker).channel()
    channel.queue(unique_name, exclusive=False, durable=True)
    fill(channel, unique_name, 0, length, size=20)
    for number in range(length):
        message = channel.must_get(unique_name, no_ack=False)
        assert (numbered(number, 20), length - number - 1) == (message.body, message.message_count)
        if number % PAGE == 0:
            channel.nack(message.delivery_tag)
            message = channel.must_get(unique_name, no_ack=False)
            assert (numbered(number, 20), True) == (message.body, message.redelivered)
        channel.ack(message.delivery_tag)
    assert channel.get(unique_name) is None
    channel.call("queue.delete", queue=unique_name)


def test_purge_takes_what_is_on_disk_too(broker: Broker, connect: Connect, unique_name: str) -> None:
    """It tells the whole number, and leaves the messages that a consumer holds."""
    channel = connect(broker).channel()
    channel.queue(unique_name, exclusive=False, durable=True)
    fill(channel, unique_name, 0, 8 * PAGE, size=20)
    held = channel.must_get(unique_name, no_ack=False)
    assert 8 * PAGE - 1 == channel.call("queue.purge", queue=unique_name).message_count
    assert channel.get(unique_name) is None
    channel.nack(held.delivery_tag)
    drain(channel, unique_name, 0, 1, size=20)
    channel.call("queue.delete", queue=unique_name)


def test_a_queue_is_drained_while_it_is_filled(broker: Broker, connect: Connect, unique_name: str) -> None:
    """New messages queue up behind those on disk, whatever is read back meanwhile."""
    length = 24 * BURST
    publisher, consumer = connect(broker).channel(), connect(broker).channel()
    publisher.queue(unique_name, exclusive=False, durable=True)
    fill(publisher, unique_name, 0, length, size=20)
    consumer.call("basic.qos", prefetch_count=BURST)
    consumer.consume(unique_name)
    for burst in range(length // BURST):
        for number in range(length + burst * BURST, length + (burst + 1) * BURST):
            publisher.publish(numbered(number, 20), routing_key=unique_name, delivery_mode=2)
        for number in range(2 * burst * BURST, 2 * (burst + 1) * BURST):
            message = consumer.delivery()
            assert numbered(number, 20) == message.body
            consumer.ack(message.delivery_tag)
    consumer.call("queue.delete", queue=unique_name)
