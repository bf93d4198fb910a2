"""Declare, delete, bind, purge: with names resolved and rights checked, as AMQP and the management do alike.

The order of the checks is RabbitMQ's: it decides which error a client sees when several apply.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Container
from typing import Final

from amqpd.broker.arguments import CLASSIC, QUORUM, QueueArguments, inequivalent, shown
from amqpd.broker.capacity import Share
from amqpd.broker.client import Client
from amqpd.broker.limits import NONE
from amqpd.broker.permissions import CONFIGURE, READ, WRITE
from amqpd.broker.queue import Queue
from amqpd.broker.quota import MAX_QUEUES
from amqpd.broker.rights import check_right, check_topic
from amqpd.broker.vhost import VHost
from amqpd.errors import AccessRefused, NotAllowed, NotFound, PreconditionFailed, ResourceLocked, Unimplemented
from amqpd.wire import tables
from amqpd.wire.tables import Field
from exchanges import registry
from exchanges.base import ArgumentError, Destination, Exchange, binding_key
from exchanges.registry import UnknownType

RESERVED: Final = "amq."
REPLY_TO: Final = "amq.rabbitmq.reply-to"


def clean(name: str) -> str:
    """A name as RabbitMQ takes it: without carriage returns and line feeds."""
    return name.replace("\r", "").replace("\n", "")


def server_name(prefix: str) -> str:
    """A name nobody has: the prefix and 22 letters and digits."""
    return prefix + base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


def consumer_tag(given: str, used: Container[str]) -> str:
    """The tag of a consumer to come, a new one if none was given. Raises NotAllowed if it is one of those that are used."""
    if given in used:
        raise NotAllowed(f"attempt to reuse consumer tag '{given}'")
    return given or server_name("amq.ctag-")


# --- finding and checking ----------------------------------------------------------------------------------------------


def find_queue(vhost: VHost, name: str) -> Queue:
    """The queue of that name. Raises NotFound."""
    queue = vhost.queues.get(name)
    if queue is None:
        raise NotFound(f"no queue '{name}' in vhost '{vhost.name}'")
    return queue


def find_exchange(vhost: VHost, name: str) -> Exchange:
    """The exchange of that name. Raises NotFound."""
    exchange = vhost.exchanges.get(name)
    if exchange is None:
        raise NotFound(f"no exchange '{name}' in vhost '{vhost.name}'")
    return exchange


def check_owner(client: Client, queue: Queue) -> None:
    """Raise ResourceLocked if the queue is exclusive to another connection."""
    if queue.exclusive_to is not None and queue.exclusive_to is not client:
        raise locked(queue)


def locked(queue: Queue) -> ResourceLocked:
    """The error of whoever cannot have an exclusive queue, or cannot make a queue exclusive."""
    return ResourceLocked(
        f"cannot obtain exclusive access to locked queue '{queue.name}' in vhost '{queue.vhost}'. It could be originally "
        "declared on another connection or the exclusive property value does not match that of the original declaration."
    )


def _check_not_default(name: str) -> None:
    if name == "":
        raise AccessRefused("operation not permitted on the default exchange")


def _check_not_reserved(kind: str, name: str) -> None:
    if name.startswith(RESERVED):
        raise AccessRefused(f"{kind} name '{name}' contains reserved prefix 'amq.*'")


# --- exchanges ---------------------------------------------------------------------------------------------------------


def declare_exchange(
    client: Client, vhost: VHost, name: str, exchange_type: str, durable: bool, auto_delete: bool, internal: bool, table: bytes
) -> None:  # fmt: skip
    """exchange.declare (specification 1.6.2.1). Raises AccessRefused, PreconditionFailed."""
    arguments = {field.name: field for field in tables.fields(table)}
    existing = vhost.exchanges.get(name)
    try:
        if existing is None:
            _create_exchange(client, vhost, name, exchange_type, durable, auto_delete, internal, table, arguments)
            return
        registry.find(exchange_type)
    except UnknownType as error:
        raise PreconditionFailed(str(error)) from None
    _check_not_default(name)
    check_right(client, CONFIGURE, "exchange", name)
    _check_same_exchange(vhost, existing, exchange_type, durable, auto_delete, internal, arguments)


def _create_exchange(
    client: Client, vhost: VHost, name: str, exchange_type: str, durable: bool, auto_delete: bool, internal: bool,
    table: bytes, arguments: dict[str, Field],
) -> None:  # fmt: skip
    registry.find(exchange_type)
    check_right(client, CONFIGURE, "exchange", name)
    _check_not_reserved("exchange", name)
    check_share(vhost.setting.capacity.exchanges, f"declare exchange '{name}': exchange")
    alternate = arguments.get("alternate-exchange")
    if alternate is not None:
        if alternate.tag != "S":
            raise PreconditionFailed(
                f"invalid type '{alternate.type_name}' for arg 'alternate-exchange' "
                f"in exchange '{name}' in vhost '{vhost.name}'"
            )
        check_right(client, READ, "exchange", name)
        check_right(client, WRITE, "exchange", str(alternate.value))
    try:
        vhost.declare_exchange(exchange_type, name, durable, auto_delete, internal, table)
    except ArgumentError as error:
        raise PreconditionFailed(str(error)) from None


def _check_same_exchange(
    vhost: VHost, existing: Exchange, exchange_type: str, durable: bool, auto_delete: bool, internal: bool,
    arguments: dict[str, Field],
) -> None:  # fmt: skip
    where = f"exchange '{existing.name}' in vhost '{vhost.name}'"
    for name, received, current in (
        ("type", _atom(exchange_type), _atom(existing.type)),
        ("durable", durable, existing.durable),
        ("auto_delete", auto_delete, existing.auto_delete),
        ("internal", internal, existing.internal),
    ):
        if received != current:
            raise PreconditionFailed(
                f"inequivalent arg '{name}' for {where}: received '{shown(received)}' but current is '{shown(current)}'"
            )
    received_field = arguments.get("alternate-exchange")
    current_value = existing.arguments.get("alternate-exchange")
    if (received_field.value if received_field else None) != current_value:
        current_field = Field("alternate-exchange", "S", current_value, 0, 0) if current_value is not None else None
        raise inequivalent("alternate-exchange", where, received_field, current_field)


def _atom(exchange_type: str) -> str:
    """A type as RabbitMQ prints it: in quotes of its own if it is more than a word."""
    return exchange_type if exchange_type.isidentifier() else f"'{exchange_type}'"


def declare_exchange_passively(vhost: VHost, name: str) -> None:
    """exchange.declare with passive: does it exist? Raises NotFound, AccessRefused."""
    _check_not_default(name)
    find_exchange(vhost, name)


def delete_exchange(client: Client, vhost: VHost, name: str, if_unused: bool) -> None:
    """exchange.delete; an exchange that does not exist is deleted already. Raises AccessRefused, PreconditionFailed."""
    _check_not_default(name)
    if name.startswith(RESERVED):
        raise AccessRefused(f"deletion of system exchange '{name}' in vhost '{vhost.name}' not allowed")
    check_right(client, CONFIGURE, "exchange", name)
    exchange = vhost.exchanges.get(name)
    if exchange is None:
        return
    if if_unused and exchange.in_use:
        raise PreconditionFailed(f"exchange '{name}' in vhost '{vhost.name}' in use")
    vhost.delete_exchange(exchange)


# --- queues ------------------------------------------------------------------------------------------------------------


def declare_queue(
    client: Client, vhost: VHost, name: str, durable: bool, exclusive: bool, auto_delete: bool, table: bytes
) -> Queue:
    """queue.declare (specification 1.7.2.1). Raises AccessRefused, ResourceLocked, PreconditionFailed."""
    is_named = bool(name)
    if not is_named:
        name = client.chosen_name = client.chosen_name or server_name("amq.gen-")
    elif name not in vhost.queues:
        _check_not_reserved("queue", name)
    check_right(client, CONFIGURE, "queue", name)
    client.chosen_name = ""
    existing = vhost.queues.get(name)
    if existing is not None:
        check_owner(client, existing)
        if exclusive != (existing.exclusive_to is not None):
            raise locked(existing)
    else:
        _check_queue_limit(vhost, name)
    table = _typed(vhost, existing, table, is_named and durable and not exclusive and not auto_delete)
    if existing is not None:
        _check_same_queue(existing, durable, auto_delete, table)
        vhost.setting.totals.queues_declared += 1
        existing.touch()
        return existing
    arguments = QueueArguments(table, name, vhost.name)
    dead_letter_exchange = arguments.string("x-dead-letter-exchange")
    if dead_letter_exchange is not None:
        check_right(client, READ, "queue", name)
        check_right(client, WRITE, "exchange", dead_letter_exchange)
    arguments.check_properties(is_named, durable, exclusive, auto_delete)
    return vhost.declare_queue(name, durable, auto_delete, client if exclusive else None, arguments)


def _check_queue_limit(vhost: VHost, name: str) -> None:
    limit = vhost.quota.limit(MAX_QUEUES)
    if limit != NONE and len(vhost.queues) >= limit:
        raise PreconditionFailed(f"cannot declare queue '{name}': queue limit in vhost '{vhost.name}' ({limit}) is reached")
    check_share(vhost.setting.capacity.queues, f"declare queue '{name}': queue")


def check_share(share: Share, what: str) -> None:
    """Raise PreconditionFailed if the node may hold no more of what `what` ends with."""
    if share.is_used_up():
        raise PreconditionFailed(f"cannot {what} limit in cluster ({share.limit}) is reached")


def _typed(vhost: VHost, existing: Queue | None, table: bytes, is_lasting: bool) -> bytes:
    """The arguments, with the type filled in that they leave to the virtual host, or to the queue that exists.

    Queues that do not last are classic whatever the default is, for no other type can be theirs.
    """
    queue_type = vhost.default_queue_type
    if not queue_type or any(field.name == "x-queue-type" for field in tables.fields(table)):
        return table
    if existing is not None:
        queue_type = existing.arguments.type
    elif queue_type != CLASSIC and not is_lasting:
        return table
    return table + tables.encode({"x-queue-type": queue_type})


def _check_same_queue(existing: Queue, durable: bool, auto_delete: bool, table: bytes) -> None:
    where = f"queue '{existing.name}' in vhost '{existing.vhost}'"
    if durable != existing.durable and existing.exclusive_to is None:
        raise PreconditionFailed(
            f"inequivalent arg 'durable' for {where}: received '{shown(durable)}' but current is '{shown(existing.durable)}'"
        )
    if auto_delete != existing.auto_delete:
        raise PreconditionFailed(
            f"inequivalent arg 'auto_delete' for {where}: received '{shown(auto_delete)}' "
            f"but current is '{shown(existing.auto_delete)}'"
        )
    existing.arguments.check_equivalent(table)


def declare_queue_passively(client: Client, vhost: VHost, name: str) -> Queue:
    """queue.declare with passive: does it exist? Raises NotFound, ResourceLocked."""
    queue = find_queue(vhost, name)
    check_owner(client, queue)
    queue.touch()
    return queue


def delete_queue(client: Client, vhost: VHost, name: str, if_unused: bool, if_empty: bool) -> int:
    """queue.delete; returns the number of ready messages, 0 if there is no such queue.

    Raises AccessRefused, ResourceLocked, PreconditionFailed, and Unimplemented for a condition and a quorum queue.
    """
    check_right(client, CONFIGURE, "queue", name)
    queue = vhost.queues.get(name)
    if queue is None:
        return 0
    check_owner(client, queue)
    if queue.arguments.type == QUORUM and (if_unused or if_empty):
        condition = "if-unused" if if_unused else "if-empty"
        raise Unimplemented(
            f"cannot delete {queue.arguments.where}. "
            f"queue.delete operations with {condition} flag set are not supported by quorum queues"
        )
    if if_empty and queue.ready.count:
        raise PreconditionFailed(f"queue '{name}' in vhost '{vhost.name}' not empty")
    if if_unused and queue.consumer_count:
        raise PreconditionFailed(f"queue '{name}' in vhost '{vhost.name}' in use")
    return vhost.delete_queue(queue)


def purge_queue(client: Client, vhost: VHost, name: str) -> int:
    """queue.purge; returns how many messages it dropped. Raises AccessRefused, NotFound, ResourceLocked."""
    check_right(client, READ, "queue", name)
    queue = find_queue(vhost, name)
    check_owner(client, queue)
    return queue.purge()


def readable_queue(client: Client, vhost: VHost, name: str) -> Queue:
    """The queue, for consuming and getting. Raises AccessRefused, NotFound, ResourceLocked."""
    check_right(client, READ, "queue", name)
    queue = find_queue(vhost, name)
    check_owner(client, queue)
    return queue


# --- bindings ----------------------------------------------------------------------------------------------------------


def bind_queue(client: Client, vhost: VHost, queue: str, exchange: str, routing_key: str, table: bytes) -> None:
    """queue.bind. Raises AccessRefused, NotFound, ResourceLocked, PreconditionFailed."""
    _check_binding(client, vhost, "queue", queue, exchange, routing_key)
    source = find_exchange(vhost, exchange)
    destination = find_queue(vhost, queue)
    _check_acceptable(source, routing_key, table)
    check_owner(client, destination)
    _bind(vhost, source, queue, routing_key, table)


def unbind_queue(client: Client, vhost: VHost, queue: str, exchange: str, routing_key: str, table: bytes) -> None:
    """queue.unbind; what is not bound is unbound already. Raises AccessRefused, ResourceLocked."""
    _check_binding(client, vhost, "queue", queue, exchange, routing_key)
    source, destination = vhost.exchanges.get(exchange), vhost.queues.get(queue)
    if source is None or destination is None:
        return
    if binding_key(queue, routing_key, tables.decode(table)) in source.bindings:
        check_owner(client, destination)
        vhost.unbind(source, queue, routing_key, table)


def bind_exchange(client: Client, vhost: VHost, destination: str, source: str, routing_key: str, table: bytes) -> None:
    """exchange.bind. Raises AccessRefused, NotFound, PreconditionFailed."""
    _check_binding(client, vhost, "exchange", destination, source, routing_key)
    from_exchange, to_exchange = find_exchange(vhost, source), find_exchange(vhost, destination)
    _check_acceptable(from_exchange, routing_key, table)
    _bind(vhost, from_exchange, to_exchange, routing_key, table)


def unbind_exchange(client: Client, vhost: VHost, destination: str, source: str, routing_key: str, table: bytes) -> None:
    """exchange.unbind; what is not bound is unbound already. Raises AccessRefused."""
    _check_binding(client, vhost, "exchange", destination, source, routing_key)
    from_exchange, to_exchange = vhost.exchanges.get(source), vhost.exchanges.get(destination)
    if from_exchange is not None and to_exchange is not None:
        vhost.unbind(from_exchange, to_exchange, routing_key, table)


def _check_binding(client: Client, vhost: VHost, kind: str, destination: str, source: str, routing_key: str) -> None:
    if kind == "queue" and destination.startswith(REPLY_TO):
        raise AccessRefused("cannot bind or unbind to a volatile (direct reply-to) queue")
    check_right(client, WRITE, kind, destination)
    _check_not_default(source)
    if kind == "exchange":
        _check_not_default(destination)
    check_right(client, READ, "exchange", source)
    exchange = vhost.exchanges.get(source)
    if exchange is not None:
        check_topic(client, READ, exchange, routing_key)


def _check_acceptable(source: Exchange, routing_key: str, table: bytes) -> None:
    try:
        source.check_binding(routing_key, tables.decode(table))
    except ArgumentError as error:
        raise PreconditionFailed(str(error)) from None


def _bind(vhost: VHost, source: Exchange, destination: Destination, routing_key: str, table: bytes) -> None:
    bindings = vhost.setting.capacity.bindings
    if bindings.is_used_up() and binding_key(destination, routing_key, tables.decode(table)) not in source.bindings:
        check_share(bindings, f"bind to exchange '{source.name}': binding")
    vhost.bind(source, destination, routing_key, table)
