"""Warns when most of something is used up, while there is still time to do something about it."""

from __future__ import annotations

import asyncio
import logging
import resource
import shutil
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from amqpd.broker.broker import Broker
from amqpd.broker.quota import MAX_CONNECTIONS, MAX_QUEUES
from amqpd.config import Config
from amqpd.logs import INFO, WARNING, log
from amqpd.server.watermarks import Watermarks, memory_used

logger = logging.getLogger(__name__)

PERIOD: Final = 5.0
"""Seconds between two looks."""
NEAR: Final = 0.8
"""Part of a limit from which on it is near."""
AWAY: Final = 0.7
"""Part of a limit below which it is not near any more."""
RESERVED_FILES: Final = 64
"""File descriptors for everything but clients: stores, the management, and looking after the broker."""


class Stock(NamedTuple):
    """How much of something is used, and how much of it there is."""

    name: str
    used: int
    limit: int


def raise_files_limit() -> None:
    """Let this process open as many files as it may allow itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def sockets_limit() -> int:
    """How many clients there are file descriptors for."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else max(soft - RESERVED_FILES, 1)


class Headroom:
    """Looks at everything that has a limit."""

    def __init__(self, config: Config, broker: Broker, watermarks: Watermarks) -> None:
        self._connections_max: Final = min(config.connection_max or sys.maxsize, sockets_limit())
        self._folder: Final = config.data_dir
        self._broker: Final = broker
        self._watermarks: Final = watermarks
        self._near: Final[set[str]] = set()

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(PERIOD)

    def look(self) -> None:
        """Tell what came near to its limit since the last look, and what is away from it again."""
        for stock in self._stocks():
            share = stock.used / stock.limit if stock.limit else 1.0
            if share >= NEAR and stock.name not in self._near:
                self._near.add(stock.name)
                log(logger, WARNING, "near a limit", resource=stock.name, used=stock.used, limit=stock.limit)
            elif share < AWAY and stock.name in self._near:
                self._near.remove(stock.name)
                log(logger, INFO, "no longer near a limit", resource=stock.name, used=stock.used, limit=stock.limit)

    def _stocks(self) -> Iterator[Stock]:
        """What is used of what is limited."""
        broker = self._broker
        yield Stock("connections", len(broker.connections.open), self._connections_max)
        yield Stock("memory", memory_used(), self._watermarks.memory_limit)
        # The limit is what must be free: twice as much is a fitting time for a warning.
        yield Stock("disk", 2 * self._watermarks.disk_limit, max(shutil.disk_usage(self._folder).free, 1))
        yield from self._declared()
        for vhost in broker.vhosts.values():
            counts = {MAX_QUEUES: len(vhost.queues), MAX_CONNECTIONS: len(broker.connections.of_vhost(vhost.name))}
            for name, count in counts.items():
                limit = vhost.quota.limit(name)
                if limit > 0:
                    yield Stock(f"{name} of vhost {vhost.name}", count, limit)

    def _declared(self) -> Iterator[Stock]:
        """What clients have declared of that which the node limits."""
        capacity = self._broker.setting.capacity
        for stock in (
            Stock("queues", capacity.queues.used, capacity.queues.limit),
            Stock("exchanges", capacity.exchanges.used, capacity.exchanges.limit),
            Stock("bindings", capacity.bindings.used, capacity.bindings.limit),
            Stock("consumers", capacity.consumers.used, capacity.consumers.limit),
            Stock("channels", len(self._broker.totals.channels), capacity.channels_max),
        ):
            if stock.limit:
                yield stock
