"""A store that shows what a data folder holds and never changes it.

Invariants:

1. No file in the data folder is made, changed or deleted; its lock is held, so that nobody else changes it meanwhile.
2. What is committed is kept in memory, laid over what the tables hold, and lost when the program ends.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Final

from persistence.chunk_store import ChunkStore
from persistence.data_folder import DEFINITIONS, MESSAGES, open_data_folder_to_read
from persistence.layer import Layer, LayeredTransaction
from persistence.lmdb_env import FIRST_MAP_BYTES, LmdbTables
from persistence.logged_tables import logged
from persistence.memory import MemoryTables
from persistence.schema import VERSION, begin_epoch, stored_version
from persistence.store import StoreError, Usage
from persistence.tables import Tables, Transaction


class LockedTransaction(LayeredTransaction):
    """A view with a layer over it, alone until it is closed."""

    def __init__(self, view: Transaction, layer: Layer, lock: Lock) -> None:
        super().__init__(view, layer)
        self._lock: Final = lock

    def close(self) -> None:
        """See `Transaction.close`."""
        super().close()
        self._lock.release()


class FrozenTables(Tables):
    """Tables that stay as they are beneath what is done to them."""

    def __init__(self, tables: Tables, layer: Layer) -> None:
        """What the layer changes counts as stored."""
        self._tables: Final = tables
        self._layer: Final = layer
        self._lock: Final = Lock()

    def change(self, action: Callable[[Transaction], list[int]], size: int) -> list[int]:
        """See `Tables.change`."""
        view = self.view()
        try:
            return action(view)
        finally:
            view.close()

    def view(self) -> Transaction:
        """See `Tables.view`; it may also write."""
        self._lock.acquire()
        try:
            return LockedTransaction(self._tables.view(), self._layer, self._lock)
        except BaseException:
            self._lock.release()
            raise

    def usage(self) -> Usage:
        """See `Tables.usage`; the layer takes no room on the disk."""
        return self._tables.usage()


class FrozenStore(ChunkStore):
    """The messages of a data folder that no broker uses. Raises StoreError if the folder cannot be shown."""

    def __init__(self, path: Path) -> None:
        self._folder: Final = open_data_folder_to_read(path)
        self._copies: Final = TemporaryDirectory(prefix="amqpd-")
        try:
            self.definitions: Final = self._copied_definitions(path)
            """A copy of the definitions file, which may be changed: it goes with the store."""
            self._disk: Final = LmdbTables(path / MESSAGES, True, FIRST_MAP_BYTES, read_only=True)
            damages: list[str] = []
            tables = FrozenTables(self._disk, self._logged(path / MESSAGES, damages))
            tables.change(_check_version, 0)
            super().__init__(tables, MemoryTables(), tables.change(begin_epoch, 0)[0])
            self.damages.extend(damages)
        except BaseException:
            self._copies.cleanup()
            self._folder.close()
            raise

    def _logged(self, folder: Path, damages: list[str]) -> Layer:
        view = self._disk.view()
        try:
            return logged(view, folder, damages)
        finally:
            view.close()

    def _copied_definitions(self, path: Path) -> Path:
        """Copy the file and its journal: SQLite cannot read a journal without writing next to it."""
        copy = Path(self._copies.name) / DEFINITIONS
        try:
            shutil.copyfile(path / DEFINITIONS, copy)
            journal = path / f"{DEFINITIONS}-wal"
            if journal.exists():
                shutil.copyfile(journal, copy.with_name(journal.name))
        except OSError as error:
            raise StoreError(f"cannot read {path / DEFINITIONS}: {error.strerror}") from error
        return copy

    def close(self) -> None:
        """See `Store.close`."""
        self._disk.close()
        self._copies.cleanup()
        self._folder.close()


def _check_version(tables: Transaction) -> list[int]:
    version = stored_version(tables)
    if version < VERSION:
        raise StoreError(f"the messages have an older layout ({version}): start the broker once as usual, which converts them")
    return []
