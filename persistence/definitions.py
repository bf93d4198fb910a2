"""The broker's definitions in a SQLite file: every change is one row saved or removed, written batch by batch.

Invariants:

1. The operations of a batch are visible after a crash all together or not at all, in the order of their queueing.
2. A queue id is handed out once, unless no row with it or a later one was ever saved.
3. A row carries a checksum of its values, or none (NULL) if something else than this program wrote it.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import fields
from operator import itemgetter
from pathlib import Path
from typing import Final, TypeVar
from zlib import crc32

import aiosqlite

from persistence import failpoints
from persistence.rows import ROWS, Exchange, Queue, Row
from persistence.store import Corrupt, NoSpace, StoreError

Value = str | int | bytes
Operation = tuple[str, tuple[Value, ...]]
R = TypeVar("R", bound=Row)

# SQLite keeps what is not whole in an INTEGER column as it is; what is whole has to come as an int, for the checksum's sake.
_TYPES: Final = {"str": "TEXT", "bool": "INTEGER", "int": "INTEGER", "float": "INTEGER", "bytes": "BLOB"}
CHECKSUM: Final = "checksum"
"""The last column of every table."""
_DISK_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
"""Error codes for a database, or the file beside it that is mapped, that could not become larger."""
_NEXT_QUEUE_ID: Final = (
    "SELECT max(number) FROM (SELECT value AS number FROM counters"
    " UNION ALL SELECT id + 1 FROM queues UNION ALL SELECT id + 1 FROM exchanges)"
)
_SET_NEXT_QUEUE_ID: Final = "UPDATE counters SET value = ? WHERE name = 'next_queue_id'"


class _Table:
    """The statements for one class of rows."""

    def __init__(self, kind: type[Row]) -> None:
        self.kind: Final = kind
        self.names: Final = tuple(field.name for field in fields(kind))
        self.types: Final = tuple(str(field.type) for field in fields(kind))
        where = " AND ".join(f"{_quoted(name)} = ?" for name in kind.KEY)
        self.upsert: Final = upsert(kind)
        self.delete: Final = f"DELETE FROM {kind.TABLE} WHERE {where}"  # noqa: S608  (our names)
        self.select: Final = f"SELECT {columns(kind)}, {CHECKSUM} FROM {kind.TABLE}"  # noqa: S608  (the same)

    def create(self) -> str:
        """The statement that makes the table."""
        typed = dict(zip(self.names, self.types, strict=True))
        # The key's columns come first: elsewhere, SQLite 3.40 calls sound tables damaged (PRAGMA integrity_check).
        names = [*self.kind.KEY, *(name for name in self.names if name not in self.kind.KEY)]
        columns = ", ".join(f"{_quoted(name)} {_TYPES[typed[name]]} NOT NULL" for name in names)
        key = _listed(self.kind.KEY)
        return f"CREATE TABLE {self.kind.TABLE} ({columns}, {CHECKSUM} INTEGER, PRIMARY KEY ({key})) WITHOUT ROWID"

    def rows(self, stored: Iterable[tuple[Value, ...]]) -> list[Row]:
        """Rows from what SQLite gives back. Raises Corrupt."""
        converters = [_CONVERTERS[kind] for kind in self.types]
        found = []
        for *values, checksum in stored:
            if checksum is not None and checksum != checksum_of(*values):
                key = ", ".join(repr(values[self.names.index(name)]) for name in self.kind.KEY)
                raise Corrupt(f"{self.kind.TABLE} ({key}) fails its checksum")
            found.append(self.kind(*[convert(value) for convert, value in zip(converters, values, strict=True)]))
        return found


def columns(kind: type[Row]) -> str:
    """The columns of a class of rows as SQL lists them, in the order of its fields; the checksum is not among them."""
    return _listed(field.name for field in fields(kind))


def upsert(kind: type[Row]) -> str:
    """The statement that writes a row: the values of its columns, then their checksum or None."""
    marks = ", ".join("?" for _ in fields(kind))
    return f"INSERT OR REPLACE INTO {kind.TABLE} ({columns(kind)}, {CHECKSUM}) VALUES ({marks}, ?)"  # noqa: S608  (our names)


def checksum_of(*values: Value) -> int:
    """The checksum of a row with these stored values, in the order of its fields."""
    return crc32(repr(values).encode())


def teach_checksum(connection: sqlite3.Connection) -> None:
    """Give SQL statements the function `checksum_of`."""
    connection.create_function("checksum_of", -1, checksum_of, deterministic=True)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _listed(names: Iterable[str]) -> str:
    return ", ".join(_quoted(name) for name in names)


def _stored(value: Value) -> Value:
    """The value for SQLite: a text that is not Unicode becomes a blob, which no valid text equals, and a bool a number."""
    if isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogateescape")
    return int(value) if isinstance(value, bool) else value


def _text(value: Value) -> Value:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _same(value: Value) -> Value:
    return value


_CONVERTERS: Final[dict[str, Callable[[Value], Value]]] = {
    "str": _text, "bool": bool, "int": _same, "float": _same, "bytes": _same,
}  # fmt: skip
_TABLES: Final = {kind: _Table(kind) for kind in ROWS}


def _first_schema() -> list[str]:
    counters = "CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)"
    first_id = "INSERT INTO counters VALUES ('next_queue_id', 1)"
    return [*(table.create() for table in _TABLES.values()), counters, first_id]


MIGRATIONS: Final = {0: _first_schema}
"""Version of a file → the statements that make the next version of it; an empty file has version 0."""
VERSION: Final = len(MIGRATIONS)


class Definitions:
    """An open definitions file and the operations that wait for the next batch. Made by `Definitions.open`."""

    def __init__(self, path: Path, connection: aiosqlite.Connection, next_queue_id: int) -> None:
        self._path: Final = path
        self._connection: Final = connection
        self._next_queue_id = next_queue_id
        self._operations: list[Operation] = []
        self._id_saved = False

    @classmethod
    async def open(cls, path: Path) -> Definitions:
        """Open or create the file. Raises StoreError if a newer program wrote it, Corrupt if it is no such file."""
        connection = None
        try:
            connection = await aiosqlite.connect(path, isolation_level=None)
            await connection.execute("PRAGMA journal_mode = WAL")
            await connection.execute("PRAGMA synchronous = FULL")
            await _migrate(path, connection)
            await _examine(path, connection)
            return cls(path, connection, await _read_integer(connection, _NEXT_QUEUE_ID))
        except BaseException as error:
            if connection is not None:
                await connection.close()
            if isinstance(error, sqlite3.Error):
                raise _explained(path, error) from error
            raise

    async def load(self, kind: type[R]) -> list[R]:
        """All rows of a class. Raises Corrupt."""
        table = _TABLES[kind]
        try:
            found = table.rows(await self._connection.execute_fetchall(table.select))  # type: ignore[arg-type]
        except sqlite3.Error as error:
            raise _explained(self._path, error) from error
        except Corrupt as error:
            raise Corrupt(f"{self._path}: {error}") from error
        return found  # type: ignore[return-value]  # the table knows its class of rows

    def next_queue_id(self) -> int:
        """An id that no saved queue or exchange ever had; at least 1."""
        queue_id = self._next_queue_id
        self._next_queue_id += 1
        return queue_id

    def save(self, row: Row) -> None:
        """Write the row, in place of the one with the same key, with the open batch."""
        table = _TABLES[type(row)]
        values = [_stored(getattr(row, name)) for name in table.names]
        self._operations.append((table.upsert, (*values, checksum_of(*values))))
        if isinstance(row, (Queue, Exchange)):
            self._id_saved = True

    def remove(self, row: Row) -> None:
        """Delete the row with the same key with the open batch."""
        self._operations.append((_TABLES[type(row)].delete, tuple([_stored(getattr(row, name)) for name in row.KEY])))

    def has_work(self) -> bool:
        """True if the open batch holds anything."""
        return bool(self._operations)

    def close_batch(self) -> list[Operation]:
        """The operations of the open batch, which is empty afterwards."""
        operations = self._operations
        self._operations = []
        if self._id_saved:
            self._id_saved = False
            operations.append((_SET_NEXT_QUEUE_ID, (self._next_queue_id,)))
        return operations

    async def apply(self, operations: list[Operation]) -> None:
        """Write one batch in one transaction and sync it to disk. Raises NoSpace (nothing was written), StoreError."""
        failpoints.at(failpoints.DEFINITIONS_BEGUN)
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, run in itertools.groupby(operations, itemgetter(0)):
                    await self._connection.executemany(statement, [values for _, values in run])
                failpoints.at(failpoints.DEFINITIONS_WRITTEN)
                await self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    await self._connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise _explained(self._path, error) from error
        failpoints.at(failpoints.DEFINITIONS_DURABLE)

    async def close(self) -> None:
        """Close the file; what was not applied is lost."""
        await self._connection.close()


async def _migrate(path: Path, connection: aiosqlite.Connection) -> None:
    version = await _read_integer(connection, "PRAGMA user_version")
    if version > VERSION:
        raise StoreError(f"{path} was written by a newer amqpd (version {version}, this one knows {VERSION})")
    while version < VERSION:
        await connection.execute("BEGIN IMMEDIATE")
        for statement in MIGRATIONS[version]():
            await connection.execute(statement)
        version += 1
        await connection.execute(f"PRAGMA user_version = {version}")
        await connection.execute("COMMIT")


async def _examine(path: Path, connection: aiosqlite.Connection) -> None:
    """Make sure that no page is damaged. Raises Corrupt."""
    # What a failed sync left in the cache of the system alone would be lost with it later: it is written once more.
    await connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for (text,) in await connection.execute_fetchall("PRAGMA integrity_check(1)"):
        if text != "ok":
            raise Corrupt(f"{path}: {text}")


async def _read_integer(connection: aiosqlite.Connection, statement: str) -> int:
    rows = list(await connection.execute_fetchall(statement))
    return int(rows[0][0])


def _explained(path: Path, error: sqlite3.Error) -> StoreError:
    if getattr(error, "sqlite_errorcode", 0) in _DISK_FULL:
        return NoSpace(f"no space left for {path}")
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
        return Corrupt(f"{path} is not a usable definitions file: {error}")
    return StoreError(f"{path}: {error}")
