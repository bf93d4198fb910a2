"""amqpstorm: a thread reads, the caller polls."""

from collections.abc import Iterator
from datetime import UTC, datetime

import amqpstorm
import pytest
from amqpstorm import AMQPChannelError, AMQPMessageError

from helpers.broker import Broker
from helpers.tally import SETTLED, Tally, numbered_bodies

PREFETCH = 10
CONFIRMED = 50  # the client polls for each confirm, 10 ms apart

HEADERS = {
    "true": True,
    "small": -1,
    "large": 2**40,
    "double": 1.5,
    "text": "grüße",
    "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "none": None,
    "array": [1, "two", [3.0]],
    "table": {"inner": {"deep": True}},
}


@pytest.fixture
def connection(broker: Broker) -> Iterator[amqpstorm.Connection]:
    """A connection of the test's own."""
    with amqpstorm.UriConnection(f"{broker.url}/%2F") as connection:
        yield connection


@pytest.fixture
def channel(connection: amqpstorm.Connection) -> amqpstorm.Channel:
    """A channel without confirms or transactions."""
    return connection.channel()


@pytest.fixture
def queue(channel: amqpstorm.Channel, unique_name: str) -> str:
    """An exclusive queue that a topic exchange of the same name feeds with the keys `order.#`."""
    channel.exchange.declare(unique_name, "topic", auto_delete=True)
    channel.queue.declare(unique_name, exclusive=True)
    channel.queue.bind(unique_name, unique_name, "order.#")
    return unique_name


def ready(channel: amqpstorm.Channel, queue: str) -> int:
    """How many messages wait in the queue, as a passive declare tells."""
    count: int = channel.queue.declare(queue, passive=True)["message_count"]
    return count


def test_a_thousand_messages_are_each_settled_once(channel: amqpstorm.Channel, queue: str) -> None:
    """Acked and rejected messages never come back; requeued ones come back once, marked as redelivered."""
    for body in numbered_bodies():
        channel.basic.publish(body, "order.new", queue)
    tally = Tally()

    def settle(message: amqpstorm.Message) -> None:
        choice = tally.choose(message.body.encode(), redelivered=message.redelivered)
        if choice == "acked":
            message.ack()
        elif choice == "requeued":
            message.nack(requeue=True)
        else:
            message.reject(requeue=False)
        if tally.is_complete:
            channel.stop_consuming()

    channel.basic.qos(PREFETCH)
    channel.basic.consume(settle, queue)
    channel.start_consuming()
    assert SETTLED == tally.counts
    assert 0 == ready(channel, queue)


def test_publishes_are_confirmed(channel: amqpstorm.Channel, queue: str) -> None:
    """On a channel in confirm mode each publish tells that the broker has taken the message."""
    channel.confirm_deliveries()
    confirms = [channel.basic.publish(b"", "order.new", queue) for _ in range(CONFIRMED)]
    assert [True] * CONFIRMED == confirms
    assert CONFIRMED == ready(channel, queue)


def test_an_unroutable_mandatory_message_comes_back(channel: amqpstorm.Channel, queue: str) -> None:
    """The publish raises the return, with code 312."""
    channel.confirm_deliveries()
    with pytest.raises(AMQPMessageError) as caught:
        channel.basic.publish(b"lost", "nowhere", queue, mandatory=True)
    assert 312 == caught.value.error_code


def test_headers_arrive_as_sent(channel: amqpstorm.Channel, queue: str) -> None:
    """Each kind of header value survives the round trip."""
    channel.basic.publish(b"", "order.new", queue, {"headers": HEADERS, "correlation_id": "c-1"})
    message = channel.basic.get(queue, no_ack=True, auto_decode=True)
    assert HEADERS == message.properties["headers"]
    assert "c-1" == message.correlation_id


def test_a_body_of_a_mebibyte_arrives_whole(channel: amqpstorm.Channel, queue: str) -> None:
    """A body that spans many frames is put together again."""
    body = bytes(range(256)) * 4096
    channel.basic.publish(body, "order.big", queue)
    assert body == channel.basic.get(queue, no_ack=True, auto_decode=False).body


def test_a_transaction_publishes_on_commit_alone(channel: amqpstorm.Channel, queue: str) -> None:
    """Messages are not visible before the commit, and a rollback forgets them."""
    channel.tx.select()
    channel.basic.publish(b"rolled back", "order.new", queue)
    channel.tx.rollback()
    channel.basic.publish(b"committed", "order.new", queue)
    assert 0 == ready(channel, queue)
    channel.tx.commit()
    assert "committed" == channel.basic.get(queue, no_ack=True, auto_decode=True).body


def test_a_missing_queue_closes_the_channel_alone(connection: amqpstorm.Connection, unique_name: str) -> None:
    """A passive declare of a queue that is not there gives 404; the connection goes on."""
    with pytest.raises(AMQPChannelError, match=f"NOT_FOUND - no queue '{unique_name}' in vhost '/'") as caught:
        connection.channel().queue.declare(unique_name, passive=True)
    assert 404 == caught.value.error_code
    assert 0 == connection.channel().queue.declare("", exclusive=True)["message_count"]
