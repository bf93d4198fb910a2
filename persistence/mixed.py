"""Mixed chunks: records of many logs that have a few each, stored as one value.

A commit over thousands of queues would otherwise write thousands of values, each with a page of the disk to itself.

Invariants:

1. A record lies in a mixed chunk only as long as it is in memory: no window refers to it. A queue that puts a record away
   moves it to a chunk of its log first (`Log.move`), and a start moves all of them (`disperse`).
2. The chunks of a log, and its records in each mixed chunk, do not interleave: all of one come before all of the other.
3. Mixed chunks are stored as those of queue 0, which there is not; a record is preceded by its queue id u32 and lane u8.
4. A record with a shared body never lies in a mixed chunk.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from persistence import records
from persistence.store import CHUNK_BYTES, CHUNK_RECORDS, SETTLED, Chunk, Corrupt, Log, LogOwner, Record, Store
from persistence.tables import CHUNKS, MARKS, WHOLE, Changes, PackedChunk, Transaction, stored_marks

MIXED: Final = 0
"""The queue id under which mixed chunks are stored."""
MANY_LOGS: Final = 4
"""With fewer logs in a batch each of them gets chunks of its own."""
FEW_RECORDS: Final = 8
"""A log with more records than this in a batch gets chunks of its own."""
MIXED_BYTES: Final = 128 * 1024 * 1024
"""With more than this in mixed chunks none is begun: one live record keeps the whole chunk, and a start moves them all."""

_PLACE: Final = Struct(">IB")
PLACE_BYTES: Final = 5


class _Nobody(LogOwner):
    """Mixed chunks belong to no queue."""


class Mixer:
    """Packs mixed chunks, and knows how much lies in them."""

    def __init__(self, store: Store, most_bytes: int = MIXED_BYTES) -> None:
        self.log: Final = Log(store, MIXED, 0, _Nobody())
        """What is the log of all mixed chunks."""
        self._next_first: int = store.first_sequence
        self._most_bytes: Final = most_bytes
        self._sizes: Final[dict[int, int]] = {}
        """Bytes of each chunk."""
        self._bytes: int = 0
        self._members: list[Record] = []
        self._pieces: list[bytes] = []
        self._size: int = 0

    def may_mix(self, logs: int) -> bool:
        """Whether a batch with so many logs may have mixed chunks."""
        return logs >= MANY_LOGS and self._bytes < self._most_bytes

    def suits(self, pending: list[Record]) -> bool:
        """Whether these records of a log may lie in a mixed chunk."""
        return len(pending) <= FEW_RECORDS and all(not record.body_id for record in pending)

    def add(self, log: Log, pending: list[Record], changes: Changes) -> None:
        """Pack the records of a log that are not settled; call `close` after the last log."""
        place = _PLACE.pack(log.queue_id, log.lane)
        for record in pending:
            if record.settled:
                continue
            start = len(self._pieces)
            self._pieces.append(place)
            length = PLACE_BYTES + record.pieces(self._pieces)
            if self._members and (self._size + length > CHUNK_BYTES or len(self._members) == CHUNK_RECORDS):
                tail = self._pieces[start:]
                del self._pieces[start:]
                self.close(changes)
                self._pieces = tail
            self._members.append(record)
            self._size += length

    def close(self, changes: Changes) -> None:
        """End the chunk that is being packed, if there is one."""
        members = self._members
        if not members:
            return
        chunk = Chunk(self.log, self._next_first, bytearray(len(members)), False)
        for slot, record in enumerate(members):
            record.chunk = chunk
            record.slot = slot
            if record.returns:
                self.log.returned(record, record.returns)
        changes.chunks.append(PackedChunk(chunk, self._pieces, chunk.first, self._size, 0))
        self._sizes[chunk.first] = self._size
        self._bytes += self._size
        self._next_first += 1
        self._members = []
        self._pieces = []
        self._size = 0

    def settled(self, chunk: Chunk) -> None:
        """A mixed chunk has no live record left."""
        self._bytes -= self._sizes.pop(chunk.first)


class MixedRecord:
    """A record in a mixed chunk, as it would be stored in one of its log."""

    __slots__ = ("expires_at", "lane", "mark", "queue_id", "sequence", "stored")

    def __init__(self, queue_id: int, lane: int, sequence: int, mark: int, expires_at: int, stored: bytes) -> None:
        self.queue_id: Final = queue_id
        self.lane: Final = lane
        self.sequence: Final = sequence
        self.mark: Final = mark
        self.expires_at: Final = expires_at
        self.stored: Final = stored


def decode(key: bytes, value: bytes, marks: bytearray) -> list[MixedRecord]:
    """The records of a mixed chunk that its marks do not call settled. Raises Corrupt."""
    count, _ = records.verify_chunk(key, value)
    if len(marks) != count:
        raise Corrupt(f"{len(marks)} marks for {count} records")
    found: list[MixedRecord] = []
    offset = records.CHUNK_HEADER_BYTES
    for slot in range(count):
        start = offset + PLACE_BYTES
        sequence, expires_at, length = records.measure(value, start)
        queue_id, lane = _PLACE.unpack_from(value, offset)
        offset = start + length
        mark = marks[slot]
        if mark != SETTLED:
            found.append(MixedRecord(queue_id, lane, sequence, mark, expires_at, value[start:offset]))
    if offset != len(value):
        raise Corrupt(f"mixed chunk of {len(value)} bytes ends at {offset}")
    return found


def keys() -> tuple[bytes, bytes]:
    """The least and the greatest key that a mixed chunk can have."""
    return records.queue_keys(MIXED)


def disperse(tables: Transaction, queue_ids: set[int], damages: list[str]) -> None:
    """Move all records of known queues from mixed chunks to chunks of their logs; a damaged one is told of and stays."""
    lanes: dict[tuple[int, int], list[MixedRecord]] = {}
    emptied: list[bytes] = []
    for key, value in tables.range(CHUNKS, *keys(), WHOLE):
        try:
            found_here = decode(key, value, stored_marks(tables, key, value))
        except Corrupt as error:
            damages.append(f"mixed chunk {key.hex()}: {error}")
            continue
        for record in found_here:
            if record.queue_id in queue_ids:
                lanes.setdefault((record.queue_id, record.lane), []).append(record)
        emptied.append(key)
    for found in lanes.values():
        found.sort(key=_sequence)
        for part in _parts(tables, found):
            _store(tables, part)
    for key in emptied:
        tables.delete(CHUNKS, key)
        tables.delete(MARKS, key)


def _sequence(record: MixedRecord) -> int:
    return record.sequence


def _parts(tables: Transaction, found: list[MixedRecord]) -> list[list[MixedRecord]]:
    """The records of a lane in runs that fit a chunk and do not reach across a chunk that is there (2)."""
    first = found[0]
    low = records.key(first.queue_id, first.lane, first.sequence)
    high = records.key(first.queue_id, first.lane, found[-1].sequence)
    there = [records.split_key(key)[2] for key, _ in tables.range(CHUNKS, low, high, 0)]
    there.reverse()
    parts: list[list[MixedRecord]] = [[]]
    size = 0
    for record in found:
        crossed = False
        while there and there[-1] < record.sequence:
            there.pop()
            crossed = True
        size += len(record.stored)
        if parts[-1] and (crossed or size > CHUNK_BYTES or len(parts[-1]) == CHUNK_RECORDS):
            parts.append([])
            size = len(record.stored)
        parts[-1].append(record)
    return parts


def _store(tables: Transaction, part: list[MixedRecord]) -> None:
    first = part[0]
    key = records.key(first.queue_id, first.lane, first.sequence)
    pieces = [record.stored for record in part]
    size = sum([len(piece) - records.HEAD_BYTES for piece in pieces])
    deadline = min([record.expires_at for record in part if record.expires_at], default=0)
    tables.put(CHUNKS, key, records.encode_chunk(key, pieces, len(part), part[-1].sequence, size, deadline))
    marks = bytes([record.mark for record in part])
    if any(marks):
        tables.put(MARKS, key, records.protect(key, marks))
