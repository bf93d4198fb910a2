"""The checks of basic.publish, in RabbitMQ's order: rights, exchange, then what the properties ask for."""

from __future__ import annotations

import re
from typing import Final

from amqpd.broker.arguments import LONGEST
from amqpd.broker.client import Client
from amqpd.broker.headers import property_headers
from amqpd.broker.operations import REPLY_TO
from amqpd.broker.permissions import WRITE
from amqpd.broker.publication import Draft, Publication
from amqpd.broker.rights import check_right, check_topic
from amqpd.broker.vhost import VHost
from amqpd.errors import AccessRefused, BadSyntax, NotFound, PreconditionFailed
from amqpd.message import PERSISTENT, TRANSIENT, Envelope
from amqpd.wire import properties, tables
from amqpd.wire.properties import Properties
from exchanges.base import ArgumentError, Exchange
from exchanges.router import routing_keys

NO_ROUTE: Final = 312
NO_ROUTE_TEXT: Final = "NO_ROUTE"

_INTEGER: Final = re.compile(r"[+-]?[0-9]+")


def resolve(publication: Publication, vhost: VHost, client: Client) -> None:
    """Find exchange and queues again after something changed. Raises AccessRefused, NotFound."""
    name = publication.exchange_name
    check_right(client, WRITE, "exchange", name)
    exchange = vhost.exchanges.get(name)
    if exchange is None:
        raise NotFound(f"no exchange '{name}' in vhost '{vhost.name}'")
    check_not_internal(vhost, exchange)
    check_topic(client, WRITE, exchange, publication.routing_key)
    publication.exchange = exchange
    publication.traffic = vhost.traffic[name]
    reach = vhost.reach(exchange)
    publication.by_key = reach.by_key and not vhost.tracing
    publication.gated = reach.gated
    publication.wants_properties = reach.wants_properties
    if publication.by_key:
        publication.targets = vhost.route(exchange, [publication.routing_key], {})
    publication.generation = vhost.generation


def check_not_internal(vhost: VHost, exchange: Exchange) -> None:
    """Raise AccessRefused if only other exchanges may send to it."""
    if exchange.internal:
        raise AccessRefused(f"cannot publish to internal exchange '{exchange.name}' in vhost '{vhost.name}'")


def renew(draft: Draft, vhost: VHost, client: Client) -> None:
    """Resolve a draft's publication again, and check its other routing keys again. Raises AccessRefused, NotFound."""
    resolve(draft.publication, vhost, client)
    _check_copies(draft.publication, draft.routing_keys, client)


def _check_copies(publication: Publication, keys: list[str], client: Client) -> None:
    """The routing keys in CC and BCC need the same rights."""
    assert publication.exchange is not None, "it was resolved"
    for key in keys[1:]:
        check_topic(client, WRITE, publication.exchange, key)


def draft_of(publication: Publication, header: bytes, client: Client, reply_name: str) -> Draft:
    """The draft of a message with this content header. Raises AccessRefused, PreconditionFailed, BadSyntax.

    reply_name is where the channel waits for direct replies; empty if it does not.
    """
    found = properties.parse(header)
    headers = _headers(found)
    if found.reply_to == REPLY_TO:
        if not reply_name:
            raise PreconditionFailed("fast reply consumer does not exist")
        found.reply_to = reply_name
        header = properties.encode(found, properties.body_size(header))
    if found.user_id is not None and found.user_id != client.user and not client.can_impersonate:
        raise PreconditionFailed(f"user_id property set to '{found.user_id}' but authenticated user was '{client.user}'")
    expiration = _expiration(found.expiration)
    if found.delivery_mode is not None and found.delivery_mode not in (TRANSIENT, PERSISTENT):
        raise PreconditionFailed(f"invalid message: {{delivery_mode_unknown,{found.delivery_mode}}}")
    keys = [publication.routing_key]
    if headers:
        keys = _routing_keys(publication.routing_key, headers)
        _check_copies(publication, keys, client)
    if "BCC" in headers and found.headers is not None:
        found.headers = tables.without(found.headers, "BCC")
        header = properties.encode(found, properties.body_size(header))
    if publication.wants_properties:
        headers = {**headers, **property_headers(found)}
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
    number = _INTEGER.match(text)
    if number is None:
        raise _invalid_expiration(text, "no_integer")
    if number.end() < len(text):
        raise _invalid_expiration(text, f'{{leftover_string,"{text[number.end() :]}"}}')
    value = int(text)
    if value < 0:
        raise _invalid_expiration(text, f"{{value_negative,{value}}}")
    if value > LONGEST:
        raise _invalid_expiration(text, f"{{value_too_large,{value}}}")
    return value


def _invalid_expiration(text: str, problem: str) -> PreconditionFailed:
    return PreconditionFailed(f"invalid expiration '{text}': {problem}")


def _routing_keys(routing_key: str, headers: dict[str, object]) -> list[str]:
    try:
        return routing_keys(routing_key, headers)
    except ArgumentError as error:
        raise PreconditionFailed(str(error)) from None
