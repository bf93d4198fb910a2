"""The firehose: copies of everything that is published and delivered in a virtual host go to its exchange for traces.

1. A copy is never copied itself.
2. It tells of the original in its headers, has the original's body, and no other properties (RabbitMQ's layout).
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.client import Client
from amqpd.broker.outbox import Sender
from amqpd.broker.queue import Queue
from amqpd.broker.vhost import VHost
from amqpd.message import Envelope, Message, address_of, envelope_of
from amqpd.wire import properties, tables
from amqpd.wire.properties import Properties

EXCHANGE: Final = "amq.rabbitmq.trace"

_NAMES: Final = (
    "cluster_id", "app_id", "user_id", "type", "timestamp", "message_id", "expiration", "reply_to", "correlation_id",
    "priority", "delivery_mode",
)  # fmt: skip
_LAST_NAMES: Final = ("content_encoding", "content_type")
"""Properties in the order of RabbitMQ's table, which has the headers between these two groups."""

Table = dict[str, object]


class Tap:
    """Where one channel's messages go into the firehose."""

    def __init__(self, vhost: VHost, client: Client, number: int) -> None:
        self.vhost: Final = vhost
        self.client: Final = client
        self.number: Final = number

    def published(self, message: Message, routing_keys: list[str], targets: list[Queue]) -> None:
        """The channel published a message that goes to these queues."""
        told = self._origin()
        told["routed_queues"] = [queue.name for queue in targets]
        self._copy("publish." + message.envelope.exchange, message, routing_keys, told)

    def delivered(self, queue: str, redelivered: bool, message: Message) -> None:
        """The channel received a message of the queue."""
        envelope = message.envelope
        if envelope.exchange != EXCHANGE:
            keys = [envelope.routing_key, *_copied_to(envelope)]
            self._copy("deliver." + queue, message, keys, {"redelivered": int(redelivered), **self._origin()})

    def _origin(self) -> Table:
        client = self.client
        return {
            "vhost": self.vhost.name, "connection": client.connection_name, "channel": self.number, "user": client.user,
        }  # fmt: skip

    def _copy(self, routing_key: str, message: Message, routing_keys: list[str], told: Table) -> None:
        exchange = self.vhost.exchanges[EXCHANGE]
        if not exchange.in_use:
            return
        envelope = message.envelope
        headers: Table = {
            "exchange_name": envelope.exchange,
            "routing_keys": list(routing_keys),
            "properties": _properties(envelope),
            "node": self.vhost.setting.events.node,
            **told,
        }
        found = Properties()
        found.headers = tables.encode(headers)
        address = address_of(EXCHANGE, _short(routing_key))
        copy = Message(envelope_of(address, properties.encode(found, len(message.body))), message.body)
        self.vhost.push(self.vhost.route(exchange, [routing_key], headers), copy)


def _short(routing_key: str) -> str:
    """As much of it as a short string holds: the name of a queue can be that long already."""
    return routing_key.encode("utf-8", "surrogateescape")[:255].decode("utf-8", "surrogateescape")


def _properties(envelope: Envelope) -> Table:
    found = properties.parse(envelope.header)
    table: Table = {name: getattr(found, name) for name in _NAMES}
    table["headers"] = None if found.headers is None else tables.decode(found.headers)
    for name in _LAST_NAMES:
        table[name] = getattr(found, name)
    return {name: value for name, value in table.items() if value is not None}


def _copied_to(envelope: Envelope) -> list[str]:
    keys = properties.decoded_headers(properties.parse(envelope.header)).get("CC")
    return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


class TracedSender(Sender):
    """Sends deliveries, and copies them into the firehose."""

    def __init__(self, sender: Sender, tap: Tap, queue: str) -> None:
        self.sender: Final = sender
        self.tap: Final = tap
        self.queue: Final = queue

    def deliver(self, delivery_tag: int, redelivered: bool, message: Message) -> None:
        """See `Sender.deliver`."""
        self.sender.deliver(delivery_tag, redelivered, message)
        self.tap.delivered(self.queue, redelivered, message)
