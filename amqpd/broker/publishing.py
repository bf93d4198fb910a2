"""The checks of basic.publish, in RabbitMQ's order: rights, exchange, then what the properties ask for."""

from __future__ import annotations

from typing import Final

from amqpd.broker.client import Client
from amqpd.broker.permissions import WRITE
from amqpd.broker.publication import Draft, Publication
from amqpd.broker.vhost import VHost
from amqpd.errors import AccessRefused, BadSyntax, NotFound, PreconditionFailed
from amqpd.message import PERSISTENT, Envelope
from amqpd.wire import properties, tables
from amqpd.wire.properties import Properties
from exchanges.base import ArgumentError, property_header
from exchanges.router import routing_keys

NO_ROUTE: Final = 312
NO_ROUTE_TEXT: Final = "NO_ROUTE"


def resolve(publication: Publication, vhost: VHost, client: Client) -> None:
    """Find exchange and queues again after something changed. Raises AccessRefused, NotFound."""
    name = publication.exchange_name
    if not client.access.can(WRITE, name):
        raise AccessRefused(f"write access to exchange '{name}' in vhost '{vhost.name}' refused for user '{client.user}'")
    exchange = vhost.exchanges.get(name)
    if exchange is None:
        raise NotFound(f"no exchange '{name}' in vhost '{vhost.name}'")
    if exchange.internal:
        raise AccessRefused(f"cannot publish to internal exchange '{name}' in vhost '{vhost.name}'")
    publication.exchange = exchange
    publication.by_key = vhost.router.cacheable(exchange)
    publication.wants_properties = vhost.router.wants_properties(exchange)
    if publication.by_key:
        publication.targets = vhost.route(exchange, [publication.routing_key], {})
    publication.generation = vhost.generation


def draft_of(publication: Publication, header: bytes, client: Client) -> Draft:
    """The draft of a message with this content header. Raises PreconditionFailed, BadSyntax."""
    found = properties.parse(header)
    headers = _headers(found)
    expiration = _expiration(found.expiration)
    keys = [publication.routing_key]
    if headers:
        keys = _routing_keys(publication.routing_key, headers)
    if found.user_id is not None and found.user_id != client.user and not client.can_impersonate:
        raise PreconditionFailed(f"user_id property set to '{found.user_id}' but authenticated user was '{client.user}'")
    if "BCC" in headers and found.headers is not None:
        found.headers = tables.without(found.headers, "BCC")
        header = properties.encode(found, properties.body_size(header))
    if publication.wants_properties:
        headers = {**headers, **_as_headers(found)}
    persistent = found.delivery_mode == PERSISTENT
    envelope = Envelope(publication.address, header, persistent, found.priority or 0, expiration)
    return Draft(publication, envelope, keys, headers)


def _headers(found: Properties) -> dict[str, object]:
    if found.headers is None:
        return {}
    try:
        return tables.decode(found.headers)
    except BadSyntax as error:
        raise PreconditionFailed(f"invalid message: {error.explanation}") from None


def _expiration(text: str | None) -> int:
    if text is None:
        return -1
    if not (text.isascii() and text.isdigit()):
        problem = "{leftover_string," if text[:1].isdigit() else "{no_integer,"
        raise PreconditionFailed(f"invalid expiration '{text}': {problem}\"{text}\"}}")
    return int(text)


def _routing_keys(routing_key: str, headers: dict[str, object]) -> list[str]:
    try:
        return routing_keys(routing_key, headers)
    except ArgumentError as error:
        raise PreconditionFailed(str(error)) from None


def _as_headers(found: Properties) -> dict[str, object]:
    named: dict[str, object] = {
        "correlation_id": found.correlation_id,
        "message_id": found.message_id,
        "timestamp": found.timestamp,
    }
    return {property_header(name): value for name, value in named.items() if value is not None}
