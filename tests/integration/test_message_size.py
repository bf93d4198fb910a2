"""The largest message that a broker takes."""

from collections.abc import Callable

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from helpers.broker import BrokerProcess


def test_a_message_beyond_the_limit(
    start_broker: Callable[..., BrokerProcess], pika_channel: Callable[..., BlockingChannel]
) -> None:
    """It closes the channel with RabbitMQ's text as soon as its size is announced; one of just the limit is taken."""
    broker = start_broker("--max-message-size", "1000")
    channel = pika_channel(broker)
    channel.queue_declare("queue")
    channel.confirm_delivery()
    channel.basic_publish("", "queue", bytes(1000), pika.BasicProperties(), mandatory=True)
    with pytest.raises(ChannelClosedByBroker) as closed:
        channel.basic_publish("", "queue", bytes(1001))
    text = "PRECONDITION_FAILED - message size 1001 is larger than configured max size 1000"
    assert (406, text) == (closed.value.reply_code, closed.value.reply_text)
