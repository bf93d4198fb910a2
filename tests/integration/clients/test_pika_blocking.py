"""pika's BlockingConnection: the most used Python client, one call at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, UnroutableError

from helpers.broker import Broker
from helpers.tally import SETTLED, TOTAL, Tally, numbered_bodies

PREFETCH = 10

HEADERS = {
    "true": True,
    "false": False,
    "small": -1,
    "large": 2**40,
    "decimal": Decimal("3.14"),
    "text": "grüße",
    "bytes": b"\x00\xff",
    "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "none": None,
    "array": [1, "two", [-3]],
    "table": {"inner": {"deep": True}},
}


@pytest.fixture
def connection(broker: Broker) -> Iterator[pika.BlockingConnection]:
    """A connection of the test's own."""
    with pika.BlockingConnection(pika.URLParameters(broker.url)) as connection:
        yield connection


@pytest.fixture
def channel(connection: pika.BlockingConnection) -> BlockingChannel:
    """A channel without confirms or transactions."""
    return connection.channel()


@pytest.fixture
def queue(channel: BlockingChannel, unique_name: str) -> str:
    """An exclusive queue that a topic exchange of the same name feeds with the keys `order.#`."""
    channel.exchange_declare(unique_name, "topic", auto_delete=True)
    channel.queue_declare(unique_name, exclusive=True)
    channel.queue_bind(unique_name, unique_name, "order.#")
    return unique_name


def ready(channel: BlockingChannel, queue: str) -> int:
    """How many messages wait in the queue, as a passive declare tells."""
    count: int = channel.queue_declare(queue, passive=True).method.message_count
    return count


def test_a_thousand_confirmed_messages_are_each_settled_once(channel: BlockingChannel, queue: str) -> None:
    """Acked and rejected messages never come back; requeued ones come back once, marked as redelivered."""
    channel.confirm_delivery()
    for body in numbered_bodies():
        channel.basic_publish(queue, "order.new", body, mandatory=True)
    assert TOTAL == ready(channel, queue)
    channel.basic_qos(prefetch_count=PREFETCH)
    tally = Tally()
    for method, _, body in channel.consume(queue):
        choice = tally.choose(body, redelivered=method.redelivered)
        if choice == "acked":
            channel.basic_ack(method.delivery_tag)
        elif choice == "requeued":
            channel.basic_nack(method.delivery_tag, requeue=True)
        else:
            channel.basic_reject(method.delivery_tag, requeue=False)
        if tally.is_complete:
            break
    channel.cancel()
    assert SETTLED == tally.counts
    assert 0 == ready(channel, queue)


def test_prefetch_bounds_the_unacknowledged_messages(channel: BlockingChannel, queue: str) -> None:
    """With a prefetch of ten, ten of twenty messages leave the queue, and one more with each ack."""
    for _ in range(2 * PREFETCH):
        channel.basic_publish("", queue, b"")
    channel.basic_qos(prefetch_count=PREFETCH)
    deliveries = channel.consume(queue)
    tags = [next(deliveries)[0].delivery_tag for _ in range(PREFETCH)]
    assert PREFETCH == ready(channel, queue)
    channel.basic_ack(tags[0])
    assert PREFETCH + 1 == next(deliveries)[0].delivery_tag
    assert PREFETCH - 1 == ready(channel, queue)


def test_an_unroutable_mandatory_message_comes_back(channel: BlockingChannel, queue: str) -> None:
    """The publisher gets the return, with code 312 and the body, before the confirm."""
    channel.confirm_delivery()
    with pytest.raises(UnroutableError) as caught:
        channel.basic_publish(queue, "nowhere", b"lost", mandatory=True)
    returned = caught.value.messages[0]
    assert (312, "NO_ROUTE") == (returned.method.reply_code, returned.method.reply_text)
    assert (queue, "nowhere") == (returned.method.exchange, returned.method.routing_key)
    assert b"lost" == returned.body


def test_headers_and_properties_arrive_as_sent(channel: BlockingChannel, queue: str) -> None:
    """All properties and each kind of header value survive the round trip."""
    sent = pika.BasicProperties(
        content_type="text/plain",
        content_encoding="utf-8",
        headers=HEADERS,
        delivery_mode=2,
        priority=7,
        correlation_id="c-1",
        reply_to="replies",
        expiration="60000",
        message_id="m-1",
        timestamp=1_767_323_045,
        type="greeting",
        user_id="guest",
        app_id="tests",
    )
    channel.basic_publish(queue, "order.new", b"", sent)
    _, received, _ = channel.basic_get(queue, auto_ack=True)
    assert vars(sent) == vars(received)


def test_a_body_of_a_mebibyte_arrives_whole(channel: BlockingChannel, queue: str) -> None:
    """A body that spans many frames is put together again."""
    body = bytes(range(256)) * 4096
    channel.basic_publish(queue, "order.big", body)
    assert body == channel.basic_get(queue, auto_ack=True)[2]


def test_a_transaction_publishes_on_commit_alone(channel: BlockingChannel, queue: str) -> None:
    """Messages are not visible before the commit, and a rollback forgets them."""
    channel.tx_select()
    channel.basic_publish(queue, "order.new", b"rolled back")
    channel.tx_rollback()
    channel.basic_publish(queue, "order.new", b"committed")
    assert 0 == ready(channel, queue)
    channel.tx_commit()
    assert 1 == ready(channel, queue)
    assert b"committed" == channel.basic_get(queue, auto_ack=True)[2]


def test_a_missing_queue_closes_the_channel_alone(connection: pika.BlockingConnection, unique_name: str) -> None:
    """A passive declare of a queue that is not there gives 404; the connection goes on."""
    with pytest.raises(ChannelClosedByBroker) as caught:
        connection.channel().queue_declare(unique_name, passive=True)
    assert 404 == caught.value.reply_code
    assert f"NOT_FOUND - no queue '{unique_name}' in vhost '/'" == caught.value.reply_text
    assert 0 == connection.channel().queue_declare("", exclusive=True).method.message_count


def test_a_closed_connection_gives_its_messages_back(broker: Broker, channel: BlockingChannel, unique_name: str) -> None:
    """What a connection had not acked when it closed is redelivered to another one."""
    channel.queue_declare(unique_name)
    channel.basic_publish("", unique_name, b"unacked")
    with pika.BlockingConnection(pika.URLParameters(broker.url)) as other:
        method, _, _ = other.channel().basic_get(unique_name)
        assert not method.redelivered
    assert other.is_closed
    method, _, body = channel.basic_get(unique_name, auto_ack=True)
    channel.queue_delete(unique_name)
    assert (True, b"unacked") == (method.redelivered, body)


def test_deleting_a_queue_cancels_its_consumers(channel: BlockingChannel, connection: pika.BlockingConnection) -> None:
    """A consumer learns with basic.cancel that its queue is gone."""
    queue = channel.queue_declare("", exclusive=True).method.queue
    cancelled: list[str] = []
    channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
    channel.basic_consume(queue, lambda *_: None, consumer_tag="reader")
    connection.channel().queue_delete(queue)
    while not cancelled:
        connection.process_data_events(time_limit=None)
    assert ["reader"] == cancelled


def test_confirmed_persistent_messages_survive_a_restart(own_broker: Broker, unique_name: str) -> None:
    """A durable queue and its persistent messages are there, in order, when the broker starts again."""
    own_broker.require_restart()
    with pika.BlockingConnection(pika.URLParameters(own_broker.url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(unique_name, durable=True)
        for body in (b"one", b"two"):
            channel.basic_publish("", unique_name, body, pika.BasicProperties(delivery_mode=2), mandatory=True)
    own_broker.restart()
    with pika.BlockingConnection(pika.URLParameters(own_broker.url)) as connection:
        channel = connection.channel()
        assert [b"one", b"two"] == [channel.basic_get(unique_name)[2] for _ in range(2)]
