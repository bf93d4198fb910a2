"""Walk through everything in a data folder and tell what is wrong with it; nothing is changed.

The walk through the messages runs in a process of its own: LMDB trusts its pages, so damaged ones can end that process.
"""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Final

from persistence import calendars, mixed, records
from persistence.aside import is_unfinished
from persistence.check_definitions import check_definitions
from persistence.chunk_store import EPOCH_BITS
from persistence.data_folder import DEFINITIONS, MESSAGES, open_existing_data_folder
from persistence.layer import LayeredTransaction
from persistence.lmdb_env import FIRST_MAP_BYTES, LmdbTables
from persistence.logged_tables import logged
from persistence.remedy import Piece, Report
from persistence.schema import VERSION, epoch_row, stored_epoch, stored_version, version_row
from persistence.store import SETTLED, Chunk, Corrupt, Log, LogOwner, Store, StoredRecord
from persistence.tables import (
    BODIES,
    CALENDARS,
    CHUNKS,
    MARKS,
    NAMES,
    REFERENCES,
    WHOLE,
    Change,
    Transaction,
    stored_marks,
    walk,
)

MIXED_PREFIX: Final = mixed.keys()[0][:4]
"""What the keys of mixed chunks begin with."""


def check(data_folder: Path) -> Report:
    """Check a data folder that no broker uses. Raises StoreError if it is in use or no data folder."""
    folder = open_existing_data_folder(data_folder)
    try:
        report = Report()
        if is_unfinished(data_folder):
            report.problem("a repair was interrupted")
        queue_ids = check_definitions(data_folder / DEFINITIONS, report)
        found = _check_in_process(data_folder / MESSAGES, queue_ids)
        report.remedies.extend(found.remedies)
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
            report.problem(f"{MESSAGES}: the database is damaged so badly that reading it ends the process")
            return report


def _check_folder(folder: Path, queue_ids: set[int]) -> Report:
    report = Report()
    try:
        tables = LmdbTables(folder, True, FIRST_MAP_BYTES, read_only=True)
        try:
            damages: list[str] = []
            view = tables.view()
            try:
                check_messages(LayeredTransaction(view, logged(view, folder, damages)), queue_ids, report)
            finally:
                view.close()
            for damage in damages:
                report.problem(damage)
        finally:
            tables.close()
    except Exception as error:  # noqa: BLE001  (damaged pages can give any error)
        report.problem(f"{MESSAGES}: {error}")
    return report


def check_messages(view: Transaction, queue_ids: set[int], report: Report) -> None:
    """Check the tables of the messages; queue_ids are the queues, and the exchanges with an id, that exist."""
    _Walk(view, queue_ids, report).run()


class _NoOwner(LogOwner):
    """The owner of the logs that are only looked at."""


class _Walk:
    """One walk through the tables of the messages.

    A remedy mends what it is about and may leave other things to a later walk: those that referred to it.
    """

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
        self._bodies: Final[set[int]] = set()
        """The shared bodies that are there."""

    def run(self) -> None:
        """Do it all."""
        if not self._knows_layout():
            return
        for key, _ in walk(self._view, BODIES, 0):
            if len(key) == len(records.pack_id(0)):
                self._bodies.add(records.unpack_id(key))
        for key, value in self._rows(CHUNKS):
            if key.startswith(MIXED_PREFIX):
                self._check_mixed(key, value)
            else:
                self._check_chunk(key, value)
        for key, _ in self._rows(MARKS):
            if key not in self._chunk_keys:
                self._problem(f"marks {key.hex()} belong to no chunk", [(MARKS, key, None)])
        self._check_references()
        self._check_bodies(set(self._references.values()))
        self._check_calendars()

    def _knows_layout(self) -> bool:
        """Read what the store says of itself; a number that is damaged is found again from what is stored."""
        version, epoch = VERSION, 0
        try:
            version = stored_version(self._view)
        except Corrupt as error:
            self._problem(f"version of the layout: {error}", [version_row()])
        try:
            epoch = stored_epoch(self._view)
        except Corrupt as error:
            self._problem(f"number of runs: {error}", [epoch_row(0)])
        self._end_of_sequences = (epoch + 1) << EPOCH_BITS
        if version != VERSION:
            self._problem(f"layout {version}, this program knows {VERSION}")
        return version == VERSION

    # --- messages --------------------------------------------------------------------------------------------------

    def _check_chunk(self, key: bytes, value: bytes) -> None:
        self._report.count("chunks")
        self._chunk_keys.add(key)
        try:
            queue_id, lane, first = records.split_key(key)
        except Corrupt as error:
            self._lost(str(error), CHUNKS, key, value)
            return
        name = f"queue {queue_id}, lane {lane}, chunk {first}"
        if (queue_id, lane) != (self._log.queue_id, self._log.lane):
            self._log = Log(self._store, queue_id, lane, self._owner)
            self._last = -1
        if queue_id not in self._queue_ids:
            # A deleted queue leaves the definitions before its messages, which go a moment later, or at the next start.
            self._report.count("leftover chunks")
            self._report.strangers.add(queue_id)
        if first <= self._last:
            self._lost(f"{name}: begins before the end of the chunk before it ({self._last})", CHUNKS, key, value)
            return
        try:
            count, self._last, _ = records.chunk_header(key, value)
            chunk = Chunk(self._log, first, self._marks(name, key, value, count), False)
            found = records.decode(value, chunk)
        except Corrupt as error:
            self._lost(f"{name}: {error}", CHUNKS, key, value)
            return
        self._check_records(name, key, chunk, found)

    def _check_mixed(self, key: bytes, value: bytes) -> None:
        self._report.count("chunks")
        self._chunk_keys.add(key)
        name = f"mixed chunk {key.hex()}"
        try:
            count = records.chunk_header(key, value)[0]
            found = mixed.decode(key, value, self._marks(name, key, value, count))
        except Corrupt as error:
            self._lost(f"{name}: {error}", CHUNKS, key, value)
            return
        self._report.count("messages", len(found))
        if not found:
            gone: list[Change] = [(CHUNKS, key, None), (MARKS, key, None)]
            self._problem(f"{name}: all its records are settled, yet it is there", gone)
        for record in found:
            if record.queue_id not in self._queue_ids:
                self._report.count("leftover messages")
                self._report.strangers.add(record.queue_id)
            if record.sequence >= self._end_of_sequences:
                text = f"{name}: sequence {record.sequence} is of a run that never was"
                self._problem(text, self._later_epoch(record.sequence))

    def _marks(self, name: str, key: bytes, value: bytes, count: int) -> bytearray:
        """The marks of a chunk; if they are damaged, those of one whose records were never touched."""
        try:
            marks = stored_marks(self._view, key, value)
            if len(marks) == count:
                return marks
            problem = f"{len(marks)} marks for {count} records"
        except Corrupt as error:
            problem = str(error)
        self._lost(f"{name}: {problem}", MARKS, key, self._view.get(MARKS, key) or b"")
        return bytearray(count)

    def _check_records(self, name: str, key: bytes, chunk: Chunk, found: list[StoredRecord]) -> None:
        self._report.count("messages", len(found))
        if not found:
            gone: list[Change] = [(CHUNKS, key, None), (MARKS, key, None)]
            self._problem(f"{name}: all its records are settled, yet it is there", gone)
        if self._last >= self._end_of_sequences:
            self._problem(f"{name}: sequence {self._last} is of a run that never was", self._later_epoch(self._last))
        without_body = [record for record in found if record.body_id and record.body_id not in self._bodies]
        for record in found:
            if record.body_id in self._bodies:
                self._references[records.key(chunk.log.queue_id, chunk.log.lane, record.sequence)] = record.body_id
        if without_body:
            self._problem_of_bodies(name, key, chunk, without_body)

    def _problem_of_bodies(self, name: str, key: bytes, chunk: Chunk, found: list[StoredRecord]) -> None:
        """Records have lost their bodies: what is left of them is their address and header."""
        marks = bytearray(chunk.marks)
        lost: list[Piece] = []
        for record in found:
            marks[record.slot] = SETTLED
            lost.append((f"record-{key.hex()}-{record.sequence}", record.address + record.header))
        sequences = ", ".join(str(record.sequence) for record in found)
        missing = ", ".join(str(body_id) for body_id in sorted({record.body_id for record in found}))
        mended: list[Change] = [(MARKS, key, records.protect(key, bytes(marks)))]
        self._problem(f"{name}: shared body {missing} is missing (sequence {sequences})", mended, lost)

    def _check_references(self) -> None:
        """Compare the stored references with those of the records."""
        expected = dict(self._references)
        for key, value in self._rows(REFERENCES):
            self._report.count("references")
            stored = records.protect(key, records.pack_id(expected.pop(key))) if key in expected else None
            if stored != value:
                text = f"reference {key.hex()} to shared body {int.from_bytes(value[4:])} belongs to no record"
                self._problem(text, [(REFERENCES, key, stored)])
        for key, body_id in expected.items():
            text = f"reference {key.hex()} to shared body {body_id} is missing"
            self._problem(text, [(REFERENCES, key, records.protect(key, records.pack_id(body_id)))])

    def _check_bodies(self, wanted: set[int]) -> None:
        for key, value in self._rows(BODIES):
            try:
                body_id = records.unpack_id(key)
            except Corrupt as error:
                self._lost(str(error), BODIES, key, value)
                continue
            # A body that lost its last reference with a dropped queue goes one batch later, or at the next start.
            self._report.count("shared bodies" if body_id in wanted else "leftover bodies")
            try:
                records.unprotect(key, value)
            except Corrupt:
                self._lost(f"shared body {body_id} fails its checksum", BODIES, key, value)

    # --- calendars -------------------------------------------------------------------------------------------------

    def _check_calendars(self) -> None:
        counts: Counter[tuple[int, int]] = Counter()
        for key, value in self._rows(CALENDARS):
            try:
                owner_id, lane, time, sequence = records.split_calendar_key(key)
            except Corrupt as error:
                self._lost(str(error), CALENDARS, key, value)
                continue
            counts[owner_id, lane] += time > 0
            if time > 0:
                self._check_row(f"calendar {owner_id}/{lane}, time {time}, sequence {sequence}", key, value)
        for (owner_id, lane), count in counts.items():
            self._report.count("dated rows" if owner_id in self._queue_ids else "leftover rows", count)
            self._check_count(owner_id, lane, count)

    def _check_row(self, name: str, key: bytes, value: bytes) -> None:
        sequence = records.split_calendar_key(key)[3]
        try:
            records.unprotect(key, value)
        except Corrupt:
            self._lost(f"{name}: fails its checksum", CALENDARS, key, value)
        if sequence >= self._end_of_sequences:
            self._problem(f"{name}: is of a run that never was", self._later_epoch(sequence))

    def _check_count(self, owner_id: int, lane: int, count: int) -> None:
        key = records.calendar_key(owner_id, lane, 0, 0)
        counted: list[Change] = [(CALENDARS, key, records.protect(key, records.pack_id(count)))]
        try:
            stored = calendars.stored_count(self._view, owner_id, lane)
        except Corrupt as error:
            self._problem(f"calendar {owner_id}/{lane}: {error}", counted)
            return
        if stored != count:
            self._problem(f"calendar {owner_id}/{lane}: {count} rows, yet {stored} are counted", counted)

    # --- problems --------------------------------------------------------------------------------------------------

    def _rows(self, table: int) -> Iterator[tuple[bytes, bytes]]:
        return walk(self._view, table, WHOLE)

    def _later_epoch(self, sequence: int) -> list[Change]:
        """Say that the last run of the program was the one that a sequence is of."""
        epoch = sequence >> EPOCH_BITS
        self._end_of_sequences = (epoch + 1) << EPOCH_BITS
        return [epoch_row(epoch)]

    def _lost(self, text: str, table: int, key: bytes, value: bytes) -> None:
        """A row is of no use to anybody."""
        self._problem(text, [(table, key, None)], [(f"{NAMES[table].decode()}-{key.hex()}", value)])

    def _problem(self, text: str, changes: list[Change] | None = None, lost: list[Piece] | None = None) -> None:
        self._report.problem(f"{MESSAGES}: {text}", changes, lost)
