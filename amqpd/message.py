"""A message as it travels through the broker: an envelope that equal publishes share, and a body.

1. Address and content header stay as the bytes that the publisher sent and are sent on unchanged.
2. What the broker acts on (persistence, priority, expiration) is read once, when the envelope is made.
"""

from __future__ import annotations

from typing import Final

from amqpd.errors import BadSyntax
from amqpd.wire import properties
from amqpd.wire.methods import short_string

TRANSIENT: Final = 1
PERSISTENT: Final = 2
"""The delivery mode of messages that survive a restart in durable queues."""
FOREVER: Final = -1
"""The expiration of messages without one."""


class Envelope:
    """Where a message goes and what its content header says; immutable and shared."""

    def __init__(self, address: bytes, header: bytes, persistent: bool, priority: int, expiration: int) -> None:
        self.address: Final = address
        """Exchange and routing key as two short strings, as in basic.publish and basic.deliver."""
        self.header: Final = header
        """The payload of the content header frame."""
        self.persistent: Final = persistent
        self.priority: Final = priority
        self.expiration: Final = expiration
        """Milliseconds to live, or FOREVER."""

    @property
    def exchange(self) -> str:
        """The name of the exchange that it was published to."""
        return self.address[1 : 1 + self.address[0]].decode("utf-8", "surrogateescape")

    @property
    def routing_key(self) -> str:
        """The routing key that it was published with."""
        return self.address[2 + self.address[0] :].decode("utf-8", "surrogateescape")


class Message:
    """One published message; every queue that it was routed to refers to the same object."""

    def __init__(self, envelope: Envelope, body: bytes) -> None:
        self.envelope: Final = envelope
        self.body: Final = body


def address_of(exchange: str, routing_key: str) -> bytes:
    """Exchange and routing key as two short strings. Raises BadSyntax if one is too long."""
    return short_string(exchange) + short_string(routing_key)


def envelope_of(address: bytes, header: bytes) -> Envelope:
    """The envelope of a message that was checked when it was published. Raises BadSyntax if its bytes are damaged."""
    found = properties.parse(header)
    expiration = found.expiration
    if expiration is not None and not (expiration.isascii() and expiration.isdigit()):
        raise BadSyntax("expiration is not a number")
    return Envelope(
        address,
        header,
        found.delivery_mode == PERSISTENT,
        found.priority or 0,
        int(expiration) if expiration is not None else FOREVER,
    )
