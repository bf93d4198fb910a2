"""A store that packs the open batch into chunks and writes them to tables: all of the contract but where the bytes lie.

Invariants, next to those of `store`:

1. The counts of shared bodies belong to the event loop. What a written batch found out about them (the references that
   a dropped range held) is counted when it committed, and bodies that this leaves alone are deleted by the next.
2. The marks of a chunk in memory are the newest there are. A window may be read while they wait for a batch: they then
   take precedence over the stored ones.
3. A queue id is never reused, and what still arrives for a log of a dropped queue is ignored.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from persistence import calendars, records
from persistence.bodies import Bodies
from persistence.calendar import Calendar, CalendarOwner, Place, Row
from persistence.calendars import Calendars
from persistence.chunk_reading import read_chunks
from persistence.mixed import Mixer
from persistence.recovery import Recovery, Windows
from persistence.store import (
    CHUNK_BYTES,
    CHUNK_RECORDS,
    Batch,
    Chunk,
    Log,
    LogOwner,
    Record,
    Store,
    StoredRecord,
    Usage,
    Window,
)
from persistence.tables import Changes, PackedChunk, Tables

EPOCH_BITS: Final = 40
"""Sequences and body ids of one run of the program start at its epoch shifted by so many bits."""


class ChunkBatch(Batch):
    """A closed batch: the changes to both sets of tables, and the chunks to tell about them."""

    def __init__(self, number: int, open_chunks: list[Chunk]) -> None:
        super().__init__(number)
        self.messages: Final = Changes()
        self.spill: Final = Changes()
        self.mixed_logs: Final[list[Log]] = []
        """The logs with records in its mixed chunks."""
        self.open_chunks: Final = open_chunks
        """The chunks whose marks the batch writes."""
        self.calendars: list[Calendar] = []
        """The calendars whose rows it changes."""
        self.released: list[int] = []
        """Shared bodies that lost a reference with a deleted range; known once the batch was written."""


@mypyc_attr(allow_interpreted_subclasses=True)
class ChunkStore(Store):
    """A store over two sets of tables: the messages, which survive, and the spill, which is empty at every start."""

    def __init__(self, messages: Tables, spill: Tables, epoch: int) -> None:
        super().__init__(epoch << EPOCH_BITS)
        self._messages: Final = messages
        self._spill: Final = spill
        self._spill_used = False
        self._bodies: Final = Bodies(epoch << EPOCH_BITS)
        self._mixer: Final = Mixer(self)
        self._calendars: Final = Calendars()
        self._released: list[bytes] = []
        """Keys of stored references that the open batch deletes."""
        self._ranges: list[tuple[bytes, bytes]] = []
        """Keys between which the open batch deletes everything."""
        self._logs: Final[dict[int, list[Log]]] = {}
        self._written: set[int] = set()
        """Queues of which something may be in the tables."""
        self._closed: Final[list[ChunkBatch]] = []
        """Batches that are not committed yet, oldest first."""

    def log(self, queue_id: int, lane: int, owner: LogOwner) -> Log:
        """See `Store.log`."""
        log = Log(self, queue_id, lane, owner)
        self._logs.setdefault(queue_id, []).append(log)
        return log

    def share(self, body: bytes) -> int:
        """See `Store.share`."""
        return self._bodies.share(body)

    def retain(self, log: Log, record: Record) -> None:
        """See `Store.retain`."""
        if not log.dropped:
            self._bodies.retain(record.body_id)

    def release(self, log: Log, record: Record) -> None:
        """See `Store.release`."""
        if log.dropped:
            return
        self._bodies.release(record.body_id)
        if record.chunk is not None:
            self._released.append(records.key(log.queue_id, log.lane, record.sequence))

    def discard(self, log: Log, window: Window) -> None:
        """See `Store.discard`."""
        self._ranges.extend(_places(log, window))

    def drop_queue(self, queue_id: int) -> None:
        """See `Store.drop_queue`."""
        for log in self._logs.pop(queue_id, []):
            log.dropped = True
            self._forget_pending(log)
        if queue_id in self._written:
            self._written.remove(queue_id)
            self._ranges.append(records.queue_keys(queue_id))
        self._calendars.drop(queue_id)

    def calendar(self, queue_id: int, lane: int, kept: bool, owner: CalendarOwner) -> Calendar:
        """See `Store.calendar`."""
        return self._calendars.open(queue_id, lane, kept, owner)

    def read_calendar(self, calendar: Calendar, place: Place) -> list[Row]:
        """See `Store.read_calendar`."""
        view = (self._messages if calendar.kept else self._spill).view()
        try:
            return calendars.read_page(view, calendar, place, self.damages)
        finally:
            view.close()

    def _forget_pending(self, log: Log) -> None:
        for record in log.pending:
            if record.body_id and not record.settled:
                self._bodies.release(record.body_id)
        log.pending = []
        log.spilling = []
        log.moving = []

    def has_work(self) -> bool:
        """See `Store.has_work`."""
        if self.open_logs or self.open_chunks or self._ranges or self._released:
            return True
        return self._bodies.has_work() or self._calendars.has_work()

    def holds_messages(self) -> bool:
        """See `Store.holds_messages`."""
        return bool(self.open_logs or self._ranges) or self._calendars.has_work()

    def close_batch(self) -> ChunkBatch | None:
        """See `Store.close_batch`."""
        batch = ChunkBatch(self.open_number, self.open_chunks)
        self.open_number += 1
        # A reader looks at open_chunks first and at the closed batches second: it must not miss a chunk in between.
        self._closed.append(batch)
        self._close_bodies(batch.messages)
        self._close_logs(batch)
        self.open_chunks = []
        self._close_marks(batch)
        self._close_ranges(batch)
        batch.calendars = self._calendars.close(batch.messages, batch.spill)
        if batch.messages.is_empty() and batch.spill.is_empty():
            self._closed.remove(batch)
            return None
        return batch

    def _close_bodies(self, changes: Changes) -> None:
        changes.bodies = self._bodies.close(changes.unreferenced)
        changes.released = self._released
        self._released = []

    def _close_marks(self, batch: ChunkBatch) -> None:
        for chunk in batch.open_chunks:
            chunk.dirty = False
            log = chunk.log
            if log.dropped:
                continue
            changes = batch.spill if chunk.spilled else batch.messages
            key = records.key(log.queue_id, log.lane, chunk.first)
            if chunk.live == 0:
                if log is self._mixer.log:
                    self._mixer.settled(chunk)
                changes.settled.append(key)
                if chunk.marked:
                    changes.unmarked.append(key)
            else:
                chunk.marked = True
                changes.marks.append((key, bytes(chunk.marks)))

    def _close_logs(self, batch: ChunkBatch) -> None:
        mixer = self._mixer
        may_mix = mixer.may_mix(len(self.open_logs))
        for log in self.open_logs:
            pending = log.pending
            log.enlisted = False
            log.pending = []
            if log.dropped:
                log.spilling = []
                continue
            if log.moving or log.spilling:
                self._close_others(log, batch)
            if may_mix and mixer.suits(pending):
                mixer.add(log, pending, batch.messages)
                batch.mixed_logs.append(log)
            else:
                self._pack(log, pending, batch.messages, False)
        mixer.close(batch.messages)
        self.open_logs = []

    def _close_others(self, log: Log, batch: ChunkBatch) -> None:
        """Pack what is not new and persistent."""
        moving, spilling = log.moving, log.spilling
        log.moving = []
        log.spilling = []
        self._pack(log, moving, batch.messages, False)
        if spilling:
            self._spill_used = True
            self._pack(log, spilling, batch.spill, True)

    def _close_ranges(self, batch: ChunkBatch) -> None:
        batch.messages.ranges = self._ranges
        if self._spill_used:
            batch.spill.ranges = self._ranges
        self._ranges = []

    def _pack(self, log: Log, pending: list[Record], changes: Changes, spilled: bool) -> None:
        members: list[Record] = []
        pieces: list[bytes] = []
        total = 0
        for record in pending:
            if record.settled:
                continue
            start = len(pieces)
            length = record.pieces(pieces)
            if members and (total + length > CHUNK_BYTES or len(members) == CHUNK_RECORDS):
                tail = pieces[start:]
                del pieces[start:]
                self._cut(log, members, pieces, total, changes, spilled)
                members = []
                pieces = tail
                total = 0
            members.append(record)
            total += length
        if members:
            self._cut(log, members, pieces, total, changes, spilled)

    def _cut(self, log: Log, members: list[Record], pieces: list[bytes], total: int, changes: Changes, spilled: bool) -> None:
        count = len(members)
        self._written.add(log.queue_id)
        chunk = Chunk(log, members[0].sequence, bytearray(count), spilled)
        size = total - count * records.HEAD_BYTES
        expires_at = 0
        for slot, record in enumerate(members):
            if record.expires_at and (not expires_at or record.expires_at < expires_at):
                expires_at = record.expires_at
            record.chunk = chunk
            record.slot = slot
            if record.returns:
                log.returned(record, record.returns)
            if record.body_id:
                key = records.key(log.queue_id, log.lane, record.sequence)
                changes.references.append((key, records.pack_id(record.body_id)))
                body = changes.bodies.get(record.body_id)
                if body is not None:
                    size += len(body)
        changes.chunks.append(PackedChunk(chunk, pieces, members[count - 1].sequence, size, expires_at))

    def apply(self, batch: Batch) -> None:
        """See `Store.apply`; a batch that failed can be applied again."""
        assert isinstance(batch, ChunkBatch)
        if not batch.spill.is_empty():
            self._spill.write(batch.spill)
        if not batch.messages.is_empty():
            batch.released = self._messages.write(batch.messages)

    def apply_briefly(self, batch: Batch) -> bool:
        """See `Store.apply_briefly`."""
        assert isinstance(batch, ChunkBatch)
        if not batch.spill.is_empty():
            return False
        released = self._messages.write_briefly(batch.messages)
        if released is None:
            return False
        batch.released = released
        return True

    def committed(self, batch: Batch) -> None:
        """See `Store.committed`."""
        assert isinstance(batch, ChunkBatch)
        self._closed.remove(batch)
        for changes in (batch.messages, batch.spill):
            for packed in changes.chunks:
                packed.chunk.durable = True
        for body_id in batch.released:
            self._bodies.release(body_id)
        for log in self._logs_in(batch):
            if not log.dropped:
                log.owner.log_committed(log)
        for calendar in batch.calendars:
            if not calendar.dropped:
                calendar.owner.rows_committed(batch.number)

    def _logs_in(self, batch: ChunkBatch) -> dict[Log, None]:
        """The logs with records in the batch, or marks of them, in mixed chunks only the former."""
        logs: dict[Log, None] = dict.fromkeys(batch.mixed_logs)
        for changes in (batch.messages, batch.spill):
            for packed in changes.chunks:
                logs[packed.chunk.log] = None
        for chunk in batch.open_chunks:
            logs[chunk.log] = None
        logs.pop(self._mixer.log, None)
        return logs

    def read(self, log: Log, window: Window) -> list[StoredRecord]:
        """See `Store.read`."""
        newest = self._marks_in_memory(log)
        ranges = _places(log, window)
        found = read_chunks(self._messages, log, ranges, newest, False, self.damages)
        spilled = read_chunks(self._spill, log, ranges, newest, True, self.damages) if self._spill_used else []
        if spilled or window.early:
            found.extend(spilled)
            found.sort(key=_sequence)
        return found

    def _marks_in_memory(self, log: Log) -> dict[int, bytearray]:
        """The marks that wait for a batch, by first sequence of their chunk."""
        still_open = list(self.open_chunks)
        newest: dict[int, bytearray] = {}
        for batch in list(self._closed):
            for chunk in batch.open_chunks:
                if chunk.log is log:
                    newest[chunk.first] = chunk.marks
        for chunk in still_open:
            if chunk.log is log:
                newest[chunk.first] = chunk.marks
        return newest

    def usage(self) -> Usage:
        """See `Store.usage`."""
        kept, spilled = self._messages.usage(), self._spill.usage()
        return Usage(kept.bytes_in_use + spilled.bytes_in_use, kept.file_bytes + spilled.file_bytes)

    def recover(self, queue_ids: set[int]) -> Windows:
        """See `Store.recover`."""
        recovery = Recovery(queue_ids)
        self._messages.change(recovery.run, 0)
        self.damages.extend(recovery.damages)
        self._bodies.recover(recovery.references)
        self._calendars.counts = recovery.calendars
        self._written = set(recovery.windows)
        return recovery.windows


def _places(log: Log, window: Window) -> list[tuple[bytes, bytes]]:
    """Between which keys the chunks of a window lie, and nothing else."""
    low, high = records.key(log.queue_id, log.lane, window.first), records.key(log.queue_id, log.lane, window.last)
    early = [records.key(log.queue_id, log.lane, first) for first in window.early]
    return [(low, high), *[(key, key) for key in early]]


def _sequence(record: StoredRecord) -> int:
    return record.sequence
