"""What only the store on disk does: grow, run out of space, survive a kill, refuse what it does not know."""

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from helpers.stores import Note, Owner, bodies, commit, examined
from persistence import records
from persistence.lmdb_store import LmdbStore
from persistence.schema import VERSION
from persistence.store import NoSpace, StoreError
from persistence.tables import META, Transaction

SMALL_MAP = 1 << 20


def fill(store: LmdbStore, count: int, size: int) -> list[Note]:
    """Put records of a size into queue 1."""
    log = store.log(1, 0, Owner())
    notes = [Note(store.first_sequence + index, bytes(size)) for index in range(count)]
    for record in notes:
        log.put(record)
    return notes


def test_the_map_grows_by_itself(tmp_path: Path) -> None:
    """More than the map holds can be written and is there after a restart, which starts with the larger map."""
    store = LmdbStore(tmp_path, SMALL_MAP)
    fill(store, 60, 100_000)
    commit(store)
    store.close()
    store = LmdbStore(tmp_path, SMALL_MAP)
    assert 60 == sum(window.count for window in store.recover({1})[1][0])
    fill(store, 60, 100_000)
    commit(store)
    assert 120 == len(bodies(store, store.log(1, 0, Owner())))
    store.close()


def test_an_action_that_overfills_the_map_is_run_again(tmp_path: Path) -> None:
    """A wrong estimate of the size costs a retry, not the batch."""
    store = LmdbStore(tmp_path, SMALL_MAP)
    runs: list[int] = []

    def action(tables: Transaction) -> list[int]:
        runs.append(1)
        tables.put(META, b"large", bytes(40_000_000))
        return []

    store._messages.change(action, 0)
    view = store._messages.view()
    assert len(runs) > 1
    assert 40_000_000 == len(view.get(META, b"large") or b"")
    view.close()
    store.close()


def test_the_map_grows_while_others_read(tmp_path: Path) -> None:
    """A reading thread and a growing map do not meet."""
    store = LmdbStore(tmp_path, SMALL_MAP)
    log = store.log(1, 0, Owner())
    fill(store, 1, 10)
    commit(store)
    found: list[int] = []

    def read() -> None:
        found.extend(len(bodies(store, log)) for _ in range(300))

    reader = threading.Thread(target=read)
    reader.start()
    for index in range(40):
        log.put(Note(store.first_sequence + 1 + index, bytes(1_000_000)))
        commit(store)
    reader.join()
    assert 300 == len(found)
    assert min(found) >= 1
    assert 41 == len(bodies(store, log))
    store.close()


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A batch that finds no space can be applied again later, with the same result."""
    store = LmdbStore(tmp_path)
    log = store.log(1, 0, Owner())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    notes = fill(store, 10, 1_000_000)
    batch = store.close_batch()
    assert batch is not None
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, hard))
    try:
        for _ in range(2):
            with pytest.raises(NoSpace, match="no space left for"):
                store.apply(batch)
        assert [] == bodies(store, log)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    store.apply(batch)
    store.committed(batch)
    assert [record.body for record in notes] == bodies(store, log)
    assert [] == examined(store, {1}).problems
    store.close()


KILLED = """
import sys
from pathlib import Path
from helpers.stores import Note, Owner
from persistence.lmdb_store import LmdbStore

store = LmdbStore(Path(sys.argv[1]))
store.recover({1, 2})
logs = [store.log(queue_id, 0, Owner()) for queue_id in (1, 2)]
sequence = store.first_sequence
before = []
while True:
    body_id = store.share(bytes(3000))
    for log in logs:
        notes = [Note(sequence + index, bytes(index * 10)) for index in range(50)]
        for note in notes:
            log.put(note)
        shared = Note(sequence + 50, bytes(3000), body_id)
        store.retain(log, shared)
        log.put(shared)
        before.append((log, [*notes[::2], shared]))
    sequence += 51
    for log, notes in before[:-2]:
        for note in notes:
            log.settle(note)
    before = before[-2:]
    batch = store.close_batch()
    store.apply(batch)
    store.committed(batch)
    print(batch.number, flush=True)
"""


def test_a_killed_process_leaves_whole_batches(tmp_path: Path) -> None:
    """Invariants 1 and 7: what a process reported as applied is there when it was killed, and nothing is torn."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    left = 0
    for reports in (1, 3, 8, 20):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, env=environment
        ) as process:
            assert process.stdout is not None
            for _ in range(reports):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            applied = reports + len(process.stdout.read().splitlines())
        store = LmdbStore(tmp_path)
        windows = store.recover({1, 2})
        assert [] == examined(store, {1, 2}).problems
        found = [sum(window.count for window in windows[queue_id][0]) for queue_id in (1, 2)]
        # A batch adds 51 records to each queue and settles 26 of the one before; one more may have been applied.
        assert found in [[left + 25 * batches + 26] * 2 for batches in (applied, applied + 1)]
        left = found[0]
        store.close()


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    """A store that a later program wrote is not touched, and the error says so."""
    store = LmdbStore(tmp_path)
    store._messages.change(newer, 0)
    store.close()
    for _ in range(2):
        with pytest.raises(StoreError, match=rf"written by a newer amqpd \(layout {VERSION + 1}, this one knows {VERSION}\)"):
            LmdbStore(tmp_path)


def newer(tables: Transaction) -> list[int]:
    """Make the layout one of the future."""
    tables.put(META, b"version", records.protect(b"version", str(VERSION + 1).encode()))
    return []


def test_the_spill_is_empty_at_start(tmp_path: Path) -> None:
    """What was spilled in an earlier run takes no space."""
    store = LmdbStore(tmp_path)
    log = store.log(1, 0, Owner())
    log.spill(Note(store.first_sequence, bytes(1_000_000)))
    commit(store)
    assert (tmp_path / "spill" / "data.mdb").stat().st_size > 1_000_000
    store.close()
    store = LmdbStore(tmp_path)
    assert (tmp_path / "spill" / "data.mdb").stat().st_size < 100_000
    store.close()
