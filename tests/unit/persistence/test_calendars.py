"""What both stores promise of calendars; the numbers are those of the invariants of `persistence.calendar`."""

from typing import Protocol

import pytest

from helpers.stores import Note, Owner, commit, damage_rows, examined
from persistence import records
from persistence.calendar import BEGINNING, NEVER, PAGE_BYTES, PAGE_ROWS, Calendar, CalendarOwner, Place
from persistence.chunk_store import ChunkStore
from persistence.tables import CALENDARS, WHOLE, Transaction


class Somewhere(Protocol):
    """Where a store lies."""

    store: ChunkStore

    def reopen(self) -> ChunkStore:
        """The store of the next run of the program."""


class Listener(CalendarOwner):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def rows_committed(self, number: int) -> None:
        """See `CalendarOwner.rows_committed`."""
        self.told.append(number)


def opened(store: ChunkStore, queue_id: int = 1, lane: int = 0, *, kept: bool = True) -> Calendar:
    """A calendar of somebody who listens."""
    return store.calendar(queue_id, lane, kept, Listener())


def rows(store: ChunkStore, calendar: Calendar, place: Place = BEGINNING) -> list[tuple[Place, bytes]]:
    """A page as it is stored."""
    return [(row.place, row.value) for row in store.read_calendar(calendar, place)]


def stored(store: ChunkStore) -> list[bytes]:
    """The keys in the calendars' table."""
    view = store._messages.view()
    try:
        return [key for key, _ in view.range(CALENDARS, b"\0", records.LAST_CALENDAR_KEY, 0)]
    finally:
        view.close()


@pytest.mark.parametrize("kept", [True, False])
def test_rows_are_read_in_the_order_of_their_time(store: ChunkStore, kept: bool) -> None:
    """Invariant 1: whatever order they came in; equal times are told apart by sequence, and a page begins where it is told."""
    calendar = opened(store, kept=kept)
    for time, sequence in ((30, 1), (10, 2), (NEVER, 3), (10, 4)):
        calendar.put((time, sequence), b"%d" % sequence)
        commit(store)
    assert [((10, 2), b"2"), ((10, 4), b"4"), ((30, 1), b"1"), ((NEVER, 3), b"3")] == rows(store, calendar)
    assert [((30, 1), b"1"), ((NEVER, 3), b"3")] == rows(store, calendar, (10, 5))
    assert 4 == calendar.count


def test_rows_are_visible_once_they_are_committed(store: ChunkStore) -> None:
    """Reading shows neither what is open nor what is on its way, and still shows what is about to be removed."""
    calendar = opened(store)
    calendar.put((5, 1), b"a")
    assert [] == rows(store, calendar)
    commit(store)
    calendar.remove((5, 1))
    assert [((5, 1), b"a")] == rows(store, calendar)
    commit(store)
    assert ([], 0) == (rows(store, calendar), calendar.count)


def test_a_row_that_is_removed_in_its_batch_is_never_written(store: ChunkStore) -> None:
    """Invariant 2: put and removal cancel each other out."""
    calendar = opened(store)
    calendar.put((5, 1), b"a")
    calendar.remove((5, 1))
    assert ([], {}, 0) == (calendar.removals, calendar.puts, calendar.count)


def test_a_page_is_bounded(store: ChunkStore) -> None:
    """By rows, and by bytes: the row that reaches the limit is the last one."""
    small, large = opened(store, 1), opened(store, 2)
    for sequence in range(PAGE_ROWS + 1):
        small.put((1, sequence), b"")
    for sequence in range(4):
        large.put((1, sequence), bytes(PAGE_BYTES // 2))
    commit(store)
    assert (PAGE_ROWS, 1) == (len(rows(store, small)), len(rows(store, small, (1, PAGE_ROWS))))
    assert 2 == len(rows(store, large))


def test_kept_rows_survive_and_others_do_not(place: Somewhere) -> None:
    """Invariant 3: the number of rows survives with them; lanes and owners are told apart."""
    kept, other, lost = opened(place.store), opened(place.store, 1, 1), opened(place.store, 2, kept=False)
    for calendar, sequence in ((kept, 1), (kept, 2), (kept, 3), (other, 1), (lost, 1)):
        calendar.put((7, sequence), b"%d" % sequence)
    kept.remove((7, 3))
    commit(place.store)
    kept.remove((7, 1))
    commit(place.store)
    assert 1 == len(rows(place.store, lost))
    store = place.reopen()
    store.recover({1, 2})
    kept, other, lost = opened(store), opened(store, 1, 1), opened(store, 2, kept=False)
    assert [1, 1, 0] == [calendar.count for calendar in (kept, other, lost)]
    assert [[((7, 2), b"2")], [((7, 1), b"1")], []] == [rows(store, calendar) for calendar in (kept, other, lost)]


def test_recovery_deletes_calendars_of_nobody(place: Somewhere) -> None:
    """All lanes of an unknown owner are gone, those of a known one stay."""
    for queue_id, lane in ((1, 0), (2, 0), (2, 1), (3, 0)):
        opened(place.store, queue_id, lane).put((7, 1), b"x")
    commit(place.store)
    store = place.reopen()
    store.recover({1, 3})
    assert {1, 3} == {records.split_calendar_key(key)[0] for key in stored(store)}
    assert ([], {"dated rows": 2}) == (examined(store, {1, 3}).problems, examined(store, {1, 3}).counts)


def test_a_dropped_calendar_leaves_nothing(store: ChunkStore) -> None:
    """Whatever lane it is and whether it was kept; what still comes for it is ignored."""
    listener = Listener()
    calendars = [store.calendar(1, 0, True, listener), store.calendar(1, 1, False, listener)]
    for calendar in calendars:
        calendar.put((7, 1), b"x")
    commit(store)
    told = list(listener.told)
    for calendar in calendars:
        calendar.put((7, 2), b"x")
    store.drop_queue(1)
    calendars[0].put((7, 3), b"x")
    commit(store)
    assert ([], [], told) == (stored(store), rows(store, calendars[1]), listener.told)


def test_dropping_a_calendar_that_wrote_nothing_writes_nothing(store: ChunkStore) -> None:
    """Short-lived owners cost the disk nothing."""
    opened(store).put((7, 1), b"x")
    store.drop_queue(1)
    assert store.close_batch() is None


def test_owners_are_told_of_batches_with_their_rows(store: ChunkStore) -> None:
    """By number, once it committed; a touched calendar is part of the batch although nothing of it changes."""
    listener = Listener()
    calendar = store.calendar(1, 0, True, listener)
    calendar.put((7, 1), b"x")
    first = store.open_number
    commit(store)
    store.log(2, 0, Owner()).put(Note(store.first_sequence, b"x"))
    commit(store)
    calendar.touch()
    third = store.open_number
    commit(store)
    assert ([first, third], first + 2) == (listener.told, third)


def test_damage_is_named_when_it_is_read(store: ChunkStore) -> None:
    """A row that fails its checksum is passed over and told of; a check finds it and a wrong number too."""
    calendar = opened(store)
    calendar.put((7, 1), b"x")
    commit(store)

    def damage(tables: Transaction) -> list[int]:
        for key, value in list(tables.range(CALENDARS, b"\0", records.LAST_CALENDAR_KEY, WHOLE)):
            if records.split_calendar_key(key)[2]:
                tables.put(CALENDARS, key, value[:-1] + b"y")
                moved = records.calendar_key(1, 0, 8, 1)
                tables.put(CALENDARS, moved, records.protect(moved, b"x"))
        return []

    store._messages.change(damage, 0)
    assert [((8, 1), b"x")] == rows(store, calendar)
    assert [True] == [text.startswith("calendar 1/0, time 7, sequence 1: ") for text in store.damages]
    problems = examined(store, {1}).problems
    assert ["calendar 1/0, time 7, sequence 1: fails its checksum", "calendar 1/0: 2 rows, yet 1 are counted"] == [
        problem.partition(": ")[2] for problem in problems
    ]


def test_damaged_rows_do_not_end_a_page(store: ChunkStore) -> None:
    """However many there are: a page without rows is the last one."""
    calendar = opened(store)
    for sequence in range(3):
        calendar.put((1, sequence), bytes(PAGE_BYTES))
    commit(store)
    damage_rows(store, 0, 1)
    assert [((1, 2), bytes(PAGE_BYTES))] == rows(store, calendar)
