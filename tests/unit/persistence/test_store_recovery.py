"""What both stores find again at a start."""

from helpers.stores import Note, Place, commit, opened, put, put_shared, stored
from persistence.tables import BODIES, CHUNKS, REFERENCES


def test_recovery_deletes_what_belongs_to_no_queue(place: Place) -> None:
    """Chunks, marks, references and bodies of unknown queues are gone after recovery."""
    store = place.store
    log = opened(store)
    put_shared(store, log, Note(store.first_sequence, b"shared", store.share(b"shared")))
    commit(store)
    store = place.reopen()
    assert {} == store.recover({2})
    assert [[], [], []] == [stored(store, table) for table in (CHUNKS, REFERENCES, BODIES)]


def test_recovery_joins_small_chunks_into_windows(place: Place) -> None:
    """A queue that was filled one record a batch does not cost a window for each."""
    store = place.store
    log = opened(store)
    for index in range(5):
        put(log, bytes(100_000), after=index)
        commit(store)
    store = place.reopen()
    windows = store.recover({1})[1][0]
    assert [2, 2, 1] == [window.count for window in windows]
    assert all(100_000 <= window.size // window.count < 100_100 for window in windows)
    assert 5 == len([one for window in windows for one in store.read(opened(store), window)])


def test_lanes_are_recovered_apart(place: Place) -> None:
    """Each lane of each queue has windows of its own."""
    store = place.store
    for queue_id, lane in ((1, 0), (1, 9), (2, 0)):
        put(opened(store, queue_id, lane), b"%d/%d" % (queue_id, lane))
    commit(store)
    store = place.reopen()
    windows = store.recover({1, 2})
    assert {1: [0, 9], 2: [0]} == {queue_id: list(lanes) for queue_id, lanes in windows.items()}
    assert [b"1/9"] == [one.body for one in store.read(opened(store, 1, 9), windows[1][9][0])]
