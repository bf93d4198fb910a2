"""Whose turn it is: the consumers of one queue, served in turn among those of the highest priority that can take more.

1. An active consumer is not parked; a parked one waits for its credit or its socket and costs nothing until then.
2. `active` holds the active ones of the highest priority that has any, who take turns; those of each lower priority wait
   in a line of their own. If `active` is empty, so are all lines.
3. With a single active consumer nobody else is ever active: the first one to come, and after it left the next one.
4. One that is cancelled may stay among the active for a while, as long as it is not half of them: however many consumers
   there are, each leaves in constant time.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from heapq import heappop, heappush
from typing import Final

from amqpd.broker.consumer import Consumer, Roster
from amqpd.broker.entry import EntryOwner
from amqpd.broker.turn import Turn


class Dispatch(Roster):
    """All consumers of a queue in the order of their coming, and the active ones in the order of their turns."""

    def __init__(self, owner: EntryOwner, turn: Turn, single: bool) -> None:
        self.owner: EntryOwner = owner
        self.turn: Final = turn
        self.single: Final = single
        """Only one consumer is served (x-single-active-consumer)."""
        self.consumers: Final[OrderedDict[Consumer, None]] = OrderedDict()
        """In the order of their coming; a plain dictionary would look for the first one among all that left before it."""
        self.active: deque[Consumer] = deque()
        self.paused: bool = False
        """True while an operator keeps all consumers waiting."""
        self._priority: int = 0
        """That of the consumers in `active`."""
        self._lower: Final[dict[int, deque[Consumer]]] = {}
        """The lines by priority (2)."""
        self._ranks: Final[list[int]] = []
        """Their priorities, negated, as a heap: the highest one comes first."""
        self._count: int = 0
        """How many stand in `active` and in the lines."""
        self._cancelled: int = 0
        """How many of those are not consumers any more (4)."""

    @property
    def first(self) -> Consumer:
        """The one that came before all others; there must be one."""
        return next(iter(self.consumers))

    def add(self, consumer: Consumer) -> None:
        """A new consumer."""
        self.consumers[consumer] = None
        consumer.roster = self
        self.activate(consumer)

    def remove(self, consumer: Consumer) -> None:
        """The consumer is cancelled."""
        was_served = self.serves(consumer)
        del self.consumers[consumer]
        consumer.roster = None
        if was_served and not consumer.parked:
            self._cancelled += 1
            if self._cancelled * 2 >= self._count:
                self._sweep()
        if self.single and was_served and self.consumers:
            self.activate(self.first)

    def serves(self, consumer: Consumer) -> bool:
        """False if the consumer only stands by for the single active one, or all of them are kept waiting."""
        return not self.paused and (not self.single or self.first is consumer)

    def pause(self) -> None:
        """Serve nobody until `resume`."""
        self.paused = True
        self._clear()

    def resume(self) -> None:
        """Serve again whoever can take more."""
        if self.paused:
            self.paused = False
            for consumer in self.consumers:
                if not consumer.parked:
                    self.activate(consumer)

    def activate(self, consumer: Consumer) -> None:
        """Give the consumer a turn again, and the queue one to deliver."""
        if self.serves(consumer):
            self._enqueue(consumer)
            self.turn.pump(self.owner)

    def next(self) -> Consumer | None:
        """The consumer whose turn it is; None if none can take a message now."""
        active = self.active
        while active:
            consumer = active[0]
            if consumer.roster is None:
                self._cancelled -= 1
            elif consumer.can_take():
                if len(active) > 1:
                    active.rotate(-1)
                return consumer
            active.popleft()
            self._count -= 1
            if not active and self._ranks:
                active = self._descend()
        return None

    def _enqueue(self, consumer: Consumer) -> None:
        """Behind the last one of its priority."""
        self._count += 1
        priority = consumer.priority
        if priority == self._priority:
            self.active.append(consumer)
        elif not self.active:
            self._priority = priority
            self.active.append(consumer)
        elif priority < self._priority:
            self._line(priority).append(consumer)
        else:
            self._lower[self._priority] = self.active
            heappush(self._ranks, -self._priority)
            self._priority = priority
            self.active = deque([consumer])

    def _line(self, priority: int) -> deque[Consumer]:
        """The line of a lower priority."""
        line = self._lower.get(priority)
        if line is None:
            line = self._lower[priority] = deque()
            heappush(self._ranks, -priority)
        return line

    def _descend(self) -> deque[Consumer]:
        """Nobody of this priority can take more: the line of the next lower one is `active`."""
        self._priority = -heappop(self._ranks)
        self.active = self._lower.pop(self._priority)
        return self.active

    def _sweep(self) -> None:
        """Drop those that are cancelled."""
        lines = [self.active, *self._lower.values()]
        self._clear()
        for line in lines:
            for consumer in line:
                if consumer.roster is not None:
                    self._enqueue(consumer)

    def _clear(self) -> None:
        self.active = deque()
        self._lower.clear()
        self._ranks.clear()
        self._count = self._cancelled = 0
