"""When the waiting messages of one queue expire, wherever they stand.

1. Only entries in memory are listed; what is on disk is listed by window (`Lane.next_window_due`).
2. An entry that left the queue or its memory leaves `entries` at once, and the heap when it is due or when half of the
   heap is such leftovers.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from amqpd.broker.entry import Entry

SLACK = 1024
"""Leftovers that the heap may always hold."""


class Expiry:
    """Deadlines of entries, in milliseconds since the epoch."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self._heap: list[tuple[int, int]] = []

    def add(self, entry: Entry) -> None:
        """The entry waits and has a deadline."""
        self.entries[entry.sequence] = entry
        heappush(self._heap, (entry.expires_at, entry.sequence))
        if len(self._heap) > 2 * len(self.entries) + SLACK:
            self._heap = [(kept.expires_at, kept.sequence) for kept in self.entries.values()]
            heapify(self._heap)

    def remove(self, entry: Entry) -> None:
        """The entry no longer waits in memory."""
        self.entries.pop(entry.sequence, None)

    def next_due(self) -> int:
        """The first deadline; 0 if there is none."""
        heap = self._heap
        while heap and heap[0][1] not in self.entries:
            heappop(heap)
        return heap[0][0] if heap else 0

    def take_due(self, now: int, most: int) -> list[Entry]:
        """Up to `most` entries whose deadline has passed, earliest first; they are no longer listed."""
        due: list[Entry] = []
        heap = self._heap
        while heap and heap[0][0] <= now and len(due) < most:
            entry = self.entries.pop(heappop(heap)[1], None)
            if entry is not None:
                due.append(entry)
        return due

    def clear(self) -> None:
        """Nothing waits any more."""
        self.entries = {}
        self._heap = []
