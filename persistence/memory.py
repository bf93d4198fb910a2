"""A store in dictionaries: nothing survives the process, all else is as on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Final

from mypy_extensions import mypyc_attr

from persistence.chunk_store import ChunkStore
from persistence.schema import begin_epoch
from persistence.store import Usage
from persistence.tables import NAMES, WHOLE, Tables, Transaction


class MemoryTransaction(Transaction):
    """A look at the tables, alone until it is closed."""

    def __init__(self, tables: list[dict[bytes, bytes]], lock: Lock) -> None:
        lock.acquire()
        self._tables: Final = tables
        self._lock: Final = lock

    def get(self, table: int, key: bytes) -> bytes | None:
        """See `Transaction.get`."""
        return self._tables[table].get(key)

    def range(self, table: int, low: bytes, high: bytes, limit: int) -> Iterator[tuple[bytes, bytes]]:
        """See `Transaction.range`."""
        rows = self._tables[table]
        keys = sorted([key for key in rows if low <= key <= high])
        return iter([(key, rows[key] if limit == WHOLE else rows[key][:limit]) for key in keys])

    def count(self, table: int) -> int:
        """See `Transaction.count`."""
        return len(self._tables[table])

    def put(self, table: int, key: bytes, value: bytes) -> None:
        """See `Transaction.put`."""
        self._tables[table][key] = value

    def delete(self, table: int, key: bytes) -> None:
        """See `Transaction.delete`."""
        self._tables[table].pop(key, None)

    def delete_range(self, table: int, low: bytes, high: bytes) -> None:
        """See `Transaction.delete_range`."""
        rows = self._tables[table]
        for key in [key for key in rows if low <= key <= high]:
            del rows[key]

    def close(self) -> None:
        """See `Transaction.close`."""
        self._lock.release()


class MemoryTables(Tables):
    """One dictionary a table."""

    def __init__(self) -> None:
        self._rows: Final[list[dict[bytes, bytes]]] = [{} for _ in NAMES]
        self._lock: Final = Lock()

    def change(self, action: Callable[[Transaction], list[int]], size: int) -> list[int]:
        """See `Tables.change`."""
        transaction = self.view()
        try:
            return action(transaction)
        finally:
            transaction.close()

    def view(self) -> Transaction:
        """See `Tables.view`; it may also write."""
        return MemoryTransaction(self._rows, self._lock)

    def usage(self) -> Usage:
        """See `Tables.usage`; there are no files."""
        return Usage(sum(len(value) for rows in self._rows for value in rows.values()), 0)


@mypyc_attr(allow_interpreted_subclasses=True)
class MemoryStore(ChunkStore):
    """A store whose committed state another store can take over, as if the program had started again."""

    def __init__(self, messages: MemoryTables) -> None:
        super().__init__(messages, MemoryTables(), messages.change(begin_epoch, 0)[0])
        self._survivors: Final = messages

    def reopen(self) -> MemoryStore:
        """The store after a restart: what was applied is there, what was not is lost."""
        return MemoryStore(self._survivors)

    def close(self) -> None:
        """See `Store.close`."""


def memory_store() -> MemoryStore:
    """A new and empty store."""
    return MemoryStore(MemoryTables())
