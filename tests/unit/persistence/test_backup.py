import subprocess
import sys
from pathlib import Path

import pytest

from helpers.stores import Note, Owner, commit, define, durable_queue
from persistence import rows
from persistence.backup import back_up, restore
from persistence.check import check
from persistence.lmdb_store import LmdbStore
from persistence.store import StoreError


def no_progress(_done: int, _total: int) -> None:
    """Nobody looks on."""


def filled(folder: Path, bodies: int) -> LmdbStore:
    """An open store in the folder, with messages in queue 1."""
    store = LmdbStore(folder)
    define(folder, rows.VHost("/"), durable_queue("queue"))
    log = store.log(1, 0, Owner())
    for number in range(bodies):
        log.put(Note(store.first_sequence + number, bytes(1000)))
    commit(store)
    return store


def test_a_folder_is_copied(tmp_path: Path) -> None:
    """What is committed is in the copy, free pages are not, and the progress ends where it said that it would."""
    store = filled(tmp_path / "data", 3000)
    store.discard(store.log(1, 0, Owner()), store.recover({1})[1][0][1])
    commit(store)
    store.close()
    told: list[tuple[int, int]] = []
    back_up(tmp_path / "data", tmp_path / "copy", lambda done, total: told.append((done, total)))
    copied = (tmp_path / "copy" / "messages" / "data.mdb").stat().st_size
    assert check(tmp_path / "data").counts == check(tmp_path / "copy").counts
    assert copied < (tmp_path / "data" / "messages" / "data.mdb").stat().st_size
    assert told[-1][0] == told[-1][1] == pytest.approx(copied, abs=3 * 4096)


def test_a_target_must_be_empty(tmp_path: Path) -> None:
    """Nothing is ever written into a folder that holds something."""
    filled(tmp_path / "data", 1).close()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "file").touch()
    with pytest.raises(StoreError, match="copy is not empty"):
        back_up(tmp_path / "data", tmp_path / "copy", no_progress)
    assert ["file"] == [path.name for path in (tmp_path / "copy").iterdir()]


def test_a_source_must_be_a_data_folder(tmp_path: Path) -> None:
    """Something else is refused, and no target is made of it."""
    with pytest.raises(StoreError, match="is not an amqpd data folder"):
        back_up(tmp_path, tmp_path / "copy", no_progress)
    assert not (tmp_path / "copy").exists()


def test_a_copy_that_failed_is_no_data_folder(tmp_path: Path) -> None:
    """What was not copied to its end is taken for none."""
    filled(tmp_path / "data", 1).close()
    (tmp_path / "data" / "messages" / "data.mdb").write_bytes(b"no database")
    with pytest.raises(StoreError, match="cannot copy"):
        back_up(tmp_path / "data", tmp_path / "copy", no_progress)
    with pytest.raises(StoreError, match="is not an amqpd data folder"):
        check(tmp_path / "copy")


@pytest.mark.parametrize("octets", [5, 3 * 4096])
def test_a_backup_that_was_cut_short_is_not_restored(octets: int, tmp_path: Path) -> None:
    """It is told of, wherever it ends."""
    filled(tmp_path / "data", 5000).close()
    with (tmp_path / "data" / "messages" / "data.mdb").open("r+b") as file:
        file.truncate(octets)
    with pytest.raises(StoreError, match="cannot restore"):
        restore(tmp_path / "data", tmp_path / "copy", no_progress)
    assert not (tmp_path / "copy").exists()


def test_a_backup_of_a_backup(tmp_path: Path) -> None:
    """A copy can be copied: nothing is missing that only a broker would make."""
    filled(tmp_path / "data", 10).close()
    back_up(tmp_path / "data", tmp_path / "copy", no_progress)
    back_up(tmp_path / "copy", tmp_path / "again", no_progress)
    assert [] == check(tmp_path / "again").problems


READER = "import sys, lmdb; held = lmdb.open(sys.argv[1], readonly=True).begin(); print(1, flush=True); sys.stdin.read()"


def test_a_killed_backup_does_not_hold_pages_for_ever(tmp_path: Path) -> None:
    """The broker forgets readers whose process is gone."""
    store = LmdbStore(tmp_path / "data")
    command = [sys.executable, "-c", READER, str(tmp_path / "data" / "messages")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        before = store._disk._environment.readers()
        reader.kill()
    store._disk._room = 0
    log = store.log(1, 0, Owner())
    log.put(Note(store.first_sequence, b""))
    commit(store)
    store._logged.settle()
    after = store._disk._environment.readers()
    store.close()
    assert (True, False) == (str(reader.pid) in before, str(reader.pid) in after)
