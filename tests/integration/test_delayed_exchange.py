"""Exchanges of type x-delayed-message, through pika."""

import time
from collections.abc import Callable
from typing import Final

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from helpers.broker import Broker

Open = Callable[[Broker], BlockingChannel]
ARGUMENTS: Final = {"x-delayed-type": "topic"}
SECONDS: Final = 20.0


def delayed(delay: object, mode: int = 2) -> pika.BasicProperties:
    """The properties of a message that is to wait."""
    return pika.BasicProperties(delivery_mode=mode, headers={"x-delay": delay})


def declare(channel: BlockingChannel, name: str, *, durable: bool = True) -> None:
    """A delayed topic exchange with a queue that takes all."""
    channel.exchange_declare(name, "x-delayed-message", durable=durable, arguments=ARGUMENTS)
    channel.queue_declare(name, durable=True)
    channel.queue_bind(name, name, "#")


def received(channel: BlockingChannel, queue: str, count: int) -> list[tuple[bytes, object]]:
    """Bodies and delays of so many messages, as they come."""
    found: list[tuple[bytes, object]] = []
    for method, properties, body in channel.consume(queue, auto_ack=True, inactivity_timeout=SECONDS):
        assert method is not None, f"only {found} came"
        found.append((body, (properties.headers or {}).get("x-delay")))
        if len(found) == count:
            break
    channel.cancel()
    return found


def test_messages_come_in_the_order_of_their_delays(broker: Broker, pika_channel: Open, unique_name: str) -> None:
    """Those without a delay at once; the delay comes back negated."""
    channel = pika_channel(broker)
    declare(channel, unique_name)
    channel.confirm_delivery()
    for delay in (600, "400", 200):
        channel.basic_publish(unique_name, "k", str(delay).encode(), delayed(delay))
    channel.basic_publish(unique_name, "k", b"now")
    assert [(b"now", None), (b"200", -200), (b"400", -400), (b"600", -600)] == received(channel, unique_name, 4)
    channel.queue_delete(unique_name)
    channel.exchange_delete(unique_name)


def test_delayed_messages_survive_kill(own_broker: Broker, pika_channel: Open) -> None:
    """What was confirmed is there after kill -9 and comes when it is due, or at once if that is past; none comes twice."""
    own_broker.require_restart()
    channel = pika_channel(own_broker)
    declare(channel, "kept")
    declare(channel, "lost", durable=False)
    channel.confirm_delivery()
    end = time.monotonic() + 4.0
    for name in ("kept", "lost"):
        for delay, mode in ((300, 2), (1, 2), (4000, 1), (2**40, 2)):
            channel.basic_publish(name, "k", b"%d" % delay, delayed(delay, mode))
    assert [(b"1", -1)] == received(channel, "kept", 1)
    time.sleep(0.4)
    own_broker.kill()
    own_broker.restart()
    channel = pika_channel(own_broker)
    assert [(b"300", -300), (b"4000", -4000)] == received(channel, "kept", 2)
    assert time.monotonic() >= end
    own_broker.restart()
    channel = pika_channel(own_broker)
    assert 0 == channel.queue_declare("kept", passive=True).method.message_count


def test_the_delayed_type_is_checked(broker: Broker, pika_channel: Open, unique_name: str) -> None:
    """In the words of RabbitMQ's plugin."""
    for arguments, problem in (
        ({}, "Invalid argument, 'x-delayed-type' must be an existing exchange type"),
        ({"x-delayed-type": "x-delayed-message"}, "Invalid argument, 'x-delayed-message' can't be used for 'x-delayed-type'"),
        ({"x-delayed-type": "unheard-of"}, "unknown exchange type 'unheard-of'"),
    ):
        with pytest.raises(ChannelClosedByBroker) as error:
            pika_channel(broker).exchange_declare(unique_name, "x-delayed-message", arguments=arguments)
        assert (406, f"PRECONDITION_FAILED - {problem}") == (error.value.reply_code, error.value.reply_text)
