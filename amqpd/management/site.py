"""What all views share: the broker, who may ask, what was measured, and the way to the disk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, Protocol

from amqpd.broker.broker import Broker
from amqpd.broker.durability import Notice
from amqpd.config import Config
from amqpd.management.logins import Backends, Logins, internal_alone
from amqpd.management.queue_cache import QueueCache
from amqpd.management.rates import Rates


class Limits(Protocol):
    """Memory and disk in bytes: above or below which they are low."""

    @property
    def memory_total(self) -> int:
        """What the process may use."""

    @property
    def memory_limit(self) -> int:
        """What it may use before publishers are blocked."""

    @property
    def disk_limit(self) -> int:
        """What must be free."""

    def change(self, memory_limit: int, disk_limit: int) -> None:
        """Set other limits, which count at once and until the broker ends."""


class Service(Protocol):
    """What serves clients."""

    @property
    def is_drained(self) -> bool:
        """No client is served."""

    async def drain(self) -> None:
        """Close every connection and accept no other; return when all that was taken from them is durable."""

    def revive(self) -> None:
        """Accept connections again. Raises StartError if that cannot be."""


class Wiring:
    """What the composition root hands in: how work is finished and committed, and what else there is to show."""

    def __init__(
        self, begin: Callable[[], None], undurable: Callable[[], int], alarms: Callable[[], list[str]],
        limits: Limits, service: Service, backends: Backends | None = None,
    ) -> None:  # fmt: skip
        self.begin: Final = begin
        """Something is going to happen: set the core's clock, and finish the turn of the loop later."""
        self.undurable: Final = undurable
        """The number of the batch with which all that was changed so far is on disk; 0: it is there."""
        self.alarms: Final = alarms
        """What is low: `disk`, `memory`."""
        self.limits: Final = limits
        self.service: Final = service
        self.backends: Final = backends
        """Who knows users; None: the definitions alone."""


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
        self.backends: Final = wiring.backends or internal_alone(broker.users)
        self.logins: Final = Logins(broker.users, self.backends, time.monotonic)
        self.rates: Final = Rates(broker)
        self.queue_cache: Final = QueueCache(self.rates)
        self.doors: Final[list[Door]] = []
        self.started_at: Final = time.time()

    async def durable(self) -> None:
        """Return once everything that was changed so far is on disk; the turn that commits it is under way.

        What a request changed before it let others have their turn may be in a batch that is on its way already.
        """
        number = self.wiring.undurable()
        if not number:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.broker.durability.wait(number, Notice(lambda: _complete(done)))
        await done

    async def obeyed(self) -> None:
        """Return once all queues and exchanges obey the policies that were set so far, or set since."""
        if self.broker.enforcement.is_under_way():
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.broker.enforcement.when_over(lambda: _complete(done))
            await done


def _complete(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
