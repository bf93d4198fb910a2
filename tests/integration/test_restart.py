"""What is there after a restart in good order, and what is not."""

from collections.abc import Callable

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from helpers.broker import Broker

Open = Callable[[Broker], BlockingChannel]
PERSISTENT = pika.BasicProperties(delivery_mode=2)
TRANSIENT = pika.BasicProperties(delivery_mode=1)


@pytest.fixture
def broker(own_broker: Broker) -> Broker:
    """A broker that may be restarted."""
    own_broker.require_restart()
    return own_broker


@pytest.fixture
def channel(broker: Broker, pika_channel: Open) -> BlockingChannel:
    """A channel in the broker's first life."""
    channel = pika_channel(broker)
    channel.confirm_delivery()
    return channel


def drained(channel: BlockingChannel, queue: str) -> list[tuple[bytes, bool]]:
    """Bodies and redelivered flags of all messages of a queue, which are acknowledged."""
    found: list[tuple[bytes, bool]] = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return found
        found.append((body, method.redelivered))


def is_missing(channel: BlockingChannel, kind: str, name: str) -> bool:
    """Whether a passive declare of a queue or exchange fails with 404."""
    try:
        if kind == "queue":
            channel.queue_declare(name, passive=True)
        else:
            channel.exchange_declare(name, passive=True)
    except ChannelClosedByBroker as error:
        return bool(error.reply_code == 404)
    return False


def test_durable_definitions_come_back_as_declared(broker: Broker, channel: BlockingChannel, pika_channel: Open) -> None:
    """Exchanges, queues with their arguments, and bindings from queue and exchange work as before."""
    channel.exchange_declare("alternate", "fanout", durable=True)
    channel.exchange_declare("orders", "topic", durable=True, arguments={"alternate-exchange": "alternate"})
    channel.exchange_declare("audit", "headers", durable=True, internal=True)
    channel.exchange_bind("audit", "orders", "order.#")
    channel.queue_declare("new", durable=True, arguments={"x-max-priority": 5, "x-own": [1, {"two": True}]})
    channel.queue_declare("all", durable=True)
    channel.queue_declare("lost", durable=True)
    channel.queue_bind("new", "orders", "order.new")
    channel.queue_bind("all", "audit", arguments={"x-match": "any", "kind": "test"})
    channel.queue_bind("lost", "alternate")
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    channel.exchange_declare("orders", "topic", durable=True, arguments={"alternate-exchange": "alternate"})
    channel.exchange_declare("audit", "headers", durable=True, internal=True)
    channel.queue_declare("new", durable=True, arguments={"x-max-priority": 5})
    for key in ("order.new", "order.old", "other"):
        channel.basic_publish("orders", key, key, pika.BasicProperties(headers={"kind": "test"}))
    assert [(b"order.new", False)] == drained(channel, "new")
    assert [(b"order.new", False), (b"order.old", False)] == drained(channel, "all")
    assert [(b"other", False)] == drained(channel, "lost")
    with pytest.raises(ChannelClosedByBroker, match="inequivalent arg 'x-max-priority'"):
        channel.queue_declare("new", durable=True)


def test_messages_come_back_in_order_as_they_were(broker: Broker, channel: BlockingChannel, pika_channel: Open) -> None:
    """A queue with messages of all sizes is as it was, to the last property."""
    properties = pika.BasicProperties("text/plain", "utf-8", {"a": [1, None]}, 2, 3, "c", "r", "60000", "m", 5, "t")
    bodies = [b"%d" % size + b"~" * size for size in (0, 1, 4095, 4096, 300_000)]
    channel.queue_declare("queue", durable=True)
    for body in bodies:
        channel.basic_publish("", "queue", body, properties)
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    for left, body in reversed(list(enumerate(reversed(bodies)))):
        method, found, found_body = channel.basic_get("queue")
        assert (left, body) == (method.message_count, found_body)
        assert (False, "", "queue") == (method.redelivered, method.exchange, method.routing_key)
        assert vars(properties) == vars(found)


def test_messages_in_several_queues_come_back_to_each(broker: Broker, channel: BlockingChannel, pika_channel: Open) -> None:
    """A large body that queues share outlives the queue that was first to give it up."""
    channel.exchange_declare("all", "fanout", durable=True)
    for queue in ("first", "second", "third"):
        channel.queue_declare(queue, durable=True)
        channel.queue_bind(queue, "all")
    body = b"~" * 10_000
    channel.basic_publish("all", "", body, PERSISTENT)
    assert [(body, False)] == drained(channel, "first")
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    assert [] == drained(channel, "first")
    assert [(body, False)] == drained(channel, "second")
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    assert [(body, False)] == drained(channel, "third")


def test_priorities_order_messages_after_a_restart(broker: Broker, channel: BlockingChannel, pika_channel: Open) -> None:
    """Old and new messages stand by priority, and by age within one."""
    channel.queue_declare("queue", durable=True, arguments={"x-max-priority": 2})
    for number in range(6):
        channel.basic_publish("", "queue", b"old %d" % number, pika.BasicProperties(delivery_mode=2, priority=number % 3))
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    for number in range(3):
        channel.basic_publish("", "queue", b"new %d" % number, pika.BasicProperties(delivery_mode=2, priority=number))
    expected = [b"old 2", b"old 5", b"new 2", b"old 1", b"old 4", b"new 1", b"old 0", b"old 3", b"new 0"]
    assert expected == [body for body, _ in drained(channel, "queue")]


def test_what_was_delivered_is_marked_as_redelivered(broker: Broker, channel: BlockingChannel, pika_channel: Open) -> None:
    """Unacknowledged and requeued messages are redelivered from their old places; acknowledged ones are gone."""
    channel.queue_declare("queue", durable=True)
    for number in range(6):
        channel.basic_publish("", "queue", b"%d" % number, PERSISTENT)
    tags = [channel.basic_get("queue")[0].delivery_tag for _ in range(4)]
    channel.basic_ack(tags[0])
    channel.basic_nack(tags[1])
    channel.basic_reject(tags[2], requeue=False)
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    assert [(b"1", True), (b"3", True), (b"4", False), (b"5", False)] == drained(channel, "queue")


def test_unacknowledged_messages_come_back_when_the_broker_closes_the_connection(
    broker: Broker, channel: BlockingChannel, pika_channel: Open
) -> None:
    """A consumer's connection that the stop cuts gives back what it holds."""
    channel.queue_declare("queue", durable=True)
    channel.basic_publish("", "queue", b"held", PERSISTENT)
    channel.basic_publish("", "queue", b"free", PERSISTENT)
    channel.basic_get("queue")
    broker.restart()
    assert [(b"held", True), (b"free", False)] == drained(pika_channel(broker), "queue")


def test_transient_things_are_gone(broker: Broker, channel: BlockingChannel, pika_channel: Open) -> None:
    """Non-durable queues and exchanges, exclusive queues and transient messages end with the broker's life."""
    channel.queue_declare("transient")
    channel.queue_declare("exclusive", durable=True, exclusive=True)
    channel.exchange_declare("transient", "fanout")
    channel.queue_declare("durable", durable=True)
    channel.basic_publish("", "durable", b"transient", TRANSIENT)
    channel.basic_publish("", "durable", b"persistent", PERSISTENT)
    channel.basic_publish("", "transient", b"persistent", PERSISTENT)
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    assert [(b"persistent", False)] == drained(channel, "durable")
    for kind, name in (("queue", "transient"), ("queue", "exclusive"), ("exchange", "transient")):
        assert is_missing(pika_channel(broker), kind, name)


def test_deleted_things_stay_deleted(broker: Broker, channel: BlockingChannel, pika_channel: Open) -> None:
    """A queue that is declared again after a restart has nothing of its namesake, nor its bindings."""
    channel.exchange_declare("gone", "fanout", durable=True)
    channel.queue_declare("again", durable=True)
    channel.queue_bind("again", "amq.fanout")
    channel.basic_publish("", "again", b"~" * 5000, PERSISTENT)
    channel.queue_delete("again")
    channel.exchange_delete("gone")
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    assert 0 == channel.queue_declare("again", durable=True).method.message_count
    channel.basic_publish("amq.fanout", "", b"lost")
    assert [] == drained(channel, "again")
    assert is_missing(pika_channel(broker), "exchange", "gone")


def test_an_auto_delete_queue_waits_for_a_consumer(broker: Broker, channel: BlockingChannel, pika_channel: Open) -> None:
    """A durable auto-delete queue outlives restarts until a consumer has come and gone."""
    channel.queue_declare("queue", durable=True, auto_delete=True)
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    tag = channel.basic_consume("queue", lambda *_: None)
    channel.basic_cancel(tag)
    channel.connection.close()
    broker.restart()
    channel = pika_channel(broker)
    assert is_missing(pika_channel(broker), "queue", "queue")
