"""Calendars against a model: dictionaries of rows, and a copy of them for every closed batch."""

import copy
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from helpers.stores import commit, examined, kill
from persistence.calendar import BEGINNING, NEVER, Calendar, CalendarOwner, Place
from persistence.chunk_store import ChunkBatch, ChunkStore
from persistence.lmdb_store import LmdbStore
from persistence.memory import MemoryStore, memory_store

Rows = dict[tuple[int, int], dict[Place, bytes]]
"""Owner and lane → what stands where; lane 0 is kept, lane 1 is not."""


class CalendarMachine(RuleBasedStateMachine):
    """Random operations on a memory store."""

    def __init__(self) -> None:
        super().__init__()
        self.store: ChunkStore = self.open()
        self.calendars: dict[tuple[int, int], Calendar] = {}
        self.rows: Rows = {}
        self.committed: Rows = {}
        self.closed: list[tuple[ChunkBatch | None, Rows]] = []
        self.next_id = 1
        self.next_sequence = self.store.first_sequence

    def open(self) -> ChunkStore:
        """A new and empty store."""
        return memory_store()

    def reopen(self) -> ChunkStore:
        """The store after the program ended without notice."""
        assert isinstance(self.store, MemoryStore)
        return self.store.reopen()

    @rule()
    @precondition(lambda self: len(self.calendars) < 6)
    def declare(self) -> None:
        """A new owner with both kinds of calendars."""
        self._open(self.next_id)
        for lane in (0, 1):
            self.rows[self.next_id, lane] = {}
        self.next_id += 1

    def _open(self, owner_id: int) -> None:
        for lane in (0, 1):
            self.calendars[owner_id, lane] = self.store.calendar(owner_id, lane, lane == 0, CalendarOwner())

    @rule(data=st.data(), times=st.lists(st.integers(1, 5) | st.just(NEVER), min_size=1), size=st.sampled_from([0, 9, 300_000]))
    @precondition(lambda self: self.calendars)
    def put(self, data: st.DataObject, times: list[int], size: int) -> None:
        """Some rows."""
        key = data.draw(st.sampled_from(sorted(self.calendars)))
        for time in times[: 3 if size > 9 else None]:
            place = (time, self.next_sequence)
            self.next_sequence += 1
            self.calendars[key].put(place, bytes(size))
            self.rows[key][place] = bytes(size)

    @rule(data=st.data(), every=st.sampled_from([1, 2, 3]))
    @precondition(lambda self: self.calendars)
    def remove(self, data: st.DataObject, every: int) -> None:
        """Every n-th row of a calendar."""
        key = data.draw(st.sampled_from(sorted(self.calendars)))
        for place in sorted(self.rows[key])[::every]:
            self.calendars[key].remove(place)
            del self.rows[key][place]

    @rule(data=st.data())
    @precondition(lambda self: self.calendars)
    def drop(self, data: st.DataObject) -> None:
        """An owner ends."""
        owner_id, _ = data.draw(st.sampled_from(sorted(self.calendars)))
        self.store.drop_queue(owner_id)
        for lane in (0, 1):
            del self.rows[owner_id, lane]
            self.calendars.pop((owner_id, lane)).put((1, self.next_sequence), b"late")
            self.next_sequence += 1

    @rule()
    def close_batch(self) -> None:
        """The open batch is on its way."""
        self.closed.append((self.store.close_batch(), copy.deepcopy(self.rows)))

    @rule()
    def write(self) -> None:
        """The oldest closed batch is written."""
        if self.closed:
            batch, self.committed = self.closed.pop(0)
            if batch is not None:
                self.store.apply(batch)
                self.store.committed(batch)

    @rule()
    def crash(self) -> None:
        """The program ends and starts again."""
        self.store = self.reopen()
        self.next_sequence = self.store.first_sequence
        self.closed = []
        owners = {owner_id for owner_id, _ in self.committed}
        self.rows = {key: {} if key[1] else dict(found) for key, found in self.committed.items()}
        self.committed = copy.deepcopy(self.rows)
        self.store.recover(owners)
        self.calendars = {}
        for owner_id in sorted(owners):
            self._open(owner_id)

    @invariant()
    def rows_are_those_of_the_model(self) -> None:
        """Page by page, in order; and they are counted."""
        for key, calendar in self.calendars.items():
            assert len(self.rows[key]) == calendar.count
            found = []
            place = BEGINNING
            while page := self.store.read_calendar(calendar, place):
                found += [(row.place, row.value) for row in page]
                place = (page[-1].place[0], page[-1].place[1] + 1)
            assert sorted(self.committed.get(key, {}).items()) == found

    @invariant()
    def check_is_clean(self) -> None:
        """What is on disk is whole, whatever waits in memory."""
        assert [] == examined(self.store, {owner_id for owner_id, _ in self.committed}).problems

    def teardown(self) -> None:
        """All is written; then release files."""
        while self.closed:
            self.write()
        commit(self.store)
        assert [] == examined(self.store, {owner_id for owner_id, _ in self.rows}).problems
        self.store.close()


class LmdbMachine(CalendarMachine):
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
    run_state_machine_as_test(CalendarMachine, settings=SETTINGS)


def test_lmdb_store() -> None:
    """A store on disk agrees with the model."""
    run_state_machine_as_test(LmdbMachine, settings=SETTINGS)
