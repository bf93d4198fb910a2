"""One line of waiting entries, most of which may be on disk only.

    head → windows on disk → tail, and between any of them what was returned

1. Sequences grow from head through windows to tail; what was returned is taken when its turn comes by its sequence.
2. While there are windows, new entries go to the tail, and the tail is never taken from.
3. An entry is dropped from memory only after its chunk is durable, and only together with its whole chunk: a window shares
   no chunk with an entry in memory, and lies in chunks of its own log alone.
4. `count` and `size` cover all entries, wherever they are, but none that is gone: one that was given up in the middle of
   the line stays where it is until the line comes to it, or until half of the line is such ones.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from mypy_extensions import mypyc_attr

from amqpd.broker.entry import Entry
from amqpd.broker.expiry import Expiry
from amqpd.broker.memory import Memory
from amqpd.broker.returned import Returned, Sorting
from amqpd.broker.window_deadlines import WindowDeadlines
from persistence.calendar import Calendar, Place
from persistence.store import Chunk, Log, StoredRecord, Window

HEAD_RECORDS: Final = 4096
HEAD_BYTES: Final = 4 * 1024 * 1024
"""Beyond this many entries or bytes a lane keeps its entries on disk only."""
GONE_SLACK: Final = 64
"""Entries that are gone, and that a lane may always keep."""
REFILL_RECORDS: Final = 1024
"""With fewer entries than this in memory, and less than `HEAD_BYTES`, the next window is fetched."""


@mypyc_attr(allow_interpreted_subclasses=True)
class PageReader:
    """Reads windows, and pages of calendars, off the event loop."""

    def request(self, log: Log, window: Window) -> None:
        """Read the window and have the log's owner take it in later (`EntryOwner.page_read`)."""
        raise NotImplementedError

    def read_now(self, log: Log, window: Window) -> list[StoredRecord]:
        """Read the window at once; one that cannot be read is reported and holds nothing."""
        raise NotImplementedError

    def request_rows(self, calendar: Calendar, place: Place) -> None:
        """Read a page and have the calendar's owner take it in later (`CalendarOwner.rows_read`)."""
        raise NotImplementedError


class Lane:
    """The ready entries of one priority of one queue."""

    def __init__(self, log: Log, memory: Memory, reader: PageReader, expiry: Expiry) -> None:
        self.log: Final = log
        self.memory: Final = memory
        self.reader: Final = reader
        self.expiry: Final = expiry
        self.count: int = 0
        self.size: int = 0
        """Bytes of bodies."""
        self.head: deque[Entry] = deque()
        self.head_size: int = 0
        self.returned: Final = Returned()
        self.windows: deque[Window] = deque()
        self.tail: deque[Entry] = deque()
        self.awaited: Window | None = None
        """The first window, while it is being read."""
        self.sifted: Window | None = None
        """Another window, while it is being read to find what has expired in it."""
        self._gone: int = 0
        """How many of the entries in memory are gone."""
        self._deadlines: WindowDeadlines = WindowDeadlines()

    # --- entries come and go ---------------------------------------------------------------------------------------

    def push(self, entry: Entry) -> None:
        """A new entry, behind all others."""
        self._count(entry)
        if self.windows or self.tail:
            self.tail.append(entry)
        else:
            self.head.append(entry)
            self.head_size += len(entry.message.body)

    def put_back(self, entry: Entry) -> None:
        """An entry that was taken, back to its place."""
        self._count(entry)
        self.returned.add(entry)

    def _count(self, entry: Entry) -> None:
        size = len(entry.message.body)
        self.count += 1
        self.size += size
        self.memory.resident += size

    def _uncount(self, entry: Entry) -> None:
        size = len(entry.message.body)
        self.count -= 1
        self.size -= size
        self.memory.resident -= size

    def take(self) -> Entry | None:
        """The first entry, which leaves the lane; None if the lane is empty, or as long as the disk is asked for it."""
        while True:
            if self.returned.heap and self._is_returned_next():
                entry = self.returned.take()
            elif self.head:
                entry = self.head.popleft()
                self.head_size -= len(entry.message.body)
                if self.windows and len(self.head) < REFILL_RECORDS:
                    self._refill()
            elif self.windows:
                self._refill()
                return None
            elif self.tail:
                self._promote_tail()
                continue
            else:
                return None
            if entry.gone:
                self._gone -= 1
            else:
                self._uncount(entry)
                return entry

    def _is_returned_next(self) -> bool:
        sequence = self.returned.heap[0][0]
        if self.head:
            return sequence < self.head[0].sequence
        if self.windows:
            return sequence < self.windows[0].first
        return not self.tail or sequence < self.tail[0].sequence

    def drop(self, entry: Entry) -> None:
        """An entry that waits somewhere in memory is given up."""
        entry.gone = True
        self._gone += 1
        self._uncount(entry)
        self.returned.lose(entry)
        head = self.head
        while head and head[0].gone:
            self.head_size -= len(head.popleft().message.body)
            self._gone -= 1
        if 2 * self._gone > len(head) + len(self.tail) + len(self.returned.heap) + GONE_SLACK:
            self._forget_gone()

    def resident(self) -> int:
        """How many of its entries are in memory."""
        return len(self.head) + len(self.tail) + len(self.returned.heap) - self._gone

    def clear(self) -> tuple[list[Entry], list[Window]]:
        """Empty the lane; return the entries that were in memory and the windows that were not."""
        entries = self.returned.entries()
        entries.extend([entry for entry in self.head if not entry.gone])
        entries.extend([entry for entry in self.tail if not entry.gone])
        windows = list(self.windows)
        for window in windows:
            window.put_away = False
        self.memory.resident -= sum([len(entry.message.body) for entry in entries])
        self.returned.clear()
        self.head = deque()
        self.windows = deque()
        self.tail = deque()
        self.awaited = self.sifted = None
        self._deadlines = WindowDeadlines()
        self.count = self.size = self.head_size = self._gone = 0
        return entries, windows

    # --- from disk -------------------------------------------------------------------------------------------------

    def _refill(self) -> None:
        """Ask for the first window, unless what is in memory is heavy enough without it; an empty head weighs nothing."""
        if self.awaited is None and self.head_size < HEAD_BYTES and self.sifted is not self.windows[0]:
            self.awaited = self.windows[0]
            self.reader.request(self.log, self.awaited)

    def claim(self) -> Window | None:
        """The window that the next entry waits for, to be read at once whatever it is being read for; None if there is none."""
        if self.head or not self.windows or (self.returned.heap and self._is_returned_next()):
            return None
        first = self.awaited = self.windows[0]
        if self.sifted is first:
            self.sifted = None
        return first

    def _promote_tail(self) -> None:
        self.head, self.tail = self.tail, self.head
        self.head_size = sum([len(entry.message.body) for entry in self.head])

    def take_in(self, window: Window, entries: list[Entry]) -> None:
        """The entries of the first window, which was read."""
        self.awaited = None
        window.put_away = False
        self.windows.popleft()
        size = 0
        for entry in entries:
            size += len(entry.message.body)
            self.head.append(entry)
            if entry.expires_at:
                self.expiry.add(entry)
        self.head_size += size
        self.memory.resident += size
        self.count += len(entries) - window.count
        self.size += size - window.size
        self._put_away_returned()
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

    # --- to disk ---------------------------------------------------------------------------------------------------

    def page_out(self) -> None:
        """Drop from memory what the disk holds beyond the head; called when a batch with this lane's entries committed."""
        self._put_away_returned()
        if not self.windows and not self._shorten_head():
            return
        if self.memory.is_pressing():
            self._spill()
        self._leave_mixed_chunks()
        self._put_away()

    def _forget_gone(self) -> None:
        self.head = deque([entry for entry in self.head if not entry.gone])
        self.tail = deque([entry for entry in self.tail if not entry.gone])
        self.returned.replace(self.returned.entries())
        self.head_size = sum([len(entry.message.body) for entry in self.head])
        self._gone = 0

    def _put_away_returned(self) -> None:
        """If much was returned, begin the line anew with a full head, and make windows of what follows where that can be."""
        if self.awaited is not None or not self.returned.is_heavy():
            return
        if self._gone:
            self._forget_gone()
        line = sorted([*self.returned.entries(), *self.head], key=_sequence)
        on_disk = self.windows[0].first if self.windows else 0
        self.head, self.head_size = deque(), 0
        for entry in line:
            if len(self.head) == HEAD_RECORDS or self.head_size >= HEAD_BYTES or 0 < on_disk < entry.sequence:
                break
            self.head.append(entry)
            self.head_size += len(entry.message.body)
        rest = Sorting(self.log, line[len(self.head) :])
        self.returned.keep(rest)
        if rest.runs:
            self.windows = deque(sorted([*self.windows, *[self._window(run) for run in rest.runs]], key=_first))

    def _shorten_head(self) -> bool:
        """Move what exceeds the head to the tail, but keep chunks whole (3); False if there is no tail then.

        What was returned does not go there: neighbours of it may be held, and the tail's windows have nothing between.
        """
        head, tail = self.head, self.tail
        while len(head) > HEAD_RECORDS or (self.head_size > HEAD_BYTES and len(head) > 1):
            entry = head[-1]
            if entry.returns or self.returned.is_after(entry.sequence):
                break
            head.pop()
            self.head_size -= len(entry.message.body)
            if entry.gone:
                self._gone -= 1
            else:
                tail.appendleft(entry)
        chunk = tail[0].chunk if tail else None
        if chunk is not None and chunk.log is self.log and chunk.live > self._in_tail(chunk):
            while tail and tail[0].chunk is chunk:
                entry = tail.popleft()
                head.append(entry)
                self.head_size += len(entry.message.body)
        return bool(tail)

    def _in_tail(self, chunk: Chunk) -> int:
        count = 0
        for entry in self.tail:
            if entry.chunk is not chunk:
                break
            if not entry.gone:
                count += 1
        return count

    def _spill(self) -> None:
        for entry in self.tail:
            if not entry.stored and not entry.gone:
                entry.stored = True
                self.log.spill(entry)

    def _leave_mixed_chunks(self) -> None:
        """Move the tail's beginning to chunks of this lane's log: mixed ones hold nothing that is put away."""
        for entry in self.tail:
            if entry.gone:
                continue
            chunk = entry.chunk
            if chunk is None or not chunk.durable or chunk.log is self.log:
                break
            self.log.move(entry)

    def _put_away(self) -> None:
        """Make windows of the tail's durable beginning, each cut where no chunk reaches across."""
        missing: dict[Chunk, int] = {}
        run: list[Entry] = []
        runs: list[list[Entry]] = []
        passed, cut = 0, 0
        for entry in self.tail:
            passed += 1
            if entry.gone:
                continue
            chunk = entry.chunk
            if chunk is None or not chunk.durable or chunk.log is not self.log:
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
                    cut = passed
        for _ in range(cut):
            if self.tail.popleft().gone:
                self._gone -= 1
        for run in runs:
            self.windows.append(self._window(run))

    def _window(self, run: list[Entry]) -> Window:
        """Forget these entries, of which a window remains."""
        size, first_deadline = 0, 0
        for entry in run:
            size += len(entry.message.body)
            deadline = entry.expires_at
            if deadline:
                self.expiry.remove(entry)
                if not first_deadline or deadline < first_deadline:
                    first_deadline = deadline
        self.memory.resident -= size
        window = Window(run[0].sequence, run[-1].sequence, len(run), size, first_deadline)
        chunks = {entry.chunk for entry in run}
        window.early = [chunk.first for chunk in chunks if chunk is not None and chunk.first < window.first]
        self._deadlines.add(window, first_deadline)
        return window

    def recover(self, windows: list[Window]) -> None:
        """At start: these windows are the lane."""
        for window in windows:
            self.windows.append(window)
            self._deadlines.add(window, window.expires_at)
            self.count += window.count
            self.size += window.size

    # --- deadlines on disk -----------------------------------------------------------------------------------------

    def next_deadline(self) -> int:
        """When something expires in a window; 0: never, or a window is being looked through."""
        return 0 if self.sifted is not None else self._deadlines.first()

    def sift(self, now: int) -> None:
        """Read the first window in which something has expired, to find it."""
        if 0 < self.next_deadline() <= now:
            window = self._deadlines.take()
            if window is not self.awaited:
                self.sifted = window
                self.reader.request(self.log, window)

    def sifted_out(self, count: int, size: int, next_deadline: int) -> None:
        """The window that was read has lost so many expired entries, of so many bytes; the others stay on disk."""
        window = self.sifted
        self.sifted = None
        if window is None:
            return
        window.changes += 1
        window.count -= count
        window.size -= size
        self.count -= count
        self.size -= size
        window.expires_at = next_deadline
        self._deadlines.add(window, next_deadline)


def _sequence(entry: Entry) -> int:
    return entry.sequence


def _first(window: Window) -> int:
    return window.first
