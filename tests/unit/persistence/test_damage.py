"""Stored values that are damaged are told of, and all else is served."""

import pytest

from helpers.stores import Note, Owner, Place, bodies, commit, opened, put, put_shared, stored
from persistence import records
from persistence.chunk_store import ChunkStore
from persistence.tables import BODIES, CHUNKS, MARKS, REFERENCES, WHOLE, Transaction


@pytest.mark.parametrize(
    ("table", "left"),
    [(CHUNKS, [b"last"]), (MARKS, [b"a", b"b", b"shared", b"last"]), (BODIES, [b"b", b"last"])],
)
def test_damage_is_named_and_the_rest_is_read(store: ChunkStore, table: int, left: list[bytes]) -> None:
    """A damaged chunk or body is passed over, and damaged marks make a chunk's records come back."""
    log = opened(store)
    notes = put(log, b"a", b"b")
    put_shared(store, log, Note(store.first_sequence + 2, b"shared", store.share(b"shared")))
    commit(store)
    log.settle(notes[0])
    commit(store)
    put(log, b"last", after=9)
    commit(store)
    damage(store, table)
    assert left == bodies(store, log)
    assert [True] == [text.startswith(f"queue 1, lane 0, chunk {store.first_sequence}") for text in store.damages]


@pytest.mark.parametrize("table", [CHUNKS, MARKS, REFERENCES])
def test_a_start_tells_of_damage_and_deletes_nothing_for_it(place: Place, table: int) -> None:
    """A value that is damaged does not keep the store from starting, nor is anything lost that it referred to."""
    log = opened(place.store)
    note = put_shared(place.store, log, Note(place.store.first_sequence, b"shared", place.store.share(b"shared")))
    other = put_shared(place.store, log, Note(note.sequence + 1, b"shared", note.body_id))
    commit(place.store)
    place.store.log(1, 0, Owner()).settle(other)
    commit(place.store)
    damage(place.store, table)
    store = place.reopen()
    known = set() if table == CHUNKS else {1}
    store.recover(known)
    assert 1 == len(store.damages)
    commit(store)
    assert [1, 1] == [len(stored(store, kept)) for kept in (CHUNKS, BODIES)]


def damage(store: ChunkStore, table: int) -> None:
    """Change the last byte of the first value of a table."""

    def action(tables: Transaction) -> list[int]:
        key, value = next(tables.range(table, b"\0", records.LAST_KEY, WHOLE))
        tables.put(table, key, value[:-1] + bytes([value[-1] ^ 1]))
        return []

    store._messages.change(action, 0)
