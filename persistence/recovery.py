"""What a store finds in its tables when it starts: the windows of every queue, and leftovers to delete."""

from __future__ import annotations

from typing import Final

from persistence import calendars, mixed, records
from persistence.store import CHUNK_BYTES, CHUNK_RECORDS, SETTLED, Corrupt, Window
from persistence.tables import BODIES, CHUNKS, MARKS, REFERENCES, WHOLE, Transaction, walk

Windows = dict[int, dict[int, list[Window]]]


class _Lane:
    """The windows of one lane, the last of which still grows chunk by chunk."""

    def __init__(self) -> None:
        self.windows: Final[list[Window]] = []
        self._first = 0
        self._last = 0
        self._count = 0
        self._size = 0
        self._expires_at = 0

    def add(self, first: int, last: int, count: int, size: int, expires_at: int) -> None:
        if self._count and (self._count + count > CHUNK_RECORDS or self._size + size > CHUNK_BYTES):
            self.finish()
        if self._count == 0:
            self._first = first
        self._last = last
        self._count += count
        self._size += size
        if expires_at and (not self._expires_at or expires_at < self._expires_at):
            self._expires_at = expires_at

    def finish(self) -> None:
        if self._count:
            self.windows.append(Window(self._first, self._last, self._count, self._size, self._expires_at))
        self._count = 0
        self._size = 0
        self._expires_at = 0


class Recovery:
    """One start over what is stored; `run` deletes what belongs to no known queue.

    A damaged value is told of and left where it is; a damaged table, of which nobody knows what it lacks, is Corrupt.
    """

    def __init__(self, queue_ids: set[int]) -> None:
        self._queue_ids: Final = queue_ids
        self.windows: Windows = {}
        """Neighbouring chunks share a window up to `CHUNK_RECORDS` records and `CHUNK_BYTES` bytes."""
        self.references: dict[int, int] = {}
        """How many references each shared body has."""
        self.calendars: calendars.Counts = {}
        self.damages: list[str] = []
        """A sentence for each damaged value."""
        self._keeps_bodies = False

    def run(self, tables: Transaction) -> list[int]:
        """Find everything, from the beginning at each call; return nothing. Raises Corrupt."""
        self.windows = {}
        self.references = {}
        self.damages = []
        self._keeps_bodies = False
        mixed.disperse(tables, self._queue_ids, self.damages)
        for queue_id in self._find_windows(tables):
            low, high = records.queue_keys(queue_id)
            for table in (CHUNKS, MARKS, REFERENCES):
                tables.delete_range(table, low, high)
        self._count_references(tables)
        self._delete_orphans(tables)
        self.calendars = calendars.recover(tables, self._queue_ids, self.damages)
        return []

    def _find_windows(self, tables: Transaction) -> set[int]:
        """Fill the windows; return the queues that are not known."""
        lanes: dict[tuple[int, int], _Lane] = {}
        unknown: set[int] = set()
        damaged: set[int] = set()
        marked = 0
        for key, start in walk(tables, CHUNKS, records.CHUNK_HEADER_BYTES):
            marks = tables.get(MARKS, key)
            marked += marks is not None
            try:
                queue_id, lane, first = records.split_key(key)
                if queue_id in self._queue_ids:
                    self._add_chunk(lanes.setdefault((queue_id, lane), _Lane()), first, key, start, marks)
                elif queue_id != mixed.MIXED and queue_id not in damaged:
                    unknown.add(queue_id)
                    damaged.add(queue_id)
                    records.verify_chunk(key, tables.get(CHUNKS, key) or b"")
                    damaged.remove(queue_id)
            except Corrupt as error:
                self.damages.append(f"chunk {key.hex()}: {error}")
        if marked != tables.count(MARKS):
            self.damages.append(f"marks: {tables.count(MARKS) - marked} belong to no chunk")
        for (queue_id, lane), found in lanes.items():
            found.finish()
            self.windows.setdefault(queue_id, {})[lane] = found.windows
        return unknown - damaged

    def _add_chunk(self, lane: _Lane, first: int, key: bytes, start: bytes, marks: bytes | None) -> None:
        """Count a chunk in; one whose marks are damaged counts in full, for it may be read all the same."""
        count, last, size = records.chunk_header(key, start)
        live = count
        if marks is not None:
            try:
                live -= records.unprotect(key, marks).count(SETTLED)
            except Corrupt as error:
                self.damages.append(f"marks {key.hex()}: {error}")
        if live:
            lane.add(first, last, live, size * live // count, records.chunk_deadline(start))

    def _count_references(self, tables: Transaction) -> None:
        for key, reference in walk(tables, REFERENCES, WHOLE):
            try:
                body_id = records.unpack_id(records.unprotect(key, reference))
            except Corrupt as error:
                self.damages.append(f"reference {key.hex()}: {error}")
                self._keeps_bodies = True
            else:
                self.references[body_id] = self.references.get(body_id, 0) + 1

    def _delete_orphans(self, tables: Transaction) -> None:
        """Delete the bodies that nobody refers to; where a reference cannot be read, keep them all until the next start."""
        orphans: list[bytes] = []
        for key, _ in walk(tables, BODIES, 0):
            try:
                body_id = records.unpack_id(key)
            except Corrupt as error:
                self.damages.append(f"shared body {key.hex()}: {error}")
                continue
            if self._keeps_bodies:
                self.references[body_id] = self.references.get(body_id, 0) + 1
            elif body_id not in self.references:
                orphans.append(key)
        for key in orphans:
            tables.delete(BODIES, key)
