"""What happens to the broker's objects, told as messages to whoever binds to the event exchange (RabbitMQ's event plugin).

1. An event is a persistent message without a body: its routing key says what happened, its headers to what.
2. Telling costs no more than the headers as long as nothing is bound to the exchange.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.clock import Clock
from amqpd.message import PERSISTENT, Message, address_of, envelope_of
from amqpd.wire import properties, tables
from amqpd.wire.properties import Properties
from amqpd.wire.tables import Long

EXCHANGE: Final = "amq.rabbitmq.event"
NOBODY: Final = "rmq-internal"
"""Who acts when no user does: a timer, or the end of a connection."""

Facts = dict[str, object]
"""The headers of an event, in RabbitMQ's order."""


class Audience:
    """Where events are told: the event exchange."""

    def is_there(self) -> bool:
        """True if anything is bound to it."""
        raise NotImplementedError

    def hear(self, routing_key: str, headers: Facts, message: Message) -> None:
        """Route one event."""
        raise NotImplementedError


class Events:
    """Tells events."""

    def __init__(self, clock: Clock) -> None:
        self.clock: Final = clock
        self.node: str = "amqpd@localhost"
        """The broker's name."""
        self.home: str = "/"
        """The virtual host that has the event exchange."""
        self.audience: Audience | None = None
        self.actor: str = NOBODY
        """The user whose wish is carried out now."""

    def emit(self, routing_key: str, facts: Facts) -> None:
        """Something happened, by nobody's wish in particular."""
        audience = self.audience
        if audience is None or not audience.is_there():
            return
        now = self.clock.now
        headers = {name: _typed(value) for name, value in facts.items()}
        headers["timestamp_in_ms"] = Long(now)
        found = Properties()
        found.headers = tables.encode(headers)
        found.delivery_mode = PERSISTENT
        found.timestamp = now // 1000
        envelope = envelope_of(address_of(EXCHANGE, routing_key), properties.encode(found, 0))
        audience.hear(routing_key, headers, Message(envelope, b""))

    def emit_by_actor(self, routing_key: str, facts: Facts) -> None:
        """Something happened because the actor wanted it."""
        self.emit(routing_key, {"user_who_performed_action": self.actor, **facts})


def _typed(value: object) -> object:
    """Integers are long ones in events."""
    return Long(value) if isinstance(value, int) and not isinstance(value, bool) else value
