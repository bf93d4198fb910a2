"""Which function handles which method: `<class>.<method>` is handled by `on_<class>.<class>_<method>`."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from amqpd.server import on_basic, on_channel, on_confirm, on_connection, on_exchange, on_queue, on_tx
from amqpd.server.channel import Handlers
from amqpd.wire.methods import METHODS

_MODULES: Final[dict[str, ModuleType]] = {
    "connection": on_connection,
    "channel": on_channel,
    "access": on_channel,
    "exchange": on_exchange,
    "queue": on_queue,
    "basic": on_basic,
    "confirm": on_confirm,
    "tx": on_tx,
}


def _handlers() -> Handlers:
    found: Handlers = {}
    for name in METHODS:
        module = _MODULES[name.partition(".")[0]]
        function = getattr(module, name.replace(".", "_").replace("-", "_"), None)
        if function is not None:
            found[name] = function
    return found


HANDLERS: Final = _handlers()
