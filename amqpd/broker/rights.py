"""What is refused for lack of rights, in RabbitMQ's words; any check may raise Undecided if a backend has to be asked first."""

from __future__ import annotations

from amqpd.broker.client import Client
from amqpd.broker.permissions import DEFAULT_EXCHANGE
from amqpd.errors import AccessRefused
from exchanges.base import Exchange


def check_right(client: Client, right: str, kind: str, name: str) -> None:
    """Raise AccessRefused unless the client has the right on the queue or exchange (kind)."""
    if not client.access.can(right, name, kind):
        raise AccessRefused(
            f"{right} access to {kind} '{name or DEFAULT_EXCHANGE}' in vhost '{client.vhost}' refused for user '{client.user}'"
        )


def check_topic(client: Client, right: str, exchange: Exchange, routing_key: str) -> None:
    """Raise AccessRefused if it is a topic exchange and the client must not use the routing key there."""
    if exchange.type == "topic" and not client.access.can_route(right, exchange.name, routing_key):
        raise AccessRefused(
            f"{right} access to topic '{routing_key}' in exchange '{exchange.name}' in vhost '{client.vhost}' "
            f"refused for user '{client.user}'"
        )
