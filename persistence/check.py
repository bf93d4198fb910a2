"""Walk through everything in a data folder and tell what is wrong with it; nothing is changed.

The walk through the messages runs in a process of its own: LMDB trusts its pages, so damaged ones can end that process.
"""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from persistence import calendars, records
from persistence.chunk_store import EPOCH_BITS, stored_marks
from persistence.data_folder import DEFINITIONS, MESSAGES, open_existing_data_folder
from persistence.definitions import VERSION as DEFINITIONS_VERSION
from persistence.lmdb_env import FIRST_MAP_BYTES, LmdbTables
from persistence.schema import VERSION as MESSAGES_VERSION
from persistence.schema import stored_epoch, stored_version
from persistence.store import Chunk, Corrupt, Log, LogOwner, Store, StoredRecord, StoreError
from persistence.tables import BODIES, CALENDARS, CHUNKS, MARKS, REFERENCES, WHOLE, Transaction


class Report:
    """What a check found."""

    def __init__(self) -> None:
        self.problems: Final[list[str]] = []
        """One sentence each; empty if all is well."""
        self.counts: Final[dict[str, int]] = {}
        """How many of each kind of thing there are."""

    def count(self, kind: str, number: int = 1) -> None:
        """Add to the number of things of a kind."""
        self.counts[kind] = self.counts.get(kind, 0) + number


def check(data_folder: Path) -> Report:
    """Check a data folder that no broker uses. Raises StoreError if it is in use or no data folder."""
    folder = open_existing_data_folder(data_folder)
    try:
        report = Report()
        queue_ids = _check_definitions(data_folder / DEFINITIONS, report)
        found = _check_in_process(data_folder / MESSAGES, queue_ids)
        report.problems.extend(found.problems)
        report.counts.update(found.counts)
        return report
    finally:
        folder.close()


def _check_in_process(folder: Path, queue_ids: set[int]) -> Report:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_check_folder, folder, queue_ids).result()
        except BrokenProcessPool:
            report = Report()
            report.problems.append(f"{MESSAGES}: the database is damaged so badly that reading it ends the process")
            return report


def _check_folder(folder: Path, queue_ids: set[int]) -> Report:
    report = Report()
    try:
        tables = LmdbTables(folder, True, FIRST_MAP_BYTES, read_only=True)
        try:
            view = tables.view()
            try:
                check_messages(view, queue_ids, report)
            finally:
                view.close()
        finally:
            tables.close()
    except Exception as error:  # noqa: BLE001  (damaged pages can give any error)
        report.problems.append(f"{MESSAGES}: {error}")
    return report


def check_messages(view: Transaction, queue_ids: set[int], report: Report) -> None:
    """Check the tables of the messages; queue_ids are the queues, and the exchanges with an id, that exist."""
    _Walk(view, queue_ids, report).run()


class _NoOwner(LogOwner):
    """The owner of the logs that are only looked at."""


class _Walk:
    """One walk through the tables of the messages."""

    def __init__(self, view: Transaction, queue_ids: set[int], report: Report) -> None:
        self._view: Final = view
        self._queue_ids: Final = queue_ids
        self._report: Final = report
        self._store: Final = Store(0)
        self._owner: Final = _NoOwner()
        self._log = Log(self._store, 0, 0, self._owner)
        self._last = -1
        """The greatest sequence seen in the current lane."""
        self._end_of_sequences = 0
        self._chunk_keys: Final[set[bytes]] = set()
        self._references: Final[dict[bytes, int]] = {}
        """The shared bodies that live records refer to, by the key that the reference must have."""

    def run(self) -> None:
        """Do it all."""
        version = stored_version(self._view)
        if version != MESSAGES_VERSION:
            self._problem(f"layout {version}, this program knows {MESSAGES_VERSION}")
            return
        self._end_of_sequences = (stored_epoch(self._view) + 1) << EPOCH_BITS
        for key, value in self._rows(CHUNKS):
            self._check_chunk(key, value)
        for key, _ in self._rows(MARKS):
            if key not in self._chunk_keys:
                self._problem(f"marks {key.hex()} belong to no chunk")
        self._check_bodies(self._check_references())
        self._check_calendars()

    def _check_chunk(self, key: bytes, value: bytes) -> None:
        self._report.count("chunks")
        self._chunk_keys.add(key)
        try:
            queue_id, lane, first = records.split_key(key)
            name = f"queue {queue_id}, lane {lane}, chunk {first}"
        except Corrupt as error:
            self._problem(str(error))
            return
        if (queue_id, lane) != (self._log.queue_id, self._log.lane):
            self._log = Log(self._store, queue_id, lane, self._owner)
            self._last = -1
        if queue_id not in self._queue_ids:
            # A deleted queue leaves the definitions before its messages, which go a moment later, or at the next start.
            self._report.count("leftover chunks")
        if first <= self._last:
            self._problem(f"{name}: begins before the end of the chunk before it ({self._last})")
        try:
            self._last = records.chunk_header(value)[1]
            chunk = Chunk(self._log, first, stored_marks(self._view, key, value), False)
            self._check_records(name, chunk, records.decode(value, chunk))
        except Corrupt as error:
            self._problem(f"{name}: {error}")

    def _check_records(self, name: str, chunk: Chunk, found: list[StoredRecord]) -> None:
        self._report.count("messages", len(found))
        if not found:
            self._problem(f"{name}: all its records are settled, yet it is there")
        if self._last >= self._end_of_sequences:
            self._problem(f"{name}: sequence {self._last} is of a run that never was")
        for record in found:
            if record.body_id:
                self._references[records.key(chunk.log.queue_id, chunk.log.lane, record.sequence)] = record.body_id

    def _check_references(self) -> set[int]:
        """Compare the stored references with those of the records; return the bodies that they name."""
        expected = dict(self._references)
        for key, value in self._rows(REFERENCES):
            self._report.count("references")
            body_id = records.unpack_id(value)
            if expected.pop(key, None) != body_id:
                self._problem(f"reference {key.hex()} to shared body {body_id} belongs to no record")
        for key, body_id in expected.items():
            self._problem(f"reference {key.hex()} to shared body {body_id} is missing")
        return set(self._references.values())

    def _check_bodies(self, wanted: set[int]) -> None:
        for key, value in self._rows(BODIES):
            body_id = records.unpack_id(key)
            # A body that lost its last reference with a dropped queue goes one batch later, or at the next start.
            self._report.count("shared bodies" if body_id in wanted else "leftover bodies")
            wanted.discard(body_id)
            try:
                records.unprotect(value)
            except Corrupt:
                self._problem(f"shared body {body_id} fails its checksum")
        for body_id in sorted(wanted):
            self._problem(f"shared body {body_id} is missing")

    def _check_calendars(self) -> None:
        counts: Counter[tuple[int, int]] = Counter()
        for key, value in self._view.range(CALENDARS, b"\0", records.LAST_CALENDAR_KEY, WHOLE):
            owner_id, lane, time, sequence = records.split_calendar_key(key)
            counts[owner_id, lane] += time > 0
            self._check_row(f"calendar {owner_id}/{lane}, time {time}, sequence {sequence}", sequence, value)
        for (owner_id, lane), count in counts.items():
            self._report.count("dated rows" if owner_id in self._queue_ids else "leftover rows", count)
            try:
                stored = calendars.stored_count(self._view, owner_id, lane)
            except Corrupt as error:
                self._problem(str(error))
                continue
            if stored != count:
                self._problem(f"calendar {owner_id}/{lane}: {count} rows, yet {stored} are counted")

    def _check_row(self, name: str, sequence: int, value: bytes) -> None:
        try:
            records.unprotect(value)
        except Corrupt:
            self._problem(f"{name}: fails its checksum")
        if sequence >= self._end_of_sequences:
            self._problem(f"{name}: is of a run that never was")

    def _rows(self, table: int) -> Iterator[tuple[bytes, bytes]]:
        return self._view.range(table, b"\0", records.LAST_KEY, WHOLE)

    def _problem(self, text: str) -> None:
        self._report.problems.append(f"{MESSAGES}: {text}")


def _check_definitions(path: Path, report: Report) -> set[int]:
    """Check the definitions file; return the ids of the queues and exchanges in it."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            return _check_tables(connection, report)
        finally:
            connection.close()
    except (sqlite3.Error, StoreError) as error:
        report.problems.append(f"{DEFINITIONS}: {error}")
        return set()


def _check_tables(connection: sqlite3.Connection, report: Report) -> set[int]:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != DEFINITIONS_VERSION:
        raise StoreError(f"version {version}, this program knows {DEFINITIONS_VERSION}")
    for (text,) in connection.execute("PRAGMA integrity_check"):
        if text != "ok":
            report.problems.append(f"{DEFINITIONS}: {text}")
    ids = [queue_id for (queue_id,) in connection.execute("SELECT id FROM queues")]
    report.count("queues", len(ids))
    ids += [exchange_id for (exchange_id,) in connection.execute("SELECT id FROM exchanges WHERE id > 0")]
    (next_id,) = connection.execute("SELECT value FROM counters WHERE name = 'next_queue_id'").fetchone()
    for queue_id, times in sorted(Counter(ids).items()):
        if times > 1:
            report.problems.append(f"{DEFINITIONS}: several queues or exchanges have the id {queue_id}")
        if queue_id >= next_id:
            report.problems.append(f"{DEFINITIONS}: id {queue_id} will be given to another queue")
    return set(ids)
