"""`amqpd compact`: a data folder as small as what it holds."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from helpers.stores import Note, Owner, bodies, commit
from persistence.compaction import COPY, compact
from persistence.data_folder import DEFINITIONS, MESSAGES, SPILL
from persistence.lmdb_env import DATABASE
from persistence.lmdb_store import LmdbStore
from persistence.store import Log, StoreError

BODY = bytes(100_000)


def put(store: LmdbStore, log: Log, count: int, first: int = 0) -> list[Note]:
    """Commit so many large records."""
    notes = [Note(store.first_sequence + first + index, BODY) for index in range(count)]
    for record in notes:
        log.put(record)
    commit(store)
    return notes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that once held a hundred records and holds two."""
    store = LmdbStore(tmp_path)
    log = store.log(1, 0, Owner())
    for record in put(store, log, 100)[2:]:
        log.settle(record)
    commit(store)
    store.close()
    with closing(sqlite3.connect(tmp_path / DEFINITIONS)) as definitions:
        definitions.execute("CREATE TABLE queues (id INTEGER)")
    return tmp_path


def test_what_is_left_fits_into_small_files(folder: Path) -> None:
    """The figures are those of the disk; every live record is there afterwards, and the store goes on."""
    (folder / COPY).mkdir()  # An earlier compaction was interrupted.
    before, after = compact(folder)
    assert before > 9_000_000
    assert after < 2_000_000
    assert not (folder / SPILL).exists()
    assert not (folder / COPY).exists()
    store = LmdbStore(folder)
    assert 2 == sum(window.count for window in store.recover({1})[1][0])
    log = store.log(1, 0, Owner())
    put(store, log, 3)
    store.close()
    store = LmdbStore(folder)
    assert [BODY] * 5 == bodies(store, store.log(1, 0, Owner()))
    store.close()


def test_a_folder_in_use_is_refused(folder: Path) -> None:
    """While a broker has the folder, nothing is touched."""
    store = LmdbStore(folder)
    with pytest.raises(StoreError, match="in use"):
        compact(folder)
    store.close()


def test_a_copy_that_cannot_be_made_leaves_the_original(folder: Path) -> None:
    """A broken original is reported and stays."""
    file = folder / MESSAGES / DATABASE
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="cannot compact"):
        compact(folder)
    assert b"no database" * 1000 == file.read_bytes()


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """Nothing is made of a folder that is none of ours."""
    with pytest.raises(StoreError, match="not an amqpd data folder"):
        compact(tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_what_a_compaction_would_give_back_is_known_before(folder: Path) -> None:
    """The store tells how much of its files is in use: about what is left of them afterwards."""
    store = LmdbStore(folder)
    usage = store.usage()
    store.close()
    compact(folder)
    assert usage.file_bytes > 9_000_000
    assert usage.bytes_in_use < 500_000
    assert abs((folder / MESSAGES / DATABASE).stat().st_size - usage.bytes_in_use) < 100_000


def test_pages_of_settled_records_are_filled_again(tmp_path: Path) -> None:
    """Ten times as much as ever lies in the store goes through it, and the file stays as it was after the second time."""
    store = LmdbStore(tmp_path)
    log = store.log(1, 0, Owner())
    sizes = []
    for turn in range(10):
        notes = put(store, log, 20, 20 * turn)
        for record in notes:
            log.settle(record)
        commit(store)
        sizes.append(store.usage().file_bytes)
    store.close()
    assert sizes[-1] <= 1.01 * sizes[2]
