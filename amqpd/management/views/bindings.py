"""Bindings between exchanges and queues or other exchanges."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote_plus

from amqpd.broker import operations
from amqpd.broker.queue import Queue
from amqpd.broker.vhost import VHost
from amqpd.management.call import Answer, Call
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request, not_found
from amqpd.management.shapes import binding_shape, default_binding_shape, properties_key
from amqpd.management.slices import mapped, ordered
from amqpd.management.tables import encoded
from amqpd.wire import tables
from exchanges.base import Binding, Exchange

Bound = tuple[VHost, Binding | Queue]
"""A binding in its virtual host, or a queue for its binding to the default exchange."""

ORDER: Final = ("vhost", "source", "destination", "routing_key", "properties_key")
DEFAULT: Final = "amq.default"
"""How paths name the default exchange."""


def exchange_name(segment: str) -> str:
    """The exchange that a segment of a path names."""
    return "" if segment == DEFAULT else segment


def bindings_from(vhost: VHost, exchange: Exchange) -> list[Bound]:
    """The bindings whose source is the exchange."""
    if not exchange.name:
        return [(vhost, queue) for queue in vhost.queues.values()]
    return [(vhost, binding) for binding in exchange.bindings.values()]


def bindings_to_exchange(vhost: VHost, exchange: Exchange) -> list[Bound]:
    """The bindings whose destination is the exchange."""
    return [(vhost, binding) for source in vhost.exchanges.values() for binding in source.bindings_to(exchange)]


def bindings_to_queue(vhost: VHost, queue: Queue) -> list[Bound]:
    """The bindings of a queue."""
    found = [(vhost, binding) for source in vhost.exchanges.values() for binding in source.bindings_to(queue.name)]
    return [(vhost, queue), *found]


async def listed(call: Call, found: list[Bound]) -> object:
    """Bindings as they were asked for; those to the default exchange come first in their virtual host."""
    shapes = await ordered(await mapped(found, _shape), _place)
    return await call.wish().answer(shapes, lambda shape: str(shape["source"]), dict)


def _shape(bound: Bound) -> Shape:
    vhost, binding = bound
    return default_binding_shape(binding) if isinstance(binding, Queue) else binding_shape(vhost.name, binding)


def _place(shape: Shape) -> list[str]:
    return [str(shape[name]) for name in ORDER]


async def list_bindings(call: Call) -> object:
    """All bindings that the user may see."""
    vhosts = call.visible_vhosts()
    return await listed(
        call, [bound for vhost in vhosts for exchange in vhost.exchanges.values() for bound in bindings_from(vhost, exchange)]
    )


async def list_between(call: Call) -> object:
    """The bindings between one source and one destination."""
    vhost = call.seen_vhost()
    return call.wish().cut(_shapes_between(vhost, call))


def _shapes_between(vhost: VHost, call: Call) -> list[Shape]:
    source = exchange_name(call["source"])
    if not source:
        queue = vhost.queues.get(call["destination"])
        return [default_binding_shape(queue)] if queue is not None and _is_to_queue(call) else []
    return [binding_shape(vhost.name, binding) for binding in _between(vhost, call)]


def _is_to_queue(call: Call) -> bool:
    if call["kind"] not in ("q", "e"):
        raise not_found()
    return call["kind"] == "q"


def _between(vhost: VHost, call: Call) -> list[Binding]:
    source = vhost.exchanges.get(exchange_name(call["source"]))
    name = call["destination"]
    destination = name if _is_to_queue(call) else vhost.exchanges.get(exchange_name(name))
    if source is None or destination is None:
        return []
    return source.bindings_to(destination)


async def bind(call: Call) -> object:
    """Bind a queue or an exchange to an exchange."""
    body = await call.body()
    vhost = call.entered_vhost()
    routing_key = body.get("routing_key") or ""
    if not isinstance(routing_key, str):
        raise bad_request("routing_key must be a string")
    table = encoded(body.get("arguments") or {})
    source, destination = exchange_name(call["source"]), call["destination"]
    client = call.client(vhost)
    if _is_to_queue(call):
        operations.bind_queue(client, vhost, destination, source, routing_key, table)
    else:
        operations.bind_exchange(client, vhost, exchange_name(destination), source, routing_key, table)
    key = properties_key(routing_key, tables.decode(table))
    location = f"{quote(destination, safe='')}/{quote(key, safe='~')}"
    return await call.done(Answer(201, headers={"Location": location}))


async def show_binding(call: Call) -> object:
    """One binding."""
    vhost = call.seen_vhost()
    for shape in _shapes_between(vhost, call):
        if _is_meant(str(shape["properties_key"]), call):
            return call.wish().cut_one(shape)
    raise not_found()


async def unbind(call: Call) -> object:
    """Undo a binding."""
    vhost = call.entered_vhost()
    for binding in _between(vhost, call):
        if _is_meant(properties_key(binding.routing_key, binding.arguments), call):
            _unbind(call, vhost, binding)
            return await call.done()
    raise not_found()


def _is_meant(key: str, call: Call) -> bool:
    """True if the path means this key, be it encoded for the path or not."""
    return call["properties"] in (key, unquote_plus(key))


def _unbind(call: Call, vhost: VHost, binding: Binding) -> None:
    client, table = call.client(vhost), tables.encode(binding.arguments)
    source, destination = binding.source.name, binding.destination
    if isinstance(destination, str):
        operations.unbind_queue(client, vhost, destination, source, binding.routing_key, table)
    else:
        operations.unbind_exchange(client, vhost, destination.name, source, binding.routing_key, table)
