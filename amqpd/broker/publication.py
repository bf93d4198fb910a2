"""A publisher's address, resolved once: which exchange, whether it may, and where the message goes."""

from __future__ import annotations

from typing import Final

from amqpd.broker.queue import Queue
from amqpd.broker.traffic import Traffic
from amqpd.message import Envelope
from exchanges.base import Exchange


class Publication:
    """What basic.publish says (specification 1.8.3.7); valid as long as its virtual host's generation stays the same."""

    def __init__(self, exchange_name: str, routing_key: str, mandatory: bool, address: bytes) -> None:
        self.exchange_name: Final = exchange_name
        self.routing_key: Final = routing_key
        self.mandatory: Final = mandatory
        self.address: Final = address
        """Exchange and routing key as two short strings."""
        self.generation: int = -1
        """The virtual host's generation that what follows was found in."""
        self.exchange: Exchange | None = None
        self.traffic: Traffic = Traffic()
        """That of the exchange."""
        self.by_key: bool = False
        """True if the route depends on routing keys alone."""
        self.gated: bool = False
        """True if an exchange on the way has gates; never if `by_key`."""
        self.wants_properties: bool = False
        """True if an exchange on the way looks at properties."""
        self.targets: list[Queue] = []
        """If `by_key`, the queues for a message without CC and BCC."""


class Draft:
    """A publication together with a content header: all of a message but its body."""

    def __init__(
        self, publication: Publication, envelope: Envelope, routing_keys: list[str], headers: dict[str, object]
    ) -> None:
        self.publication: Final = publication
        self.envelope: Final = envelope
        self.routing_keys: Final = routing_keys
        """The routing key and those in CC and BCC."""
        self.headers: Final = headers
        """As exchanges see them: decoded headers, and properties if an exchange wants them."""
