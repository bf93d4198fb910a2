"""The event exchange: a topic exchange of the default virtual host, through which events reach queues."""

from __future__ import annotations

from typing import Final

from amqpd.broker.events import EXCHANGE, Audience, Facts
from amqpd.broker.vhost import VHost
from amqpd.message import Message
from exchanges import registry
from exchanges.base import Exchange


class EventExchange(Audience):
    """Routes events through the exchange, which this makes."""

    def __init__(self, vhost: VHost) -> None:
        self.vhost: Final = vhost
        self.exchange: Final[Exchange] = registry.create("topic", EXCHANGE, True, False, False, {})
        vhost.add_exchange(self.exchange)

    def is_there(self) -> bool:
        """See `Audience.is_there`."""
        return self.exchange.in_use

    def hear(self, routing_key: str, headers: Facts, message: Message) -> None:
        """See `Audience.hear`."""
        self.vhost.push(self.vhost.route(self.exchange, [routing_key], headers), message)
