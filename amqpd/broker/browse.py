"""Looking into a queue without touching it, and taking chosen messages out of its middle.

1. Looking changes nothing: no message is marked as redelivered, moved in the line, or read into the line's memory.
2. A message is named by its sequence, which no other message of its queue ever has.
3. A window that is being read for a consumer is left alone: its messages are about to be in memory.
4. A section is good until anything else happens in the broker.
5. Of those who read a window at the same time, the first to change it is the last whose reading counts: each has marks of
   his own, and those written last would bring back what the others gave up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from amqpd.broker.entry import Entry
from amqpd.broker.lane import Lane
from amqpd.broker.queue import Queue
from persistence.store import SETTLED, StoredRecord, Window

HIGHEST: Final = 255
"""No priority is higher."""
SECTION_RECORDS: Final = 500
"""A section in memory has no more messages, so that others have their turn before the next."""


class Position:
    """A place in a queue: right behind the message with this sequence in the lane of this priority."""

    def __init__(self, priority: int, sequence: int) -> None:
        self.priority: Final = priority
        self.sequence: Final = sequence


START: Final = Position(HIGHEST, -1)


class Section:
    """Messages of one lane that lie together: some in memory, or all those of one window on disk."""

    def __init__(self, lane: Lane, entries: list[Entry], window: Window | None, end: Position) -> None:
        self.lane: Final = lane
        self.entries: Final = entries
        """In order; empty for a window, which has to be read."""
        self.window: Final = window
        self.end: Final = end
        self._changes: Final = 0 if window is None else window.changes

    def is_out_of_reach(self) -> bool:
        """True for a window that is being read for somebody, or is in memory meanwhile (3)."""
        window, lane = self.window, self.lane
        return window is not None and (not window.put_away or window is lane.awaited or window is lane.sifted)

    def is_outdated(self) -> bool:
        """True for a window that lost messages since: what was read of it may be from before that."""
        return self.window is not None and self.window.changes != self._changes


def next_section(queue: Queue, after: Position) -> Section | None:
    """What is ready behind a position, in the order of delivery; None at the end of the queue."""
    for priority in sorted(queue.ready.lanes, reverse=True):
        if priority <= after.priority:
            behind = after.sequence if priority == after.priority else -1
            section = _in_lane(queue.ready.lanes[priority], priority, behind)
            if section is not None:
                return section
    return None


def _in_lane(lane: Lane, priority: int, behind: int) -> Section | None:
    found = _behind(lane.head, behind)
    if lane.returned.heap:
        returned = [entry for sequence, entry in lane.returned.heap if sequence > behind and not entry.gone]
        found = sorted([*found, *returned], key=_sequence)
    for window in lane.windows:
        if window.last > behind:
            found = [entry for entry in found if entry.sequence < window.first]
            if not found:
                return Section(lane, [], window, Position(priority, window.last))
            break
    else:
        found = sorted([*found, *_behind(lane.tail, behind)], key=_sequence)
    found = found[:SECTION_RECORDS]
    return Section(lane, found, None, Position(priority, found[-1].sequence)) if found else None


def _sequence(entry: Entry) -> int:
    return entry.sequence


def _behind(entries: deque[Entry], sequence: int) -> list[Entry]:
    """The first of the entries behind the sequence that are not gone, as many as a section may have."""
    found: list[Entry] = []
    for entry in islice(entries, bisect_right(entries, sequence, key=_sequence), None):
        if not entry.gone:
            found.append(entry)
            if len(found) == SECTION_RECORDS:
                break
    return found


def entries_of(queue: Queue, found: list[StoredRecord], after: Position) -> list[Entry]:
    """The messages of a window that was read, from the position on, without those that have expired."""
    now = queue.clock.now
    return [
        entry
        for entry in queue.entries(found)
        if entry.sequence > after.sequence and (not entry.expires_at or entry.expires_at > now)
    ]


def withdraw(queue: Queue, section: Section, entry: Entry) -> bool:
    """Take a message of a section that is still good (4) out of the queue; False if it is gone already."""
    if section.window is not None:
        return _withdraw_from_disk(queue, section, section.window, entry)
    if entry.gone or entry.settled:
        return False
    if entry.expires_at:
        queue.ready.expiry.remove(entry)
    queue.ready.drop(section.lane, entry)
    queue.forget(entry)
    return True


def _withdraw_from_disk(queue: Queue, section: Section, window: Window, entry: Entry) -> bool:
    chunk = entry.chunk
    if chunk is None or chunk.marks[entry.slot] == SETTLED or section.is_out_of_reach():
        return False
    size = len(entry.message.body)
    window.changes += 1
    window.count -= 1
    window.size -= size
    section.lane.count -= 1
    section.lane.size -= size
    queue.ready.recount()
    queue.forget(entry)
    return True


def oldest(queue: Queue) -> Entry | None:
    """The ready message that is in the queue for the longest time, among those in memory; None if there is none."""
    first: Entry | None = None
    for lane in queue.ready.order:
        waiting = [lane.returned.heap[0][1]] if lane.returned.heap else []
        waiting.extend(_first(lane.head))
        if not lane.windows:
            waiting.extend(_first(lane.tail))
        for entry in waiting:
            if not entry.gone and (first is None or entry.sequence < first.sequence):
                first = entry
    return first


def _first(entries: Iterable[Entry]) -> list[Entry]:
    for entry in entries:
        if not entry.gone:
            return [entry]
    return []
