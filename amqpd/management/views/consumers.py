"""Consumers."""

from __future__ import annotations

from amqpd.broker.queue import Queue
from amqpd.management.call import Call
from amqpd.management.page import Shape
from amqpd.management.shapes import consumer_shape
from amqpd.management.site import Site
from amqpd.management.tables import text


def of_queue(site: Site, queue: Queue) -> list[Shape]:
    """The consumers of a queue."""
    wanted = set(queue.dispatch.consumers)
    if not wanted:
        return []
    return [
        consumer_shape(site, connection, number, queue, consumer)
        for connection in site.broker.connections.of_vhost(queue.vhost)
        for number, session in connection.sessions().items()
        for _, consumer in session.consumers.values()
        if consumer in wanted
    ]


async def list_consumers(call: Call) -> object:
    """All consumers that the user may see."""
    names = {vhost.name for vhost in call.visible_vhosts()}
    found = [
        (connection, number, queue, consumer)
        for connection in call.broker.connections.open
        if connection.vhost in names
        for number, session in connection.sessions().items()
        for queue, consumer in session.consumers.values()
    ]
    return await call.wish().answer(found, lambda one: text(one[3].tag), lambda one: consumer_shape(call.site, *one))
