"""Maintenance: a broker that serves no clients, but its operators."""

from __future__ import annotations

from amqpd.errors import StartError
from amqpd.management.call import Call
from amqpd.management.refusal import unavailable
from amqpd.management.views.health import OK
from amqpd.management.views.nodes import check_node


async def drain(call: Call) -> object:
    """Close every connection and accept no other; answer once all that clients were told or promised is durable."""
    check_node(call)
    await call.site.wiring.service.drain()
    return await call.done()


async def revive(call: Call) -> object:
    """Accept connections again."""
    check_node(call)
    try:
        call.site.wiring.service.revive()
    except StartError as error:
        raise unavailable(reason=str(error)) from None
    return await call.done()


async def check_service(call: Call) -> object:
    """Whether clients are served."""
    if call.site.wiring.service.is_drained:
        raise unavailable(reason="The node is in maintenance mode")
    return OK
