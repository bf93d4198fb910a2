"""Work now, finish once: what the end of a turn of the loop has to do after all input was handled."""

from __future__ import annotations

from amqpd.broker.durability import Awaiter
from amqpd.broker.entry import EntryOwner


class Turn:
    """Collects queues to pump and channels to confirm; each is done once, however often it asked."""

    def __init__(self) -> None:
        self.queues: dict[EntryOwner, None] = {}
        self.confirms: list[Awaiter] = []

    def pump(self, queue: EntryOwner) -> None:
        """The queue may be able to deliver."""
        self.queues[queue] = None

    def finish(self) -> None:
        """Pump the queues, then send the confirms that need no disk."""
        while self.queues:
            queues = self.queues
            self.queues = {}
            for queue in queues:
                queue.pump()
        if self.confirms:
            confirms = self.confirms
            self.confirms = []
            for awaiter in confirms:
                awaiter.settle_confirms()
