"""Copy what can still be read of a damaged LMDB environment into a new one.

LMDB trusts its pages, so a damaged one may end the process that reads it, or lead it in circles. Tables are read in another
process: from their beginning to the damage, and from their end back to it.
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from mmap import PAGESIZE
from pathlib import Path
from typing import Any, Final

import lmdb

from persistence import meta_pages
from persistence.data_folder import sync
from persistence.lmdb_env import DATABASE, FIRST_MAP_BYTES, LmdbTables
from persistence.tables import NAMES, Change, Transaction

BATCH_BYTES: Final = 1 << 20
BEGUN_ANEW: Final = "begun-anew"
"""Where a copy of the damaged file is, if LMDB cannot even open it."""

Copy = Callable[[Path, Path, int], None]


def salvage(source: Path, target: Path) -> list[str]:
    """Make an environment in a new folder; return for each table that could not be read whole how much could."""
    told = []
    LmdbTables(target, False, FIRST_MAP_BYTES).close()
    reader = _Reader(source, target)
    try:
        if not reader.finishes(_open, 0):
            if not _replace_beginning(source / DATABASE, target / BEGUN_ANEW / DATABASE):
                return ["nothing could be read"]
            told.append("the beginning is damaged: that of the transaction before the last one was used")
            reader.source = target / BEGUN_ANEW
        for table, name in enumerate(NAMES):
            if not reader.finishes(_copy_all, table):
                reader.finishes(_copy_to_damage, table)
                reader.finishes(_copy_from_damage, table)
                told.append(f"{name.decode()}: {_count(target, table)} rows could be read")
    finally:
        reader.close()
        shutil.rmtree(target / BEGUN_ANEW, ignore_errors=True)
    sync(target / DATABASE)
    return told


def _replace_beginning(database: Path, copy: Path) -> bool:
    """Copy a file of which one of the first two pages is damaged, with the other one in place of it; False if both are."""
    with database.open("rb") as file:
        pages = [file.read(PAGESIZE), file.read(PAGESIZE)]
    sound = [number for number in (0, 1) if meta_pages.is_sound(pages[number], number)]
    if len(sound) != 1:
        return False
    lost = 1 - sound[0]
    copy.parent.mkdir(mode=0o700)
    shutil.copyfile(database, copy)
    with copy.open("r+b") as file:
        file.seek(lost * PAGESIZE)
        file.write(meta_pages.renumbered(pages[sound[0]], lost))
    return True


class _Reader:
    """A process that reads, and another one if it ends."""

    def __init__(self, source: Path, target: Path) -> None:
        self.source: Path = source
        self._target: Final = target
        self._pool = _pool()

    def finishes(self, copy: Copy, table: int) -> bool:
        """Whether a table could be copied in this way."""
        try:
            self._pool.submit(copy, self.source, self._target, table).result()
        except Exception:  # noqa: BLE001  (damaged pages can give any error)
            self.close()
            self._pool = _pool()
            return False
        return True

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def _open(source: Path, target: Path, table: int) -> None:  # noqa: ARG001  (a `Copy`)
    """See whether the file is a database at all."""
    lmdb.open(str(source), readonly=True, lock=False).close()


def _copy_all(source: Path, target: Path, table: int) -> None:
    """Copy a sound table, many rows at once."""
    _copy(source, target, table, True, BATCH_BYTES)


def _copy_to_damage(source: Path, target: Path, table: int) -> None:
    """Copy row by row: one of them will end the process."""
    _copy(source, target, table, True, 0)


def _copy_from_damage(source: Path, target: Path, table: int) -> None:
    """Copy row by row from the end back to what was copied already."""
    _copy(source, target, table, False, 0)


def _copy(source: Path, target: Path, table: int, forwards: bool, batch_bytes: int) -> None:
    """Copy rows until one is there already; nothing is synced, which only matters if the machine stops."""
    copy = LmdbTables(target, False, FIRST_MAP_BYTES)
    with closing(lmdb.open(str(source), readonly=True, lock=False, max_dbs=len(NAMES))) as environment:
        database = environment.open_db(NAMES[table], create=False)
        with environment.begin(db=database) as transaction:
            batch: list[Change] = []
            size = 0
            for key, value in _walk(transaction.cursor(), forwards):
                batch.append((table, key, value))
                size += len(value)
                if size > batch_bytes:
                    if copy.change(Missing(batch).run, size)[0] and not forwards:
                        break
                    batch, size = [], 0
            copy.change(Missing(batch).run, size)
    copy.close()


def _walk(cursor: Any, forwards: bool) -> Iterator[tuple[bytes, bytes]]:  # noqa: ANN401 - lmdb has no types
    """All rows in order. Raises ValueError where there is none."""
    last: bytes | None = None
    for key, value in cursor.iternext() if forwards else cursor.iterprev():
        if last is not None and (key <= last) == forwards:
            raise ValueError("the keys are in no order")
        last = key
        yield key, value


class Missing:
    """Rows to be put where there are none."""

    def __init__(self, rows: list[Change]) -> None:
        self._rows: Final = rows

    def run(self, tables: Transaction) -> list[int]:
        """Put them; return how many were there already."""
        present = 0
        for table, key, value in self._rows:
            if tables.get(table, key) is not None:
                present += 1
            elif value is not None:
                tables.put(table, key, value)
        return [present]


def _count(folder: Path, table: int) -> int:
    with closing(lmdb.open(str(folder), readonly=True, lock=False, max_dbs=len(NAMES))) as environment:
        database = environment.open_db(NAMES[table], create=False)
        with environment.begin(db=database) as transaction:
            rows: int = transaction.stat(database)["entries"]
            return rows
