"""How a change of policies reaches queues and exchanges that exist: some with each turn, so that messages move meanwhile.

1. What is found is what the policies say when it is looked at; after another change, everything is looked at again.
2. New queues and exchanges obey at once, and are not waited for.
"""

from __future__ import annotations

from typing import Final

from amqpd.broker.agenda import Agenda, Timed
from amqpd.broker.clock import Clock
from amqpd.broker.queue import Queue
from amqpd.broker.vhost import VHost
from exchanges.base import Exchange

PER_TURN: Final = 100
"""Queues and exchanges that are looked at before other work has its turn."""


class Enforcement(Timed):
    """Who still has to obey."""

    def __init__(self, agenda: Agenda, clock: Clock) -> None:
        self._agenda: Final = agenda
        self._clock: Final = clock
        self._waiting: Final[dict[VHost, list[Queue | Exchange]]] = {}
        self._is_appointed: bool = False

    def renew(self, vhost: VHost) -> None:
        """Policies of the virtual host changed."""
        self._waiting[vhost] = [*vhost.queues.values(), *vhost.exchanges.values()]
        if not self._is_appointed:
            self.due(self._clock.now)

    def due(self, now: int) -> None:
        """Go on with it."""
        count = PER_TURN
        while self._waiting and count:
            vhost = next(iter(self._waiting))
            waiting = self._waiting[vhost]
            for subject in waiting[-count:]:
                if isinstance(subject, Queue):
                    vhost.govern_queue(subject)
                else:
                    vhost.govern_exchange(subject)
            left = max(0, len(waiting) - count)
            count -= len(waiting) - left
            del waiting[left:]
            if not waiting:
                del self._waiting[vhost]
        self._is_appointed = bool(self._waiting)
        if self._is_appointed:
            self._agenda.at(now, self)
