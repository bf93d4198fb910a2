"""Whose turn it is: the consumers of one queue, served in turn among those of the highest priority that can take more.

1. An active consumer is not parked; a parked one waits for its credit or its socket and costs nothing until then.
2. `active` is sorted by falling priority; equals take turns.
3. With a single active consumer nobody else is ever active: the first one to come, and after it left the next one.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from amqpd.broker.consumer import Consumer, Roster
from amqpd.broker.entry import EntryOwner
from amqpd.broker.turn import Turn


class Dispatch(Roster):
    """All consumers of a queue in the order of their coming, and the active ones in the order of their turns."""

    def __init__(self, owner: EntryOwner, turn: Turn, single: bool) -> None:
        self.owner: Final = owner
        self.turn: Final = turn
        self.single: Final = single
        """Only one consumer is served (x-single-active-consumer)."""
        self.consumers: list[Consumer] = []
        self.active: deque[Consumer] = deque()
        self.paused: bool = False
        """True while an operator keeps all consumers waiting."""
        self.prioritised: bool = False
        """True once a consumer with a priority other than 0 came."""

    def add(self, consumer: Consumer) -> None:
        """A new consumer."""
        self.consumers.append(consumer)
        if consumer.priority:
            self.prioritised = True
        consumer.roster = self
        self.activate(consumer)

    def remove(self, consumer: Consumer) -> None:
        """The consumer is cancelled."""
        was_served = self.serves(consumer)
        self.consumers.remove(consumer)
        consumer.roster = None
        if consumer in self.active:
            self.active.remove(consumer)
        if self.single and was_served and self.consumers:
            self.activate(self.consumers[0])

    def serves(self, consumer: Consumer) -> bool:
        """False if the consumer only stands by for the single active one, or all of them are kept waiting."""
        return not self.paused and (not self.single or self.consumers[0] is consumer)

    def pause(self) -> None:
        """Serve nobody until `resume`."""
        self.paused = True
        self.active.clear()

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
            if consumer.can_take():
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
