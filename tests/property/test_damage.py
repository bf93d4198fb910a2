"""Whatever bit of a stored row is flipped, in its key or value, it is told of and the rest is served."""

import random
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from helpers.stores import Note, Owner, commit, put_shared
from persistence.memory import MemoryStore, MemoryTables, memory_store
from persistence.store import StoreError
from persistence.tables import BODIES, CHUNKS, LAST_KEY, MARKS, META, REFERENCES, WHOLE, Transaction

QUEUES = {1, 2}
SHARED = b"shared" * 50


@cache
def sound() -> tuple[MemoryTables, dict[int, list[bytes]]]:
    """Tables with something of everything, and the bodies in them by queue."""
    store = memory_store()
    held: dict[int, list[bytes]] = {}
    body_id = store.share(SHARED)
    first = store.first_sequence
    for queue_id in QUEUES:
        log = store.log(queue_id, 0, Owner())
        notes = [Note(first + at, b"%d/%d" % (queue_id, at)) for at in range(6)]
        for note in notes[:4]:
            log.put(note)
        put_shared(store, log, Note(first + 9, SHARED, body_id))
        commit(store)
        log.settle(notes[1])
        for note in notes[4:]:
            note.sequence += 10
            log.put(note)
        commit(store)
        held[queue_id] = [b"%d/%d" % (queue_id, at) for at in (0, 2, 3)] + [SHARED]
        held[queue_id] += [b"%d/%d" % (queue_id, at) for at in (4, 5)]
    return store._survivors, held


def copied(tables: MemoryTables) -> MemoryTables:
    """The same rows in other tables."""
    copy = MemoryTables()
    for rows, originals in zip(copy._rows, tables._rows, strict=True):
        rows.update(originals)
    return copy


@given(st.sampled_from([CHUNKS, MARKS, REFERENCES, BODIES, META]), st.randoms(use_true_random=False))
def test_no_flipped_bit_goes_unseen(table: int, chance: random.Random) -> None:
    """The store refuses to start, or tells of the damage and serves all that is sound, or the bit did not matter."""
    tables, held = sound()
    tables = copied(tables)

    def flip(rows: Transaction) -> list[int]:
        key, value = chance.choice(list(rows.range(table, b"\0", LAST_KEY, WHOLE)))
        row = bytearray(key + value)
        at = chance.randrange(len(row) * 8)
        row[at // 8] ^= 1 << at % 8
        rows.delete(table, key)
        rows.put(table, bytes(row[: len(key)]), bytes(row[len(key) :]))
        return []

    tables.change(flip, 0)
    try:
        store = MemoryStore(tables)
        found = read(store)
    except StoreError:
        return
    assert store.damages or found == held
    for queue_id, bodies in found.items():
        settled = {b"%d/1" % queue_id}
        assert set(bodies) <= set(held[queue_id]) | (settled if table == MARKS else set())


def read(store: MemoryStore) -> dict[int, list[bytes]]:
    """The bodies that can be read, by queue."""
    found: dict[int, list[bytes]] = {}
    for queue_id, lanes in store.recover(QUEUES).items():
        for lane, windows in lanes.items():
            log = store.log(queue_id, lane, Owner())
            for window in windows:
                found.setdefault(queue_id, []).extend(record.body for record in store.read(log, window))
    return found
