"""The store's contract: a few verbs that a queue needs, and what each of them promises.

A queue's messages lie in *lanes* (one per priority level). A lane's `Log` gathers records into the open batch; closing
the batch packs each log's records into *chunks* (one stored value each, up to `CHUNK_BYTES`), so that a commit costs a
few writes however many messages it holds. What becomes of a chunk's records later (settled, returned) is kept as one
byte a record in the chunk's *marks*; a chunk whose last record is settled is deleted.

What is ordered by a time instead of its coming lies in *calendars* (`calendar`), row by row.

Invariants:

1. An operation is visible after recovery if and only if its batch committed.
2. Batches commit in the order in which they were closed.
3. A record that is settled before its batch is closed is never written.
4. A settled record is never read again once the batch that settled it committed.
5. Sequences grow within a log and are never reused, not even after a restart (see `Store.first_sequence`).
6. A chunk is wholly in memory or wholly on disk: there is at most one `Chunk` object for a stored chunk, and a `Window`
   never shares a chunk with a record in memory.
7. Everything in one batch survives a crash together, or nothing of it does.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from persistence.calendar import Calendar, CalendarOwner, Place, Row

CHUNK_BYTES: Final = 256 * 1024
"""The records of a chunk make up at most this many bytes (a single larger record has a chunk of its own)."""
CHUNK_RECORDS: Final = 1024
"""A chunk holds at most this many records."""

READY: Final = 0
"""Mark of a record that was never returned to its queue; 1 to 254 count how often it was."""
MAX_RETURNS: Final = 254
SETTLED: Final = 255
"""Mark of a record that is gone."""


class StoreError(Exception):
    """The store cannot do what was asked; the text says why."""


class Corrupt(StoreError):
    """Stored bytes fail their checksum or do not parse."""


class NoSpace(StoreError):
    """The disk is full or the file system refuses to grow; nothing of the batch was written."""


class Chunk:
    """Records that were stored together, and the marks that say what became of each."""

    __slots__ = ("dirty", "durable", "first", "live", "log", "marked", "marks", "spilled")

    def __init__(self, log: Log, first: int, marks: bytearray, spilled: bool) -> None:
        self.log: Final = log
        self.first: Final = first
        """The sequence under which the chunk is stored: that of its first record."""
        self.marks: Final = marks
        self.live: int = len(marks) - marks.count(SETTLED)
        self.spilled: Final = spilled
        self.durable: bool = False
        """True once the batch that wrote it committed."""
        self.dirty: bool = False
        """True while its marks differ from the stored ones and wait for the open batch."""
        self.marked: bool = False
        """False if marks of it were certainly never stored."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Record:
    """One message's place in one queue, as the store sees it; the broker's queue entry extends it."""

    def __init__(self, sequence: int) -> None:
        self.sequence: int = sequence
        self.chunk: Chunk | None = None
        """Set when its batch is closed; None before that and for a record that is not stored."""
        self.slot: int = 0
        """Its index in the chunk's marks."""
        self.settled: bool = False
        self.body_id: int = 0
        """The shared body it refers to (`Store.share`); 0 when the body is its own."""
        self.expires_at: int = 0
        """Milliseconds since the epoch; 0: never."""
        self.returns: int = 0
        """How often it came back to its queue."""

    def pieces(self, out: list[bytes]) -> int:
        """Append this record's encoded bytes (`records.head` and what follows) to out and return their length."""
        raise NotImplementedError


class Window:
    """A run of a log's records that are on disk only: what a queue remembers of a page it put away."""

    __slots__ = ("changes", "count", "early", "expires_at", "first", "last", "put_away", "size")

    def __init__(self, first: int, last: int, count: int, size: int, expires_at: int = 0) -> None:
        self.first: Final = first
        self.last: Final = last
        self.count: int = count
        """Records that are still live."""
        self.size: int = size
        """Bytes of their bodies, estimated from the stored size."""
        self.expires_at: int = expires_at
        """When the first of them expires, in milliseconds since the epoch, or earlier; 0: never."""
        self.early: list[int] = []
        """Under what those of its chunks are stored that begin before `first`: with records that are settled."""
        self.put_away: bool = True
        """False once the queue read or discarded it."""
        self.changes: int = 0
        """How often records of it were given up on disk: who read it before such a change has marks that are old (6)."""


@mypyc_attr(allow_interpreted_subclasses=True)
class LogOwner:
    """The queue behind a log: told when records of it reached the disk."""

    def log_committed(self, log: Log) -> None:
        """Called on the event loop after a batch with chunks of this log, or marks of such, committed."""
        raise NotImplementedError


class Log:
    """The records of one lane of one queue on their way into the store."""

    def __init__(self, store: Store, queue_id: int, lane: int, owner: LogOwner) -> None:
        self.store: Final = store
        self.queue_id: Final = queue_id
        self.lane: Final = lane
        self.owner: LogOwner = owner
        self.pending: list[Record] = []
        """Records for the open batch, in sequence order; some may be settled by the time it is closed."""
        self.spilling: list[Record] = []
        """Transient records that go to the unsynced spill with the open batch."""
        self.moving: list[Record] = []
        """Neighbours that go from mixed chunks to a chunk of the log with the open batch."""
        self.enlisted: bool = False
        self.dropped: bool = False
        """True once its queue was dropped: whatever still comes for it is ignored."""

    def put(self, record: Record) -> None:
        """Store the record with the open batch."""
        self.pending.append(record)
        if not self.enlisted:
            self.enlisted = True
            self.store.open_logs.append(self)

    def spill(self, record: Record) -> None:
        """Write a transient record to the unsynced spill with the open batch, so that it can be dropped from memory.

        Its body is its own: the spill knows no shared ones.
        """
        self.spilling.append(record)
        if not self.enlisted:
            self.enlisted = True
            self.store.open_logs.append(self)

    def move(self, record: Record) -> None:
        """Take the record out of its mixed chunk (`mixed`), into one of the log, with the open batch.

        Records are moved in sequence order, and all of a batch are neighbours: no other live record is between them.
        """
        assert record.chunk is not None, "it is stored"
        self.settle(record)
        record.settled = False
        record.chunk = None
        self.moving.append(record)
        if not self.enlisted:
            self.enlisted = True
            self.store.open_logs.append(self)

    def settle(self, record: Record) -> None:
        """The record is gone: with the open batch, or at once if it was never written."""
        record.settled = True
        chunk = record.chunk
        if chunk is not None:
            chunk.marks[record.slot] = SETTLED
            chunk.live -= 1
            if not chunk.dirty:
                chunk.dirty = True
                self.store.open_chunks.append(chunk)
        if record.body_id:
            self.store.release(self, record)

    def returned(self, record: Record, returns: int) -> None:
        """The record came back to its queue for the returns-th time; remembered with the open batch, or that of the record."""
        record.returns = returns
        chunk = record.chunk
        if chunk is not None:
            chunk.marks[record.slot] = min(returns, MAX_RETURNS)
            if not chunk.dirty:
                chunk.dirty = True
                self.store.open_chunks.append(chunk)


class StoredRecord:
    """One record as read back: its place and its encoded fields (see `records.decode`)."""

    __slots__ = (
        "address",
        "body",
        "body_id",
        "chunk",
        "expires_at",
        "flags",
        "header",
        "received_at",
        "returns",
        "sequence",
        "slot",
    )

    def __init__(
        self, sequence: int, chunk: Chunk, slot: int, returns: int, flags: int, received_at: int, expires_at: int,
        address: bytes, header: bytes, body: bytes, body_id: int,
    ) -> None:  # fmt: skip
        self.sequence: Final = sequence
        self.chunk: Final = chunk
        self.slot: Final = slot
        self.returns: Final = returns
        self.flags: Final = flags
        self.received_at: Final = received_at
        self.expires_at: Final = expires_at
        self.address: Final = address
        self.header: Final = header
        self.body: bytes = body
        """Its own body, or the shared one that the store fills in."""
        self.body_id: Final = body_id


class Usage:
    """Bytes of the files that keep messages, and how many of them are in use; the others are filled before the files grow."""

    __slots__ = ("bytes_in_use", "file_bytes")

    def __init__(self, bytes_in_use: int, file_bytes: int) -> None:
        self.bytes_in_use: Final = bytes_in_use
        self.file_bytes: Final = file_bytes


@mypyc_attr(allow_interpreted_subclasses=True)
class Batch:
    """What one commit writes; made by `Store.close_batch`, written by `Store.apply`."""

    def __init__(self, number: int) -> None:
        self.number: Final = number


@mypyc_attr(allow_interpreted_subclasses=True)
class Store:
    """Base of the stores. All methods but `apply` and `read` belong to the event loop's thread."""

    def __init__(self, first_sequence: int) -> None:
        self.first_sequence: Final = first_sequence
        """Every sequence that this process hands out is at least this, and larger than any of an earlier run."""
        self.open_number: int = 1
        """The number of the open batch; grows by one with each `close_batch`."""
        self.open_logs: list[Log] = []
        self.open_chunks: list[Chunk] = []
        self.damages: Final[list[str]] = []
        """A sentence for each damaged value that was met; comes from any thread, goes when it was told."""
        self.damages_told: int = 0
        """How often something was told of that is damaged or cannot be read."""

    def log(self, queue_id: int, lane: int, owner: LogOwner) -> Log:
        """The log of a lane of a queue; the caller keeps it."""
        return Log(self, queue_id, lane, owner)

    def share(self, body: bytes) -> int:
        """Keep one copy of a body for several queues; return its id for `Record.body_id`, never 0.

        The body is written with the open batch if a record that refers to it is, and deleted with its last reference.
        """
        raise NotImplementedError

    def retain(self, log: Log, record: Record) -> None:
        """Count the record's reference to its shared body; call it once, right before `Log.put` of such a record.

        The body was shared in the open batch or has another reference left, else StoreError is raised.
        """
        raise NotImplementedError

    def release(self, log: Log, record: Record) -> None:
        """Drop the record's reference to its shared body (called by `Log.settle`)."""
        raise NotImplementedError

    def discard(self, log: Log, window: Window) -> None:
        """Delete all records of a window without reading them, with the open batch (purge)."""
        raise NotImplementedError

    def drop_queue(self, queue_id: int) -> None:
        """Delete everything of a queue with the open batch; what the open batch has of it is not written.

        The owner settles its records in memory, before or afterwards: some may share a chunk with other queues' records.
        """
        raise NotImplementedError

    def calendar(self, queue_id: int, lane: int, kept: bool, owner: CalendarOwner) -> Calendar:
        """The calendar of a lane of a queue, or of something else that has an id as queues have; the caller keeps it.

        If it is not kept, its rows are lost when the program ends.
        """
        raise NotImplementedError

    def read_calendar(self, calendar: Calendar, place: Place) -> list[Row]:
        """A page of a calendar's rows from a place on, in order, as they were committed, but for damaged ones (`damages`).

        No rows: nothing that can be read stands there or later. From any thread. Raises Corrupt.
        """
        raise NotImplementedError

    def has_work(self) -> bool:
        """True if the open batch holds anything."""
        raise NotImplementedError

    def holds_messages(self) -> bool:
        """True if the open batch holds more than what became of messages that are stored already."""
        raise NotImplementedError

    def close_batch(self) -> Batch | None:
        """Pack the open batch and open the next one; None (the number still grows) if nothing of it needs writing."""
        raise NotImplementedError

    def apply(self, batch: Batch) -> None:
        """Write one batch and sync it to disk; runs in the committer's worker thread. Raises NoSpace, StoreError."""
        raise NotImplementedError

    def apply_briefly(self, batch: Batch) -> bool:
        """Do `apply` if that takes no more than one short write; False, and nothing done, if it takes more.

        From the thread that calls `apply`, or from the event loop's while that one has nothing to do.
        """
        raise NotImplementedError

    def committed(self, batch: Batch) -> None:
        """Mark the batch's chunks durable and tell the logs' owners; on the event loop after `apply`."""
        raise NotImplementedError

    def read(self, log: Log, window: Window) -> list[StoredRecord]:
        """The live records of a window, in sequence order, but for damaged ones (`damages`).

        From any thread. Raises Corrupt.
        """
        raise NotImplementedError

    def recover(self, queue_ids: set[int]) -> dict[int, dict[int, list[Window]]]:
        """At start: the windows of every known queue by lane, in order; what belongs to other ids is deleted."""
        raise NotImplementedError

    def usage(self) -> Usage:
        """How much room messages take, those included that are lost when the program ends; from any thread."""
        raise NotImplementedError

    def close(self) -> None:
        """Release files and lock."""
        raise NotImplementedError
