"""Where batches are written: in the thread at first, in place while the disk is quick."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from persistence.memory import MemoryStore, MemoryTables
from persistence.store import Batch, StoreError
from persistence.writer import QUICK_SECONDS, TRUSTED_AFTER, Writer

QUICK = QUICK_SECONDS / 2
SLOW = QUICK_SECONDS * 2


class TimedStore(MemoryStore):
    """A store that says how long a write took, and notes where it was done."""

    def __init__(self) -> None:
        super().__init__(MemoryTables())
        self.now = 0.0
        self.seconds = QUICK
        self.is_brief = True
        self.error: Exception | None = None
        self.places: list[str] = []

    def apply(self, batch: Batch) -> None:
        """See `Store.apply`."""
        self.places.append("here" if threading.current_thread() is threading.main_thread() else "thread")
        self.now += self.seconds
        if self.error is not None:
            raise self.error

    def apply_briefly(self, batch: Batch) -> bool:
        """See `Store.apply_briefly`."""
        if self.is_brief:
            self.apply(batch)
        return self.is_brief

    def clock(self) -> float:
        """Seconds that writes have taken."""
        return self.now


class Desk:
    """A writer, its store, and what was reported."""

    def __init__(self, store: TimedStore) -> None:
        self.store = store
        self.reports: list[Exception | None] = []
        self._is_reported = asyncio.Event()
        self.writer = Writer(asyncio.get_running_loop(), store, self._report, store.clock)

    async def write(self, times: int = 1) -> list[str]:
        """Write batches one after the other; the places where they were written."""
        self.store.places.clear()
        for _ in range(times):
            self._is_reported.clear()
            self.writer.write(Batch(1))
            await self._is_reported.wait()
        return self.store.places

    def _report(self, error: Exception | None) -> None:
        self.reports.append(error)
        self._is_reported.set()


@pytest.fixture
def store() -> TimedStore:
    """A store with a clock."""
    return TimedStore()


def play(store: TimedStore, scene: Callable[[Desk], Awaitable[None]]) -> None:
    """Run a scene at a new desk."""

    async def main() -> None:
        desk = Desk(store)
        try:
            await scene(desk)
        finally:
            desk.writer.close()

    asyncio.run(main())


def test_a_quick_disk_is_trusted_in_time(store: TimedStore) -> None:
    """The thread writes until enough writes in a row were quick."""

    async def scene(desk: Desk) -> None:
        assert ["thread"] * TRUSTED_AFTER == await desk.write(TRUSTED_AFTER)
        assert ["here"] * 3 == await desk.write(3)

    play(store, scene)


def test_one_slow_write_ends_the_trust(store: TimedStore) -> None:
    """The loop waits for one slow write, and for no second one until the disk was quick again for long."""

    async def scene(desk: Desk) -> None:
        await desk.write(TRUSTED_AFTER)
        store.seconds = SLOW
        assert ["here", *["thread"] * TRUSTED_AFTER] == await desk.write(1 + TRUSTED_AFTER)
        store.seconds = QUICK
        assert [*["thread"] * TRUSTED_AFTER, "here"] == await desk.write(TRUSTED_AFTER + 1)

    play(store, scene)


def test_what_takes_more_than_a_short_write_goes_to_the_thread(store: TimedStore) -> None:
    """However much the disk is trusted."""

    async def scene(desk: Desk) -> None:
        await desk.write(TRUSTED_AFTER)
        store.is_brief = False
        assert ["thread"] == await desk.write()
        store.is_brief = True
        assert ["here"] == await desk.write()

    play(store, scene)


@pytest.mark.parametrize("error", [StoreError("no"), MemoryError()])
def test_a_write_that_failed_is_reported_and_not_tried_again(store: TimedStore, error: Exception) -> None:
    """In place as in the thread: a failed sync that is repeated may succeed though the data is lost."""

    async def scene(desk: Desk) -> None:
        await desk.write(TRUSTED_AFTER)
        store.error = error
        assert ["here"] == await desk.write()
        assert [*[None] * TRUSTED_AFTER, error] == desk.reports

    play(store, scene)
