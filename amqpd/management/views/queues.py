"""Queues: list, look at, declare, delete, purge."""

from __future__ import annotations

from typing import Final

from amqpd.broker import administration, operations
from amqpd.broker.arguments import NAME_MAX
from amqpd.broker.permissions import CONFIGURE, READ, WRITE
from amqpd.broker.queue import Queue
from amqpd.broker.rights import check_right
from amqpd.broker.vhost import VHost
from amqpd.management import shapes
from amqpd.management.call import Call, boolean, saved
from amqpd.management.page import Ranks, Shape
from amqpd.management.refusal import bad_request, not_found
from amqpd.management.tables import encoded, shown_table, text
from amqpd.management.views import consumers
from amqpd.management.views.bindings import bindings_to_queue, listed

RANKS: Final[Ranks[Queue]] = {
    "vhost": lambda queue: queue.vhost,
    "messages": lambda queue: queue.ready.count + queue.unacked,
    "messages_ready": lambda queue: queue.ready.count,
    "messages_unacknowledged": lambda queue: queue.unacked,
    "consumers": lambda queue: queue.consumer_count,
    "type": lambda queue: queue.arguments.type,
    "durable": lambda queue: queue.durable,
    "auto_delete": lambda queue: queue.auto_delete,
}
"""What lists of queues are sorted by most."""


LIGHT: Final = frozenset(
    (
        "arguments", "auto_delete", "consumers", "durable", "exclusive", "messages", "messages_ready",
        "messages_unacknowledged", "name", "node", "state", "type", "vhost",
    )
)  # fmt: skip
"""Columns that cost next to nothing."""


def seen_queue(call: Call) -> Queue:
    """The queue of the path, to look at. Raises Refusal."""
    queue = call.seen_vhost().queues.get(call["queue"])
    if queue is None:
        raise not_found()
    return queue


def entered_queue(call: Call) -> tuple[VHost, Queue]:
    """The queue of the path, to change. Raises Refusal."""
    vhost = call.entered_vhost()
    queue = vhost.queues.get(call["queue"])
    if queue is None:
        raise not_found()
    return vhost, queue


async def list_queues(call: Call) -> object:
    """All queues that the user may see."""
    ranges, wish = call.ranges(), call.wish()
    found = [vhost.queues[name] for vhost in call.visible_vhosts() for name in sorted(vhost.queues)]
    if call.flag("disable_stats"):
        plain = _with_totals if call.flag("enable_queue_totals") else _declared
        return await wish.answer(found, _text, lambda queue: plain(call, queue), RANKS)
    if wish.is_within(LIGHT):
        return await wish.answer(found, _text, lambda queue: _with_totals(call, queue), RANKS)

    def shape(queue: Queue) -> Shape:
        return shapes.queue_shape(call.site, queue, ranges)

    if wish.is_plain() and ranges.is_empty():
        return await call.site.queue_cache.encoded(found, shape)
    return await wish.answer(found, _text, shape, RANKS)


def _text(queue: Queue) -> str:
    return text(queue.name)


def _declared(call: Call, queue: Queue) -> Shape:
    """What was declared."""
    return {
        "arguments": shown_table(queue.arguments.values()),
        "auto_delete": queue.auto_delete,
        "durable": queue.durable,
        "exclusive": queue.exclusive_to is not None,
        "name": text(queue.name),
        "node": call.site.node,
        "type": queue.arguments.type,
        "vhost": text(queue.vhost),
    }


def _with_totals(call: Call, queue: Queue) -> Shape:
    """What was declared, and how much is in it."""
    return {
        **_declared(call, queue),
        "consumers": queue.consumer_count,
        "messages": queue.ready.count + queue.unacked,
        "messages_ready": queue.ready.count,
        "messages_unacknowledged": queue.unacked,
        "state": shapes.queue_state(queue),
    }


async def show_queue(call: Call) -> object:
    """One queue with its consumers."""
    queue = seen_queue(call)
    shape = shapes.queue_shape(call.site, queue, call.ranges())
    received_at = shape.get("oldest_message_received_at")
    if isinstance(received_at, int):
        shape["oldest_message_age"] = max(call.broker.clock.now - received_at, 0) / 1000
    shape["consumer_details"] = consumers.of_queue(call.site, queue)
    shape["deliveries"] = []
    shape["incoming"] = []
    return call.wish().cut_one(shape)


async def declare_queue(call: Call) -> object:
    """Declare a queue."""
    body = await call.body()
    vhost = call.entered_vhost()
    name = operations.clean(call["queue"])
    durable, auto_delete = boolean(body, "durable", True), boolean(body, "auto_delete", False)
    if boolean(body, "exclusive", False):
        raise bad_request("a queue that is exclusive to a connection cannot be declared over HTTP")
    octets = len(name.encode("utf-8", "surrogateescape"))
    if octets > NAME_MAX:
        raise bad_request(f"queue should be less than 255 bytes, actually was {octets}")
    is_new = name not in vhost.queues
    table = encoded(body.get("arguments") or {})
    operations.declare_queue(call.client(vhost), vhost, name, durable, False, auto_delete, table)
    return await call.done(saved(is_new))


async def change_queue(call: Call) -> object:
    """Change arguments of a living queue: its limits, and where its dead letters go; `null` takes one away."""
    body = await call.body("arguments")
    vhost, queue = entered_queue(call)
    changes = body["arguments"]
    if not isinstance(changes, dict):
        raise bad_request("arguments must be an object")
    client = call.client(vhost)
    operations.check_owner(client, queue)
    check_right(client, CONFIGURE, "queue", queue.name)
    exchange = changes.get("x-dead-letter-exchange")
    if isinstance(exchange, str):
        check_right(client, READ, "queue", queue.name)
        check_right(client, WRITE, "exchange", exchange)
    administration.change_arguments(call.broker, queue, changes)
    return await call.done()


async def delete_queue(call: Call) -> object:
    """Delete a queue, with `if-empty` or `if-unused` only then."""
    vhost, queue = entered_queue(call)
    operations.delete_queue(call.client(vhost), vhost, queue.name, call.flag("if-unused"), call.flag("if-empty"))
    return await call.done()


async def purge_queue(call: Call) -> object:
    """Drop all ready messages of a queue."""
    vhost, queue = entered_queue(call)
    operations.purge_queue(call.client(vhost), vhost, queue.name)
    return await call.done()


async def list_bindings(call: Call) -> object:
    """The bindings of a queue."""
    return await listed(call, bindings_to_queue(call.seen_vhost(), seen_queue(call)))


async def act(call: Call) -> object:
    """Refuse, as RabbitMQ does since its queues are no longer mirrored."""
    body = await call.body("action")
    raise bad_request(["unknown", body["action"]])
