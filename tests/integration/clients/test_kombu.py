"""kombu: declared entities, JSON bodies, and one API for producing and consuming."""

from collections.abc import Iterator
from typing import Any

import kombu
import pytest
from kombu.exceptions import ChannelError
from kombu.pidbox import Mailbox

from helpers.broker import Broker
from helpers.tally import SETTLED, TOTAL, Tally

PREFETCH = 10


@pytest.fixture
def connection(broker: Broker) -> Iterator[kombu.Connection]:
    """A connection whose publishes wait for their confirms."""
    with kombu.Connection(broker.url, transport_options={"confirm_publish": True}) as connection:
        yield connection


@pytest.fixture
def queue(connection: kombu.Connection, unique_name: str) -> Iterator[kombu.Queue]:
    """A bound and declared queue with a topic exchange of the same name."""
    exchange = kombu.Exchange(unique_name, "topic", durable=False, auto_delete=True)
    queue = kombu.Queue(unique_name, exchange, "order.#", durable=False)(connection.default_channel)
    queue.declare()
    yield queue
    queue.delete()


def test_a_thousand_json_messages_are_each_settled_once(connection: kombu.Connection, queue: kombu.Queue) -> None:
    """Acked and rejected messages never come back; requeued ones come back once, marked as redelivered."""
    producer = connection.Producer()
    for number in range(TOTAL):
        producer.publish({"number": number}, exchange=queue.exchange, routing_key="order.new")
    assert TOTAL == queue.queue_declare(passive=True).message_count
    tally = Tally()

    def settle(content: dict[str, int], message: kombu.Message) -> None:
        redelivered = message.delivery_info["redelivered"]
        choice = tally.choose(b"%d" % content["number"], redelivered=redelivered)
        {"acked": message.ack, "requeued": message.requeue, "rejected": message.reject}[choice]()

    with connection.Consumer(queue, callbacks=[settle], prefetch_count=PREFETCH):
        while not tally.is_complete:
            connection.drain_events()
    assert SETTLED == tally.counts
    assert 0 == queue.queue_declare(passive=True).message_count


def test_an_unroutable_mandatory_message_comes_back(connection: kombu.Connection, queue: kombu.Queue) -> None:
    """The producer's return callback gets code 312, the key and the body."""
    returned: list[tuple[Any, ...]] = []
    producer = connection.Producer(on_return=lambda *event: returned.append(event))
    producer.publish("lost", exchange=queue.exchange, routing_key="nowhere", mandatory=True)
    [(error, exchange, routing_key, message)] = returned
    assert (312, queue.name, "nowhere") == (error.reply_code, exchange, routing_key)
    assert "lost" == message.body


def test_headers_arrive_as_sent(connection: kombu.Connection, queue: kombu.Queue) -> None:
    """Headers, and properties that kombu sets by itself, survive the round trip."""
    headers = {"text": "grüße", "number": 2**40, "double": 1.5, "none": None, "array": [1, {"two": True}]}
    connection.Producer().publish("hello", exchange=queue.exchange, routing_key="order.new", headers=headers)
    message = queue.get(no_ack=True)
    assert headers == message.headers
    assert ("text/plain", "utf-8") == (message.content_type, message.content_encoding)
    assert message.properties["delivery_mode"] == 2


def test_a_compressed_body_of_a_mebibyte_arrives_whole(connection: kombu.Connection, queue: kombu.Queue) -> None:
    """A large body, marked as compressed in its headers, is decoded by the consumer."""
    body = {"text": "x" * 2**20}
    producer = connection.Producer(compression="zlib")
    producer.publish(body, exchange=queue.exchange, routing_key="order.big")
    producer.publish(body, exchange=queue.exchange, routing_key="order.big", compression="")
    assert [body, body] == [queue.get(no_ack=True).payload for _ in range(2)]


def test_a_missing_queue_closes_the_channel_alone(connection: kombu.Connection, unique_name: str) -> None:
    """A passive declare of a queue that is not there gives 404; the connection goes on."""
    with pytest.raises(ChannelError) as caught:
        kombu.Queue(unique_name)(connection.channel()).queue_declare(passive=True)
    assert 404 == caught.value.reply_code
    assert 0 == connection.SimpleQueue("", queue_opts={"exclusive": True}).qsize()


def test_a_broadcast_reaches_every_mailbox(connection: kombu.Connection, unique_name: str) -> None:
    """Two workers each get the same control message, and the sender gets both replies (kombu's pidbox)."""
    mailbox = Mailbox(unique_name, type="fanout")(connection)
    consumers = []
    for hostname in ("first", "second"):
        node = mailbox.Node(hostname, handlers={"greet": lambda state, name: f"{state} hears {name}"}, state=hostname)
        node.channel = connection.channel()
        consumers.append(node.listen())
    replies = mailbox.multi_call("greet", {"name": "hello"}, timeout=10, limit=2)
    for consumer in consumers:
        consumer.cancel()
    assert [{"first": "first hears hello"}, {"second": "second hears hello"}] == sorted(replies, key=str)
