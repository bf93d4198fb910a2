"""How a broker stops when it is told to."""

import os
import signal
import time
from collections.abc import Callable
from typing import Final

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ConnectionClosedByBroker

from conformance.client.connection import Connection
from helpers.broker import Broker, BrokerProcess

STOP_SECONDS: Final = 5.0
GOODBYE: Final = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clients_are_told_and_the_exit_code_is_0(
    start_broker: Callable[..., BrokerProcess], pika_channel: Callable[[Broker], BlockingChannel], number: signal.Signals
) -> None:
    """A publisher under load gets connection.close 320, and the broker ends well within five seconds."""
    broker = start_broker()
    channel = pika_channel(broker)
    channel.queue_declare("queue", durable=True)
    for _ in range(2000):
        channel.basic_publish("", "queue", b"~" * 1000, pika.BasicProperties(delivery_mode=2))
    begin = time.monotonic()
    os.kill(broker.pid, number)
    with pytest.raises(ConnectionClosedByBroker) as caught:
        publish_for_ever(channel)
    assert (320, GOODBYE) == (caught.value.reply_code, caught.value.reply_text)
    assert 0 == broker.wait()
    assert time.monotonic() - begin < STOP_SECONDS


def publish_for_ever(channel: BlockingChannel) -> None:
    """Load the broker until it ends the connection."""
    while True:
        channel.basic_publish("", "queue", b"~" * 1000, pika.BasicProperties(delivery_mode=2))
        channel.connection.process_data_events(0)


def test_clients_that_do_not_answer_do_not_delay_the_stop_for_long(
    start_broker: Callable[..., BrokerProcess], connect: Callable[..., Connection], dial: Callable[..., Connection]
) -> None:
    """Mute clients, whether open or still in their handshake, are dropped after a while."""
    broker = start_broker()
    mute = connect(broker)
    half_open = dial(broker)
    half_open.start()
    begin = time.monotonic()
    os.kill(broker.pid, signal.SIGTERM)
    assert GOODBYE == mute.wait("connection.close").reply_text
    half_open.must_drop()
    assert 0 == broker.wait()
    assert time.monotonic() - begin < 2 * STOP_SECONDS


def test_a_second_signal_ends_at_once(start_broker: Callable[..., BrokerProcess], connect: Callable[..., Connection]) -> None:
    """Whoever cannot wait for the goodbyes sends another signal; the exit code names it."""
    broker = start_broker()
    mute = connect(broker)
    os.kill(broker.pid, signal.SIGTERM)
    mute.wait("connection.close")
    begin = time.monotonic()
    os.kill(broker.pid, signal.SIGINT)
    assert 128 + signal.SIGINT == broker.wait()
    assert time.monotonic() - begin < 1


def test_what_was_published_before_the_stop_is_confirmed(
    start_broker: Callable[..., BrokerProcess], connect: Callable[..., Connection]
) -> None:
    """Confirms that are due go out before connection.close, and the messages are there after the next start."""
    broker = start_broker()
    channel = connect(broker).channel()
    channel.call("queue.declare", queue="queue", durable=True)
    channel.call("confirm.select")
    for _ in range(100):
        channel.publish(b"~", routing_key="queue", delivery_mode=2)
    channel.call("queue.declare", queue="queue", passive=True)
    os.kill(broker.pid, signal.SIGTERM)
    while channel.wait("basic.ack").delivery_tag < 100:
        pass
    channel.stream.wait("connection.close")
    channel.stream.send("connection.close-ok")
    assert 0 == broker.wait()
    broker.restart()
    assert 100 == connect(broker).channel().count("queue")
