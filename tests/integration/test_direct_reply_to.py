"""Direct reply-to, through pika."""

import time
from collections.abc import Callable
from typing import Final

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker, UnroutableError

from helpers.broker import Broker

Open = Callable[[Broker], BlockingChannel]
REPLY_TO: Final = "amq.rabbitmq.reply-to"
SECONDS: Final = 10.0


class Requester:
    """A channel that sends requests and waits for replies."""

    def __init__(self, channel: BlockingChannel, queue: str) -> None:
        self.channel = channel
        self.queue = queue
        self.replies: list[tuple[str | None, bytes]] = []
        self.tag = channel.basic_consume(REPLY_TO, self._heard, auto_ack=True)

    def _heard(self, _channel: object, _method: object, properties: pika.BasicProperties, body: bytes) -> None:
        self.replies.append((properties.correlation_id, body))

    def heard(self) -> list[tuple[str | None, bytes]]:
        """The replies so far, at least one."""
        deadline = time.monotonic() + SECONDS
        while not self.replies and time.monotonic() < deadline:
            self.channel.connection.process_data_events(0.1)
        return self.replies

    def ask(self, number: str) -> None:
        """Send a request."""
        properties = pika.BasicProperties(reply_to=REPLY_TO, correlation_id=number)
        self.channel.basic_publish("", self.queue, b"question", properties)


def answer(server: BlockingChannel, queue: str, count: int) -> dict[str, str]:
    """Answer so many requests; return where each answer went, by correlation id."""
    names: dict[str, str] = {}
    for method, properties, body in server.consume(queue, auto_ack=True, inactivity_timeout=SECONDS):
        assert (True, b"question") == (method is not None, body)
        names[properties.correlation_id] = properties.reply_to
        reply = pika.BasicProperties(correlation_id=properties.correlation_id)
        server.basic_publish("", properties.reply_to, b"answer", reply)
        if len(names) == count:
            break
    server.cancel()
    return names


def test_a_call_and_its_reply(broker: Broker, pika_channel: Open, unique_name: str) -> None:
    """Each reply comes on the channel that asked; a passive declare tells who waits, and who does no more."""
    server = pika_channel(broker)
    server.queue_declare(unique_name)
    clients = [Requester(pika_channel(broker), unique_name) for _ in range(2)]
    for number, client in enumerate(clients):
        client.ask(str(number))
    names = answer(server, unique_name, 2)
    for number, client in enumerate(clients):
        assert [(str(number), b"answer")] == client.heard()
        declared = server.queue_declare(names[str(number)], passive=True).method
        assert (names[str(number)], 0, 1) == (declared.queue, declared.message_count, declared.consumer_count)
    clients[0].channel.basic_cancel(clients[0].tag)
    server.confirm_delivery()
    server.basic_publish("", names["0"], b"late")
    with pytest.raises(UnroutableError):
        server.basic_publish("", names["0"], b"late", mandatory=True)
    server.basic_publish("", names["1"], b"in time", mandatory=True)
    server.queue_delete(unique_name)
    with pytest.raises(ChannelClosedByBroker, match=f"no queue '{names['0']}' in vhost '/'"):
        server.queue_declare(names["0"], passive=True)


def test_a_cancelled_consumer_gets_a_new_name(broker: Broker, pika_channel: Open, unique_name: str) -> None:
    """Requests that look the same as before carry it."""
    server = pika_channel(broker)
    server.queue_declare(unique_name)
    client = Requester(pika_channel(broker), unique_name)
    client.ask("0")
    old = answer(server, unique_name, 1)["0"]
    client.channel.basic_cancel(client.tag)
    client = Requester(client.channel, unique_name)
    client.ask("0")
    new = answer(server, unique_name, 1)["0"]
    assert [("0", b"answer")] == client.heard()
    assert old != new
    server.queue_delete(unique_name)


def nothing(*_: object) -> None:
    """Hear a message."""


@pytest.mark.parametrize(
    ("code", "problem", "ask"),
    [
        (406, "reply consumer cannot acknowledge", lambda channel: channel.basic_consume(REPLY_TO, nothing)),
        (
            406,
            "reply consumer already set",
            lambda channel: [channel.basic_consume(REPLY_TO, nothing, auto_ack=True) for _ in range(2)],
        ),
        (404, f"no queue '{REPLY_TO}.x' in vhost '/'", lambda channel: channel.queue_declare(f"{REPLY_TO}.x")),
        (404, f"no queue '{REPLY_TO}.x' in vhost '/'", lambda channel: channel.basic_consume(f"{REPLY_TO}.x", nothing)),
        (404, f"no queue '{REPLY_TO}' in vhost '/'", lambda channel: channel.basic_get(REPLY_TO)),
        (
            403,
            "cannot bind or unbind to a volatile (direct reply-to) queue",
            lambda channel: channel.queue_bind(REPLY_TO, "amq.direct", "k"),
        ),
    ],
)
def test_what_is_refused(
    broker: Broker, pika_channel: Open, code: int, problem: str, ask: Callable[[BlockingChannel], object]
) -> None:
    """In RabbitMQ's words; the refusal to bind is that of 4.2."""
    with pytest.raises(ChannelClosedByBroker) as error:
        ask(pika_channel(broker))
    assert (code, problem) == (error.value.reply_code, error.value.reply_text.partition(" - ")[2])


def test_a_request_needs_a_consumer(broker: Broker, pika_channel: Open, unique_name: str) -> None:
    """Nobody would hear the reply."""
    channel = pika_channel(broker)
    channel.basic_publish("", unique_name, b"question", pika.BasicProperties(reply_to=REPLY_TO))
    with pytest.raises(ChannelClosedByBroker, match="fast reply consumer does not exist"):
        channel.queue_declare(unique_name, passive=True)
