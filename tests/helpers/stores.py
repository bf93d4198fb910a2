"""What tests of the stores share: a record that is a body, an owner that listens, and whole commits."""

from collections.abc import Iterator

from persistence import records
from persistence.check import Report, check_messages
from persistence.chunk_store import ChunkStore
from persistence.store import Log, LogOwner, Record, Store, StoredRecord, Window

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
