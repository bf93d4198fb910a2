"""One line of waiting entries, most of which may be on disk only.

    returned (a heap) and head → windows on disk → tail

1. Sequences grow from head through windows to tail; every returned entry was once taken from the head.
2. While there are windows, new entries go to the tail, and the tail is never taken from.
3. An entry is dropped from memory only after its chunk is durable, and only together with its whole chunk: a window shares
   no chunk with an entry in memory.
4. `count` and `size` cover all entries, wherever they are.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.entry import Entry
from amqpd.broker.memory import Memory
from persistence.store import Chunk, Log, Window

HEAD_RECORDS: Final = 4096
HEAD_BYTES: Final = 4 * 1024 * 1024
"""Beyond this many entries or bytes a lane keeps its entries on disk only."""
REFILL_RECORDS: Final = 1024
"""With fewer entries than this in memory, the next window is fetched."""


@mypyc_attr(allow_interpreted_subclasses=True)
class PageReader:
    """Reads windows off the event loop."""

    def request(self, log: Log, window: Window) -> None:
        """Read the window and have the log's owner take it in later (`EntryOwner.page_read`)."""
        raise NotImplementedError


class Lane:
    """The ready entries of one priority of one queue."""

    def __init__(self, log: Log, memory: Memory, reader: PageReader) -> None:
        self.log: Final = log
        self.memory: Final = memory
        self.reader: Final = reader
        self.count: int = 0
        self.size: int = 0
        """Bytes of bodies."""
        self.head: deque[Entry] = deque()
        self.head_size: int = 0
        self.returned: list[tuple[int, Entry]] = []
        self.windows: deque[Window] = deque()
        self.tail: deque[Entry] = deque()
        self.awaited: Window | None = None
        """The window that is being read."""

    def push(self, entry: Entry) -> None:
        """A new entry, behind all others."""
        size = len(entry.message.body)
        self.count += 1
        self.size += size
        self.memory.resident += size
        if self.windows or self.tail:
            self.tail.append(entry)
        else:
            self.head.append(entry)
            self.head_size += size

    def put_back(self, entry: Entry) -> None:
        """An entry that was taken, back to its place."""
        size = len(entry.message.body)
        self.count += 1
        self.size += size
        self.memory.resident += size
        heappush(self.returned, (entry.sequence, entry))

    def take(self) -> Entry | None:
        """The first entry, which leaves the lane; None if the lane is empty, or as long as the disk is asked for it."""
        if self.returned and (not self.head or self.returned[0][0] < self.head[0].sequence):
            entry = heappop(self.returned)[1]
            size = len(entry.message.body)
        elif self.head:
            entry = self.head.popleft()
            size = len(entry.message.body)
            self.head_size -= size
            if self.windows and len(self.head) < REFILL_RECORDS:
                self._refill()
        elif self.windows:
            self._refill()
            return None
        elif self.tail:
            self._promote_tail()
            return self.take()
        else:
            return None
        self.count -= 1
        self.size -= size
        self.memory.resident -= size
        return entry

    def _refill(self) -> None:
        if self.awaited is None:
            self.awaited = self.windows[0]
            self.reader.request(self.log, self.awaited)

    def _promote_tail(self) -> None:
        self.head, self.tail = self.tail, self.head
        self.head_size = sum([len(entry.message.body) for entry in self.head])

    def take_in(self, window: Window, entries: list[Entry]) -> None:
        """The entries of the first window were read; ignored if the lane was purged meanwhile."""
        if self.awaited is not window:
            return
        self.awaited = None
        self.windows.popleft()
        size = 0
        for entry in entries:
            size += len(entry.message.body)
            self.head.append(entry)
        self.head_size += size
        self.memory.resident += size
        self.count += len(entries) - window.count
        self.size += size - window.size
        if self.windows:
            if len(self.head) < REFILL_RECORDS:
                self._refill()
        elif not self.head and self.tail:
            self._promote_tail()
        elif self.tail and self.head_size < HEAD_BYTES:
            self._append_tail()

    def _append_tail(self) -> None:
        for entry in self.tail:
            self.head.append(entry)
            self.head_size += len(entry.message.body)
        self.tail.clear()

    def page_out(self) -> None:
        """Drop from memory what the disk holds, beyond the head; called whenever a batch with this lane's entries committed."""
        if not self.windows and not self._shorten_head():
            return
        if self.memory.is_pressing():
            self._spill()
        self._put_away()

    def _shorten_head(self) -> bool:
        """Move what exceeds the head to the tail, but keep chunks whole (3); False if there is no tail then."""
        head, tail = self.head, self.tail
        while len(head) > HEAD_RECORDS or (self.head_size > HEAD_BYTES and len(head) > 1):
            self._move_last(head, tail)
        chunk = tail[0].chunk if tail else None
        if chunk is not None and chunk.live > self._in_tail(chunk):
            while tail and tail[0].chunk is chunk:
                entry = tail.popleft()
                head.append(entry)
                self.head_size += len(entry.message.body)
        return bool(tail)

    def _move_last(self, head: deque[Entry], tail: deque[Entry]) -> None:
        entry = head.pop()
        self.head_size -= len(entry.message.body)
        tail.appendleft(entry)

    def _in_tail(self, chunk: Chunk) -> int:
        count = 0
        for entry in self.tail:
            if entry.chunk is not chunk:
                break
            count += 1
        return count

    def _spill(self) -> None:
        for entry in self.tail:
            if not entry.stored:
                entry.stored = True
                self.log.spill(entry)

    def _put_away(self) -> None:
        """Make windows of the tail's durable beginning, each cut where no chunk reaches across."""
        tail = self.tail
        missing: dict[Chunk, int] = {}
        run: list[Entry] = []
        runs: list[list[Entry]] = []
        for entry in tail:
            chunk = entry.chunk
            if chunk is None or not chunk.durable:
                break
            run.append(entry)
            left = missing.get(chunk, chunk.live) - 1
            if left:
                missing[chunk] = left
            else:
                missing.pop(chunk, None)
                if not missing:
                    runs.append(run)
                    run = []
        for run in runs:
            size = sum([len(entry.message.body) for entry in run])
            self.memory.resident -= size
            self.windows.append(Window(run[0].sequence, run[-1].sequence, len(run), size))
            for _ in run:
                tail.popleft()

    def clear(self) -> tuple[list[Entry], list[Window]]:
        """Empty the lane; return the entries that were in memory and the windows that were not."""
        entries = [entry for _, entry in sorted(self.returned)]
        entries.extend(self.head)
        entries.extend(self.tail)
        windows = list(self.windows)
        self.memory.resident -= sum([len(entry.message.body) for entry in entries])
        self.returned = []
        self.head = deque()
        self.windows = deque()
        self.tail = deque()
        self.awaited = None
        self.count = self.size = self.head_size = 0
        return entries, windows

    def recover(self, windows: list[Window]) -> None:
        """At start: these windows are the lane."""
        for window in windows:
            self.windows.append(window)
            self.count += window.count
            self.size += window.size
