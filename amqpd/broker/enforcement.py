"""How a change of policies reaches queues and exchanges that exist: some with each turn, so that messages move meanwhile.

1. What is found is what the policies say when it is looked at; after another change, everything is looked at again.
2. New queues and exchanges obey at once, and are not waited for.
3. A queue says of itself which policy it obeys: while a change is under way, some obey the old one and some the new one.
   Whoever asked for the change is answered after the last one obeys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from amqpd.broker.agenda import NONE, Agenda, Timed
from amqpd.broker.clock import Clock
from amqpd.broker.queue import Queue
from amqpd.broker.vhost import VHost
from exchanges.base import Exchange

PER_TURN: Final = 100
"""Queues and exchanges that are looked at before other work has its turn, if few policies may rule them."""
FEW: Final = 10
"""With so many policies more, a queue or exchange counts as one more."""


class Enforcement(Timed):
    """Who still has to obey."""

    def __init__(self, agenda: Agenda, clock: Clock) -> None:
        super().__init__()
        self._agenda: Final = agenda
        self._clock: Final = clock
        self._waiting: Final[dict[VHost, list[Queue | Exchange]]] = {}
        self._calls: list[Callable[[], None]] = []

    def renew(self, vhost: VHost) -> None:
        """Policies of the virtual host changed."""
        self._waiting[vhost] = [*vhost.queues.values(), *vhost.exchanges.values()]
        if self.appointment == NONE:
            self.due(self._clock.now)

    def is_under_way(self) -> bool:
        """True while somebody still has to obey."""
        return bool(self._waiting)

    def when_over(self, call: Callable[[], None]) -> None:
        """Call once all obey, for a change that is under way."""
        self._calls.append(call)

    def due(self, now: int) -> None:
        """Go on with it."""
        count = PER_TURN
        while self._waiting and count:
            vhost = next(iter(self._waiting))
            weight = 1 + (len(vhost.policies.by_name) + len(vhost.operator_policies.by_name)) // FEW
            waiting = self._waiting[vhost]
            left = max(0, len(waiting) - max(1, count // weight))
            count = max(0, count - weight * (len(waiting) - left))
            self._govern(vhost, waiting[left:])
            del waiting[left:]
            if not waiting:
                del self._waiting[vhost]
        if self._waiting:
            self._agenda.at(now, self)
        else:
            self._tell()

    def _govern(self, vhost: VHost, subjects: list[Queue | Exchange]) -> None:
        for subject in subjects:
            if isinstance(subject, Queue):
                vhost.govern_queue(subject)
            else:
                vhost.govern_exchange(subject)

    def _tell(self) -> None:
        calls = self._calls
        self._calls = []
        for call in calls:
            call()
