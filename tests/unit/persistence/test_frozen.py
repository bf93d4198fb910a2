import random
from pathlib import Path

import pytest

from helpers.stores import Note, Owner, bodies, commit
from helpers.table_steps import KEYS, Steps, count, got, rows
from persistence.data_folder import DEFINITIONS, open_existing_data_folder
from persistence.frozen import FrozenStore, FrozenTables
from persistence.layer import Layer
from persistence.lmdb_store import LmdbStore
from persistence.memory import MemoryTables
from persistence.store import StoreError
from persistence.tables import BODIES, CHUNKS, Tables


@pytest.mark.parametrize("seed", range(20))
def test_the_layer_behaves_like_tables(seed: int) -> None:
    """Whatever is done over frozen tables is seen as if it was done to them, and they stay as they were."""
    beneath, plain = MemoryTables(), MemoryTables()
    for tables in (beneath, plain):
        tables.change(Steps(random.Random(seed)).run, 0)
    before = rows(beneath)
    frozen = FrozenTables(beneath, Layer())
    both: tuple[Tables, Tables] = (frozen, plain)
    for layered in both:
        layered.change(Steps(random.Random(-seed - 1)).run, 0)
    assert (rows(plain), rows(plain, 3), count(plain)) == (rows(frozen), rows(frozen, 3), count(frozen))
    for key in KEYS:
        for table in (CHUNKS, BODIES):
            assert got(plain, table, key) == got(frozen, table, key)
    assert before == rows(beneath)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with messages of many queues in one batch, which are stored together."""
    store = LmdbStore(tmp_path / "data")
    for queue_id in range(1, 20):
        store.log(queue_id, 0, Owner()).put(Note(store.first_sequence + queue_id, b"%d" % queue_id))
    commit(store)
    store.close()
    (tmp_path / "data" / DEFINITIONS).touch()
    return tmp_path / "data"


def test_messages_are_found_however_they_lie(folder: Path) -> None:
    """What a usual start would move to another place is found, and is where it was afterwards."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    store = FrozenStore(folder)
    windows = store.recover(set(range(1, 20)))
    assert [b"7"] == bodies(store, store.log(7, 0, Owner()))
    store.close()
    assert list(range(1, 20)) == sorted(windows)
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_folder_is_locked(folder: Path) -> None:
    """Nobody changes what is shown."""
    store = FrozenStore(folder)
    with pytest.raises(StoreError, match="is in use"):
        open_existing_data_folder(folder)
    store.close()
    open_existing_data_folder(folder).close()
