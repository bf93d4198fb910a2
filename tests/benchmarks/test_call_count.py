"""How many Python calls a message costs: what a change adds to the hot path shows here first."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

import amqpd.protocol.connection
from helpers.client import method, publish
from helpers.pair import ConnectionPair, Hall, opened

MESSAGES = 1000
DELIVERED = 15
"""Calls that a transient message may cost, from its publisher to a consumer without acknowledgements."""
CONFIRMED = 32
"""Calls that a persistent message may cost: stored, confirmed, delivered, acknowledged by itself. The goal is 22."""

pytestmark = pytest.mark.skipif(
    not amqpd.protocol.connection.__file__.endswith(".py"), reason="compiled modules make no Python calls"
)


def calls_of(action: Callable[[], None]) -> int:
    """How many functions of Python's the action calls."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        if event == "call":
            count += 1

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def setting(*, durable: bool, no_ack: bool) -> tuple[ConnectionPair, ConnectionPair]:
    """A publisher and a consumer of one queue, which have both warmed up."""
    hall = Hall()
    publisher, consumer = opened(hall, 1), opened(hall, 1)
    publisher.send(method(1, "queue.declare", 0, "q", False, durable, False, False, False, b""))
    consumer.send(method(1, "basic.consume", 0, "q", "c", False, no_ack, False, False, b""))
    hall.commit()
    for pair in (publisher, consumer):
        pair.transport._hears_all = True  # Else it would depend on the machine how many turns they take.
    return publisher, consumer


def test_a_transient_message() -> None:
    """Published and delivered, thousand in a turn."""
    publisher, consumer = setting(durable=False, no_ack=True)
    message = publish(1, "", "q", b"0123456789abcdef")
    publisher.send(message * 3)
    consumer.heard()
    calls = calls_of(lambda: publisher.send(message * MESSAGES))

    assert len(consumer.heard()) == MESSAGES
    assert calls // MESSAGES <= DELIVERED


def test_a_persistent_message() -> None:
    """Published, stored, confirmed, delivered and acknowledged one by one."""
    publisher, consumer = setting(durable=True, no_ack=False)
    publisher.send(method(1, "confirm.select", False))
    message = publish(1, "", "q", bytes(100), delivery_mode=2)
    publisher.send(message * 3)
    publisher.hall.commit()
    acks = b"".join([method(1, "basic.ack", tag, False) for tag in range(4, 4 + MESSAGES)])
    consumer.heard()
    publisher.heard()

    def carry() -> None:
        publisher.send(message * MESSAGES)
        publisher.hall.commit()
        consumer.send(acks)
        consumer.hall.commit()

    calls = calls_of(carry)
    assert len(consumer.heard()) == MESSAGES
    assert [[3 + MESSAGES, True]] == [heard.values for heard in publisher.heard()]
    assert calls // MESSAGES <= CONFIRMED
