"""The memory of identifiers; the numbers are those of the invariants of `amqpd.broker.duplicate_filter`."""

from amqpd.broker.clock import Clock
from amqpd.broker.duplicate_filter import DEFAULT_SIZE, SLACK, DuplicateFilter
from helpers.stores import commit, damage_rows, examined
from persistence.chunk_store import ChunkStore
from persistence.memory import memory_store


class Bench:
    """A filter with a clock and perhaps a store."""

    def __init__(self, store: ChunkStore | None = None, **arguments: object) -> None:
        self.clock = Clock()
        self.filter = DuplicateFilter({f"x-cache-{key}": value for key, value in arguments.items()}, self.clock)
        if store is not None:
            self.filter.keep(store, 1)

    def sees(self, identifier: object, **more: object) -> bool:
        """Whether this is a duplicate."""
        return self.filter.is_duplicate({"x-deduplication-header": identifier, **more})


def test_the_header_is_chosen() -> None:
    """Invariant 1: messages without it are never duplicates; the default header is of no interest then."""
    chosen = DuplicateFilter({"x-deduplication-header": "id"}, Clock())
    assert [False, True, False, False] == [chosen.is_duplicate({"id": value}) for value in (1, 1, "1", 2.5)]
    assert [False, False] == [chosen.is_duplicate({"x-deduplication-header": 1}) for _ in range(2)]
    assert DEFAULT_SIZE == chosen.size


def test_identifiers_expire() -> None:
    """Invariants 2 and 4: a duplicate does not prolong them, and a message may have a time of its own."""
    bench = Bench(ttl=100)
    assert [False, False] == [bench.sees("a"), bench.sees("long", **{"x-cache-ttl": 1000})]
    bench.clock.now = 99
    assert bench.sees("a")
    bench.clock.now = 100
    assert [False, True] == [bench.sees("a"), bench.sees("long")]
    bench.clock.now = 1000
    assert not bench.sees("long")


def test_the_oldest_is_forgotten_first() -> None:
    """Invariant 2: the size of the cache is its most."""
    bench = Bench(size=2)
    assert [False] * 3 == [bench.sees(number) for number in range(3)]
    assert [True, True, False, False] == [bench.sees(number) for number in (1, 2, 0, 1)]


def test_a_small_cache_stays_small() -> None:
    """Deadlines of what was forgotten early do not pile up."""
    bench = Bench(size=10, ttl=1_000_000)
    for number in range(5 * SLACK):
        bench.sees(number)
    assert len(bench.filter._deadlines) <= 20 + SLACK + 1


def test_what_is_kept_survives() -> None:
    """Invariant 3: with deadlines and order; what was forgotten is not there."""
    store = memory_store()
    bench = Bench(store, size=3, ttl=100)
    for now, identifier in ((0, "expired"), (50, "evicted"), (60, "old"), (70, "new"), (101, "newest")):
        bench.clock.now = now
        assert not bench.sees(identifier)
        commit(store)
    store = store.reopen()
    store.recover({1})
    bench = Bench(store, size=3, ttl=100)
    bench.clock.now = 149
    assert [True, True, True] == [bench.sees(identifier) for identifier in ("old", "new", "newest")]
    assert not bench.sees("one more")
    bench.clock.now = 170
    assert [False, True, True] == [bench.sees(identifier) for identifier in ("old", "newest", "one more")]
    commit(store)
    assert ([], {"dated rows": 3}) == (examined(store, {1}).problems, examined(store, {1}).counts)


def test_a_large_cache_is_recovered() -> None:
    """Page by page."""
    store = memory_store()
    bench = Bench(store)
    for number in range(3000):
        bench.sees(number)
    commit(store)
    store = store.reopen()
    store.recover({1})
    bench = Bench(store)
    assert all(bench.sees(number) for number in range(3000))


def test_a_damaged_identifier_is_passed_over() -> None:
    """All others are remembered."""
    store = memory_store()
    bench = Bench(store)
    for identifier in ("a", "b", "c"):
        bench.sees(identifier)
    commit(store)
    damage_rows(store, store.first_sequence + 1)
    store = store.reopen()
    store.recover({1})
    bench = Bench(store)
    assert [True, False, True] == [bench.sees(identifier) for identifier in ("a", "b", "c")]
    assert 1 == len(store.damages)


def test_a_refused_message_is_forgotten() -> None:
    """It is new when it comes again; what has no identifier changes nothing."""
    store = memory_store()
    bench = Bench(store, ttl=10)
    bench.sees("a")
    bench.filter.forget({"x-deduplication-header": "a"})
    bench.filter.forget({"x-deduplication-header": "never seen"})
    bench.filter.forget({})
    assert [False, True] == [bench.sees("a"), bench.sees("a")]
    commit(store)
    assert {"dated rows": 1} == examined(store, {1}).counts
