"""What both stores promise; the numbers are those of the invariants of `persistence.store`."""

import pytest

from helpers.stores import (
    Note,
    Owner,
    Place,
    bodies,
    commit,
    everything,
    examined,
    note,
    opened,
    put,
    put_shared,
    recovered,
    stored,
)
from persistence.chunk_store import ChunkStore
from persistence.store import CHUNK_BYTES, CHUNK_RECORDS, StoreError, Window
from persistence.tables import BODIES, CHUNKS, MARKS, REFERENCES


def test_a_batch_survives_a_restart_only_if_it_was_applied(place: Place) -> None:
    """Invariants 1 and 7: what was closed but not applied is lost, what was applied is there."""
    log = opened(place.store)
    put(log, b"applied")
    batch = place.store.close_batch()
    put(log, b"closed", after=1)
    assert place.store.close_batch() is not None
    assert batch is not None
    place.store.apply(batch)
    assert [b"applied"] == recovered(place.reopen())


def test_numbers_grow_with_every_batch(store: ChunkStore) -> None:
    """A batch has the number that was open while it filled; an empty one has a number too."""
    assert store.close_batch() is None
    put(opened(store), b"a")
    number = store.open_number
    batch = store.close_batch()
    assert batch is not None
    assert (number, number + 1) == (batch.number, store.open_number)


def test_a_record_settled_before_its_batch_is_closed_is_never_written(store: ChunkStore) -> None:
    """Invariant 3: such a batch is empty."""
    log = opened(store)
    log.settle(put(log, b"gone")[0])
    assert store.has_work()
    assert store.close_batch() is None
    assert not store.has_work()


def test_a_settled_record_does_not_come_back(place: Place) -> None:
    """Invariant 4: after the commit, a record that was settled is not read, those beside it are."""
    log = opened(place.store)
    notes = put(log, b"a", b"b", b"c")
    commit(place.store)
    log.settle(notes[1])
    commit(place.store)
    assert [b"a", b"c"] == bodies(place.store, log)
    assert [b"a", b"c"] == recovered(place.reopen())


def test_a_settled_chunk_leaves_nothing(store: ChunkStore) -> None:
    """The last settle of a chunk deletes it and its marks."""
    log = opened(store)
    notes = put(log, b"a", b"b")
    commit(store)
    log.settle(notes[0])
    commit(store)
    assert 1 == len(stored(store, MARKS))
    log.settle(notes[1])
    commit(store)
    assert [[], []] == [stored(store, CHUNKS), stored(store, MARKS)]


def test_a_chunk_may_be_settled_while_its_batch_is_on_its_way(store: ChunkStore) -> None:
    """Invariant 2: the delete belongs to the next batch and is written after the put."""
    log = opened(store)
    notes = put(log, b"a")
    first = store.close_batch()
    log.settle(notes[0])
    second = store.close_batch()
    for batch in (first, second):
        assert batch is not None
        store.apply(batch)
        store.committed(batch)
    assert [] == stored(store, CHUNKS)


def test_sequences_of_a_restart_are_new(place: Place) -> None:
    """Invariant 5: a run's sequences are larger than any of an earlier run, even if nothing was committed."""
    before = place.store.first_sequence
    assert before + (1 << 40) <= place.reopen().first_sequence


def test_returns_are_remembered(place: Place) -> None:
    """A record's count of returns survives and stops at 254."""
    log = opened(place.store)
    notes = put(log, b"a", b"b", b"c")
    commit(place.store)
    log.returned(notes[1], 3)
    log.returned(notes[2], 300)
    commit(place.store)
    store = place.reopen()
    window = store.recover({1})[1][0][0]
    assert [0, 3, 254] == [one.returns for one in store.read(opened(store), window)]


def test_returns_before_the_batch_are_remembered(place: Place) -> None:
    """What came back before it was written has its count from the beginning."""
    log = opened(place.store)
    notes = put(log, b"a", b"b")
    log.returned(notes[1], 2)
    commit(place.store)
    store = place.reopen()
    window = store.recover({1})[1][0][0]
    assert [0, 2] == [one.returns for one in store.read(opened(store), window)]


def test_owners_are_told_once_a_batch(store: ChunkStore) -> None:
    """A log's owner hears of a commit when its records are durable, or what became of them."""
    owner = Owner()
    log = store.log(1, 0, owner)
    notes = put(log, b"a")
    batch = store.close_batch()
    assert batch is not None
    chunk = notes[0].chunk
    assert chunk is not None
    store.apply(batch)
    assert ([], False) == (owner.told, chunk.durable)
    store.committed(batch)
    assert ([1], True) == (owner.told, chunk.durable)
    log.settle(notes[0])
    commit(store)
    assert [1, 1] == owner.told


def test_chunks_are_cut_by_count(store: ChunkStore) -> None:
    """A chunk has at most CHUNK_RECORDS records."""
    log = opened(store)
    notes = put(log, *[b"x"] * (CHUNK_RECORDS + 1))
    commit(store)
    chunks = [record.chunk for record in notes]
    assert chunks[0] is chunks[CHUNK_RECORDS - 1]
    assert chunks[0] is not chunks[CHUNK_RECORDS]
    assert (CHUNK_RECORDS - 1, 0) == (notes[-2].slot, notes[-1].slot)


def test_a_large_record_has_a_chunk_of_its_own(store: ChunkStore) -> None:
    """A record beyond CHUNK_BYTES shares its chunk with none, before or after."""
    log = opened(store)
    notes = put(log, b"small", bytes(CHUNK_BYTES), b"small")
    commit(store)
    assert 3 == len({id(record.chunk) for record in notes})
    assert [b"small", bytes(CHUNK_BYTES), b"small"] == bodies(store, log)


def test_a_window_is_read_with_marks_that_wait(store: ChunkStore) -> None:
    """Marks in the open batch, or in one that was not written yet, count as if they were stored."""
    log = opened(store)
    notes = put(log, b"a", b"b", b"c")
    commit(store)
    log.settle(notes[0])
    batch = store.close_batch()
    assert [b"b", b"c"] == bodies(store, log)
    log.settle(notes[1])
    assert [b"c"] == bodies(store, log)
    assert batch is not None
    store.apply(batch)
    store.committed(batch)
    assert [b"c"] == bodies(store, log)
    assert [] == bodies(store, opened(store, 2))


def test_records_read_back_can_be_settled(store: ChunkStore) -> None:
    """Invariant 6: a window's records have a chunk of their own, durable, with the stored marks."""
    log = opened(store)
    notes = put(log, b"a", b"b")
    commit(store)
    log.settle(notes[0])
    commit(store)
    again = [note(one) for one in store.read(log, everything(store))]
    chunk = again[0].chunk
    assert chunk is not None
    assert (True, 1, False) == (chunk.durable, chunk.live, chunk is notes[0].chunk)
    log.settle(again[0])
    commit(store)
    assert [] == stored(store, CHUNKS)


def test_spilled_records_are_read_in_order_and_lost_at_a_restart(place: Place) -> None:
    """A window merges stored and spilled records by sequence; the spill does not survive."""
    store = place.store
    log = opened(store)
    first = store.first_sequence
    for index, text in enumerate([b"0", b"1", b"2", b"3"]):
        (log.spill if index % 2 else log.put)(Note(first + index, text))
    commit(store)
    assert [b"0", b"1", b"2", b"3"] == bodies(store, log)
    found = store.read(log, everything(store))
    assert [False, True, False, True] == [one.chunk.spilled for one in found]
    log.settle(note(found[1]))
    commit(store)
    assert [b"0", b"2", b"3"] == bodies(store, log)
    assert [b"0", b"2"] == recovered(place.reopen())


def test_discard_deletes_stored_and_spilled_records(store: ChunkStore) -> None:
    """Purged records are gone, those outside the window are not."""
    log = opened(store)
    put(log, b"0")
    commit(store)
    log.spill(Note(store.first_sequence + 1, b"1"))
    commit(store)
    put(log, b"2", after=2)
    commit(store)
    store.discard(log, Window(store.first_sequence, store.first_sequence + 1, 2, 2))
    commit(store)
    assert [b"2"] == bodies(store, log)


def test_a_dropped_queue_leaves_nothing(place: Place) -> None:
    """Everything of a dropped queue goes: stored, spilled, shared, pending, and what is settled afterwards."""
    store = place.store
    log, other = opened(store), opened(store, 2)
    first = store.first_sequence
    body_id = store.share(b"shared")
    notes = put(log, b"a", b"b")
    shared = put_shared(store, log, Note(first + 2, b"shared", body_id))
    put_shared(store, other, Note(first, b"shared", body_id))
    log.spill(Note(first + 3, b"spilled"))
    commit(store)
    log.settle(notes[0])
    put_shared(store, log, Note(first + 4, b"shared", body_id))
    log.spill(Note(first + 5, b"spilled"))
    store.drop_queue(1)
    log.settle(shared)
    put_shared(store, log, Note(first + 6, b"shared", body_id))
    commit(store)
    log.returned(notes[1], 1)
    commit(store)
    assert ([], [b"shared"]) == (bodies(store, log), bodies(store, other))
    assert ([], {"chunks": 1, "messages": 1, "references": 1, "shared bodies": 1}) == (
        examined(store, {2}).problems,
        examined(store, {2}).counts,
    )
    store.drop_queue(2)
    commit(store)
    assert [[], [], []] == [stored(store, table) for table in (CHUNKS, REFERENCES, BODIES)]


def test_dropping_a_queue_that_wrote_nothing_writes_nothing(store: ChunkStore) -> None:
    """Short-lived queues without stored messages cost the disk nothing."""
    log = opened(store)
    put(log, b"pending")
    log.spill(Note(store.first_sequence + 1, b"pending"))
    store.drop_queue(1)
    store.drop_queue(2)
    assert store.close_batch() is None


def test_a_recovered_queue_can_be_dropped(place: Place) -> None:
    """A queue whose messages are of an earlier run goes like any other."""
    put(opened(place.store), b"a")
    commit(place.store)
    store = place.reopen()
    store.recover({1})
    store.drop_queue(1)
    commit(store)
    assert [] == stored(store, CHUNKS)


def test_a_shared_body_is_stored_once(place: Place) -> None:
    """A body is written once for several queues, found by each, counted over a restart and deleted with its last."""
    store = place.store
    body_id = store.share(b"shared")
    logs = [opened(store, queue_id) for queue_id in (1, 2, 3)]
    for log in logs:
        put_shared(store, log, Note(store.first_sequence, b"shared", body_id))
    logs[2].settle(logs[2].pending[0])
    commit(store)
    assert (2, 1) == (len(stored(store, REFERENCES)), len(stored(store, BODIES)))
    store = place.reopen()
    store.recover({1, 2})
    for queue_id in (1, 2):
        log = opened(store, queue_id)
        (found,) = store.read(log, everything(store))
        assert (b"shared", body_id) == (found.body, found.body_id)
        assert 1 == len(stored(store, BODIES))
        log.settle(note(found))
        commit(store)
    assert [[], []] == [stored(store, REFERENCES), stored(store, BODIES)]


def test_a_shared_body_that_is_gone_cannot_be_retained(store: ChunkStore) -> None:
    """A reference to nothing is refused when it is made, not when it is read."""
    with pytest.raises(StoreError, match="shared body 77 is gone"):
        store.retain(opened(store), Note(store.first_sequence, b"", 77))
