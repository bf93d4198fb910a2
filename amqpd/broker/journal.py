"""Definitions on their way to disk: what the core saves and removes, as rows."""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.queue import Queue
from amqpd.wire import tables
from exchanges.base import Binding, Exchange
from persistence import rows
from persistence.rows import Row

PAUSED: Final = "paused-queues"
"""The component under which paused queues are saved: a parameter of the virtual host, by queue."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Journal:
    """Where definitions go with the open batch."""

    def save(self, row: Row) -> None:
        """Write the row, in place of one with the same key."""
        raise NotImplementedError

    def remove(self, row: Row) -> None:
        """Delete the row with the same key."""
        raise NotImplementedError

    def next_queue_id(self) -> int:
        """An id that no queue or exchange ever had."""
        raise NotImplementedError


def exchange_row(vhost: str, exchange: Exchange, arguments: bytes, exchange_id: int) -> Row:
    """An exchange; arguments as they came, id 0 if it has no calendar."""
    return rows.Exchange(
        vhost, exchange.name, exchange.type, exchange.durable, exchange.auto_delete, exchange.internal, arguments, exchange_id
    )


def queue_row(queue: Queue) -> Row:
    """A durable queue."""
    return rows.Queue(
        queue.vhost,
        queue.name,
        queue.id,
        queue.durable,
        False,
        queue.auto_delete,
        queue.arguments.table,
        queue.arguments.type,
    )


def pause_row(queue: Queue) -> Row:
    """That a durable queue is paused."""
    return rows.Parameter(PAUSED, queue.vhost, queue.name, "true")


def binding_row(vhost: str, binding: Binding) -> Row:
    """A binding between durable ends."""
    destination = binding.destination
    kind, name = ("exchange", destination.name) if isinstance(destination, Exchange) else ("queue", destination)
    return rows.Binding(vhost, binding.source.name, name, kind, binding.routing_key, tables.encode(binding.arguments))
