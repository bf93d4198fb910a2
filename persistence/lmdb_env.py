"""Tables in an LMDB environment: open it, keep its map large enough, tell a full disk from other troubles.

Invariants:

1. The map is resized only while no transaction is open: by the writing thread, between two of its transactions, and
   under the lock that every reading transaction holds.
2. A write that fails leaves nothing behind and can be tried again.
3. No page of a file is mapped to be written that the disk may have no room for: touching it would end the process.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any, Final

import lmdb

from persistence import failpoints, meta_pages
from persistence.residency import release
from persistence.store import Corrupt, NoSpace, StoreError, Usage
from persistence.tables import NAMES, WHOLE, Tables, Transaction

DATABASE: Final = "data.mdb"
"""What LMDB calls its file."""
LOCKS: Final = "lock.mdb"
"""What LMDB calls the file of those who read, which it maps."""
_LOCKS_BYTES: Final = 8192
"""What it is long for the 126 readers that there may be."""
FIRST_MAP_BYTES: Final = 1 << 30
"""Address space to start with; the file is only as large as what was written."""
_SPARE_BYTES: Final = 16 << 20
"""Room for the pages that a transaction copies and for its free list."""
_TRANSACTION_BYTES: Final = 256 << 10
"""What a transaction takes at most for its own ends, by experience."""
_RESIDENT_BYTES: Final = 32 << 20
"""Bytes that may be read from the map before its pages are given back: neither a drained backlog nor one that is found at
start must count as our memory."""
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


FIXED_PAGES: Final = 4
"""Of every environment: two meta pages, and at most as many for the names of its tables."""


def bytes_in_use(environment: Any, transaction: Any, databases: list[Any]) -> int:  # noqa: ANN401 - lmdb has no types
    """What the pages of all tables make up, as the transaction sees them."""
    pages = FIXED_PAGES
    for database in databases:
        stat = transaction.stat(database)
        pages += stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
    page_bytes: int = environment.stat()["psize"]
    return pages * page_bytes


def _allocate_locks(path: Path) -> None:
    """Make the file of the readers if it is not there, with all of its pages (3). Raises OSError."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(file, 0, _LOCKS_BYTES)
    finally:
        os.close(file)


def file_bytes(folder: Path) -> int:
    """What the environment in this folder takes of the disk."""
    return (folder / DATABASE).stat().st_blocks * 512


class Reading:
    """The lock of reading transactions, and how much they read since the map's pages were given back."""

    def __init__(self, path: Path) -> None:
        self.lock: Final = Lock()
        self._path: Final = path
        self._bytes = 0

    def count(self, read_bytes: int) -> None:
        """A transaction looked at a value of so many bytes; of a part of it, the kernel maps the neighbourhood too."""
        self._bytes += read_bytes
        if self._bytes > _RESIDENT_BYTES:
            self._bytes = 0
            release(self._path)


class LmdbTransaction(Transaction):
    """A transaction of LMDB; values are copied out of the map, so that they outlive it."""

    def __init__(self, transaction: Any, databases: list[Any], reading: Reading, writes: bool) -> None:  # noqa: ANN401
        self._transaction: Final = transaction
        self._databases: Final = databases
        self._reading: Final = reading
        self._writes: Final = writes

    def get(self, table: int, key: bytes) -> bytes | None:
        """See `Transaction.get`."""
        try:
            value = self._transaction.get(key, None, self._databases[table])
        except lmdb.Error as error:
            raise Corrupt(str(error)) from error
        return None if value is None else bytes(value)

    def range(self, table: int, low: bytes, high: bytes, limit: int) -> Iterator[tuple[bytes, bytes]]:
        """See `Transaction.range`."""
        cursor = self._transaction.cursor(self._databases[table])
        try:
            found = cursor.set_range(low)
            while found:
                key = bytes(cursor.key())
                if key > high:
                    break
                value = cursor.value()
                self._reading.count(len(value))
                yield key, bytes(value) if limit == WHOLE else bytes(value[:limit])
                found = cursor.next()
        except lmdb.Error as error:
            raise Corrupt(str(error)) from error
        finally:
            cursor.close()

    def count(self, table: int) -> int:
        """See `Transaction.count`."""
        try:
            return int(self._transaction.stat(self._databases[table])["entries"])
        except lmdb.Error as error:
            raise Corrupt(str(error)) from error

    def put(self, table: int, key: bytes, value: bytes) -> None:
        """See `Transaction.put`."""
        self._transaction.put(key, value, db=self._databases[table])

    def delete(self, table: int, key: bytes) -> None:
        """See `Transaction.delete`."""
        self._transaction.delete(key, b"", self._databases[table])

    def delete_range(self, table: int, low: bytes, high: bytes) -> None:
        """See `Transaction.delete_range`."""
        cursor = self._transaction.cursor(self._databases[table])
        found = cursor.set_range(low)
        while found and bytes(cursor.key()) <= high:
            cursor.delete()
            found = len(cursor.key()) > 0
        cursor.close()

    def close(self) -> None:
        """See `Transaction.close`."""
        self._transaction.abort()
        if not self._writes:
            self._reading.lock.release()


class LmdbTables(Tables):
    """The tables in one LMDB environment; one thread at a time writes, others may read."""

    def __init__(self, folder: Path, synced: bool, map_bytes: int, read_only: bool = False) -> None:
        self._folder: Final = folder
        self._reading: Final = Reading(folder / DATABASE)
        self._room = 0
        """Bytes that may be written before it must be seen how full the map is: asking each time costs a turn of the GIL."""
        is_new = not (folder / DATABASE).exists()
        try:
            if not read_only:
                folder.mkdir(mode=0o700, exist_ok=True)
                _allocate_locks(folder / LOCKS)
            meta_pages.examine(folder / DATABASE)
            self._environment: Final[Any] = lmdb.open(
                str(folder), map_size=map_bytes, sync=synced, metasync=synced, mode=0o600, max_dbs=len(NAMES),
                readonly=read_only, lock=not read_only,
            )  # fmt: skip
            self._databases: Final[list[Any]] = self._open_databases(read_only)
            self._page_bytes: Final[int] = self._environment.stat()["psize"]
            self._map_bytes: int = self._environment.info()["map_size"]
        except (OSError, lmdb.Error) as error:
            if is_new:  # Part of a beginning would be taken for a file that was cut.
                (folder / DATABASE).unlink(missing_ok=True)
            raise StoreError(f"cannot open {folder}: {error}") from error

    def _open_databases(self, read_only: bool) -> list[Any]:
        """The tables, which are made in a new environment, and all at once: one that lacks a table is damaged."""
        if read_only or self._environment.info()["last_txnid"]:
            return [self._environment.open_db(name, create=False) for name in NAMES]
        with self._environment.begin(write=True) as transaction:
            return [self._environment.open_db(name, transaction) for name in NAMES]

    def change(self, action: Callable[[Transaction], list[int]], size: int) -> list[int]:
        """See `Tables.change`."""
        failpoints.at(failpoints.MESSAGES_BEGUN)
        self._make_room(size)
        while True:
            try:
                with self._environment.begin(write=True, buffers=True) as transaction:
                    result = action(LmdbTransaction(transaction, self._databases, self._reading, True))
                    failpoints.at(failpoints.MESSAGES_WRITTEN)
                failpoints.at(failpoints.MESSAGES_DURABLE)
            except lmdb.MapFullError:
                self._grow(self._map_bytes * 2)
            except (lmdb.Error, OSError) as error:
                raise self._explained(error, size) from error
            else:
                return result

    def view(self) -> Transaction:
        """See `Tables.view`."""
        self._reading.lock.acquire()
        try:
            transaction = self._environment.begin(buffers=True)
        except BaseException:
            self._reading.lock.release()
            raise
        return LmdbTransaction(transaction, self._databases, self._reading, False)

    def usage(self) -> Usage:
        """See `Tables.usage`."""
        with self._reading.lock, self._environment.begin() as transaction:
            in_use = bytes_in_use(self._environment, transaction, self._databases)
        return Usage(in_use, file_bytes(self._folder))

    def close(self) -> None:
        """Close the files."""
        self._environment.close()

    def _make_room(self, size: int) -> None:
        self._room -= 2 * size + _TRANSACTION_BYTES
        if self._room < 0:
            # A backup that was killed would keep the pages that it looked at from ever being used again.
            self._environment.reader_check()
            used: int = (self._environment.info()["last_pgno"] + 1) * self._page_bytes
            needed = used + 2 * size + _SPARE_BYTES
            if needed > self._map_bytes:
                self._grow(needed)
            self._room = self._map_bytes - needed

    def _grow(self, needed: int) -> None:
        failpoints.at(failpoints.MAP_FULL)
        map_bytes = self._map_bytes
        while map_bytes < needed:
            map_bytes *= 2
        with self._reading.lock:
            self._environment.set_mapsize(map_bytes)
        self._map_bytes = map_bytes

    def _explained(self, error: lmdb.Error | OSError, size: int) -> StoreError:
        code = error.errno if isinstance(error, OSError) else error.code
        # LMDB calls a write that stops halfway an input/output error, which is how a disk mostly turns out to be full.
        if code in _DISK_FULL or (code == errno.EIO and not self._can_allocate(size)):
            return NoSpace(f"no space left for {self._folder}")
        return StoreError(f"{self._folder}: {error}")

    def _can_allocate(self, size: int) -> bool:
        path = self._folder / DATABASE
        file = os.open(path, os.O_RDWR)
        try:
            os.posix_fallocate(file, path.stat().st_size, size + _SPARE_BYTES)
        except OSError as error:
            return error.errno not in _DISK_FULL
        finally:
            os.close(file)
        return True
