"""Clients that do not read what they are sent cost the broker little memory."""

from collections.abc import Callable
from typing import Final

import pytest

from conformance.client.connection import Connection
from helpers.broker import Broker, BrokerProcess, resident_peak

MEMORY: Final = 250 * 1024 * 1024
COUNT: Final = 4096
BODY: Final = bytes(256 * 1024)
"""One of so many bodies: a gigabyte in all."""
WINDOW: Final = 64
"""Messages that are unconfirmed at most."""


@pytest.mark.timeout(180)
def test_a_consumer_that_never_reads(
    start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]
) -> None:
    """A gigabyte waits for it on disk; the publisher goes on, and others can have the messages when it is gone."""
    broker = start_broker("--memory-limit", "32MiB")
    sleeper = connect(broker)
    sleeping = sleeper.channel()
    sleeping.call("queue.declare", queue="long", durable=True)
    sleeping.consume("long")
    channel = connect(broker).channel()
    channel.call("confirm.select")
    confirmed = 0
    for number in range(1, COUNT + 1):
        channel.publish(BODY, routing_key="long", delivery_mode=1)
        while number - confirmed >= WINDOW:
            confirmed = channel.wait("basic.ack").delivery_tag
    while confirmed < COUNT:
        confirmed = channel.wait("basic.ack").delivery_tag
    assert resident_peak(broker.pid) < MEMORY
    sleeper.drop()
    while channel.count("long") < COUNT:
        pass
    assert BODY == channel.must_get("long").body


def test_an_asker_that_never_reads(start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]) -> None:
    """One who fetches and fetches is not read any more once too much waits for him; others go on."""
    broker = start_broker()
    asker = connect(broker).channel()
    asker.call("queue.declare", queue="q", durable=True)
    channel = connect(broker).channel()
    channel.publish(bytes(8 * 1024 * 1024), routing_key="q", delivery_mode=2)
    for _ in range(100):
        asker.send("basic.get", queue="q", no_ack=False)
        asker.send("basic.recover-async", requeue=True)
        assert channel.count("q") <= 1
    assert resident_peak(broker.pid) < MEMORY
