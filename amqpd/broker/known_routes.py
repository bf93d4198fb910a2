"""Where messages went that no client published: dead letters, delayed messages. Most of them go where the last ones went."""

from __future__ import annotations

from typing import Final

from amqpd.broker.queue import Queue
from exchanges.base import Exchange

MOST: Final = 1024
"""Routes that are remembered."""

Way = tuple[Exchange | str | None, ...]
"""An exchange, the one whose gates are behind, routing keys."""


class KnownRoutes:
    """Queues by the way that led to them; all of it is forgotten with any change of the virtual host."""

    def __init__(self) -> None:
        self._generation: int = 0
        self._targets: dict[Way, list[Queue]] = {}

    def find(self, generation: int, way: Way) -> list[Queue] | None:
        """The queues at the end of this way, None if that is not known of the generation."""
        if generation != self._generation:
            self._generation = generation
            self._targets.clear()
        return self._targets.get(way)

    def keep(self, way: Way, targets: list[Queue]) -> None:
        """Remember a way of the generation that was last asked for."""
        if len(self._targets) >= MOST:
            self._targets.clear()
        self._targets[way] = targets
