"""Tables whose small changes are durable in a log before they are in the tables.

Invariants:

1. What is in the log lies over the tables as a layer: readers see the two as one.
2. Everything in the log goes into the tables before, and in the same transaction as, the next change that is not logged:
   changes are made in the order in which they came.
3. That transaction also names the next generation of the log, so that after a crash its changes count once, or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Final

from persistence import failpoints, write_ahead_log
from persistence.layer import Layer, LayeredTransaction
from persistence.schema import generation_row, stored_generation
from persistence.store import Corrupt, Usage
from persistence.tables import Change, Changes, Tables, Transaction
from persistence.write_ahead_log import WriteAheadLog

LOGGED_BYTES: Final = 64 * 1024
"""Changes up to about this size go into the log; larger ones would be written twice to save little."""
BRIEF_BYTES: Final = 16 * 1024
"""Changes up to about this size are written briefly: packing and checking them takes no longer than the disk does."""
_GENERATION_BITS: Final = 32
"""The lowest bits of a generation count; those above are drawn anew by each start."""


class LoggedTables(Tables):
    """Tables with a log before them; one thread at a time writes, others may read."""

    def __init__(self, tables: Tables, log: WriteAheadLog, generation: int) -> None:
        """The tables name the generation, and the log has nothing of it yet."""
        self._tables: Final = tables
        self._log: Final = log
        self._lock: Final = Lock()
        """Of the next two."""
        self._layer: Layer = Layer()
        self._generation: int = generation

    def write(self, changes: Changes) -> list[int]:
        """See `Tables.write`."""
        size = changes.size()
        released = self._write_ahead(changes) if size <= LOGGED_BYTES else None
        return self.change(changes.write_to, size) if released is None else released

    def write_briefly(self, changes: Changes) -> list[int] | None:
        """See `Tables.write_briefly`."""
        return self._write_ahead(changes) if changes.size() <= BRIEF_BYTES else None

    def _write_ahead(self, changes: Changes) -> list[int] | None:
        """Put the changes into the log; None if they have no place there."""
        if changes.ranges or changes.dropped_calendars:
            return None
        failpoints.at(failpoints.MESSAGES_BEGUN)
        recorder = _Recorder()
        released = changes.write_to(recorder)
        failpoints.at(failpoints.MESSAGES_WRITTEN)
        if not self._log.append(recorder.changes):
            return None
        with self._lock:
            self._layer.lay(recorder.changes)
        failpoints.at(failpoints.MESSAGES_DURABLE)
        return released

    def change(self, action: Callable[[Transaction], list[int]], size: int) -> list[int]:
        """See `Tables.change`."""
        if self._log.is_empty():
            return self._tables.change(action, size)
        generation = self._generation + 1
        result = self._tables.change(_TakingOver(self._layer, generation, action).run, size + self._log.size())
        self._log.begin(generation)
        with self._lock:
            self._layer = Layer()
            self._generation = generation
        return result

    def view(self) -> Transaction:
        """See `Tables.view`."""
        with self._lock:
            layer, generation = self._layer.copy(), self._generation
        view = self._tables.view()
        # The tables may have taken the layer over, and more, since it was copied: it would hide what came after it.
        if layer.is_empty() or stored_generation(view) != generation:
            return view
        return LayeredTransaction(view, layer)

    def usage(self) -> Usage:
        """See `Tables.usage`; the log does not count."""
        return self._tables.usage()

    def settle(self) -> None:
        """Empty the log into the tables. Raises NoSpace, StoreError."""
        self.change(_nothing, 0)

    def close(self) -> None:
        """Close the log; what is in it counts at the next start."""
        self._log.close()


def open_logged(tables: Tables, folder: Path, damages: list[str]) -> LoggedTables:
    """Let tables take over what the log in their folder holds, and begin a new generation of it.

    What is damaged in the log is told of, and all else of it taken over. Raises StoreError.
    """
    path = folder / write_ahead_log.FILE
    found: list[str] = []
    view = tables.view()
    try:
        layer = logged(view, folder, found)
    finally:
        view.close()
    if not path.exists():
        write_ahead_log.make(path)
    generation = int.from_bytes(os.urandom(8), "big") << _GENERATION_BITS
    tables.change(_TakingOver(layer, generation, _nothing).run, layer.size())
    if found:
        path.replace(path.with_name(f"{path.name}.damaged"))
        write_ahead_log.make(path)
    damages.extend(found)
    return LoggedTables(tables, WriteAheadLog(path, generation), generation)


def logged(tables: Transaction, folder: Path, damages: list[str]) -> Layer:
    """What the log in the folder of these tables holds and they do not, but for what is damaged in it, which is told of."""
    layer = Layer()
    try:
        generation = stored_generation(tables)
    except Corrupt as error:
        damages.append(f"generation of {write_ahead_log.FILE}: {error}; it is not known what of the log counts")
    else:
        if generation:
            changes, found = write_ahead_log.read(folder / write_ahead_log.FILE, generation)
            layer.lay(changes)
            damages.extend(found)
    return layer


def _nothing(_: Transaction) -> list[int]:
    return []


class _TakingOver:
    """The transaction that empties the log."""

    def __init__(self, layer: Layer, generation: int, action: Callable[[Transaction], list[int]]) -> None:
        self._layer: Final = layer
        self._generation: Final = generation
        self._action: Final = action

    def run(self, tables: Transaction) -> list[int]:
        """Make the logged changes, name the next generation, then do the action; return what it returns."""
        self._layer.write_to(tables)
        tables.put(*generation_row(self._generation))
        return self._action(tables)


class _Recorder(Transaction):
    """Notes what is put and deleted."""

    def __init__(self) -> None:
        self.changes: Final[list[Change]] = []

    def put(self, table: int, key: bytes, value: bytes) -> None:
        """See `Transaction.put`."""
        self.changes.append((table, key, value))

    def delete(self, table: int, key: bytes) -> None:
        """See `Transaction.delete`."""
        self.changes.append((table, key, None))
