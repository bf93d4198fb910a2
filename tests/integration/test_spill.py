"""Transient messages beyond the memory limit go to disk, and come back from there."""

from collections.abc import Callable
from typing import Final

from conformance.client.channel import Channel
from conformance.client.connection import Connection
from helpers.broker import Broker, BrokerProcess, resident_peak

COUNT: Final = 40_000
BODY: Final = 10_000
"""Bytes: four hundred megabytes in all."""
BURST: Final = 100
MEMORY: Final = 250 * 1024 * 1024


def body(number: int) -> bytes:
    """A body that begins with its number."""
    return (b"%d " % number).ljust(BODY, b"~")


def fill(channel: Channel, queue: str) -> None:
    """Publish all messages as transient ones and wait until all are confirmed."""
    channel.call("confirm.select")
    for start in range(0, COUNT, BURST):
        frames = []
        for number in range(start, start + BURST):
            frames += channel.content_frames(body(number), {"delivery_mode": 1}, routing_key=queue)
        channel.stream.send_frames(*frames)
    while channel.wait("basic.ack").delivery_tag < COUNT:
        pass


def test_transient_messages_spill_to_disk(
    start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]
) -> None:
    """Four hundred megabytes pass through a broker that keeps sixteen in memory, in order."""
    broker = start_broker("--memory-limit", "16MiB")
    channel = connect(broker).channel()
    channel.call("queue.declare", queue="spilled", durable=True)
    fill(channel, "spilled")
    assert COUNT == channel.count("spilled")
    channel.call("basic.qos", prefetch_count=BURST)
    channel.consume("spilled")
    for number in range(COUNT):
        message = channel.delivery()
        assert body(number) == message.body
        if number % (BURST // 2) == 0:
            channel.ack(message.delivery_tag, multiple=True)
    assert resident_peak(broker.pid) < MEMORY


def test_spilled_messages_are_gone_after_a_restart(
    start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]
) -> None:
    """What was on disk for want of memory is as transient as before; persistent messages around it stay."""
    broker = start_broker("--memory-limit", "1MiB")
    channel = connect(broker).channel()
    channel.call("queue.declare", queue="spilled", durable=True)
    channel.publish(b"first", routing_key="spilled", delivery_mode=2)
    fill(channel, "spilled")
    channel.publish(b"last", routing_key="spilled", delivery_mode=2)
    channel.wait("basic.ack")
    channel.stream.link.drop()
    broker.restart()
    connect(broker).channel().must_hold("spilled", "first", "last")
