"""Looking into a queue without touching it, and taking chosen messages out of its middle.

1. Looking changes nothing: no message is marked as redelivered, moved in the line, or read into the line's memory.
2. A message is named by its sequence, which no other message of its queue ever has.
3. A window that is being read for a consumer is left alone: its messages are about to be in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from amqpd.broker.entry import Entry
from amqpd.broker.lane import Lane
from amqpd.broker.queue import Queue
from persistence.store import SETTLED, Window


class Position:
    """Where a look at a queue continues: behind this message of this priority."""

    def __init__(self, priority: int, sequence: int) -> None:
        self.priority: Final = priority
        self.sequence: Final = sequence


class Section:
    """Messages of one lane that lie together: some in memory, or all those of one window on disk."""

    def __init__(self, priority: int, lane: Lane, entries: list[Entry], window: Window | None) -> None:
        self.priority: Final = priority
        self.lane: Final = lane
        self.entries: Final = entries
        """In order; empty for a window, which has to be read."""
        self.window: Final = window


def sections(queue: Queue, after: Position | None) -> list[Section]:
    """What is ready in the queue, in the order of delivery, from a position on."""
    found: list[Section] = []
    for priority in sorted(queue.ready.lanes, reverse=True):
        if after is not None and priority > after.priority:
            continue
        behind = after.sequence if after is not None and after.priority == priority else -1
        lane = queue.ready.lanes[priority]
        front = [entry for _, entry in lane.returned]
        front.extend(lane.head)
        found.append(Section(priority, lane, _behind(sorted(front, key=_sequence), behind), None))
        for window in lane.windows:
            if window.last > behind:
                found.append(Section(priority, lane, [], window))
        found.append(Section(priority, lane, _behind(lane.tail, behind), None))
    return found


def _sequence(entry: Entry) -> int:
    return entry.sequence


def _behind(entries: Iterable[Entry], sequence: int) -> list[Entry]:
    return [entry for entry in entries if entry.sequence > sequence and not entry.gone]


def is_out_of_reach(section: Section) -> bool:
    """True for a window that is being read for somebody, or was put back into memory meanwhile (3)."""
    window, lane = section.window, section.lane
    return window is not None and (not window.put_away or window is lane.awaited or window is lane.sifted)


def withdraw(queue: Queue, section: Section, entry: Entry) -> bool:
    """Take a message out of the queue for good; False if it is no longer where it was found."""
    lane, window = section.lane, section.window
    if queue.deleted or entry.gone:
        return False
    if window is None:
        if not _still_waits(lane, entry):
            return False
        if entry.expires_at:
            queue.ready.expiry.remove(entry)
        queue.ready.drop(lane, entry)
    else:
        chunk = entry.chunk
        if is_out_of_reach(section) or chunk is None or chunk.marks[entry.slot] == SETTLED:
            return False
        size = len(entry.message.body)
        window.count -= 1
        window.size -= size
        lane.count -= 1
        lane.size -= size
        queue.ready.recount()
    queue.forget(entry)
    return True


def _still_waits(lane: Lane, entry: Entry) -> bool:
    """True unless the entry was taken since it was seen."""
    return not entry.settled and (
        bool(lane.head) and lane.head[0].sequence <= entry.sequence and entry in lane.head
        or (entry.sequence, entry) in lane.returned
        or entry in lane.tail
    )


def oldest(queue: Queue) -> Entry | None:
    """The oldest ready message among those in memory; None if there is none, or if only the disk knows it."""
    first: Entry | None = None
    for lane in queue.ready.order:
        for entry in _front(lane):
            if first is None or entry.sequence < first.sequence:
                first = entry
    return first


def _front(lane: Lane) -> list[Entry]:
    found = [lane.returned[0][1]] if lane.returned else []
    for line in (lane.head, lane.tail if not lane.windows else ()):
        for entry in line:
            if not entry.gone:
                found.append(entry)
                break
    return [entry for entry in found if not entry.gone]
