"""The entries of a queue that wait for a consumer: one lane, or one for each priority (x-max-priority)."""

from __future__ import annotations

from typing import Final

from amqpd.broker.entry import GONE, Entry, EntryOwner
from amqpd.broker.expiry import Expiry
from amqpd.broker.lane import Lane, PageReader
from amqpd.broker.memory import Memory
from persistence.store import Store, Window


class Ready:
    """Lanes by falling priority; a lane is made when the first message of its priority comes."""

    def __init__(
        self, owner: EntryOwner, queue_id: int, max_priority: int, store: Store, memory: Memory, reader: PageReader
    ) -> None:
        self.owner: EntryOwner = owner
        self.queue_id: Final = queue_id
        self.max_priority: Final = max_priority
        self.store: Final = store
        self.memory: Final = memory
        self.reader: Final = reader
        self.count: int = 0
        self.expiry: Final = Expiry()
        self.lanes: dict[int, Lane] = {}
        self.order: list[Lane] = []
        """The lanes by falling priority."""

    def lane(self, priority: int) -> Lane:
        """The lane for messages of this priority, which is clamped to what the queue knows."""
        priority = min(priority, self.max_priority)
        lane = self.lanes.get(priority)
        if lane is None:
            log = self.store.log(self.queue_id, priority, self.owner)
            lane = self.lanes[priority] = Lane(log, self.memory, self.reader, self.expiry)
            self.order = [self.lanes[level] for level in sorted(self.lanes, reverse=True)]
        return lane

    def disown(self) -> None:
        """The queue was deleted."""
        self.owner = GONE
        for lane in self.order:
            lane.log.owner = GONE

    def push(self, lane: Lane, entry: Entry) -> None:
        """A new entry."""
        self.count += 1
        lane.push(entry)

    def put_back(self, lane: Lane, entry: Entry) -> None:
        """An entry that was taken, back to its place."""
        self.count += 1
        lane.put_back(entry)

    def take(self) -> Entry | None:
        """The next entry by priority and age; None if there is none, or as long as the disk is asked for it."""
        for lane in self.order:
            if lane.count:
                entry = lane.take()
                if entry is not None:
                    self.count -= 1
                return entry
        return None

    def drop(self, lane: Lane, entry: Entry) -> None:
        """An entry that waits in memory is given up."""
        self.count -= 1
        lane.drop(entry)

    def recount(self) -> None:
        """Lanes changed their counts by themselves (a window that was read, or recovered)."""
        self.count = sum([lane.count for lane in self.order])

    def size(self) -> int:
        """Bytes of all bodies."""
        return sum([lane.size for lane in self.order])

    def resident(self) -> int:
        """How many entries are in memory."""
        return sum([lane.resident() for lane in self.order])

    def recover(self, windows: dict[int, list[Window]]) -> None:
        """At start: what the store holds, by priority."""
        for priority, found in windows.items():
            self.lane(priority).recover(found)
        self.recount()
