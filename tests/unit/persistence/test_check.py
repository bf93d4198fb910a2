"""A check finds every damage and calls it by name, and finds nothing where there is none."""

import sqlite3
from pathlib import Path

import pytest

from helpers.stores import Note, define, durable_queue, examined, fill
from persistence import records, rows
from persistence.check import check
from persistence.lmdb_store import LmdbStore
from persistence.memory import MemoryStore, memory_store
from persistence.store import StoreError
from persistence.tables import BODIES, CHUNKS, MARKS, META, REFERENCES, Transaction


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with something of everything."""
    store = LmdbStore(tmp_path / "data")
    fill(store)
    store.close()
    define(tmp_path / "data", rows.VHost("/"), durable_queue("q"))
    return tmp_path / "data"


COUNTS = {"chunks": 2, "messages": 4, "references": 1, "shared bodies": 1}


def test_a_sound_folder_has_no_problems(folder: Path) -> None:
    """All is counted, nothing is changed."""
    before = {path: path.read_bytes() for path in folder.rglob("*.mdb")}
    report = check(folder)
    assert ([], {"queues": 1, **COUNTS}) == (report.problems, report.counts)
    assert {path: path.read_bytes() for path in folder.rglob("*.mdb")} == before


def test_a_folder_in_use_is_not_checked(folder: Path) -> None:
    """A running broker's folder would change under the check."""
    store = LmdbStore(folder)
    with pytest.raises(StoreError, match="is in use by another amqpd"):
        check(folder)
    store.close()


def test_no_data_folder_is_not_checked(tmp_path: Path) -> None:
    """A check makes no folder."""
    with pytest.raises(StoreError, match="is not an amqpd data folder"):
        check(tmp_path / "nothing")
    assert [] == list(tmp_path.iterdir())


MISSING = None
LONE_CHUNK = b"stands for a chunk with one record"
FIRST = 1 << 40
"""The first sequence of the first run."""
KEY = records.key(1, 0, FIRST)
FAR = 9 << 40
DAMAGES = [
    # table, (queue, lane, offset from the first sequence), new value, what is told
    (CHUNKS, (1, 0, 0), MISSING, "marks {key} belong to no chunk"),
    (CHUNKS, (1, 0, 0), MISSING, "reference {shared} to shared body {first} belongs to no record"),
    (REFERENCES, (1, 0, 3), MISSING, "reference {shared} to shared body {first} is missing"),
    (BODIES, (0, 0, 0), MISSING, "shared body {first} is missing"),
    (BODIES, (0, 0, 0), b"\0\0\0\0shared", "shared body {first} fails its checksum"),
    (MARKS, (1, 0, 0), b"\0\0\0\0\0\0\0\0", "queue 1, lane 0, chunk {first}: marks or shared body fail"),
    (MARKS, (1, 0, 0), records.protect(KEY, b"\0"), "queue 1, lane 0, chunk {first}: 1 marks for 4 records"),
    (MARKS, (1, 0, 0), records.protect(KEY, b"\xff" * 4), "all its records are settled"),
    (MARKS, (1, 0, 9), b"", "belong to no chunk"),
    (CHUNKS, (1, 0, 2), LONE_CHUNK, "begins before the end of the chunk before it"),
    (CHUNKS, (1, 1, FAR), LONE_CHUNK, "is of a run that never was"),
]


def chunk(queue_key: bytes, sequence: int) -> bytes:
    """A chunk with one record, for this key."""
    pieces: list[bytes] = []
    Note(sequence, b"").pieces(pieces)
    return records.encode_chunk(queue_key, pieces, 1, sequence, 0)


def changed(store: MemoryStore, table: int, key: bytes, value: bytes | None) -> list[str]:
    """The problems of the store after one of its rows was changed."""

    def action(tables: Transaction) -> list[int]:
        if value is None:
            tables.delete(table, key)
        else:
            tables.put(table, key, value)
        return []

    store._messages.change(action, 0)
    return examined(store, {1}).problems


@pytest.mark.parametrize(("table", "place", "value", "problem"), DAMAGES)
def test_damage_is_named(table: int, place: tuple[int, int, int], value: bytes | None, problem: str) -> None:
    """Each inconsistency between and within the tables is told."""
    store = memory_store()
    fill(store)
    first = store.first_sequence
    sequence = first + place[2]
    key = records.pack_id(sequence) if table == BODIES else records.key(place[0], place[1], sequence)
    problems = changed(store, table, key, chunk(key, sequence) if value == LONE_CHUNK else value)
    expected = problem.format(first=first, key=key.hex(), shared=records.key(1, 0, first + 3).hex())
    assert any(expected in found for found in problems), problems


def test_a_key_that_is_none_is_named() -> None:
    """A key of another length is told with its bytes."""
    store = memory_store()
    fill(store)
    assert ["messages: key 6b6579: 3 bytes instead of 13"] == changed(store, CHUNKS, b"key", b"")


def test_a_layout_of_the_future_is_not_walked() -> None:
    """Nothing is said about what cannot be understood."""
    store = memory_store()
    fill(store)
    assert ["messages: layout 3, this program knows 2"] == changed(store, META, b"version", records.protect(b"version", b"3"))


def test_a_leftover_body_is_no_problem() -> None:
    """Between two batches a body may outlive its references; it is counted apart."""
    store = memory_store()
    fill(store)
    store.drop_queue(1)
    batch = store.close_batch()
    assert batch is not None
    store.apply(batch)
    report = examined(store, set())
    assert ([], {"leftover bodies": 1}) == (report.problems, report.counts)


def test_a_leftover_chunk_is_no_problem() -> None:
    """Between its definition's commit and its own, a deleted queue's messages outlive it; they are counted apart."""
    store = memory_store()
    fill(store)
    report = examined(store, set())
    assert ([], 2) == (report.problems, report.counts["leftover chunks"])


def test_a_flipped_bit_on_the_disk_is_found(folder: Path) -> None:
    """Wherever a stored body, header or mark changes on the disk, the check tells."""
    path = folder / "messages" / "data.mdb"
    sound = path.read_bytes()
    for text in (b"body 2", b"header", b"shared", b"last"):
        damaged = bytearray(sound)
        # LMDB keeps old versions of a page: all copies of the text are damaged.
        position = damaged.find(text)
        while position >= 0:
            damaged[position] ^= 4
            position = damaged.find(text, position + 1)
        path.write_bytes(damaged)
        assert any("checksum" in problem for problem in check(folder).problems)
    path.write_bytes(sound)
    assert [] == check(folder).problems


def test_a_destroyed_database_is_told(folder: Path) -> None:
    """Pages that LMDB cannot follow end in a report, not in a crash of the checker."""
    path = folder / "messages" / "data.mdb"
    pages = bytearray(path.read_bytes())
    pages[8192:] = b"\xff" * (len(pages) - 8192)
    path.write_bytes(pages)
    report = check(folder)
    assert [problem for problem in report.problems if problem.startswith("messages: ")]
    path.write_bytes(b"no database")
    assert [problem for problem in check(folder).problems if problem.startswith("messages: ")]


def test_damaged_definitions_are_told(folder: Path) -> None:
    """A missing, foreign or inconsistent definitions file is a problem."""
    path = folder / "definitions.sqlite"
    connection = sqlite3.connect(path)
    connection.execute(
        "INSERT INTO queues (vhost, name, id, durable, exclusive, auto_delete, arguments, type)"
        " SELECT vhost, 'other', id, durable, exclusive, auto_delete, arguments, type FROM queues"
    )
    connection.execute("UPDATE counters SET value = 1")
    connection.commit()
    connection.close()
    expected = [
        "definitions.sqlite: id 1 will be given to another queue",
        "definitions.sqlite: queues ('/', 'q') has the id 1, which another one has too",
    ]
    assert expected == check(folder).problems
    path.write_bytes(b"garbage" * 1000)
    assert "definitions.sqlite: file is not a database" == check(folder).problems[0]
    path.unlink()
    assert "definitions.sqlite: unable to open database file" == check(folder).problems[0]
