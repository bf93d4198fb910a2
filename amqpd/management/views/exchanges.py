"""Exchanges: list, look at, declare, delete."""

from __future__ import annotations

from amqpd.broker import operations
from amqpd.broker.vhost import VHost
from amqpd.management.call import Call, boolean, saved, string
from amqpd.management.refusal import not_found
from amqpd.management.shapes import exchange_shape
from amqpd.management.tables import encoded, text
from amqpd.management.views.bindings import bindings_from, bindings_to_exchange, exchange_name, listed
from exchanges.base import Exchange


def seen_exchange(call: Call) -> tuple[VHost, Exchange]:
    """The exchange of the path. Raises Refusal."""
    vhost = call.seen_vhost()
    exchange = vhost.exchanges.get(exchange_name(call["exchange"]))
    if exchange is None:
        raise not_found()
    return vhost, exchange


async def list_exchanges(call: Call) -> object:
    """All exchanges that the user may see."""
    found = [(vhost, exchange) for vhost in call.visible_vhosts() for _, exchange in sorted(vhost.exchanges.items())]
    ranges = call.ranges()
    return await call.wish().answer(
        found, lambda pair: text(pair[1].name), lambda pair: exchange_shape(call.site, pair[0], pair[1], ranges)
    )


async def show_exchange(call: Call) -> object:
    """One exchange."""
    vhost, exchange = seen_exchange(call)
    shape = exchange_shape(call.site, vhost, exchange, call.ranges())
    shape["incoming"] = []
    shape["outgoing"] = []
    return call.wish().cut_one(shape)


async def declare_exchange(call: Call) -> object:
    """Declare an exchange."""
    body = await call.body()
    vhost = call.entered_vhost()
    name = exchange_name(operations.clean(call["exchange"]))
    kind = string(body.get("type", "direct"), "type must be a string")
    durable, auto_delete = boolean(body, "durable", True), boolean(body, "auto_delete", False)
    internal = boolean(body, "internal", False)
    is_new = name not in vhost.exchanges
    table = encoded(body.get("arguments") or {})
    operations.declare_exchange(call.client(vhost), vhost, name, kind, durable, auto_delete, internal, table)
    return await call.done(saved(is_new))


async def delete_exchange(call: Call) -> object:
    """Delete an exchange, with `if-unused` only then."""
    vhost = call.entered_vhost()
    name = exchange_name(call["exchange"])
    if name not in vhost.exchanges:
        raise not_found()
    operations.delete_exchange(call.client(vhost), vhost, name, call.flag("if-unused"))
    return await call.done()


async def list_from(call: Call) -> object:
    """The bindings whose source is the exchange."""
    return await listed(call, bindings_from(*seen_exchange(call)))


async def list_to(call: Call) -> object:
    """The bindings whose destination is the exchange."""
    return await listed(call, bindings_to_exchange(*seen_exchange(call)))
