"""Whose turn it is: the consumers of one queue, served in turn among those of the highest priority that can take more.

1. An active consumer is not parked; a parked one waits for its credit or its socket and costs nothing until then.
2. `active` is sorted by falling priority; equals take turns.
3. With a single active consumer nobody else is ever active: the first one to come, and after it left the next one.
4. One that is cancelled may stay in `active` for a while, as long as it is not half of them: however many consumers there
   are, each leaves in constant time.
"""

from __future__ import annotations

from collections import OrderedDict, deque
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
        self.prioritised: bool = False
        """True once a consumer with a priority other than 0 came."""
        self._cancelled: int = 0
        """How many in `active` are not consumers any more (4)."""

    @property
    def first(self) -> Consumer:
        """The one that came before all others; there must be one."""
        return next(iter(self.consumers))

    def add(self, consumer: Consumer) -> None:
        """A new consumer."""
        self.consumers[consumer] = None
        if consumer.priority:
            self.prioritised = True
        consumer.roster = self
        self.activate(consumer)

    def remove(self, consumer: Consumer) -> None:
        """The consumer is cancelled."""
        was_served = self.serves(consumer)
        del self.consumers[consumer]
        consumer.roster = None
        if was_served and not consumer.parked:
            self._cancelled += 1
            if self._cancelled * 2 >= len(self.active):
                self.active = deque([one for one in self.active if one.roster is not None])
                self._cancelled = 0
        if self.single and was_served and self.consumers:
            self.activate(self.first)

    def serves(self, consumer: Consumer) -> bool:
        """False if the consumer only stands by for the single active one, or all of them are kept waiting."""
        return not self.paused and (not self.single or self.first is consumer)

    def pause(self) -> None:
        """Serve nobody until `resume`."""
        self.paused = True
        self.active.clear()
        self._cancelled = 0

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
                    self._rotate()
                return consumer
            active.popleft()
        return None

    def _rotate(self) -> None:
        if self.prioritised:
            self._enqueue(self.active.popleft())
        else:
            self.active.rotate(-1)

    def _enqueue(self, consumer: Consumer) -> None:
        """Behind the last one of at least its priority."""
        active = self.active
        if not self.prioritised:
            active.append(consumer)
            return
        position = len(active)
        while position and active[position - 1].priority < consumer.priority:
            position -= 1
        active.insert(position, consumer)
