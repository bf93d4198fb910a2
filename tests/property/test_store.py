"""The stores against a model: dictionaries of what is live, and a copy of them for every closed batch."""

import copy
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from helpers.stores import Note, Owner, commit, examined, kill, note, put_shared
from persistence.chunk_store import ChunkBatch, ChunkStore
from persistence.lmdb_store import LmdbStore
from persistence.memory import MemoryStore, memory_store
from persistence.store import Window

LANES = (0, 5)
SIZES = st.sampled_from([0, 1, 100, 5_000, 130_000, 300_000])
Live = dict[int, dict[int, dict[int, tuple[bytes, int]]]]
"""Queue id → lane → sequence → body and returns."""


class _Queue:
    def __init__(self, store: ChunkStore, queue_id: int) -> None:
        self.id = queue_id
        self.logs = [store.log(queue_id, lane, Owner()) for lane in LANES]
        self.notes: list[dict[int, Note]] = [{} for _ in LANES]


class StoreMachine(RuleBasedStateMachine):
    """Random operations on a memory store."""

    def __init__(self) -> None:
        super().__init__()
        self.store: ChunkStore = self.open()
        self.queues: dict[int, _Queue] = {}
        self.live: Live = {}
        self.spilled: set[int] = set()
        self.committed: Live = {}
        self.closed: list[tuple[ChunkBatch | None, Live]] = []
        self.next_queue_id = 1
        self.next_sequence = self.store.first_sequence
        self.declare()

    def open(self) -> ChunkStore:
        """A new and empty store."""
        return memory_store()

    def reopen(self) -> ChunkStore:
        """The store after the program ended without notice."""
        assert isinstance(self.store, MemoryStore)
        return self.store.reopen()

    def _note(self, body: bytes, body_id: int = 0) -> Note:
        self.next_sequence += 1
        return Note(self.next_sequence, body, body_id)

    def _remember(self, queue: _Queue, lane: int, record: Note) -> None:
        queue.notes[lane][record.sequence] = record
        self.live[queue.id][lane][record.sequence] = (record.body, 0)

    @rule()
    @precondition(lambda self: len(self.queues) < 3)
    def declare(self) -> None:
        """A new queue."""
        self.queues[self.next_queue_id] = _Queue(self.store, self.next_queue_id)
        self.live[self.next_queue_id] = {0: {}, 1: {}}
        self.next_queue_id += 1

    @rule(data=st.data(), size=SIZES, count=st.sampled_from([1, 2, 5, 1100]), spill=st.booleans())
    @precondition(lambda self: self.queues)
    def put(self, data: st.DataObject, size: int, count: int, spill: bool) -> None:
        """Some records, into the store or into the spill."""
        queue = self.queues[data.draw(st.sampled_from(sorted(self.queues)))]
        lane = data.draw(st.sampled_from([0, 1]))
        for number in range(count if size < 5_000 else 1):
            record = self._note(bytes([number & 0xFF]) * size)
            if spill:
                queue.logs[lane].spill(record)
                self.spilled.add(record.sequence)
            else:
                queue.logs[lane].put(record)
            self._remember(queue, lane, record)

    @rule(size=st.sampled_from([1, 5_000, 130_000]))
    @precondition(lambda self: self.queues)
    def put_in_each(self, size: int) -> None:
        """A record in each lane of all queues, of which some may share a chunk."""
        for queue in self.queues.values():
            for lane, log in enumerate(queue.logs):
                record = self._note(b"e" * size)
                log.put(record)
                self._remember(queue, lane, record)

    @rule(lane=st.sampled_from([0, 1]), size=SIZES)
    @precondition(lambda self: self.queues)
    def put_in_all(self, lane: int, size: int) -> None:
        """One body for all queues."""
        body = b"s" * size
        body_id = self.store.share(body)
        for queue in self.queues.values():
            self._remember(queue, lane, put_shared(self.store, queue.logs[lane], self._note(body, body_id)))

    @rule(data=st.data(), every=st.sampled_from([1, 2, 7]))
    @precondition(lambda self: any(notes for queue in self.queues.values() for notes in queue.notes))
    def settle(self, data: st.DataObject, every: int) -> None:
        """Every n-th record of a lane is gone."""
        queue, lane = self._occupied(data)
        for record in list(queue.notes[lane].values())[::every]:
            queue.logs[lane].settle(record)
            del queue.notes[lane][record.sequence]
            del self.live[queue.id][lane][record.sequence]

    @rule(data=st.data(), returns=st.sampled_from([1, 2, 254, 400]))
    @precondition(lambda self: any(notes for queue in self.queues.values() for notes in queue.notes))
    def give_back(self, data: st.DataObject, returns: int) -> None:
        """A record came back to its queue."""
        queue, lane = self._occupied(data)
        record = queue.notes[lane][data.draw(st.sampled_from(sorted(queue.notes[lane])))]
        queue.logs[lane].returned(record, returns)
        self.live[queue.id][lane][record.sequence] = (record.body, min(returns, 254))

    @rule(data=st.data())
    @precondition(lambda self: any(notes for queue in self.queues.values() for notes in queue.notes))
    def page(self, data: st.DataObject) -> None:
        """A lane is put away and read again, although changes to its marks may still wait for a batch."""
        queue, lane = self._occupied(data)
        self._make_ready(queue, lane)
        found = self.store.read(queue.logs[lane], self._window(queue, lane))
        assert self.live[queue.id][lane] == {stored.sequence: (stored.body, stored.returns) for stored in found}
        assert [stored.sequence for stored in found] == sorted(stored.sequence for stored in found)
        queue.notes[lane] = {stored.sequence: note(stored) for stored in found}

    @rule(data=st.data())
    @precondition(lambda self: any(notes for queue in self.queues.values() for notes in queue.notes))
    def purge(self, data: st.DataObject) -> None:
        """A lane's records on disk are deleted unread."""
        queue, lane = self._occupied(data)
        self._make_ready(queue, lane)
        self.store.discard(queue.logs[lane], self._window(queue, lane))
        queue.notes[lane] = {}
        self.live[queue.id][lane] = {}

    @rule(data=st.data())
    @precondition(lambda self: self.queues)
    def drop(self, data: st.DataObject) -> None:
        """A queue is deleted; its records are settled afterwards, as by late acknowledgements."""
        queue = self.queues.pop(data.draw(st.sampled_from(sorted(self.queues))))
        self.store.drop_queue(queue.id)
        del self.live[queue.id]
        for log, notes in zip(queue.logs, queue.notes, strict=True):
            for record in notes.values():
                log.settle(record)

    @rule()
    def close_batch(self) -> None:
        """The open batch is on its way."""
        number = self.store.open_number
        batch = self.store.close_batch()
        assert number + 1 == self.store.open_number
        stored = copy.deepcopy(self.live)
        for lanes in stored.values():
            for rows in lanes.values():
                for sequence in self.spilled & rows.keys():
                    del rows[sequence]
        self.closed.append((batch, stored))

    @rule()
    def write(self) -> None:
        """The oldest closed batch is written."""
        if self.closed:
            batch, self.committed = self.closed.pop(0)
            if batch is not None:
                self.store.apply(batch)
                self.store.committed(batch)

    @rule()
    def commit(self) -> None:
        """All is written; then no shared body is left without a reference."""
        while self.closed:
            self.write()
        self.close_batch()
        self.write()
        commit(self.store)
        assert "leftover bodies" not in examined(self.store, set(self.committed)).counts

    @rule(written=st.booleans())
    def crash(self, written: bool) -> None:
        """The program ends, perhaps right after a batch was written, and starts again."""
        if written and self.closed:
            batch, self.committed = self.closed.pop(0)
            if batch is not None:
                self.store.apply(batch)
        self.store = self.reopen()
        assert self.next_sequence < self.store.first_sequence
        self.next_sequence = self.store.first_sequence
        self.closed = []
        self.live = copy.deepcopy(self.committed)
        self.queues = {queue_id: _Queue(self.store, queue_id) for queue_id in self.live}
        self._recover()

    def _recover(self) -> None:
        windows = self.store.recover(set(self.live))
        for queue in self.queues.values():
            for lane, log in enumerate(queue.logs):
                for window in windows.get(queue.id, {}).get(log.lane, []):
                    found = self.store.read(log, window)
                    assert window.count == len(found)
                    queue.notes[lane].update({stored.sequence: note(stored) for stored in found})
                    returns = {stored.sequence: (stored.body, stored.returns) for stored in found}
                    assert {key: self.live[queue.id][lane].get(key) for key in returns} == returns
                assert list(self.live[queue.id][lane]) == list(queue.notes[lane])
        assert "leftover bodies" not in examined(self.store, set(self.live)).counts

    @invariant()
    def check_is_clean(self) -> None:
        """What is on disk is whole, whatever waits in memory."""
        assert [] == examined(self.store, set(self.committed)).problems

    def teardown(self) -> None:
        """Release files."""
        self.store.close()

    def _occupied(self, data: st.DataObject) -> tuple[_Queue, int]:
        choices = [(queue.id, lane) for queue in self.queues.values() for lane in (0, 1) if queue.notes[lane]]
        queue_id, lane = data.draw(st.sampled_from(choices))
        return self.queues[queue_id], lane

    def _make_ready(self, queue: _Queue, lane: int) -> None:
        """Have all records of a lane in durable chunks of its log: those in mixed chunks move, neighbours by neighbours."""
        log = queue.logs[lane]
        while not self._is_durable(queue, lane) or self._neighbours(queue, lane):
            for record in self._neighbours(queue, lane):
                log.move(record)
            self.commit()

    def _neighbours(self, queue: _Queue, lane: int) -> list[Note]:
        """The first records in mixed chunks, as far as no other comes between them."""
        found: list[Note] = []
        for record in queue.notes[lane].values():
            if record.chunk is not None and record.chunk.log is not queue.logs[lane]:
                found.append(record)
            elif found:
                break
        return found

    def _is_durable(self, queue: _Queue, lane: int) -> bool:
        return all(record.chunk is not None and record.chunk.durable for record in queue.notes[lane].values())

    def _window(self, queue: _Queue, lane: int) -> Window:
        notes = list(queue.notes[lane].values())
        chunk = notes[0].chunk
        assert chunk is not None
        return Window(min(chunk.first, notes[0].sequence), notes[-1].sequence, len(notes), 0)


class LmdbMachine(StoreMachine):
    """The same operations on a store on disk."""

    def open(self) -> ChunkStore:
        """A new and empty store."""
        self.folder = Path(tempfile.mkdtemp())
        return LmdbStore(self.folder / "data")

    def reopen(self) -> ChunkStore:
        """The store after the program ended without notice."""
        kill(self.store)
        return LmdbStore(self.folder / "data")

    def teardown(self) -> None:
        """Release files."""
        super().teardown()
        shutil.rmtree(self.folder)


SETTINGS = settings(max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck))


def test_memory_store() -> None:
    """A memory store agrees with the model."""
    run_state_machine_as_test(StoreMachine, settings=SETTINGS)


def test_lmdb_store() -> None:
    """A store on disk agrees with the model."""
    run_state_machine_as_test(LmdbMachine, settings=SETTINGS)
