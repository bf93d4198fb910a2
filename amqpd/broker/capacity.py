"""How many things that clients declare the node holds, and how many it may hold; RabbitMQ counts those of a cluster so."""

from __future__ import annotations

from typing import Final


class Share:
    """How many of one thing there are."""

    def __init__(self) -> None:
        self.used: int = 0
        self.limit: int = 0
        """How many there may be; 0 for no limit."""

    def is_used_up(self) -> bool:
        """True if there may be no more."""
        return 0 < self.limit <= self.used


class Capacity:
    """The node's. Of the exchanges that nobody declares, only `amq.rabbitmq.event` counts."""

    def __init__(self) -> None:
        self.queues: Final = Share()
        self.exchanges: Final = Share()
        self.bindings: Final = Share()
        self.consumers: Final = Share()
        self.channels_max: int = 0
        """How many channels there may be; 0 for no limit. `Totals` knows those that there are."""
