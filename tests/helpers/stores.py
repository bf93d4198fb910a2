"""What tests of the stores share: a record that is a body, an owner that listens, and whole commits."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from persistence import records, rows
from persistence.check import check_messages
from persistence.chunk_store import ChunkStore
from persistence.definitions import Definitions
from persistence.lmdb_store import LmdbStore
from persistence.remedy import Report
from persistence.store import Log, LogOwner, Record, Store, StoredRecord, Window
from persistence.tables import CALENDARS, WHOLE, Transaction

HEADER = b"header"


class Note(Record):
    """A record with a body, shared if it has an id."""

    def __init__(self, sequence: int, body: bytes, body_id: int = 0) -> None:
        super().__init__(sequence)
        self.body = body
        self.body_id = body_id

    def pieces(self, out: list[bytes]) -> int:
        """See `Record.pieces`."""
        head = records.head(
            self.sequence, records.PERSISTENT, 7, 0, self.body_id, len(ADDRESS), len(HEADER), len(self.body)
        )  # fmt: skip
        own = b"" if self.body_id else self.body
        out += [head, ADDRESS + HEADER, own]
        return len(head) + len(ADDRESS) + len(HEADER) + len(own)


ADDRESS = b"address"


class Owner(LogOwner):
    """Remembers which queues were told of a commit."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def log_committed(self, log: Log) -> None:
        """See `LogOwner.log_committed`."""
        self.told.append(log.queue_id)


def note(stored: StoredRecord) -> Note:
    """The record of what was read back, as a queue would make it."""
    record = Note(stored.sequence, stored.body, stored.body_id)
    record.chunk = stored.chunk
    record.slot = stored.slot
    record.returns = stored.returns
    return record


def put_shared(store: Store, log: Log, record: Note) -> Note:
    """Put a record with a shared body."""
    store.retain(log, record)
    log.put(record)
    return record


def commit(store: Store) -> None:
    """Commit until nothing is left to do."""
    while store.has_work():
        batch = store.close_batch()
        if batch is not None:
            store.apply(batch)
            store.committed(batch)


def fill(store: Store) -> None:
    """Queue 1 gets five records, one of which is settled and one has a shared body."""
    log = store.log(1, 0, Owner())
    first = store.first_sequence
    notes = [Note(first + index, b"body %d" % index) for index in range(3)]
    for one in notes:
        log.put(one)
    put_shared(store, log, Note(first + 3, b"shared", store.share(b"shared")))
    commit(store)
    log.settle(notes[1])
    commit(store)
    log.put(Note(first + 4, b"last"))
    commit(store)


def define(folder: Path, *definitions: rows.Row) -> None:
    """Save definitions, of which queue 1 may be one, into a data folder."""
    asyncio.run(_define(folder, definitions))


def filled_folder(path: Path) -> Path:
    """Make a data folder in which queue 1, of the name q, holds what `fill` leaves; return its path."""
    store = LmdbStore(path)
    fill(store)
    store.close()
    define(path, rows.VHost("/"), rows.User("u", "", "", ""), durable_queue("q"))
    return path


async def _define(folder: Path, definitions: tuple[rows.Row, ...]) -> None:
    file = await Definitions.open(folder / "definitions.sqlite")
    file.next_queue_id()
    for row in definitions:
        file.save(row)
    await file.apply(file.close_batch())
    await file.close()


def durable_queue(name: str, queue_id: int = 1) -> rows.Queue:
    """The definition of a queue."""
    return rows.Queue("/", name, queue_id, True, False, False, b"", "classic")


def kill(store: ChunkStore) -> None:
    """Close the files of a store on disk as the end of its process does: what is in the log stays there."""
    assert isinstance(store, LmdbStore)
    for each in (store._logged, store._scratch, store._disk, store._folder):
        each.close()


def everything(store: Store) -> Window:
    """A window that spans all that a log of this run can hold."""
    return Window(0, store.first_sequence + (1 << 40), 0, 0)


def bodies(store: Store, log: Log) -> list[bytes]:
    """The bodies of a log's live records, as read back."""
    return [stored.body for stored in store.read(log, everything(store))]


def examined(store: ChunkStore, queue_ids: set[int]) -> Report:
    """The result of a check of the store's messages."""
    report = Report()
    view = store._messages.view()
    try:
        check_messages(view, queue_ids, report)
    finally:
        view.close()
    return report


def flipped(value: bytes) -> Iterator[bytes]:
    """The value with each of its bits flipped, one at a time."""
    for position in range(len(value) * 8):
        changed = bytearray(value)
        changed[position >> 3] ^= 1 << (position & 7)
        yield bytes(changed)


class Place(Protocol):
    """Where a store lies."""

    store: ChunkStore

    def reopen(self) -> ChunkStore:
        """The store of the next run of the program."""


def damage_rows(store: ChunkStore, *sequences: int) -> None:
    """Spoil the rows of kept calendars that have these sequences."""

    def spoil(tables: Transaction) -> list[int]:
        for key, value in list(tables.range(CALENDARS, b"\0", records.LAST_CALENDAR_KEY, WHOLE)):
            _, _, time, sequence = records.split_calendar_key(key)
            if time and sequence in sequences:
                tables.put(CALENDARS, key, value[:-1] + bytes([value[-1] ^ 1]))
        return []

    store._messages.change(spoil, 0)


def opened(store: ChunkStore, queue_id: int = 1, lane: int = 0) -> Log:
    """A log of a queue that listens."""
    return store.log(queue_id, lane, Owner())


def put(log: Log, *texts: bytes, after: int = 0) -> list[Note]:
    """Put records with these bodies and growing sequences."""
    notes = [Note(log.store.first_sequence + after + index, text) for index, text in enumerate(texts)]
    for record in notes:
        log.put(record)
    return notes


def stored(store: ChunkStore, table: int) -> list[bytes]:
    """The values in a table of the messages."""
    view = store._messages.view()
    try:
        return [value for _, value in view.range(table, b"\0", records.LAST_KEY, WHOLE)]
    finally:
        view.close()


def recovered(store: ChunkStore, queue_id: int = 1) -> list[bytes]:
    """The bodies that a queue finds after a restart."""
    lanes = store.recover({queue_id}).get(queue_id, {})
    found: list[bytes] = []
    for lane, windows in lanes.items():
        for window in windows:
            found += [one.body for one in store.read(opened(store, queue_id, lane), window)]
    return found
