"""Exchanges of type x-recent-history, and x-local-random, through pika."""

from collections.abc import Callable

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from helpers.broker import Broker

Open = Callable[[Broker], BlockingChannel]


def bodies(channel: BlockingChannel, queue: str) -> list[bytes]:
    """All that waits in a queue, which is empty afterwards."""
    found: list[bytes] = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return found
        found.append(body)


def test_who_binds_late_hears_the_last_messages(broker: Broker, pika_channel: Open, unique_name: str) -> None:
    """Oldest first, each binding for itself, but the same one no second time."""
    channel = pika_channel(broker)
    channel.exchange_declare(unique_name, "x-recent-history", auto_delete=True, arguments={"x-recent-history-length": 2})
    for number in range(4):
        channel.basic_publish(unique_name, "k", b"%d" % number)
    secret = pika.BasicProperties(headers={"x-recent-history-no-store": True})
    channel.basic_publish(unique_name, "k", b"secret", secret)
    queue = channel.queue_declare("", exclusive=True).method.queue
    for key in ("a", "a", "b"):
        channel.queue_bind(queue, unique_name, key)
    assert [b"2", b"3", b"2", b"3"] == bodies(channel, queue)
    channel.basic_publish(unique_name, "k", b"new")
    assert [b"new"] == bodies(channel, queue)


@pytest.mark.parametrize(("length", "shown"), [(0, "0"), ("5", '<<"5">>'), (True, "true")])
def test_its_length_is_checked(broker: Broker, pika_channel: Open, unique_name: str, length: object, shown: str) -> None:
    """In RabbitMQ's words."""
    with pytest.raises(ChannelClosedByBroker) as error:
        pika_channel(broker).exchange_declare(unique_name, "x-recent-history", arguments={"x-recent-history-length": length})
    problem = f"Invalid argument {shown}, 'x-recent-history-length' must be a positive integer"
    assert (406, f"PRECONDITION_FAILED - {problem}") == (error.value.reply_code, error.value.reply_text)


def test_a_local_random_exchange(broker: Broker, pika_channel: Open, unique_name: str) -> None:
    """Each message goes to one queue; binding keys are refused."""
    channel = pika_channel(broker)
    try:
        channel.exchange_declare(unique_name, "x-local-random", auto_delete=True)
    except pika.exceptions.AMQPError:
        pytest.skip("RabbitMQ has it since 4.0")
    queues = [channel.queue_declare("", exclusive=True).method.queue for _ in range(2)]
    for queue in queues:
        channel.queue_bind(queue, unique_name, "")
    for _ in range(100):
        channel.basic_publish(unique_name, "any", b"m")
    counts = [len(bodies(channel, queue)) for queue in queues]
    assert (100, True) == (sum(counts), all(counts))
    with pytest.raises(ChannelClosedByBroker, match="Non empty binding 'key' key not permitted"):
        channel.queue_bind(queues[0], unique_name, "key")
