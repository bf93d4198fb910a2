"""py-amqp: the client below kombu and Celery. It logs in with AMQPLAIN."""

import socket
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import amqp
import pytest

from helpers.broker import Broker
from helpers.tally import SETTLED, TOTAL, Tally, numbered_bodies

PREFETCH = 10
BEATS = 3

HEADERS = {
    "true": True,
    "false": False,
    "small": -1,
    "large": 2**40,
    "double": 1.5,
    "decimal": Decimal("3.14"),
    "text": "grüße",
    "bytes": b"\x00\xff",
    "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None),  # py-amqp reads times without a zone
    "none": None,
    "array": [1, "two", [3.0]],
    "table": {"inner": {"deep": True}},
}


@pytest.fixture
def connection(broker: Broker) -> Iterator[amqp.Connection]:
    """A connection of the test's own."""
    with amqp.Connection(f"{broker.host}:{broker.port}") as connection:
        yield connection


@pytest.fixture
def channel(connection: amqp.Connection) -> amqp.Channel:
    """A channel without confirms or transactions."""
    return connection.channel()


@pytest.fixture
def queue(channel: amqp.Channel, unique_name: str) -> str:
    """An exclusive queue that a topic exchange of the same name feeds with the keys `order.#`."""
    channel.exchange_declare(unique_name, "topic")
    channel.queue_declare(unique_name, exclusive=True, auto_delete=False)
    channel.queue_bind(unique_name, unique_name, "order.#")
    return unique_name


def ready(channel: amqp.Channel, queue: str) -> int:
    """How many messages wait in the queue, as a passive declare tells."""
    count: int = channel.queue_declare(queue, passive=True).message_count
    return count


def test_a_thousand_confirmed_messages_are_each_settled_once(
    connection: amqp.Connection, channel: amqp.Channel, queue: str
) -> None:
    """Acked and rejected messages never come back; requeued ones come back once, marked as redelivered."""
    for body in numbered_bodies():
        channel.basic_publish_confirm(amqp.Message(body), queue, "order.new")
    assert TOTAL == ready(channel, queue)
    tally = Tally()

    def settle(message: amqp.Message) -> None:
        delivery = message.delivery_info
        choice = tally.choose(message.body, redelivered=delivery["redelivered"])
        if choice == "acked":
            channel.basic_ack(delivery["delivery_tag"])
        else:
            channel.basic_reject(delivery["delivery_tag"], requeue=choice == "requeued")

    channel.basic_qos(0, PREFETCH, a_global=False)
    consumer_tag = channel.basic_consume(queue, callback=settle)
    while not tally.is_complete:
        connection.drain_events()
    channel.basic_cancel(consumer_tag)
    assert SETTLED == tally.counts
    assert 0 == ready(channel, queue)


def test_an_unroutable_mandatory_message_comes_back(channel: amqp.Channel, queue: str) -> None:
    """The return, with code 312 and the body, comes before the confirm."""
    returned: list[tuple[amqp.ChannelError, str, str, amqp.Message]] = []
    channel.events["basic_return"].add(lambda *event: returned.append(event))
    channel.basic_publish_confirm(amqp.Message(b"lost"), queue, "nowhere", mandatory=True)
    [(error, exchange, routing_key, message)] = returned
    assert (312, "NO_ROUTE") == (error.reply_code, error.reply_text)
    assert (queue, "nowhere", b"lost") == (exchange, routing_key, message.body)


def test_headers_arrive_as_sent(channel: amqp.Channel, queue: str) -> None:
    """Each kind of header value survives the round trip."""
    channel.basic_publish(amqp.Message(b"", application_headers=HEADERS), queue, "order.new")
    assert HEADERS == channel.basic_get(queue, no_ack=True).headers


def test_a_body_of_a_mebibyte_arrives_whole(channel: amqp.Channel, queue: str) -> None:
    """A body that spans many frames is put together again."""
    body = bytes(range(256)) * 4096
    channel.basic_publish(amqp.Message(body), queue, "order.big")
    assert body == channel.basic_get(queue, no_ack=True).body


def test_a_transaction_publishes_on_commit_alone(channel: amqp.Channel, queue: str) -> None:
    """Messages are not visible before the commit, and a rollback forgets them."""
    channel.tx_select()
    channel.basic_publish(amqp.Message(b"rolled back"), queue, "order.new")
    channel.tx_rollback()
    channel.basic_publish(amqp.Message(b"committed"), queue, "order.new")
    assert 0 == ready(channel, queue)
    channel.tx_commit()
    assert b"committed" == channel.basic_get(queue, no_ack=True).body


def test_a_missing_queue_closes_the_channel_alone(connection: amqp.Connection, unique_name: str) -> None:
    """A passive declare of a queue that is not there gives 404; the connection goes on."""
    with pytest.raises(amqp.NotFound) as caught:
        connection.channel().queue_declare(unique_name, passive=True)
    assert f"NOT_FOUND - no queue '{unique_name}' in vhost '/'" == caught.value.reply_text
    assert 0 == connection.channel().queue_declare("", exclusive=True).message_count


def test_a_negotiated_heartbeat_keeps_an_idle_connection(broker: Broker) -> None:
    """The broker takes the client's interval, beats when idle, and is content with the client's beats."""
    with amqp.Connection(f"{broker.host}:{broker.port}", heartbeat=1) as connection:
        assert 1 == connection.heartbeat
        frames_before = connection.bytes_recv
        while connection.bytes_recv < frames_before + BEATS:
            with suppress(socket.timeout):
                connection.drain_events(timeout=0.2)
            connection.heartbeat_tick()
        assert 0 == connection.channel().queue_declare("", exclusive=True).message_count
