"""What a store needs from whatever keeps its bytes: six ordered tables, read and changed in transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from mypy_extensions import mypyc_attr

from persistence import records
from persistence.store import Chunk, Corrupt, Usage

CHUNKS: Final = 0
MARKS: Final = 1
REFERENCES: Final = 2
BODIES: Final = 3
META: Final = 4
CALENDARS: Final = 5
NAMES: Final = (b"chunks", b"marks", b"references", b"bodies", b"meta", b"calendars")

ROW_BYTES: Final = 64
"""What a row of a calendar takes next to its value."""

LAST_KEY: Final = b"\xff" * 32
"""No key is greater."""
WHOLE: Final = -1
"""Limit of `Transaction.range` that asks for whole values."""

Change = tuple[int, bytes, bytes | None]
"""A table, a key, and its new value, or None if it goes."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Transaction:
    """One consistent view of the tables; changes are seen by others all at once, when it ends, or never."""

    def get(self, table: int, key: bytes) -> bytes | None:
        """The value under the key. Raises Corrupt."""
        raise NotImplementedError

    def range(self, table: int, low: bytes, high: bytes, limit: int) -> Iterator[tuple[bytes, bytes]]:
        """Keys from low to high, both included, in order, with at most limit bytes of each value. Raises Corrupt."""
        raise NotImplementedError

    def count(self, table: int) -> int:
        """How many keys the table says it has. Raises Corrupt."""
        raise NotImplementedError

    def put(self, table: int, key: bytes, value: bytes) -> None:
        """Set the value under the key."""
        raise NotImplementedError

    def delete(self, table: int, key: bytes) -> None:
        """Forget the key if it is there."""
        raise NotImplementedError

    def delete_range(self, table: int, low: bytes, high: bytes) -> None:
        """Forget the keys from low to high, both included."""
        raise NotImplementedError

    def close(self) -> None:
        """End a transaction that only read."""
        raise NotImplementedError


def stored_marks(tables: Transaction, key: bytes, value: bytes) -> bytearray:
    """The marks of a stored chunk with this key and value. Raises Corrupt."""
    stored = tables.get(MARKS, key)
    return bytearray(records.chunk_header(key, value)[0]) if stored is None else bytearray(records.unprotect(key, stored))


class PackedChunk:
    """A chunk on its way to its first write."""

    def __init__(self, chunk: Chunk, pieces: list[bytes], last: int, size: int, expires_at: int) -> None:
        self.chunk: Final = chunk
        self.pieces: Final = pieces
        self.count: Final = len(chunk.marks)
        self.last: Final = last
        self.expires_at: Final = expires_at
        """The first deadline of its records; 0: none has one."""
        self.size: Final = size
        """Bytes of the records less their heads, shared bodies included."""


class Changes:
    """What one batch does to one set of tables."""

    def __init__(self) -> None:
        self.chunks: list[PackedChunk] = []
        self.marks: list[tuple[bytes, bytes]] = []
        self.settled: list[bytes] = []
        """Keys of chunks without live records."""
        self.unmarked: list[bytes] = []
        """Keys of marks that are gone with their chunk."""
        self.ranges: list[tuple[bytes, bytes]] = []
        """Everything under these keys goes, after all else."""
        self.references: list[tuple[bytes, bytes]] = []
        self.released: list[bytes] = []
        """Keys of references that are gone."""
        self.bodies: dict[int, bytes] = {}
        self.unreferenced: list[int] = []
        """Shared bodies that are gone."""
        self.rows: list[tuple[bytes, bytes]] = []
        """Rows of calendars."""
        self.removed_rows: list[bytes] = []
        self.dropped_calendars: list[tuple[bytes, bytes]] = []
        """All rows under these keys go, after all else."""

    def is_empty(self) -> bool:
        """True if nothing changes."""
        return not (
            self.chunks or self.marks or self.settled or self.ranges
            or self.references or self.released or self.bodies or self.unreferenced
            or self.rows or self.removed_rows or self.dropped_calendars
        )  # fmt: skip

    def size(self) -> int:
        """About how many bytes the changes add to the tables."""
        rows = len(self.chunks) + len(self.marks) + len(self.references) + len(self.bodies)
        bodies = sum([len(body) for body in self.bodies.values()])
        bodies += sum([len(value) + ROW_BYTES for _, value in self.rows])
        return sum([packed.size + packed.count * records.HEAD_BYTES for packed in self.chunks]) + bodies + rows * 1024

    def write_to(self, tables: Transaction) -> list[int]:
        """Make the changes; return the shared bodies that the deleted ranges referred to, one id per reference."""
        for packed in self.chunks:
            log = packed.chunk.log
            key = records.key(log.queue_id, log.lane, packed.chunk.first)
            value = records.encode_chunk(key, packed.pieces, packed.count, packed.last, packed.size, packed.expires_at)
            tables.put(CHUNKS, key, value)
        for body_id, body in self.bodies.items():
            key = records.pack_id(body_id)
            tables.put(BODIES, key, records.protect(key, body))
        for key, reference in self.references:
            tables.put(REFERENCES, key, records.protect(key, reference))
        for key, marks in self.marks:
            tables.put(MARKS, key, records.protect(key, marks))
        for key in self.settled:
            tables.delete(CHUNKS, key)
        for key in self.unmarked:
            tables.delete(MARKS, key)
        for key in self.released:
            tables.delete(REFERENCES, key)
        for body_id in self.unreferenced:
            tables.delete(BODIES, records.pack_id(body_id))
        self._write_calendars(tables)
        return self._delete_ranges(tables)

    def _write_calendars(self, tables: Transaction) -> None:
        for key, value in self.rows:
            tables.put(CALENDARS, key, value)
        for key in self.removed_rows:
            tables.delete(CALENDARS, key)
        for low, high in self.dropped_calendars:
            tables.delete_range(CALENDARS, low, high)

    def _delete_ranges(self, tables: Transaction) -> list[int]:
        released: list[int] = []
        for low, high in self.ranges:
            for key, reference in tables.range(REFERENCES, low, high, WHOLE):
                try:
                    released.append(records.unpack_id(records.unprotect(key, reference)))
                except Corrupt:  # A start has told of it, and keeps all bodies.
                    continue
            for table in (CHUNKS, MARKS, REFERENCES):
                tables.delete_range(table, low, high)
        return released


def walk(tables: Transaction, table: int, limit: int) -> Iterator[tuple[bytes, bytes]]:
    """All keys of a table, in order, with at most limit bytes of each value. Raises Corrupt if that cannot be all of them."""
    found = 0
    previous = b""
    for key, value in tables.range(table, b"\0", LAST_KEY, limit):
        if key <= previous:
            raise Corrupt(f"{NAMES[table].decode()}: key {key.hex()} comes after {previous.hex()}")
        previous = key
        found += 1
        yield key, value
    counted = tables.count(table)
    if found != counted:
        raise Corrupt(f"{NAMES[table].decode()}: {counted} rows are counted, but {found} are there")


@mypyc_attr(allow_interpreted_subclasses=True)
class Tables:
    """Chunks, marks, references, shared bodies and calendars, kept somewhere."""

    def write(self, changes: Changes) -> list[int]:
        """Make the changes durable; return what `Changes.write_to` does. Raises NoSpace, StoreError."""
        return self.change(changes.write_to, changes.size())

    def write_briefly(self, changes: Changes) -> list[int] | None:
        """Do `write` if that takes no more than one short write; None, and nothing done, if it takes more."""
        return None

    def change(self, action: Callable[[Transaction], list[int]], size: int) -> list[int]:
        """Run an action that adds about size bytes in a transaction, perhaps more than once; return what it returns.

        All that it did is durable afterwards, or nothing of it was done. Raises NoSpace, StoreError.
        """
        raise NotImplementedError

    def view(self) -> Transaction:
        """A transaction that only reads; the caller closes it soon."""
        raise NotImplementedError

    def usage(self) -> Usage:
        """The room that the tables take, as of the last change."""
        raise NotImplementedError
