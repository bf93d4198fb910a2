"""Memory alarms, publish rates and acknowledgement timeouts, as clients see them."""

from collections.abc import Callable
from time import monotonic
from typing import Final

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from conformance.client.connection import Connection
from helpers.broker import Broker, BrokerProcess
from helpers.management import management

Open = Callable[..., BlockingChannel]
LATE: Final = (
    "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out. Timeout value used: 200 ms. "
    "This timeout value can be configured, see consumers doc guide to learn more"
)


@pytest.fixture
def low_broker(start_broker: Callable[..., BrokerProcess]) -> BrokerProcess:
    """A broker that always finds its memory low."""
    return start_broker("--memory-high-watermark", "0")


def test_low_memory_blocks_publishers(low_broker: Broker, pika_channel: Open) -> None:
    """They are told; they can close their connection all the same, without waiting."""
    channel = pika_channel(low_broker)
    reasons: list[str] = []
    channel.connection.add_on_connection_blocked_callback(lambda _, frame: reasons.append(frame.method.reason))
    channel.queue_declare("queue")
    channel.basic_publish("", "queue", b"")
    while not reasons:
        channel.connection.process_data_events(1)
    assert ["low on memory"] == reasons
    channel.connection.close()
    assert channel.connection.is_closed


def test_both_can_be_low(start_broker: Callable[..., BrokerProcess], connect: Callable[[Broker], Connection]) -> None:
    """The reason names memory and disk in RabbitMQ's words."""
    broker = start_broker("--memory-high-watermark", "0", "--disk-free-limit", "100000TB")
    connection = connect(broker)
    channel = connection.channel()
    channel.publish(b"", routing_key="nowhere")
    assert "low on memory & disk" == channel.stream.wait("connection.blocked").reason


@pytest.mark.parametrize("whose", [("user-limits", "guest"), ("vhost-limits", "/")])
def test_a_publish_rate_holds(own_broker: Broker, pika_channel: Open, whose: tuple[str, str]) -> None:
    """Beyond one second's burst, messages come no faster than the limit says; nothing is lost."""
    management(own_broker).put(*whose, "max-publish-rate", body={"value": 100})
    channel = pika_channel(own_broker)
    channel.queue_declare("queue")
    began = monotonic()
    for _ in range(10):
        for _ in range(20):
            channel.basic_publish("", "queue", b"")
        channel.queue_declare("queue", passive=True)
    assert monotonic() - began > 0.5
    assert 200 == channel.queue_declare("queue", passive=True).method.message_count


@pytest.mark.parametrize("whose", ["queue", "consumer", "policy"])
def test_a_late_acknowledgement_closes_the_channel(own_broker: Broker, pika_channel: Open, whose: str) -> None:
    """The message goes back to its queue, marked as redelivered; an acknowledgement in time is as good as ever."""
    timeout = {"x-consumer-timeout": 200}
    if whose == "policy":
        management(own_broker).put("policies", "/", "p", body={"pattern": "^queue$", "definition": {"consumer-timeout": 200}})
    channel = pika_channel(own_broker)
    channel.queue_declare("queue", arguments=timeout if whose == "queue" else None)
    bodies: list[bytes] = []

    def consume(channel: BlockingChannel, method: pika.spec.Basic.Deliver, _: object, body: bytes) -> None:
        bodies.append(body)
        if body == b"first":
            channel.basic_ack(method.delivery_tag)

    channel.basic_consume("queue", consume, arguments=timeout if whose == "consumer" else None)
    channel.basic_publish("", "queue", b"first")
    channel.connection.sleep(0.5)
    channel.basic_publish("", "queue", b"second")
    with pytest.raises(ChannelClosedByBroker) as closed:
        channel.start_consuming()
    assert (406, LATE) == (closed.value.reply_code, closed.value.reply_text)
    assert [b"first", b"second"] == bodies
    method, _, body = channel.connection.channel().basic_get("queue")
    assert (True, b"second") == (method.redelivered, body)
