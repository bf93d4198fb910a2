"""What a store finds in its tables when it starts: the windows of every queue, and leftovers to delete."""

from __future__ import annotations

from typing import Final

from persistence import calendars, records
from persistence.store import CHUNK_BYTES, CHUNK_RECORDS, SETTLED, Window
from persistence.tables import BODIES, CHUNKS, MARKS, REFERENCES, WHOLE, Transaction

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
    """One start over what is stored; `run` deletes what belongs to no known queue."""

    def __init__(self, queue_ids: set[int]) -> None:
        self._queue_ids: Final = queue_ids
        self.windows: Windows = {}
        """Neighbouring chunks share a window up to `CHUNK_RECORDS` records and `CHUNK_BYTES` bytes."""
        self.references: dict[int, int] = {}
        """How many references each shared body has."""
        self.calendars: calendars.Counts = {}

    def run(self, tables: Transaction) -> list[int]:
        """Find everything, from the beginning at each call; return nothing. Raises Corrupt."""
        self.windows = {}
        self.references = {}
        for queue_id in self._find_windows(tables):
            low, high = records.queue_keys(queue_id)
            for table in (CHUNKS, MARKS, REFERENCES):
                tables.delete_range(table, low, high)
        self._count_references(tables)
        self._delete_orphans(tables)
        self.calendars = calendars.recover(tables, self._queue_ids)
        return []

    def _find_windows(self, tables: Transaction) -> set[int]:
        """Fill the windows; return the queues that are not known."""
        lanes: dict[tuple[int, int], _Lane] = {}
        unknown: set[int] = set()
        for key, start in tables.range(CHUNKS, records.FIRST_KEY, records.LAST_KEY, records.CHUNK_HEADER_BYTES):
            queue_id, lane, first = records.split_key(key)
            if queue_id not in self._queue_ids:
                unknown.add(queue_id)
                continue
            count, last, size = records.chunk_header(start)
            marks = tables.get(MARKS, key)
            live = count if marks is None else count - records.unprotect(marks).count(SETTLED)
            if live:
                lanes.setdefault((queue_id, lane), _Lane()).add(
                    first, last, live, size * live // count, records.chunk_deadline(start)
                )
        for (queue_id, lane), found in lanes.items():
            found.finish()
            self.windows.setdefault(queue_id, {})[lane] = found.windows
        return unknown

    def _count_references(self, tables: Transaction) -> None:
        for _, reference in tables.range(REFERENCES, records.FIRST_KEY, records.LAST_KEY, WHOLE):
            body_id = records.unpack_id(reference)
            self.references[body_id] = self.references.get(body_id, 0) + 1

    def _delete_orphans(self, tables: Transaction) -> None:
        orphans: list[bytes] = []
        for key, _ in tables.range(BODIES, b"\0", records.LAST_KEY, 0):
            if records.unpack_id(key) not in self.references:
                orphans.append(key)
        for key in orphans:
            tables.delete(BODIES, key)
