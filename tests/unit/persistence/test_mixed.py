"""Records of many queues in one chunk: stored together, and never taken for each other's."""

import pytest

from helpers.stores import Note, Owner, Place, bodies, commit, everything, examined, put_shared
from persistence import mixed, records
from persistence.chunk_store import ChunkStore
from persistence.mixed import FEW_RECORDS, MANY_LOGS, MIXED, Mixer
from persistence.store import Log, Store
from persistence.tables import CHUNKS, MARKS, WHOLE, Changes, Transaction

QUEUES = range(1, 2 * MANY_LOGS + 1)


class Queues:
    """Logs of many queues, and their records in the order of their coming."""

    def __init__(self, store: ChunkStore) -> None:
        self.store = store
        self.logs = {queue_id: store.log(queue_id, 0, Owner()) for queue_id in QUEUES}
        self.notes: dict[int, list[Note]] = {queue_id: [] for queue_id in QUEUES}
        self._next = store.first_sequence

    def put(self, queue_id: int, count: int = 1) -> None:
        """Put records into one queue, each of which says whose it is."""
        for _ in range(count):
            self._next += 1
            record = Note(self._next, b"%d of queue %d" % (len(self.notes[queue_id]), queue_id))
            self.logs[queue_id].put(record)
            self.notes[queue_id].append(record)

    def put_in_all(self) -> None:
        """Commit one record in each queue."""
        for queue_id in QUEUES:
            self.put(queue_id)
        commit(self.store)

    def bodies(self, queue_id: int) -> list[bytes]:
        """What should be found of a queue."""
        return [record.body for record in self.notes[queue_id] if not record.settled]


@pytest.fixture
def queues(place: Place) -> Queues:
    """Many queues in a new store."""
    return Queues(place.store)


def chunks_of(store: ChunkStore, queue_id: int) -> list[bytes]:
    """The keys of a queue's chunks, or of the mixed ones."""
    view = store._messages.view()
    try:
        return [key for key, _ in view.range(CHUNKS, *records.queue_keys(queue_id), WHOLE)]
    finally:
        view.close()


def cut_short(store: ChunkStore, table: int, key: bytes) -> None:
    """Take the last byte of a value away."""

    def action(tables: Transaction) -> list[int]:
        tables.put(table, key, (tables.get(table, key) or b"")[:-1])
        return []

    store._messages.change(action, 0)


def restarted(place: Place) -> dict[int, list[bytes]]:
    """The bodies in each queue after the program ended without notice and began again."""
    store = place.reopen()
    store.recover(set(QUEUES))
    return {queue_id: bodies(store, store.log(queue_id, 0, Owner())) for queue_id in QUEUES}


def test_many_queues_with_few_records_share_a_chunk(place: Place, queues: Queues) -> None:
    """One value holds all of them, whoever owns them hears of the commit, and a start finds each in its queue, once."""
    queues.put_in_all()
    assert 1 == len(chunks_of(place.store, MIXED))
    assert [] == chunks_of(place.store, 1)
    assert all([queue_id] == log.owner.told for queue_id, log in queues.logs.items() if isinstance(log.owner, Owner))
    for _ in range(2):
        assert {queue_id: queues.bodies(queue_id) for queue_id in QUEUES} == restarted(place)
        assert [] == chunks_of(place.store, MIXED)
        assert [] == examined(place.store, set(QUEUES)).problems


def test_few_queues_do_not_share(place: Place, queues: Queues) -> None:
    """A chunk of its own can be put away without being moved first."""
    for queue_id in range(1, MANY_LOGS):
        queues.put(queue_id)
    commit(place.store)
    assert [] == chunks_of(place.store, MIXED)


def test_a_queue_with_more_records_has_its_own(place: Place, queues: Queues) -> None:
    """Whoever fills a chunk halfway well needs no company."""
    queues.put(1, FEW_RECORDS + 1)
    queues.put_in_all()
    assert (1, 0) == (len(chunks_of(place.store, 1)), len(chunks_of(place.store, 2)))


def test_records_with_shared_bodies_stay_out(place: Place, queues: Queues) -> None:
    """Their references are deleted with the chunks of their queue."""
    body_id = place.store.share(b"body")
    for log in queues.logs.values():
        put_shared(place.store, log, Note(place.store.first_sequence, b"body", body_id))
    commit(place.store)
    assert [] == chunks_of(place.store, MIXED)


def test_what_became_of_records_survives(place: Place, queues: Queues) -> None:
    """Settled records do not come back, and returns are counted on."""
    queues.put_in_all()
    for queue_id in (1, 3):
        queues.logs[queue_id].settle(queues.notes[queue_id][0])
    queues.logs[2].returned(queues.notes[2][0], 5)
    commit(place.store)
    assert {queue_id: queues.bodies(queue_id) for queue_id in QUEUES} == restarted(place)
    log = place.store.log(2, 0, Owner())
    window = place.store.recover(set(QUEUES))[2][0][0]
    assert [5] == [stored.returns for stored in place.store.read(log, window)]


def test_the_last_settled_record_takes_the_chunk_along(place: Place, queues: Queues) -> None:
    """Nothing is left of it."""
    queues.put_in_all()
    for queue_id in QUEUES:
        queues.logs[queue_id].settle(queues.notes[queue_id][0])
        commit(place.store)
    assert [] == chunks_of(place.store, MIXED)
    assert {} == examined(place.store, set(QUEUES)).counts


def test_a_record_moves_to_its_own_log(place: Place, queues: Queues) -> None:
    """A moved record can be read as part of a window, is there once after a start, and the others stay."""
    queues.put_in_all()
    queues.put_in_all()
    queues.put(1)
    queues.logs[1].returned(queues.notes[1][1], 3)
    for record in queues.notes[1][:2]:
        queues.logs[1].move(record)
    commit(place.store)
    assert queues.bodies(1) == bodies(place.store, queues.logs[1])
    assert 2 == len(chunks_of(place.store, 1))
    assert [0, 3, 0] == [stored.returns for stored in place.store.read(queues.logs[1], everything(place.store))]
    assert {queue_id: queues.bodies(queue_id) for queue_id in QUEUES} == restarted(place)


def test_a_moved_record_may_be_settled_before_it_is_written(place: Place, queues: Queues) -> None:
    """It is nowhere then."""
    queues.put_in_all()
    record = queues.notes[1][0]
    queues.logs[1].move(record)
    queues.logs[1].settle(record)
    commit(place.store)
    assert [] == chunks_of(place.store, 1)
    assert {queue_id: queues.bodies(queue_id) for queue_id in QUEUES} == restarted(place)


def test_order_is_kept_around_chunks_of_the_log(place: Place, queues: Queues) -> None:
    """A start does not put records together that have others between them."""
    for turn in range(3):
        queues.put(1, turn * (FEW_RECORDS + 1))
        queues.put_in_all()
        queues.put_in_all()
    assert {queue_id: queues.bodies(queue_id) for queue_id in QUEUES} == restarted(place)
    assert 5 == len(chunks_of(place.store, 1))


def test_records_of_a_deleted_queue_go_with_the_next_start(place: Place, queues: Queues) -> None:
    """What nobody settled before a crash belongs to no queue."""
    queues.put_in_all()
    place.store.drop_queue(1)
    commit(place.store)
    store = place.reopen()
    store.recover(set(QUEUES) - {1})
    assert [] == chunks_of(store, 1)
    assert [] == chunks_of(store, MIXED)
    assert len(QUEUES) - 1 == examined(store, set(QUEUES)).counts["messages"]


@pytest.mark.parametrize("table", [CHUNKS, MARKS])
def test_damage_is_told_and_costs_this_chunk_alone(place: Place, queues: Queues, table: int) -> None:
    """A damaged mixed chunk stays where it is, a start tells of it, and a check names it."""
    queues.put_in_all()
    queues.logs[1].settle(queues.notes[1][0])
    commit(place.store)
    key = chunks_of(place.store, MIXED)[0]
    cut_short(place.store, table, key)
    queues.put_in_all()
    found = restarted(place)
    assert {queue_id: [b"1 of queue %d" % queue_id] for queue_id in QUEUES} == found
    assert [key] == chunks_of(place.store, MIXED)
    assert key.hex() in " ".join(examined(place.store, set(QUEUES)).problems)


def test_no_more_is_mixed_than_a_start_can_move() -> None:
    """Beyond a number of bytes no chunk is begun, until settled ones make room."""
    store = Store(1)
    mixer, log = Mixer(store, 100), Log(store, 1, 0, Owner())
    record = Note(7, bytes(100))
    changes = Changes()
    assert mixer.may_mix(MANY_LOGS)
    mixer.add(log, [record], changes)
    mixer.close(changes)
    assert not mixer.may_mix(MANY_LOGS)
    assert record.chunk is not None
    mixer.settled(record.chunk)
    assert mixer.may_mix(MANY_LOGS)


def test_a_mixed_chunk_is_cut_like_others() -> None:
    """Many records make several chunks, each of which can be read alone."""
    store = Store(1)
    mixer, log = Mixer(store), Log(store, 9, 3, Owner())
    changes = Changes()
    for sequence in range(1, 5):
        mixer.add(log, [Note(sequence, bytes([sequence]) * 100_000)], changes)
    mixer.close(changes)
    found = []
    for packed in changes.chunks:
        key = records.key(MIXED, 0, packed.chunk.first)
        value = records.encode_chunk(key, packed.pieces, packed.count, packed.last, packed.size)
        found += mixed.decode(key, value, packed.chunk.marks)
    assert [2, 2] == [packed.count for packed in changes.chunks]
    assert [(9, 3, 1), (9, 3, 2), (9, 3, 3), (9, 3, 4)] == [(each.queue_id, each.lane, each.sequence) for each in found]
