"""The pages that say where everything is are looked at before LMDB trusts them."""

import os
from contextlib import closing
from pathlib import Path

import lmdb
import pytest

from helpers.stores import Note, Owner, commit
from persistence import meta_pages
from persistence.lmdb_store import LmdbStore
from persistence.store import Corrupt, StoreError

PAGE = 4096
TRANSACTION = 16 + 24 + 2 * 48 + 8
"""Where the transaction number stands in each page."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database of several commits."""
    store = LmdbStore(tmp_path / "data")
    log = store.log(1, 0, Owner())
    for number in range(4):
        log.put(Note(store.first_sequence + number, bytes(9000)))
        commit(store)
    store.close()
    return tmp_path / "data" / "messages" / "data.mdb"


def test_sound_pages_pass(database: Path, tmp_path: Path) -> None:
    """So do a file that is not there, and one that nothing was written to."""
    meta_pages.examine(database)
    meta_pages.examine(tmp_path / "missing")
    (tmp_path / "empty").touch()
    meta_pages.examine(tmp_path / "empty")


def test_hardly_a_flipped_bit_brings_an_older_state_back(database: Path) -> None:
    """Whatever bit but one of a transaction number is flipped, the file is refused."""
    sound = database.read_bytes()
    for page in (0, 1):
        for bit in range(64):
            if bit == 1:  # This one can make a number that follows the other one, too.
                continue
            data = bytearray(sound)
            data[page * PAGE + TRANSACTION + bit // 8] ^= 1 << bit % 8
            database.write_bytes(data)
            with pytest.raises(Corrupt, match="do not follow each other"):
                meta_pages.examine(database)


@pytest.mark.parametrize(("length", "text"), [(100, "cut short"), (PAGE + 10, "cut short"), (4 * PAGE, "but there were")])
def test_a_file_that_was_cut_is_refused(database: Path, length: int, text: str) -> None:
    """Also where its first pages are whole: reading on would end the process."""
    database.write_bytes(database.read_bytes()[:length])
    with pytest.raises(Corrupt, match=text):
        meta_pages.examine(database)


def test_another_file_is_refused(database: Path) -> None:
    """A file of something else is no database."""
    database.write_bytes(b"nonsense" * PAGE)
    with pytest.raises(Corrupt, match="page"):
        meta_pages.examine(database)


def test_a_database_without_its_tables_is_refused(tmp_path: Path) -> None:
    """They are never made anew: that would look like an empty broker."""
    folder = tmp_path / "data"
    LmdbStore(folder).close()
    with lmdb.open(str(folder / "messages"), max_dbs=9) as environment:
        chunks = environment.open_db(b"chunks")
        with environment.begin(write=True) as transaction:
            transaction.drop(chunks)
    with pytest.raises(StoreError, match="cannot open"):
        LmdbStore(folder)


@pytest.mark.parametrize("freed", [0, 1000], ids=["short lists", "long lists"])
def test_a_file_may_end_before_pages_that_nothing_uses(tmp_path: Path, freed: int) -> None:
    """What one transaction took and gave back was never written; it is no damage that it is not there."""
    path = tmp_path / "data.mdb"
    with closing(lmdb.open(str(tmp_path), map_size=1 << 26)) as environment:
        for value in (bytes(3 * PAGE), *[None] * 5):  # Some free pages are old enough to be used again.
            with environment.begin(write=True) as transaction:
                transaction.put(b"kept", bytes(PAGE))
                for number in range(freed):
                    if value is None:
                        transaction.delete(b"%04d" % number)
                    else:
                        transaction.put(b"%04d" % number, value)
        with environment.begin(write=True) as transaction:
            transaction.put(b"taken", bytes(5000 * PAGE))
            transaction.delete(b"taken")
        last_page = environment.info()["last_pgno"]
    assert path.stat().st_size // PAGE <= last_page
    meta_pages.examine(path)
    os.truncate(path, 2 * PAGE)
    with pytest.raises(Corrupt, match="but there were"):
        meta_pages.examine(path)
