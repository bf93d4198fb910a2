"""What all views share: the broker, who may ask, what was measured, and the way to the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from amqpd.broker.broker import Broker
from amqpd.broker.durability import Notice
from amqpd.config import Config
from amqpd.management.logins import Logins
from amqpd.management.queue_cache import QueueCache
from amqpd.management.rates import Rates


class Wiring:
    """What the composition root hands in: how work is finished and committed, and what else there is to show."""

    def __init__(
        self, begin: Callable[[], None], has_work: Callable[[], bool], alarms: Callable[[], list[str]],
        memory_limit: int,
    ) -> None:  # fmt: skip
        self.begin: Final = begin
        """Something is going to happen: set the core's clock, and finish the turn of the loop later."""
        self.has_work: Final = has_work
        """True if something waits to be committed."""
        self.alarms: Final = alarms
        """What is low: `disk`, `memory`."""
        self.memory_limit: Final = memory_limit
        """Bytes above which memory is low."""


class Door:
    """A socket that the broker listens on."""

    def __init__(self, protocol: str, host: str, port: int, tls: bool = False) -> None:
        self.protocol: Final = protocol
        """RabbitMQ's name for it: `amqp`, `http`, `http/prometheus`."""
        self.host: Final = host
        self.port: Final = port
        self.tls: Final = tls


class Site:
    """The management of one broker."""

    def __init__(self, broker: Broker, config: Config, wiring: Wiring) -> None:
        self.broker: Final = broker
        self.config: Final = config
        self.wiring: Final = wiring
        self.node: Final = broker.events.node
        self.document: dict[str, object] = {}
        """The description of the API."""
        self.logins: Final = Logins(broker.users, time.monotonic)
        self.rates: Final = Rates(broker)
        self.queue_cache: Final = QueueCache(self.rates)
        self.doors: Final[list[Door]] = []
        self.started_at: Final = time.time()

    async def durable(self) -> None:
        """Return once everything that was changed so far is on disk; the turn that commits it is under way."""
        if not self.wiring.has_work():
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.broker.durability.wait(self.broker.store.open_number, Notice(lambda: _complete(done)))
        await done


def _complete(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
